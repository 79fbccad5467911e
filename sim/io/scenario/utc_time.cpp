#include <charconv>

#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {
namespace {

/// The digits text[at, at + count) as a number; nothing unless all are digits.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned number = 0;
  const char* const end = text.data() + at + count;
  const auto [stop, error] = std::from_chars(text.data() + at, end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

}  // namespace

std::optional<UtcTime> parse_utc_time(std::string_view text) {
  const auto date = parse_date(text.substr(0, 10));
  if (!date) return std::nullopt;
  if (text.size() == 10) return UtcTime(*date);
  if (text.size() != 17 || text[10] != 'T' || text[13] != ':' || text[16] != 'Z') return std::nullopt;
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return UtcTime(*date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

}  // namespace tokenomics
