#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "point_files.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/kernel_fit_report.hpp"
#include "tokenomics/report/system_fit_report.hpp"
#include "tokenomics/report/validation_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/scenario/served_calibration.hpp"
#include "tokenomics/study/kernel_fit.hpp"
#include "tokenomics/study/system_fit.hpp"

namespace tokenomics::cli {
namespace {

/// Columns of `--select COLUMN=VALUE`.
std::string selected_value(const MeasuredPoint& m, const std::string& column) {
  if (column == "model") return m.model;
  if (column == "gpu") return m.gpu;
  if (column == "engine") return m.engine();
  if (column == "precision") return m.precision;
  if (column == "origin") return m.origin;
  if (column == "drafts") return m.drafts ? "yes" : "no";
  if (column == "layout") return m.disaggregated() ? "disaggregated" : "aggregated";
  const std::vector<std::string> known{"model", "gpu", "engine", "precision", "origin", "drafts", "layout"};
  const std::string nearest = nearest_name(column, known);
  throw UsageError(fmt::format("--select: no column \"{}\"; expected one of {}{}", column, fmt::join(known, ", "),
                               nearest.empty() ? "" : "; did you mean " + nearest + "?"));
}

bool is_selected(const MeasuredPoint& m, const std::vector<std::string>& selections) {
  return std::all_of(selections.begin(), selections.end(), [&](const std::string& selection) {
    const std::size_t equal = selection.find('=');
    if (equal == std::string::npos) throw UsageError(fmt::format("--select: \"{}\"; expected COLUMN=VALUE", selection));
    return selected_value(m, selection.substr(0, equal)) == selection.substr(equal + 1);
  });
}

std::vector<std::size_t> selected(const BenchmarkSet& set, const std::vector<std::size_t>& points, const Options& options) {
  std::vector<std::size_t> kept;
  for (const std::size_t i : points) {
    if (is_selected(*set.points()[i].measured, options.texts("select"))) kept.push_back(i);
  }
  if (kept.empty())
    throw ScenarioError(Problem{fmt::format("{}", fmt::join(options.arguments(), " ")), "", "no point",
                                "at least one sound point that the selection keeps", ""});
  return kept;
}

std::optional<FoldKind> fold_kind(const Options& options) {
  if (!options.has("cross-validate")) return std::nullopt;
  const std::string kind = options.choice("cross-validate", {"shape", "network", "gpu"});
  return kind == "shape" ? FoldKind::Shape : kind == "network" ? FoldKind::Network : FoldKind::Gpu;
}

void write_calibrations(const HierarchyFit& fit, const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (const SystemFit& one : fit.fits) {
    OutputFile file((std::filesystem::path(folder) / (one.calibration.name + ".json")).string());
    file.write(calibration_text(one.calibration));
    file.commit();
  }
}

std::string rendered(const HierarchyFit& fit, const BenchmarkSet& set, Format format, const ReportOptions& report) {
  if (format == Format::Json) return json_text(system_fit_json(fit, set, report));
  return format == Format::Csv ? system_fit_csv(fit) : system_fit_table(fit, report);
}

std::string rendered(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs, Format format,
                     const ReportOptions& report) {
  if (format == Format::Json) return json_text(validation_json(set, validation, inputs, report));
  return format == Format::Csv ? validation_csv(validation) : validation_table(set, validation, inputs, report);
}

/// Fits of timed kernels: a page for each GPU and engine of the tables.
int calibrate_kernels(const Options& options) {
  const ReportOptions report = report_options(options);
  const Catalogue catalogue = open_catalogue(options);
  const KernelTables tables =
      read_kernel_tables(options.texts("ops"), [&](const std::string& name) { return load_network(name, catalogue); });
  ResultOutput output(options);
  std::string text;
  HierarchyFit fits;
  for (const GpuAndEngine& pair : timed_pairs(tables)) {
    const Gpu gpu = load_gpu(pair.gpu, catalogue);
    const Calibration base =
        load_calibration(best_calibration(gpu, pair.framework, catalogue).value_or("generic"), catalogue);
    KernelFit fit = fit_kernels(tables, pair, gpu, base);
    text += kernel_fit_table(fit, report);
    fits.fits.emplace_back().calibration = std::move(fit.calibration);
  }
  if (const auto folder = options.text("write")) write_calibrations(fits, *folder);
  output.finish(text);
  return 0;
}

int calibrate(const Options& options) {
  if (options.has("ops")) {
    if (!options.arguments().empty()) throw UsageError("--ops fits tables of timed kernels: no POINTS.csv beside it");
    return calibrate_kernels(options);
  }
  if (options.arguments().empty()) throw UsageError("calibrate: POINTS.csv or --ops is missing");
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  const ValidationInputs inputs = point_inputs(options);
  const Catalogue catalogue = open_catalogue(options);
  const std::vector<MeasuredPoint> measured = measured_points(inputs);
  const BenchmarkSet set = benchmark_set(measured, catalogue);
  Progress progress(options);
  const auto listener = progress.listener();
  FitSettings settings;
  settings.jobs = jobs_of(options);
  double begun = 0;
  settings.progress = [&](const std::string&) {
    if (listener) listener(1 - 1 / (1 + 0.05 * begun++));  // how many fits there will be is not known beforehand
  };
  const SystemFitter fitter(set, catalogue, settings);
  ResultOutput output(options);
  if (const auto kind = fold_kind(options)) {
    std::vector<std::size_t> all(set.points().size());
    std::iota(all.begin(), all.end(), 0);
    std::erase_if(all, [&](std::size_t i) { return !set.points()[i].cannot_run.empty(); });
    const Validation validation = cross_validate(set, fitter, *kind, selected(set, all, options), settings.jobs);
    if (const auto path = options.text("predictions")) {
      OutputFile file(*path);
      file.write(predictions_csv(set, validation, inputs));
      file.commit();
    }
    output.finish(rendered(set, validation, inputs, format, report));
    return 0;
  }
  HierarchyFit fit;
  if (options.has("few")) {
    fit.fits.push_back(fitter.fit_few(selected(set, fitter.usable(), options)));
  } else {
    fit = fitter.fit(selected(set, fitter.usable(), options));
  }
  if (const auto folder = options.text("write")) write_calibrations(fit, *folder);
  output.finish(rendered(fit, set, format, report));
  return 0;
}

}  // namespace

Command calibrate_command() {
  return {
      "calibrate",
      "fit the numbers of calibrations to measured serving points, or to timed kernels; cross-validate",
      {"tokenomics calibrate points.csv --flags engine_flags.csv --write my-calibrations",
       "tokenomics calibrate points.csv --cross-validate shape --select model=DeepSeek-R1-0528 --select layout=aggregated",
       "tokenomics calibrate two_points_of_mine.csv --few --write my-calibrations",
       "tokenomics calibrate --ops ops_gemm.csv --ops ops_memory.csv --write my-calibrations"},
      {{"POINTS.csv", "measured points, as for validate", false, true}},
      {{"flags", "FILE", "settings of the engines behind the points, joined by flags_id; may be repeated", true},
       {"ops", "FILE", "fit tables of timed kernels instead (scripts/measure_gpu.py makes them); may be repeated", true},
       {"select", "COLUMN=VALUE",
        "only those points: model, gpu, engine, precision, origin, drafts (yes, no), layout (aggregated, disaggregated)",
        true},
       {"few", "", "few points of one GPU and engine: the catalogue's calibration is the prior"},
       {"cross-validate", "FOLDS",
        "shape, network or gpu: predict each point with fits that left its fold out, print the errors"},
       {"predictions", "FILE", "with --cross-validate: one CSV row a point"},
       {"write", "FOLDER", "write the fitted calibrations there, to be used with --catalogue"},
       kCatalogue,
       kFormat,
       kOut,
       kJobs,
       kColor,
       kQuiet,
       kHelp},
      calibrate};
}

}  // namespace tokenomics::cli
