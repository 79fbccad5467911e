#include "sweep_work.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenomics::cli {
namespace {

RowFormat row_format_of(const SweepFolder& folder) { return folder.manifest().format; }

/// Threads that wait for each other at the end count as overhead too.
void say_timing(std::chrono::duration<double> wall, std::uint64_t rows, unsigned jobs, double simulated_s) {
  const double beside_s = wall.count() * std::min<double>(jobs, static_cast<double>(rows)) - simulated_s;
  fmt::print(stderr, "tokenomics: {} rows in {:.3f} s on {} threads; {:.1f} us of a thread for each beside simulating\n",
             rows, wall.count(), jobs, beside_s / static_cast<double>(rows) * 1e6);
}

}  // namespace

unsigned inner_jobs(unsigned jobs, std::uint64_t rows) {
  return rows >= jobs || rows == 0 ? 1U : static_cast<unsigned>(jobs / rows);
}

SweepManifest SweepWork::manifest(RowFormat format) const {
  SweepManifest manifest = manifest_of(spec, plan, catalogue);
  manifest.version = TOKENOMICS_VERSION;
  manifest.format = format;
  return manifest;
}

SweepSpec sweep_of(const Options& options, const Catalogue& catalogue) {
  SweepOverrides overrides;
  overrides.sets = options.texts("set");
  overrides.seed = seed_of(options);
  overrides.samples = options.whole("samples", 1, 1'000'000);
  overrides.replications = options.whole("replications", 1, 100'000);
  return load_sweep(*options.argument(0), catalogue, overrides);
}

std::unique_ptr<SweepWork> sweep_in(const SweepFolder& folder, const Catalogue& catalogue) {
  const SweepManifest& manifest = folder.manifest();
  auto work = std::make_unique<SweepWork>(
      catalogue, load_sweep_parts(manifest.text, manifest.file, manifest.base_text, manifest.base_file, catalogue));
  folder.check_same(work->manifest(manifest.format));
  return work;
}

void run_rows(const SweepWork& work, RowFormat format, OrderedLines lines, const Options& options) {
  const std::uint64_t count = lines.last - lines.first, first = lines.first;
  lines.jobs = jobs_of(options);
  const SweepRows rows(work.spec, work.plan, work.catalogue, format, inner_jobs(lines.jobs, count));
  Progress progress(options);
  const auto start = std::chrono::steady_clock::now();
  lines.make = [&](std::uint64_t row) { return rows.line(row); };
  if (const auto told = progress.counter(count, 0, "rows")) {
    lines.due = [due = lines.due, told, first](std::uint64_t row, const std::string& line) {
      due(row, line);
      told(row + 1 - first);
    };
  }
  lines.run();
  if (options.has("timing")) say_timing(std::chrono::steady_clock::now() - start, count, lines.jobs, rows.simulated_s());
}

void make_rows(const SweepWork& work, const SweepFolder& folder, std::uint64_t index, std::uint64_t of,
               const Options& options) {
  const RowFormat format = row_format_of(folder);
  const auto [first, last] = shard_rows(work.plan.rows(), index, of);
  if (first == last) return;
  folder.claim_shard(index, of);
  RowsFile file(folder.shard_path(index, of), head_of(folder.manifest()), first, last, work.beginning(format));
  OrderedLines lines;
  lines.first = file.next();
  lines.last = last;
  lines.made = file.early();
  lines.due = [&](std::uint64_t row, const std::string& line) { file.append(row, line); };
  lines.early = [&](std::uint64_t row, const std::string& line) { file.keep_early(row, line); };
  run_rows(work, format, std::move(lines), options);
  file.finish();
}

std::vector<std::pair<std::uint64_t, std::string>> missing_shards(const SweepWork& work, const SweepFolder& folder) {
  return folder.missing_shards(work.beginning(row_format_of(folder)));
}

void print_summary(const SweepSummary& summary, const Options& options) {
  const ReportOptions report = report_options(options);
  const bool is_json = options.text("format") == "json";
  write_standard_output(is_json ? json_text(sweep_json(summary, report)) : sweep_table(summary, report));
}

int exit_code_of(const SweepSummary& summary) {
  const auto errors = summary.statuses().find("error");
  if (errors == summary.statuses().end()) return 0;
  fmt::print(stderr, "tokenomics: {} of {} rows ended with an error; the column \"reason\" says which\n", errors->second,
             summary.rows());
  return 1;
}

int finish_sweep(const SweepWork& work, SweepFolder& folder, const Options& options) {
  SweepSummary summary(work.spec);
  std::unique_ptr<OutputFile> intervals;
  if (!work.spec.inputs.empty()) {
    intervals = std::make_unique<OutputFile>(folder.path() + "/intervals.csv");
    intervals->write(interval_head(work.columns));
    summary.on_design = [&](const DesignSummary& design) { intervals->write(interval_line(design, work.columns)); };
  }
  read_rows(folder, work.columns, work.beginning(row_format_of(folder)), [&](const SweepFields& row) { summary.add(row); });
  summary.close();
  if (intervals) intervals->commit();
  folder.write("summary.json", json_text(sweep_json(summary, report_options(options))));
  folder.complete();
  if (options.text("format") == "json" || !options.has("quiet")) print_summary(summary, options);
  return exit_code_of(summary);
}

int merge_sweep(const SweepWork& work, SweepFolder& folder, const Options& options) {
  const auto missing = missing_shards(work, folder);
  if (missing.empty()) {
    folder.merge_shards();
    return finish_sweep(work, folder, options);
  }
  constexpr std::size_t kShown = 20;
  fmt::print(stderr, "tokenomics: {} of {} shards are missing; nothing was merged\n", missing.size(),
             folder.manifest().shards);
  for (std::size_t i = 0; i < std::min(kShown, missing.size()); ++i)
    fmt::print(stderr, "  shard {} {}\n", missing[i].first, missing[i].second);
  if (missing.size() > kShown) fmt::print(stderr, "  and {} more\n", missing.size() - kShown);
  fmt::print(stderr, "Make them with: tokenomics sweep resume {}\n", folder.path());
  return 1;
}

}  // namespace tokenomics::cli
