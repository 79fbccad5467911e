#pragma once

#include <string>
#include <vector>

#include "options.hpp"

namespace tokenomics::cli {

struct ArgumentRow {
  const char* name;
  const char* help;
  bool is_required = true;
  bool is_repeatable = false;  ///< the last one only
};

/// A command of the program: everything that its help, its parser and the list of commands need.
struct Command {
  const char* name;
  const char* summary;
  std::vector<const char*> examples;
  std::vector<ArgumentRow> arguments;
  std::vector<OptionRow> options;
  int (*run)(const Options& options);
};

Command run_command();
Command explain_command();
Command solve_command();
Command frontier_command();
Command infer_command();
Command market_command();
Command sweep_command();
Command sweep_resume_command();
Command sweep_shard_command();
Command sweep_merge_command();
Command weights_command();
Command answers_command();
Command claims_command();
Command compare_command();
Command validate_command();
Command calibrate_command();
Command list_command();
Command show_command();
Command trace_command();
Command schema_command();

/// All of them, in the order of the help.
const std::vector<Command>& commands();

std::string help_of(const Command& command);
std::string help_of_program();

}  // namespace tokenomics::cli
