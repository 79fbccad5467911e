#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// One thing wrong with what the user wrote.
struct Problem {
  std::string file;      ///< path as given, "-" for standard input, "--set" for an override
  std::string pointer;   ///< JSON pointer, or "line N" in line-oriented files
  std::string value;     ///< what was found, as JSON text; empty when something is missing
  std::string expected;  ///< what would have been right
  std::string nearest;   ///< nearest known name; empty when none is close
};

/// "file: pointer: value; expected ...; did you mean ...?" in one line.
std::string to_string(const Problem& problem);

/// Bad input (exit code 2). Carries every problem of the input, not only the first.
class ScenarioError : public std::runtime_error {
 public:
  explicit ScenarioError(std::vector<Problem> problems);
  explicit ScenarioError(Problem problem) : ScenarioError(std::vector<Problem>{std::move(problem)}) {}
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// The question is well posed and has no answer (exit code 3), such as a network that does not fit the memory.
class Infeasible : public std::runtime_error {
 public:
  explicit Infeasible(const std::string& reason) : std::runtime_error(reason) {}
};

/// A file cannot be read or written (exit code 4).
class IoError : public std::runtime_error {
 public:
  explicit IoError(const std::string& what) : std::runtime_error(what) {}
};

/// The known name with the smallest edit distance to `name`, or "" when none is within a third of its length.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

[[noreturn]] void check_failed(const char* condition, const char* file, int line, const std::string& values);

}  // namespace tokenomics

/// A broken contract of our own code: always on, never repaired silently. `values` is any string expression.
#define TOKENOMICS_CHECK(condition, values)                                               \
  do {                                                                                    \
    if (!(condition)) ::tokenomics::check_failed(#condition, __FILE__, __LINE__, values); \
  } while (false)
