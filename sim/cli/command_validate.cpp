#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "point_files.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/validation_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/study/result_points.hpp"
#include "tokenomics/study/validation_gate.hpp"

namespace tokenomics::cli {
namespace {

constexpr int kCheckFailed = 1;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) parts.emplace_back();
    if (c != separator) parts.back() += c;
  }
  return parts;
}

[[noreturn]] void refuse_threshold(const std::string& option, const std::string& nearest = "") {
  throw UsageError(
      fmt::format("--threshold: \"{}\"; expected NAME=MEDIAN[/P90],..., percent from 0 on, of tok_s_per_gpu, tpot or ttft{}",
                  option, nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

double percent_in(const std::string& text, const std::string& option) {
  const auto number = number_in(text);
  if (!number || *number < 0) refuse_threshold(option);
  return *number / 100;
}

/// "tpot=8/25".
ErrorLimit limit_in(const std::string& text, const std::string& option) {
  const std::vector<std::string> sides = split(text, '=');
  if (sides.size() != 2) refuse_threshold(option);
  if (std::find(kErrorQuantities.begin(), kErrorQuantities.end(), sides[0]) == kErrorQuantities.end())
    refuse_threshold(option, nearest_name(sides[0], kErrorQuantities));
  const std::vector<std::string> numbers = split(sides[1], '/');
  if (numbers.size() > 2) refuse_threshold(option);
  ErrorLimit limit{sides[0], percent_in(numbers[0], option), std::nullopt};
  if (numbers.size() == 2) limit.p90 = percent_in(numbers[1], option);
  return limit;
}

/// Those of the file, then of the option, which are of all points.
std::vector<ErrorGate> gates_of(const Options& options, const Catalogue& catalogue) {
  std::vector<ErrorGate> gates;
  std::vector<ErrorLimit> limits;
  for (const std::string& option : options.texts("threshold"))
    for (const std::string& part : split(option, ',')) limits.push_back(limit_in(part, option));
  if (const auto file = options.text("thresholds")) gates = read_thresholds(*file, catalogue);
  gates.push_back({{}, std::move(limits)});
  return gates;
}

/// No result takes the place of what it is made from, or of another.
void check_files(const Options& options, const ValidationInputs& inputs) {
  std::vector<std::string> taken = inputs.points;
  taken.insert(taken.end(), inputs.flags.begin(), inputs.flags.end());
  for (const char* name : {"out", "predictions"}) {
    const auto file = options.text(name);
    if (!file) continue;
    if (*file == "-" && std::string(name) == "predictions")
      throw UsageError("--predictions needs a file, not standard output");
    if (std::find(taken.begin(), taken.end(), *file) != taken.end())
      throw UsageError(fmt::format("--{}: {} is read or written already", name, *file));
    taken.push_back(*file);
  }
}

/// Each calibration once, however many points it is for.
class Calibrations {
 public:
  Calibrations(const ValidationInputs& inputs, const Catalogue& catalogue)
      : catalogue_(catalogue), given_(inputs.calibration) {
    if (!given_.empty()) load(given_);  // a wrong name is told before any work
  }
  /// None for a point whose GPU or network nobody knows.
  const Calibration* of(const BenchmarkPoint& point) {
    if (point.calibration.name.empty()) return nullptr;
    return load(given_.empty() ? point.calibration.name : given_);
  }

 private:
  const Calibration* load(const std::string& name) {
    const auto found = loaded_.find(name);
    return &(found != loaded_.end() ? found : loaded_.emplace(name, load_calibration(name, catalogue_)).first)->second;
  }
  const Catalogue& catalogue_;
  std::string given_;
  std::map<std::string, Calibration> loaded_;
};

std::string rendered(const BenchmarkSet& set, const Validation& validation, const ValidationInputs& inputs, Format format,
                     const ReportOptions& report) {
  if (format == Format::Json) return json_text(validation_json(set, validation, inputs, report));
  return format == Format::Csv ? validation_csv(validation) : validation_table(set, validation, inputs, report);
}

int validate_points(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  const unsigned jobs = jobs_of(options);
  const ValidationInputs inputs = point_inputs(options);
  check_files(options, inputs);
  const Catalogue catalogue = open_catalogue(options);
  const std::vector<ErrorGate> gates = gates_of(options, catalogue);
  Calibrations calibrations(inputs, catalogue);
  const std::vector<MeasuredPoint> measured = measured_points(inputs);
  const BenchmarkSet set = benchmark_set(measured, catalogue);

  ResultOutput output(options);
  std::unique_ptr<OutputFile> predictions;
  if (const auto path = options.text("predictions")) predictions = std::make_unique<OutputFile>(*path);
  const Validation validation = [&] {
    Progress progress(options);
    return validate(
        set, [&](std::size_t i) { return calibrations.of(set.points()[i]); }, jobs, progress.listener());
  }();

  const std::string text = rendered(set, validation, inputs, format, report);
  if (predictions) {
    predictions->write(predictions_csv(set, validation, inputs));
    predictions->commit();
  }
  output.finish(text);
  const std::vector<std::string> above = breaches(set, validation, gates);
  for (const std::string& sentence : above) fmt::print(stderr, "tokenomics: {}\n", sentence);
  return above.empty() ? 0 : kCheckFailed;
}

}  // namespace

Command validate_command() {
  return {"validate",
          "predict measured serving points and print the errors by group",
          {"tokenomics validate points.csv",
           "tokenomics validate inferencex.csv silicon.csv --flags engine_flags.csv --predictions predictions.csv",
           "tokenomics validate points.csv --threshold tok_s_per_gpu=8/25,tpot=8/25,ttft=30/80 --quiet",
           "tokenomics validate points.csv --catalogue my-gpus --format json --out validation.json"},
          {{"POINTS.csv",
            "measured points: an InferenceX export or AIConfigurator's table of end-to-end runs; several are pooled", true,
            true}},
          {{"flags", "FILE", "settings of the engines behind the points, joined by flags_id; may be repeated", true},
           {"predictions", "FILE", "write one CSV row a point"},
           {"threshold", "NAME=MEDIAN[/P90],...",
            "exit with 1 when errors of all points are above, in percent: tok_s_per_gpu, tpot, ttft; may be repeated", true},
           {"thresholds", "FILE", "the same by group, as JSON (tokenomics schema thresholds)"},
           {"calibration", "NAME", "for all points, instead of the catalogue's best for each"},
           kCatalogue,
           kFormat,
           kOut,
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          validate_points};
}

}  // namespace tokenomics::cli
