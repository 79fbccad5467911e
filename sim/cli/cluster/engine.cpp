#include "engine.hpp"

#include <array>

#include <fmt/format.h>

#include "job_files.hpp"
#include "slurm.hpp"

namespace tokenomics::cli {
namespace {

Engine checked(Engine engine, const Options& options) {
  constexpr std::array kOnlySlurm{"shards", "throttle", "cpus", "slurm-option", "wait", "no-submit"};
  for (const char* name : kOnlySlurm)
    if (engine == Engine::Local && options.has(name))
      throw UsageError(fmt::format("--{} goes with --engine slurm only", name));
  if (engine == Engine::Local) return engine;
  if (options.has("jobs")) throw UsageError("--jobs goes with --engine local only; --cpus are the threads of a task");
  if (options.has("timing")) throw UsageError("--timing goes with --engine local only");
  if (options.has("wait") && options.has("no-submit")) throw UsageError("--wait and --no-submit exclude each other");
  return engine;
}

Engine named(const Options& options) {
  return options.choice("engine", {"local", "slurm"}) == "slurm" ? Engine::Slurm : Engine::Local;
}

}  // namespace

Engine engine_of(const Options& options) {
  const Engine engine = checked(named(options), options);
  if (engine == Engine::Slurm && !options.has("out"))
    throw UsageError("--engine slurm needs --out DIR, where all nodes see it");
  return engine;
}

Engine engine_of(const Options& options, const SweepFolder& folder) {
  if (options.has("engine") || folder.manifest().engine != "slurm") return checked(named(options), options);
  const bool is_here = has_slurm();
  if (!is_here && !options.has("quiet"))
    fmt::print(stderr, "tokenomics: there is no sbatch here; what is missing is made by this process\n");
  return checked(is_here ? Engine::Slurm : Engine::Local, options);
}

}  // namespace tokenomics::cli
