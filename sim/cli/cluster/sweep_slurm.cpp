#include <chrono>
#include <filesystem>
#include <numeric>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine.hpp"
#include "job_files.hpp"
#include "shard_choice.hpp"
#include "submission.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;

/// Options that would undo what the folder's jobs rely on.
void check_slurm_option(const std::string& option) {
  if (!option.starts_with('-') || option.find('\n') != std::string::npos)
    throw UsageError(fmt::format("--slurm-option: \"{}\"; expected an option of sbatch, such as --partition=x", option));
  const std::string name = option.substr(0, option.find('='));
  const bool is_long = name.starts_with("--");
  for (const std::string ours :
       {"--array", "-a", "--job-name", "-J", "--dependency", "-d", "--parsable", "--wait", "-W", "--wrap"}) {
    // sbatch takes the beginning of a long name for the name, and what follows a letter for its value.
    const bool is_ours = is_long ? name.size() > 2 && ours.starts_with(name) : ours.size() == 2 && name.starts_with(ours);
    if (is_ours) throw UsageError(fmt::format("--slurm-option: {} is set by the sweep itself ({})", name, ours));
  }
}

/// What was asked for the folder before, as changed by the command line.
SlurmSettings settings_of(SlurmSettings settings, const Options& options) {
  constexpr std::uint64_t kMostThrottle = 1'000'000, kMostCpus = 1024;
  settings.throttle = options.whole("throttle", 1, kMostThrottle).value_or(settings.throttle);
  settings.cpus = options.whole("cpus", 1, kMostCpus).value_or(settings.cpus);
  if (options.has("slurm-option")) settings.options = options.texts("slurm-option");
  for (const std::string& option : settings.options) check_slurm_option(option);
  return settings;
}

std::string jobs_text(const Submitted& jobs, std::uint64_t shards, const std::string& path) {
  std::string text = fmt::format("{} shard{} submitted as job{} {}", shards, shards == 1 ? "" : "s",
                                 jobs.arrays.size() == 1 ? "" : "s", fmt::join(jobs.arrays, ", "));
  if (!jobs.merge.empty()) text += fmt::format("; job {} merges them", jobs.merge);
  return text + fmt::format(
                    "\nlook:    squeue -j {0}\n"
                    "resume:  tokenomics sweep resume {1}\n"
                    "merge:   tokenomics sweep merge {1}\n",
                    fmt::join(jobs.all(), ","), shell_word(path));
}

/// Until none of the folder's tasks is in the queue. When squeue does not answer, the files tell when all is done.
void wait_for(const JobFiles& files, const SweepWork& work, const SweepFolder& folder, std::uint64_t tasks,
              const Options& options) {
  using namespace std::chrono;
  constexpr auto kPatience = minutes(10);
  Progress progress(options);
  const auto told = progress.counter(tasks, 0, "shards");
  const auto start = steady_clock::now();
  for (auto heard = start;;) {
    const auto now = steady_clock::now();
    const auto queued = jobs_in_queue({files.array_name()});
    if (queued) heard = now;
    if (queued ? queued->empty() : missing_shards(work, folder).empty()) return;
    if (now - heard > kPatience) throw IoError("squeue has not answered for 10 minutes; the jobs may well go on");
    if (queued && told) told(tasks - std::min<std::uint64_t>(tasks, queued->size()));
    // Sparing for the controller when the jobs take long.
    std::this_thread::sleep_for(now - start < minutes(2) ? seconds(2) : seconds(10));
  }
}

/// Submits the shards, as --no-submit and --wait say.
int run_shards(const SweepWork& work, SweepFolder& folder, const std::vector<std::uint64_t>& shards,
               const SlurmSettings& settings, const Options& options) {
  const JobFiles files(folder, work.catalogue, settings);
  files.write();
  Submission submission{array_parts(shards, max_array_size())};
  submission.is_throttled = settings.throttle > 0;
  submission.has_merge = !options.has("wait");
  submission.wants_json = options.text("format") == "json";
  if (options.has("no-submit")) {
    write_standard_output(shell_lines(files, submission));
    return 0;
  }
  const std::string resume = fmt::format("tokenomics sweep resume {}", shell_word(folder.path()));
  Submitted jobs;
  try {
    jobs = send(files, submission);
  } catch (const IoError& error) {
    throw IoError(fmt::format("{}. {} is prepared; go on with: {}", error.what(), folder.path(), resume));
  }
  const std::string text = jobs_text(jobs, shards.size(), folder.path());
  if (!options.has("wait")) {
    write_standard_output(text);
    return 0;
  }
  if (!options.has("quiet")) fmt::print(stderr, "{}", text);
  set_interrupt_advice(fmt::format("the jobs go on; when they have ended: {}", resume));
  wait_for(files, work, folder, shards.size(), options);
  return merge_sweep(work, folder, options);
}

}  // namespace

int sweep_on_slurm(const SweepWork& work, RowFormat format, const Options& options) {
  const std::string path = *options.text("out");
  const SlurmSettings settings = settings_of({}, options);
  SweepManifest manifest = work.manifest(format);
  manifest.engine = "slurm";
  // A folder that is in use is refused before rows are timed.
  std::error_code none;
  if (!fs::exists(path, none) || fs::is_empty(path, none)) manifest.shards = shards_of(work, format, settings.cpus, options);
  SweepFolder folder = SweepFolder::make(path, manifest);
  std::vector<std::uint64_t> shards(manifest.shards);
  std::iota(shards.begin(), shards.end(), 0);
  return run_shards(work, folder, shards, settings, options);
}

int resume_on_slurm(const SweepWork& work, SweepFolder& folder, const Options& options) {
  const SlurmSettings settings = settings_of(settings_in(folder), options);
  std::vector<std::uint64_t> shards;
  for (const auto& [index, why] : missing_shards(work, folder)) shards.push_back(index);
  if (shards.empty()) return merge_sweep(work, folder, options);
  return run_shards(work, folder, shards, settings, options);
}

bool has_jobs_in_queue(const SweepWork& work, const SweepFolder& folder, Engine engine) {
  const JobFiles files(folder, work.catalogue, {});
  const auto jobs = jobs_in_queue({files.array_name(), files.merge_name()});
  if (!jobs && engine == Engine::Slurm)
    throw IoError("squeue does not tell whether jobs of this folder are still in the queue; nothing was submitted");
  if (!jobs || jobs->empty()) return false;
  constexpr std::size_t kShown = 10;
  const std::vector<std::string> first(jobs->begin(),
                                       jobs->begin() + static_cast<std::ptrdiff_t>(std::min(kShown, jobs->size())));
  fmt::print(stderr,
             "tokenomics: still in the queue, {} job{} of {}: {}{}; nothing was done\n"
             "Wait for them, or end them with: scancel --name={},{}\n",
             jobs->size(), jobs->size() == 1 ? "" : "s", folder.path(), fmt::join(first, ", "),
             jobs->size() > kShown ? ", ..." : "", files.array_name(), files.merge_name());
  return true;
}

}  // namespace tokenomics::cli
