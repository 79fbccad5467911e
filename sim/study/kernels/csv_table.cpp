#include "csv_table.hpp"

#include <fstream>

#include <fmt/format.h>

namespace tokenomics {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string::npos; comma = line.find(',', begin)) {
    cells.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  cells.push_back(line.substr(begin));
  return cells;
}

}  // namespace

std::vector<Problem> first_problems(std::vector<Problem> problems) {
  constexpr std::size_t kShown = 10;
  if (problems.size() <= kShown + 1) return problems;
  const std::string file = problems.front().file;
  const std::size_t more = problems.size() - kShown;
  problems.resize(kShown);
  problems.push_back({file, "", "", fmt::format("{} more lines like these to be mended", more), ""});
  return problems;
}

PlainTable read_csv(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw IoError("cannot read " + path);
  PlainTable table;
  table.file = path;
  std::vector<Problem> problems;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    std::vector<std::string> cells = cells_of(line);
    if (table.columns.empty()) {
      table.columns = std::move(cells);
    } else if (cells.size() == table.columns.size()) {
      table.lines.push_back({number, std::move(cells)});
    } else {
      problems.push_back({path, fmt::format("line {}", number), line,
                          fmt::format("{} cells, not {}", table.columns.size(), cells.size()), ""});
    }
  }
  if (stream.bad()) throw IoError("cannot read " + path);
  if (table.columns.empty()) problems.push_back({path, "line 1", "", "a header", ""});
  if (!problems.empty()) throw ScenarioError(first_problems(std::move(problems)));
  return table;
}

}  // namespace tokenomics
