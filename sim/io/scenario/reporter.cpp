#include "reporter.hpp"

#include <algorithm>

#include "pointer.hpp"

namespace tokenomics {

Reporter Reporter::at(std::string_view key) const { return {*document_, *problems_, pointer_append(pointer_, key)}; }

void Reporter::add(const std::string& value, const std::string& expected, const std::string& nearest) const {
  problems_->push_back({document_->location(pointer_), pointer_, value, expected, nearest});
}

void Reporter::add_beneath(const std::vector<Problem>& relative) const {
  for (Problem problem : relative) {
    problem.pointer = pointer_ + problem.pointer;
    problem.file = document_->location(problem.pointer);
    // A number that was not finite has been reported and stands as null.
    const bool known = std::any_of(problems_->begin(), problems_->end(), [&](const Problem& other) {
      return other.pointer == problem.pointer && other.file == problem.file && problem.value == "null";
    });
    if (!known) problems_->push_back(std::move(problem));
  }
}

bool Reporter::clean() const {
  return std::none_of(problems_->begin(), problems_->end(), [&](const Problem& problem) {
    const bool here = problem.file == document_->file || problem.file.starts_with(document_->file + ":") ||
                      (problem.file == "--set" && !document_->overrides.empty());
    return here && is_within(problem.pointer, pointer_);
  });
}

}  // namespace tokenomics
