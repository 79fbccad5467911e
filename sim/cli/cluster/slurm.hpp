#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tokenomics::cli {

/// Part of a sweep's shards that one job array makes: shard = offset + index of the task.
struct ArrayPart {
  std::uint64_t offset = 0;
  std::string indices;  ///< as sbatch takes them: "0-99", "3,17,90-95"
  std::uint64_t tasks = 0;
};

/// Rising shard numbers as job arrays: an index of a task stays below `max_array_size`, and a list short enough for a
/// command line.
std::vector<ArrayPart> array_parts(const std::vector<std::uint64_t>& shards, std::uint64_t max_array_size);

/// MaxArraySize of the site; Slurm's default, 1001, when scontrol does not tell. Throws IoError when it is 0: no arrays.
std::uint64_t max_array_size();

bool has_slurm();

/// Submits; the id of the job. Throws IoError when sbatch is not there, fails or answers something else.
std::string submit(const std::vector<std::string>& sbatch_words);

/// Jobs and tasks that are waiting or running under one of the names, whosever they are; nothing when squeue fails.
std::optional<std::vector<std::string>> jobs_in_queue(const std::vector<std::string>& names);

}  // namespace tokenomics::cli
