#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace tokenomics {

// Rounding happens here and nowhere else.

/// To 9 significant digits, as JSON; null for what is absent or not finite.
nlohmann::ordered_json tidy(double value);
nlohmann::ordered_json tidy(const std::optional<double>& value);
/// A count that must not be rounded, such as parameters or bytes: to the nearest integer.
nlohmann::ordered_json exact(double count);

/// For people: `digits` significant digits, thousands separated by commas, whole numbers never cut: 3 digits give
/// "0.0599", "21.4", "87,072". "-" for what is absent or not finite.
std::string significant(double value, int digits = 3);
std::string significant(const std::optional<double>& value, int digits = 3);
/// A count: "1,760".
std::string whole(double count);
/// A mean of counts: whole where it is, else four significant digits.
std::string mean_count(double count);
/// All digits of a number that somebody wrote: "87,072", "226.75".
std::string as_written(double value);
/// A share in percent with one decimal, without the sign: "56.3".
std::string percent(double share);
std::string percent(const std::optional<double>& share);

}  // namespace tokenomics
