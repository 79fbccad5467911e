#include "tokenomics/scenario/host_counts.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "document.hpp"
#include "json_text.hpp"
#include "load_part.hpp"

namespace tokenomics {
namespace {

constexpr std::string_view kHeader =
    "provider,input_usd_per_mtok,output_usd_per_mtok,context_tokens,ttft_s,tok_s,quantization,requests";
constexpr std::size_t kColumns = 8;
using Cells = std::array<std::string, kColumns>;

/// One line of the table; collects what is wrong with its cells.
class Row {
 public:
  Row(const std::string& file, int line, std::vector<Problem>& problems) : file_(file), line_(line), problems_(problems) {}

  void add(const std::string& found, const std::string& expected) const {
    problems_.push_back({fmt::format("{}:{}", file_, line_), "", shown(found), expected, ""});
  }
  bool split(const std::string& line) {
    std::istringstream stream(line + ",");  // the comma ends the last cell, which may be empty
    std::size_t count = 0;
    for (std::string cell; std::getline(stream, cell, ','); ++count)
      if (count < kColumns) cells_[count] = cell;
    if (count != kColumns) add(line, fmt::format("{} cells, not {}", kColumns, count));
    return count == kColumns;
  }
  [[nodiscard]] const std::string& text(std::size_t column) const { return cells_[column]; }
  [[nodiscard]] double above_zero(std::size_t column, const char* name) const {
    return number<double>(column, name, "a number above 0");
  }
  [[nodiscard]] std::int64_t count(std::size_t column, const char* name) const {
    return number<std::int64_t>(column, name, "a whole number above 0");
  }
  template <typename Value>
  [[nodiscard]] std::optional<Value> optional(std::size_t column, const char* name) const {
    if (cells_[column].empty()) return std::nullopt;
    return Value{above_zero(column, name)};
  }

 private:
  template <typename Number>
  [[nodiscard]] Number number(std::size_t column, const char* name, const char* what) const {
    const std::string& cell = cells_[column];
    Number value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const bool is_number = error == std::errc{} && end == cell.data() + cell.size();
    if (!is_number || !(value > 0) || !std::isfinite(static_cast<double>(value)))
      add(cell, fmt::format("{} in column {}", what, name));
    return value;
  }

  const std::string& file_;
  int line_;
  std::vector<Problem>& problems_;
  Cells cells_;
};

HostCount host_from(const Row& row) {
  HostCount host;
  host.provider = row.text(0);
  if (host.provider.empty()) row.add("", "a name in column provider");
  host.prices.input = usd_per_mtok(row.above_zero(1, "input_usd_per_mtok"));
  host.prices.output = usd_per_mtok(row.above_zero(2, "output_usd_per_mtok"));
  host.context_tokens = row.count(3, "context_tokens");
  host.ttft_p50 = row.optional<Seconds>(4, "ttft_s");
  host.speed_p50 = row.optional<TokensPerSecond>(5, "tok_s");
  host.quantization = row.text(6);
  host.requests = row.count(7, "requests");
  return host;
}

bool is_known(const std::vector<HostCount>& hosts, const std::string& provider) {
  for (const HostCount& host : hosts)
    if (host.provider == provider) return true;
  return false;
}

}  // namespace

std::vector<HostCount> read_host_counts(const std::string& path) {
  std::vector<Problem> problems;
  std::vector<HostCount> hosts;
  std::istringstream stream(text_of_file(path));
  bool has_header = false;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (!has_header && line.starts_with('#')) continue;
    Row row(path, number, problems);
    if (!has_header) {
      if (line != kHeader) row.add(line, fmt::format("the header {}", kHeader));
      if (line != kHeader) break;  // without the columns no further line means anything
      has_header = true;
    } else if (row.split(line)) {
      HostCount host = host_from(row);
      if (is_known(hosts, host.provider)) row.add(host.provider, "a host that stands once");
      hosts.push_back(std::move(host));
    }
  }
  if (problems.empty() && hosts.empty()) problems.push_back({path, "", "", "at least one host", ""});
  throw_all(problems);
  return hosts;
}

}  // namespace tokenomics
