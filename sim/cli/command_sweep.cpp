#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cluster/engine.hpp"
#include "commands.hpp"
#include "sweep_work.hpp"

namespace tokenomics::cli {
namespace {

/// --format: what standard output gets, and how points are written in a folder.
struct SweepFormat {
  bool is_rows = false;  ///< csv or jsonl: rows as they come
  RowFormat rows = RowFormat::Csv;
};

SweepFormat sweep_format_of(const Options& options) {
  const std::string format = options.choice("format", {"table", "json", "csv", "jsonl"});
  return {format == "csv" || format == "jsonl", format == "jsonl" ? RowFormat::JsonLines : RowFormat::Csv};
}

/// Without a folder: rows go to standard output as they come, or into the summary alone.
int stream(const SweepWork& work, const SweepFormat& format, const Options& options) {
  SweepSummary summary(work.spec);
  if (format.is_rows) write_standard_output(row_head(work.columns.names, format.rows));
  OrderedLines lines;
  lines.last = work.plan.rows();
  lines.due = [&](std::uint64_t, const std::string& line) {
    if (format.is_rows) write_standard_output(line);
    summary.add(fields_of_row(line, format.rows, work.columns.names.size()));
  };
  run_rows(work, format.rows, std::move(lines), options);
  summary.close();
  if (!format.is_rows) print_summary(summary, options);
  return exit_code_of(summary);
}

int sweep(const Options& options) {
  const SweepFormat format = sweep_format_of(options);
  const Engine engine = engine_of(options);
  const Catalogue catalogue = open_catalogue(options);
  const SweepWork work(catalogue, sweep_of(options, catalogue));
  work.check_loading();
  const auto out = options.text("out");
  if (!out) return stream(work, format, options);
  if (engine == Engine::Slurm) return sweep_on_slurm(work, format.rows, options);
  SweepFolder folder = SweepFolder::make(*out, work.manifest(format.rows));
  set_interrupt_advice(fmt::format("go on with: tokenomics sweep resume {}", *out));
  make_rows(work, folder, 0, 1, options);
  return finish_sweep(work, folder, options);
}

int resume(const Options& options) {
  static_cast<void>(options.choice("format", {"table", "json"}));  // before any work
  const std::string path = *options.argument(0);
  const Catalogue catalogue = open_catalogue(options);
  SweepFolder folder = SweepFolder::open(path);
  const auto work = sweep_in(folder, catalogue);
  if (folder.manifest().is_complete) {
    if (!options.has("quiet")) fmt::print(stderr, "tokenomics: {} is complete\n", path);
    return finish_sweep(*work, folder, options);
  }
  const Engine engine = engine_of(options, folder);
  if ((engine == Engine::Slurm || folder.manifest().engine == "slurm") && has_jobs_in_queue(*work, folder, engine)) return 1;
  if (engine == Engine::Slurm) return resume_on_slurm(*work, folder, options);
  set_interrupt_advice(fmt::format("go on with: tokenomics sweep resume {}", path));
  const std::uint64_t shards = folder.manifest().shards;
  if (shards == 1) make_rows(*work, folder, 0, 1, options);
  if (shards > 1) {
    for (const auto& [index, why] : missing_shards(*work, folder)) make_rows(*work, folder, index, shards, options);
    folder.merge_shards();
  }
  return finish_sweep(*work, folder, options);
}

/// The folder that a shard belongs to: prepared before, or made by whichever shard comes first.
SweepFolder folder_of_shard(const Options& options, const Catalogue& catalogue, std::uint64_t of) {
  const std::string argument = *options.argument(0);
  const auto out = options.text("out");
  if (!out) {
    for (const char* name : {"set", "seed", "samples", "replications", "format"})
      if (options.has(name))
        throw UsageError(fmt::format("--{}: {} says that already (it goes with --out)", name, argument));
    SweepFolder folder = SweepFolder::open(argument);
    if (folder.manifest().shards != of)
      throw UsageError(fmt::format("--of {}: {} is cut into {} shards", of, argument, folder.manifest().shards));
    return folder;
  }
  const SweepWork work(catalogue, sweep_of(options, catalogue));
  work.check_loading();
  const bool is_jsonl = options.choice("format", {"csv", "jsonl"}) == "jsonl";
  SweepManifest manifest = work.manifest(is_jsonl ? RowFormat::JsonLines : RowFormat::Csv);
  manifest.shards = of;
  manifest.engine = "shards";
  return SweepFolder::make_or_join(*out, manifest);
}

int shard(const Options& options) {
  constexpr std::uint64_t kMost = 1'000'000'000;
  const auto of = options.whole("of", 1, kMost);
  if (!of) throw UsageError("sweep shard needs --index and --of");
  const auto index = options.whole("index", 0, *of - 1);
  if (!index) throw UsageError("sweep shard needs --index and --of");
  const Catalogue catalogue = open_catalogue(options);
  const SweepFolder folder = folder_of_shard(options, catalogue, *of);
  if (folder.manifest().is_complete) return 0;
  const auto work = sweep_in(folder, catalogue);
  ask_to_try_again_on_termination();
  make_rows(*work, folder, *index, *of, options);
  return 0;
}

int merge(const Options& options) {
  static_cast<void>(options.choice("format", {"table", "json"}));  // before any work
  const std::string path = *options.argument(0);
  const Catalogue catalogue = open_catalogue(options);
  SweepFolder folder = SweepFolder::open(path);
  const auto work = sweep_in(folder, catalogue);
  if (folder.manifest().is_complete) return finish_sweep(*work, folder, options);
  return merge_sweep(*work, folder, options);
}

constexpr const char* kSweepHelp = "a file, \"-\" for standard input, or a name (tokenomics list sweeps)";
constexpr const char* kFolderHelp = "the result folder of a sweep";

}  // namespace

Command sweep_command() {
  return {"sweep",
          "many points of one scenario or query, in parallel; resume, shard and merge for interruptions and clusters",
          {"tokenomics sweep batching-amd-nvidia", "tokenomics sweep my-sweep.json --out results",
           "tokenomics sweep my-sweep.json --format csv > points.csv", "tokenomics sweep resume results",
           "tokenomics sweep my-sweep.json --out results --engine slurm --throttle 200",
           "tokenomics sweep shard my-sweep.json --index 3 --of 100 --out results", "tokenomics sweep merge results"},
          {{"SWEEP", kSweepHelp}},
          {kSweepSet,
           kSeed,
           kSamples,
           kReplications,
           kCatalogue,
           kRowFormat,
           {"out,o", "DIR", "keep everything there: points, summary, manifest; needed to resume"},
           kTiming,
           kJobs,
           kEngine,
           kShards,
           kThrottle,
           kCpus,
           kSlurmOption,
           kWait,
           kNoSubmit,
           kColor,
           kQuiet,
           kHelp},
          sweep};
}

Command sweep_resume_command() {
  return {"sweep resume",
          "goes on with an interrupted sweep; what was made is not made again",
          {"tokenomics sweep resume results"},
          {{"DIR", kFolderHelp}},
          {kCatalogue,
           kSummaryFormat,
           kTiming,
           kJobs,
           {"engine", "ENGINE", "local or slurm; default: slurm for a folder begun there, where there is an sbatch"},
           kThrottle,
           kCpus,
           kSlurmOption,
           kWait,
           kNoSubmit,
           kColor,
           kQuiet,
           kHelp},
          resume};
}

Command sweep_shard_command() {
  return {"sweep shard",
          "makes one part of a sweep, on whatever machine; started again, it goes on where it was",
          {"tokenomics sweep shard results --index 3 --of 100",
           "seq 0 99 | parallel tokenomics sweep shard my-sweep.json --index {} --of 100 --out results",
           "tokenomics sweep shard my-sweep.json --index $JOB_COMPLETION_INDEX --of 100 --out /shared/results"},
          {{"SWEEP", "a prepared result folder, or with --out a sweep (a file or a name)"}},
          {kIndex,
           kOf,
           {"out,o", "DIR", "the result folder, made by whichever shard comes first"},
           kSweepSet,
           kSeed,
           kSamples,
           kReplications,
           kCatalogue,
           {"format", "FORMAT", "csv (default) or jsonl: of the points"},
           kTiming,
           kJobs,
           kQuiet,
           kHelp},
          shard};
}

Command sweep_merge_command() {
  return {"sweep merge",
          "puts the shards of a sweep together; names those that are missing and then exits with 1",
          {"tokenomics sweep merge results"},
          {{"DIR", kFolderHelp}},
          {kCatalogue, kSummaryFormat, kColor, kQuiet, kHelp},
          merge};
}

}  // namespace tokenomics::cli
