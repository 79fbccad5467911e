#include <algorithm>
#include <sstream>

#include "report/hand_made.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Fields of one CSV line, quotes taken off.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool is_pair = is_quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"';
    if (is_pair) {
      fields.back() += line[i++];
    } else if (line[i] == '"') {
      is_quoted = !is_quoted;
    } else if (line[i] == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

/// Lines of the block under a heading, up to the empty line.
std::vector<std::string> block(const std::string& page, const std::string& heading) {
  std::vector<std::string> found;
  bool is_inside = false;
  for (const std::string& line : lines_of(page)) {
    if (line.empty()) is_inside = false;
    if (is_inside) found.push_back(line);
    if (line.rfind(heading, 0) == 0) is_inside = true;
  }
  return found;
}

std::size_t shown(const std::string& line) {
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

RunResult wordy_result() {
  RunResult result = test::round_result();
  result.scenario.description = std::string(60, 'x') + " a service of many words, " + std::string(150, 'y');
  result.scenario.assumptions = {
      "An assumption that is longer than the page is wide, with a word \xC3\xBC that has two bytes, and it goes on and on "
      "and on."};
  result.scenario.published = {
      {"cost_usd_per_day", 87072, "a source whose name does not fit into the rest of the line and is continued below it"}};
  result.notes = {"note, with \"quotes\""};
  for (int hour = 0; hour < 24; ++hour)
    result.windows.push_back({.hour = hour + 0.5, .rate_per_s = 12345.678, .instances = {100, 9}, .nodes = 1000});
  return result;
}

TEST_CASE("A page starts with one line: what a token costs, what the user feels, what binds", "[report]") {
  RunResult result = test::round_result();
  result.cost.per_token = {usd_per_mtok(0.06), usd_per_mtok(0.138), std::nullopt,
                           usd_per_mtok(0.3),  std::nullopt,        usd_per_mtok(0.112)};
  CHECK(lines_of(result_table(result)).front() ==
        "0.112 USD/Mtok (0.0600 in, 0.300 out); TTFT 2.00 s, 15.0 tok/s/user; bound by hbm_bandwidth, load");
}

TEST_CASE("No line of a page is wider than 100 characters", "[report]") {
  for (const RunResult& result : {test::empty_result(), test::round_result(), wordy_result()}) {
    for (const std::string& line : lines_of(result_table(result))) {
      INFO(line);
      CHECK(shown(line) <= 100);
    }
  }
}

TEST_CASE("Columns of numbers end below each other", "[report]") {
  const std::string page = result_table(wordy_result());
  for (const char* heading : {"What users feel", "Throughput", "The day by window", "A token"}) {
    const std::vector<std::string> lines = block(page, heading);
    REQUIRE(lines.size() >= 2);
    for (const std::string& line : lines) {
      INFO(line);
      CHECK(line.size() == lines.front().size());
    }
  }
}

TEST_CASE("A long last column goes on below itself", "[report]") {
  const std::vector<std::string> lines = block(result_table(wordy_result()), "Beside what was published");
  REQUIRE(lines.size() >= 3);
  const std::size_t column = lines[0].find("source");
  CHECK(lines[1].find("a source whose") == column);
  CHECK(lines[2].find_first_not_of(' ') == column);
}

TEST_CASE("Colour is escapes around the same text, and only when asked for", "[report]") {
  const std::string plain = result_table(wordy_result());
  CHECK(plain.find('\x1b') == std::string::npos);
  std::string colored = result_table(wordy_result(), {"", true, std::nullopt});
  CHECK(colored != plain);
  for (const std::string escape : {"\x1b[1m", "\x1b[0m"}) {
    for (std::size_t at; (at = colored.find(escape)) != std::string::npos;) colored.erase(at, escape.size());
  }
  CHECK(colored == plain);
}

TEST_CASE("CSV has one line of names and one of the values that JSON has", "[report]") {
  for (const RunResult& result : {test::empty_result(), wordy_result()}) {
    const std::vector<std::string> lines = lines_of(result_csv(result));
    REQUIRE(lines.size() == 2);
    const auto names = fields_of(lines[0]);
    const auto values = fields_of(lines[1]);
    REQUIRE(names.size() == values.size());
    const ordered_json file = result_json(result);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "binding") continue;
      INFO(names[i]);
      std::string pointer = "/" + names[i];
      std::replace(pointer.begin(), pointer.end(), '.', '/');
      const ordered_json& value = file.at(ordered_json::json_pointer(pointer));
      CHECK(values[i] == (value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
}

TEST_CASE("The strongest limit comes first in CSV as well", "[report]") {
  const std::vector<std::string> lines = lines_of(result_csv(test::round_result()));
  const auto names = fields_of(lines[0]);
  const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), "binding") - names.begin());
  CHECK(fields_of(lines[1]).at(at) == "hbm_bandwidth;load");
}

}  // namespace
}  // namespace tokenomics
