#pragma once

#include <string>
#include <vector>

#include "job_files.hpp"
#include "slurm.hpp"

namespace tokenomics::cli {

/// What is sent to Slurm for a folder: the arrays and, unless somebody waits, the job that merges.
struct Submission {
  std::vector<ArrayPart> parts;
  bool is_throttled = false;
  bool has_merge = true;
  bool wants_json = false;  ///< the merge job's summary
};

struct Submitted {
  std::vector<std::string> arrays;  ///< ids
  std::string merge;                ///< empty: none
  [[nodiscard]] std::vector<std::string> all() const;
};

/// Throws IoError when sbatch does not take a job, naming those that it has taken.
Submitted send(const JobFiles& files, const Submission& submission);
/// The same as lines for a shell.
std::string shell_lines(const JobFiles& files, const Submission& submission);

}  // namespace tokenomics::cli
