#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tokenomics::cli {

/// Wrong use of the command line (exit code 2).
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option of a command. The parser and the help are made from the same rows.
struct OptionRow {
  const char* name;      ///< with its letter where it has one: "out,o"
  const char* argument;  ///< "" for a flag
  const char* help;
  bool is_repeatable = false;
};

/// What the user wrote after the command.
class Options {
 public:
  Options(std::map<std::string, std::vector<std::string>> given, std::vector<std::string> arguments)
      : given_(std::move(given)), arguments_(std::move(arguments)) {}

  [[nodiscard]] bool has(const std::string& name) const { return given_.count(name) > 0; }
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> texts(const std::string& name) const;
  /// One of `choices`, the first when absent. Throws UsageError with the nearest one.
  [[nodiscard]] std::string choice(const std::string& name, const std::vector<std::string>& choices) const;
  /// A whole number in [least, most]. Throws UsageError.
  [[nodiscard]] std::optional<std::uint64_t> whole(const std::string& name, std::uint64_t least, std::uint64_t most) const;
  /// A positive number. Throws UsageError.
  [[nodiscard]] std::optional<double> positive(const std::string& name) const;
  [[nodiscard]] const std::vector<std::string>& arguments() const { return arguments_; }
  /// The n-th argument or nothing.
  [[nodiscard]] std::optional<std::string> argument(std::size_t n) const;

 private:
  std::map<std::string, std::vector<std::string>> given_;
  std::vector<std::string> arguments_;
};

struct Command;

/// Parses what follows the command's name. Options that the command does not have are refused, prefixes are not
/// guessed. Throws UsageError. `--help` anywhere makes the arguments optional.
Options parse(const Command& command, const std::vector<std::string>& words);

// Rows shared by commands.
inline constexpr OptionRow kSet{"set", "POINTER=VALUE", "override a field (JSON pointer or dotted path); may be repeated",
                                true};
inline constexpr OptionRow kSeed{"seed", "N", "seed of all random streams, instead of the scenario's"};
inline constexpr OptionRow kCatalogue{"catalogue", "DIR",
                                      "more hardware, models, calibrations, workloads, scenarios; may be repeated", true};
inline constexpr OptionRow kFormat{"format", "FORMAT", "table (default), json or csv"};
inline constexpr OptionRow kOut{"out,o", "FILE",
                                "write the result there instead of to standard output; complete or not at all"};
inline constexpr OptionRow kJobs{"jobs", "N", "threads; the result does not depend on it"};
inline constexpr OptionRow kColor{"color", "WHEN", "auto (default), always or never"};
inline constexpr OptionRow kQuiet{"quiet,q", "", "no progress and no remarks on standard error"};
inline constexpr OptionRow kHelp{"help,h", "", "this help"};

/// "out,o" -> "out".
std::string long_name(const OptionRow& row);

}  // namespace tokenomics::cli
