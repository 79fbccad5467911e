#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "slurm.hpp"
#include "tokenomics/report/sweep_folder.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics::cli {

/// How a folder's jobs are to be run. Kept in slurm/settings.json, so that a resumed sweep asks for the same.
struct SlurmSettings {
  std::uint64_t throttle = 0;        ///< tasks at once; 0: as many as the site lets run
  std::uint64_t cpus = 1;            ///< of a task, and its threads
  std::vector<std::string> options;  ///< handed to sbatch as they are
};

/// Files of a folder's jobs and the words that submit them.
class JobFiles {
 public:
  JobFiles(const SweepFolder& folder, const Catalogue& catalogue, SlurmSettings settings);

  /// slurm/array.sh, merge.sh and settings.json, and the folder for logs.
  void write() const;

  /// "tokenomics-<hash of the folder's place>-shards" and "-merge": by these its jobs are found in the queue.
  [[nodiscard]] std::string array_name() const { return name_ + "-shards"; }
  [[nodiscard]] std::string merge_name() const { return name_ + "-merge"; }
  [[nodiscard]] std::string script(const std::string& name) const;

  /// What sbatch is called with.
  [[nodiscard]] std::vector<std::string> array_words(const ArrayPart& part) const;
  [[nodiscard]] std::vector<std::string> merge_words(bool wants_json) const;

 private:
  [[nodiscard]] std::vector<std::string> sbatch_words(const std::string& job_name) const;

  const SweepFolder& folder_;
  const Catalogue& catalogue_;
  std::string place_;  ///< absolute
  std::string name_;
  SlurmSettings settings_;
};

/// From slurm/settings.json; defaults when there is none. Throws FolderError when it is broken.
SlurmSettings settings_in(const SweepFolder& folder);

/// A word as a shell reads it: quoted where it has to be.
std::string shell_word(const std::string& word);
std::string shell_line(const std::vector<std::string>& words);

}  // namespace tokenomics::cli
