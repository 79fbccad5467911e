#include "load_part.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

namespace tokenomics {
namespace {

/// "file:12" -> "file", 12; no line: 0.
std::pair<std::string, int> file_and_line(const std::string& location) {
  const std::size_t colon = location.rfind(':');
  const bool has_line = colon != std::string::npos && colon + 1 < location.size() &&
                        location.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  if (!has_line) return {location, 0};
  return {location.substr(0, colon), std::stoi(location.substr(colon + 1))};
}

}  // namespace

void throw_all(const std::vector<Problem>& problems) {
  if (problems.empty()) return;
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  std::vector<std::string> files;
  std::vector<Problem> once;
  for (const Problem& problem : problems) {
    if (seen.insert({problem.file, problem.pointer, problem.expected}).second) once.push_back(problem);
    files.push_back(file_and_line(problem.file).first);
  }
  const auto order = [&](const Problem& problem) {
    const auto [file, line] = file_and_line(problem.file);
    return std::pair(std::find(files.begin(), files.end(), file) - files.begin(), line);
  };
  std::stable_sort(once.begin(), once.end(), [&](const Problem& a, const Problem& b) { return order(a) < order(b); });
  throw ScenarioError(once);
}

bool is_file(const std::string& name) {
  return name == "-" || name.find('/') != std::string::npos || name.ends_with(".json") ||
         std::filesystem::is_regular_file(name);
}

}  // namespace tokenomics
