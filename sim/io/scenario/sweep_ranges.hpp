#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reporter.hpp"
#include "tokenomics/base/range_law.hpp"

namespace tokenomics {

/// {low, high, ...} and nothing else. Where a length law may stand, it may be one.
bool looks_like_range(const nlohmann::json& value);
/// Pointers of everything in `value` that looks like a range, `pointer` before them.
void find_ranges(const nlohmann::json& value, const std::string& pointer, std::vector<std::string>& found);
/// Law, bounds and mode of a range; problems are added to `report`.
RangeLaw range_law_from(const nlohmann::json& file, const Reporter& report);
/// "1..2", as JSON text.
std::string shown_range(const nlohmann::json& range);
/// A number as people write it: no 0.30000000000000004 for a step of three tenths.
nlohmann::json rounded(double value, bool is_whole);

}  // namespace tokenomics
