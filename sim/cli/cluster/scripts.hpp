#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tokenomics::cli {

/// What the scripts of a folder's jobs need. Paths are absolute: a job starts elsewhere.
struct ScriptParts {
  std::string name;  ///< of the sweep, for the reader
  std::string program;
  std::string folder;
  std::vector<std::string> catalogues;  ///< the shipped one first
  std::uint64_t shards = 1, cpus = 1;
};

/// The body of an array's task. It tries its shard up to three times itself, because Slurm does not start a crashed task
/// again unless the site has said so, and it ends with 75 ("try again") when it is told to end.
std::string array_script(const ScriptParts& parts);
/// Merges what the arrays have made; ends with 1 and names the shards that are missing.
std::string merge_script(const ScriptParts& parts);

}  // namespace tokenomics::cli
