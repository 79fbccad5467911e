#include "options.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/program_options.hpp>

#include "commands.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

namespace po = boost::program_options;

/// Not a name that anybody can type as an option by accident.
constexpr const char* kArguments = "<arguments>";

po::options_description described(const Command& command) {
  po::options_description all;
  const auto texts = [] { return po::value<std::vector<std::string>>(); };
  for (const OptionRow& row : command.options) {
    if (*row.argument == '\0') {
      all.add_options()(row.name, row.help);
    } else if (row.is_repeatable) {
      all.add_options()(row.name, texts()->composing(), row.help);
    } else {
      all.add_options()(row.name, po::value<std::string>(), row.help);
    }
  }
  all.add_options()(kArguments, texts());
  return all;
}

std::string suggestion(const std::string& nearest) {
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

std::string unknown_option(const Command& command, const std::string& name) {
  std::vector<std::string> known;
  for (const OptionRow& row : command.options) known.push_back("--" + long_name(row));
  return fmt::format("{} has no option {}{}", command.name, name, suggestion(nearest_name(name, known)));
}

po::variables_map parsed(const Command& command, const std::vector<std::string>& words) {
  const po::options_description described_options = described(command);
  po::positional_options_description arguments;
  arguments.add(kArguments, -1);
  po::variables_map values;
  // A guessed prefix would turn into an error the day that an option with the same beginning is added.
  constexpr int kStyle = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::store(po::command_line_parser(words).options(described_options).positional(arguments).style(kStyle).run(), values);
  } catch (const po::unknown_option& error) {
    throw UsageError(unknown_option(command, error.get_option_name()));
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}: {}", command.name, error.what()));
  }
  return values;
}

void check_arguments(const Command& command, const std::vector<std::string>& arguments) {
  for (std::size_t i = arguments.size(); i < command.arguments.size(); ++i) {
    if (command.arguments[i].is_required)
      throw UsageError(fmt::format("{} needs {}", command.name, command.arguments[i].name));
  }
  const bool takes_more = !command.arguments.empty() && command.arguments.back().is_repeatable;
  if (arguments.size() > command.arguments.size() && !takes_more) {
    throw UsageError(fmt::format("{}: unexpected argument \"{}\"", command.name, arguments[command.arguments.size()]));
  }
}

}  // namespace

std::string long_name(const OptionRow& row) {
  const std::string name = row.name;
  return name.substr(0, name.find(','));
}

Options parse(const Command& command, const std::vector<std::string>& words) {
  const po::variables_map values = parsed(command, words);
  std::map<std::string, std::vector<std::string>> given;
  for (const OptionRow& row : command.options) {
    const std::string name = long_name(row);
    if (values.count(name) == 0) continue;
    std::vector<std::string>& texts = given[name];
    if (*row.argument == '\0') continue;
    if (row.is_repeatable) {
      texts = values[name].as<std::vector<std::string>>();
    } else {
      texts = {values[name].as<std::string>()};
    }
  }
  std::vector<std::string> arguments;
  if (values.count(kArguments) > 0) arguments = values[kArguments].as<std::vector<std::string>>();
  if (given.count("help") == 0) check_arguments(command, arguments);
  return {std::move(given), std::move(arguments)};
}

std::optional<std::string> Options::text(const std::string& name) const {
  const auto found = given_.find(name);
  if (found == given_.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

std::vector<std::string> Options::texts(const std::string& name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>{} : found->second;
}

std::string Options::choice(const std::string& name, const std::vector<std::string>& choices) const {
  const auto given = text(name);
  if (!given) return choices.front();
  for (const std::string& choice : choices) {
    if (*given == choice) return choice;
  }
  throw UsageError(fmt::format("--{}: \"{}\"; expected {}{}", name, *given, fmt::join(choices, ", "),
                               suggestion(nearest_name(*given, choices))));
}

std::optional<std::uint64_t> Options::whole(const std::string& name, std::uint64_t least, std::uint64_t most) const {
  const auto given = text(name);
  if (!given) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), number);
  if (error != std::errc{} || end != given->data() + given->size() || number < least || number > most) {
    throw UsageError(fmt::format("--{}: \"{}\"; expected a whole number from {} to {}", name, *given, least, most));
  }
  return number;
}

std::optional<double> Options::positive(const std::string& name) const {
  const auto given = text(name);
  if (!given) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(given->data(), given->data() + given->size(), number);
  if (error != std::errc{} || end != given->data() + given->size() || !std::isfinite(number) || !(number > 0)) {
    throw UsageError(fmt::format("--{}: \"{}\"; expected a positive number", name, *given));
  }
  return number;
}

std::optional<std::string> Options::argument(std::size_t n) const {
  if (n >= arguments_.size()) return std::nullopt;
  return arguments_[n];
}

}  // namespace tokenomics::cli
