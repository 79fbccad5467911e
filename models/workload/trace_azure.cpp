#include <charconv>
#include <chrono>

#include "csv_reader.hpp"
#include "trace_readers.hpp"

namespace tokenomics {

namespace {

/// The digits of text[begin, begin + size) as a number; false when there is another character.
bool digits(std::string_view text, std::size_t begin, std::size_t size, std::int64_t& value) {
  const std::string_view part = text.substr(begin, size);
  if (part.size() != size || part.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return std::from_chars(part.data(), part.data() + part.size(), value).ec == std::errc{};
}

bool parse_date(std::string_view text, std::int64_t& days) {
  std::int64_t year = 0, month = 0, day = 0;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day)) return false;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || text[4] != '-' || text[7] != '-') return false;
  days = std::chrono::sys_days(date).time_since_epoch().count();
  return true;
}

bool parse_fraction(std::string_view text, std::int64_t& nanoseconds) {
  if (text.empty()) return true;
  if (text[0] != '.' || text.size() < 2 || text.size() > 10 || !digits(text, 1, text.size() - 1, nanoseconds)) return false;
  for (std::size_t i = text.size(); i < 10; ++i) nanoseconds *= 10;
  return true;
}

}  // namespace

bool parse_timestamp(std::string_view text, std::int64_t& nanoseconds) {
  std::int64_t days = 0, hour = 0, minute = 0, second = 0, fraction = 0;
  if (text.size() < 19 || !parse_date(text, days) || text[10] != ' ' || text[13] != ':' || text[16] != ':') return false;
  if (!digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || !digits(text, 17, 2, second)) return false;
  if (hour > 23 || minute > 59 || second > 59 || !parse_fraction(text.substr(19), fraction)) return false;
  nanoseconds = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000'000 + fraction;
  return true;
}

Trace read_azure(const std::string& path) {
  enum Column { kTime, kInput, kOutput };
  CsvReader csv(path, {"TIMESTAMP", "ContextTokens", "GeneratedTokens"});
  Trace trace;
  std::int64_t first = 0, last = 0;
  while (csv.next()) {
    std::int64_t time = 0;
    if (!parse_timestamp(csv.text(kTime), time)) csv.fail(kTime, "a time like 2023-11-16 18:15:46.6805900");
    if (trace.rows.empty()) first = last = time;
    if (time < last) csv.fail(kTime, "times that do not decrease");
    last = time;
    TraceRow row;
    row.time_s = static_cast<double>(time - first) * 1e-9;
    row.input_tokens = csv.count(kInput, 1);
    row.output_tokens = csv.count(kOutput, 1);
    trace.rows.push_back(row);
  }
  csv.finish();
  return trace;
}

}  // namespace tokenomics
