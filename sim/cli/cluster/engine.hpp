#pragma once

#include "../sweep_work.hpp"

namespace tokenomics::cli {

/// What makes the rows of a folder: this process, or jobs of a Slurm cluster.
enum class Engine { Local, Slurm };

/// --engine, local when absent. Refuses options that the engine has no use for. Throws UsageError.
Engine engine_of(const Options& options);
/// The same for a folder: when absent, slurm for one that was begun there, if there is an sbatch here.
Engine engine_of(const Options& options, const SweepFolder& folder);

/// Prepares the folder --out, submits its shards and a job that merges them; with --wait waits and merges itself. Returns
/// the exit code. Throws IoError when Slurm refuses: the folder can then be resumed.
int sweep_on_slurm(const SweepWork& work, RowFormat format, const Options& options);
/// Submits the shards that are missing.
int resume_on_slurm(const SweepWork& work, SweepFolder& folder, const Options& options);

/// Says so on standard error when jobs of the folder are waiting or running. Always false where there is no Slurm.
bool has_jobs_in_queue(const SweepWork& work, const SweepFolder& folder, Engine engine);

inline constexpr OptionRow kEngine{"engine", "ENGINE", "local (default): threads of this process; slurm: jobs, needs --out"};
inline constexpr OptionRow kShards{"shards", "N",
                                   "slurm: parts, one task each; default: tasks of some minutes, by timing rows"};
inline constexpr OptionRow kThrottle{"throttle", "K", "slurm: tasks at once; default: as many as may run"};
inline constexpr OptionRow kCpus{"cpus", "C", "slurm: threads of a task; default 1"};
inline constexpr OptionRow kSlurmOption{"slurm-option", "OPTION",
                                        "slurm: for sbatch, such as --slurm-option=--partition=x; may be repeated", true};
inline constexpr OptionRow kWait{"wait", "", "slurm: wait for the jobs, merge, and print the summary"};
inline constexpr OptionRow kNoSubmit{"no-submit", "", "slurm: write the scripts and print the commands; submit nothing"};

}  // namespace tokenomics::cli
