#include "tokenomics/base/error.hpp"

#include <algorithm>
#include <numeric>

namespace tokenomics {

namespace {

std::string join(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += to_string(problem);
  }
  return text;
}

/// Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (each place edited once:
/// "optimal string alignment"). A swap counts once, since it is the commonest slip of the fingers.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text = problem.file;
  if (!problem.pointer.empty()) text += ": " + problem.pointer;
  if (!problem.value.empty()) text += ": " + problem.value;
  if (!problem.expected.empty()) text += "; expected " + problem.expected;
  if (!problem.nearest.empty()) text += "; did you mean " + problem.nearest + "?";
  return text;
}

ScenarioError::ScenarioError(std::vector<Problem> problems)
    : std::runtime_error(join(problems)), problems_(std::move(problems)) {}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t least = name.size() / 3 + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void check_failed(const char* condition, const char* file, int line, const std::string& values) {
  throw std::logic_error(std::string("broken contract: ") + condition + " at " + file + ":" + std::to_string(line) +
                         (values.empty() ? "" : " with " + values));
}

}  // namespace tokenomics
