#include <algorithm>

#include <fmt/format.h>

#include "commands.hpp"

namespace tokenomics::cli {
namespace {

using Line = std::pair<std::string, std::string>;

/// Two columns; the second is not wrapped, since its texts are short.
std::string columns(const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.first.size());
  std::string text;
  for (const auto& [left, right] : lines) text += fmt::format("  {:<{}}  {}\n", left, width, right);
  return text;
}

std::string shown(const OptionRow& row) {
  const std::string name = row.name;
  const std::size_t comma = name.find(',');
  const std::string letter = comma == std::string::npos ? "" : fmt::format("-{}, ", name.substr(comma + 1));
  return fmt::format("{}--{}{}{}", letter, long_name(row), *row.argument == '\0' ? "" : " ", row.argument);
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      run_command(),     explain_command(),  solve_command(),        frontier_command(),    infer_command(),
      market_command(),  sweep_command(),    sweep_resume_command(), sweep_shard_command(), sweep_merge_command(),
      compare_command(), validate_command(), calibrate_command(),    weights_command(),     answers_command(),
      claims_command(),  list_command(),     show_command(),         trace_command(),       schema_command()};
  return all;
}

std::string help_of(const Command& command) {
  std::string usage = fmt::format("tokenomics {}", command.name);
  for (const ArgumentRow& argument : command.arguments) {
    const std::string name = fmt::format("{}{}", argument.name, argument.is_repeatable ? "..." : "");
    usage += argument.is_required ? " " + name : " [" + name + "]";
  }
  std::string text = fmt::format("{} [options]\n  {}\n\nExamples\n", usage, command.summary);
  for (const char* example : command.examples) text += fmt::format("  {}\n", example);
  std::vector<Line> arguments, options;
  for (const ArgumentRow& argument : command.arguments) arguments.emplace_back(argument.name, argument.help);
  for (const OptionRow& option : command.options) options.emplace_back(shown(option), option.help);
  if (!arguments.empty()) text += "\nArguments\n" + columns(arguments);
  return text + "\nOptions\n" + columns(options);
}

std::string help_of_program() {
  std::vector<Line> lines;
  for (const Command& command : commands()) lines.emplace_back(command.name, command.summary);
  return fmt::format(
      "tokenomics COMMAND [options]\n"
      "  what a token of a served language model costs, what its user feels, and what decides it\n\n"
      "Examples\n"
      "  tokenomics run deepseek-production-2025-02\n"
      "  tokenomics explain r1-8xh200-azure\n"
      "  tokenomics show model deepseek-v3\n\n"
      "Commands\n{}\n"
      "Options\n{}\n"
      "\"tokenomics COMMAND --help\" tells more of each. Exit codes: 0 done, 1 a check failed, 2 wrong usage or bad input,\n"
      "3 infeasible, 4 internal or I/O error, 130 interrupted. Results go to standard output, all else to standard error.\n"
      "TOKENOMICS_CATALOGUE names another folder for the shipped catalogue; NO_COLOR turns colour off.\n",
      columns(lines), columns({{"-h, --help", "this help"}, {"--version", "version of the program"}}));
}

}  // namespace tokenomics::cli
