#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "options.hpp"

namespace tokenomics::cli {

/// A file that appears complete or not at all: written beside its place and renamed by commit(). What has not been
/// committed is removed, also when the program is interrupted. Devices and pipes are written directly.
class OutputFile {
 public:
  /// Throws IoError when the file cannot be made.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  std::string temporary_;  ///< empty when written directly
  std::FILE* file_ = nullptr;
  int slot_ = -1;  ///< where the signal handler finds the temporary file's name
};

/// To standard output. Throws IoError when that fails.
void write_standard_output(std::string_view text);

/// Removes unfinished files and ends the program with 130 on SIGINT, 143 on SIGTERM.
void handle_interrupts();

/// What a user who interrupts the program is told to do next. At most some hundred characters.
void set_interrupt_advice(const std::string& advice);
/// From now on SIGTERM, with which clusters end tasks that they will start again, ends the program with 75.
void ask_to_try_again_on_termination();

/// Whether tables get colour: --color, NO_COLOR, TERM and where they go.
bool wants_color(const Options& options);

}  // namespace tokenomics::cli
