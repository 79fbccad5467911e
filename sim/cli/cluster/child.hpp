#pragma once

#include <string>
#include <vector>

namespace tokenomics::cli {

struct Child {
  bool is_found = true;  ///< false: there is no such program in PATH
  int status = 0;        ///< exit code; 128 + signal when one ended it
  std::string output;    ///< standard output
};

/// Where a program's complaints go.
enum class Complaints { Shown, Dropped };

/// Runs a program, without a shell, and waits for it. Throws IoError when the system cannot start one.
Child run_child(const std::vector<std::string>& words, Complaints complaints = Complaints::Shown);

}  // namespace tokenomics::cli
