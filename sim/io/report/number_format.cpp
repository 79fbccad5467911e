#include "number_format.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

namespace tokenomics {
namespace {

constexpr const char* kAbsent = "-";
/// Below this, and above 1e15, digits alone are hard to read.
constexpr double kSmallest = 1e-4;
constexpr double kLargest = 1e15;

/// "-1234567.8" -> "-1,234,567.8".
std::string with_separators(std::string text) {
  const std::size_t first = text.front() == '-' ? 1 : 0;
  std::size_t end = text.find('.');
  if (end == std::string::npos) end = text.size();
  for (std::size_t at = end; at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

/// Power of ten of the first digit once `value` is rounded to `digits`: 9.996 to 3 digits is 10.0.
int exponent_of(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  return std::atoi(text.c_str() + text.find('e') + 1);
}

}  // namespace

nlohmann::ordered_json tidy(double value) {
  if (!std::isfinite(value)) return nullptr;
  if (std::abs(value) < 1e9 && std::trunc(value) == value) return value + 0.0;  // nothing to round; no minus zero
  std::array<char, 32> text;
  const char* end = fmt::format_to(text.data(), "{:.9g}", value);
  double rounded = 0;
  std::from_chars(text.data(), end, rounded);
  return rounded;
}
nlohmann::ordered_json tidy(const std::optional<double>& value) {
  return value ? tidy(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json exact(double count) {
  return std::abs(count) < 0x1.0p63 ? nlohmann::ordered_json(std::llround(count)) : tidy(count);
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return kAbsent;
  if (value == 0.0) return "0";
  const double size = std::abs(value);
  if (size < kSmallest || size >= kLargest) return fmt::format("{:.{}e}", value, digits - 1);
  const int decimals = std::max(0, digits - 1 - exponent_of(size, digits));
  return with_separators(fmt::format("{:.{}f}", value, decimals));
}
std::string significant(const std::optional<double>& value, int digits) {
  return value ? significant(*value, digits) : kAbsent;
}

std::string whole(double count) { return std::isfinite(count) ? with_separators(fmt::format("{:.0f}", count)) : kAbsent; }

std::string mean_count(double count) { return count == std::floor(count) ? whole(count) : significant(count, 4); }

std::string as_written(double value) { return with_separators(fmt::format("{:.15g}", value)); }

std::string percent(double share) {
  return std::isfinite(share) ? with_separators(fmt::format("{:.1f}", 100.0 * share)) : kAbsent;
}
std::string percent(const std::optional<double>& share) { return share ? percent(*share) : kAbsent; }

}  // namespace tokenomics
