#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "baseline.hpp"
#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/compare_report.hpp"
#include "tokenomics/report/result_file.hpp"

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kRegression = 1;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) parts.emplace_back();
    if (c != separator) parts.back() += c;
  }
  return parts;
}

/// "0.02" or "0.02,0.001".
Tolerance tolerance_in(const std::string& text, const std::string& option) {
  const std::vector<std::string> parts = split(text, ',');
  std::vector<double> numbers;
  for (const std::string& part : parts) {
    const auto number = number_in(part);
    if (number && *number >= 0) numbers.push_back(*number);
  }
  if (numbers.size() != parts.size() || numbers.size() > 2)
    throw UsageError(fmt::format("--tolerance: \"{}\"; expected [NAME=]RELATIVE[,ABSOLUTE], numbers from 0 on", option));
  return {numbers[0], numbers.size() > 1 ? numbers[1] : 0};
}

/// tolerances.json inside BASE, or x.tolerances.json beside x.csv; empty when there is none.
std::string tolerances_beside(const std::string& base) {
  if (base == "-") return "";
  const fs::path place(base);
  const fs::path file = fs::is_directory(place) ? place / "tolerances.json"
                                                : place.parent_path() / (place.stem().string() + ".tolerances.json");
  return fs::exists(file) ? file.string() : "";
}

/// Those of the file, then the options, which win where both say the same name.
CompareRules rules_of(const Options& options, const std::string& tolerances_file) {
  CompareRules rules;
  if (!tolerances_file.empty()) rules = read_tolerances(tolerances_file, open_catalogue(options));
  for (const std::string& option : options.texts("tolerance")) {
    const std::size_t equals = option.rfind('=');
    if (equals == std::string::npos) {
      rules.otherwise = tolerance_in(option, option);
    } else {
      rules.metrics.push_back({{option.substr(0, equals), "--tolerance"}, tolerance_in(option.substr(equals + 1), option)});
    }
  }
  for (const std::string& pattern : options.texts("ignore")) rules.ignore.push_back({pattern, "--ignore"});
  rules.only_worse = options.choice("direction", {"any", "worse"}) == "worse";
  return rules;
}

std::vector<std::string> axes_of(const Options& options) {
  const auto text = options.text("axes");
  if (!text) return {};
  std::vector<std::string> axes = split(*text, ',');
  for (const std::string& axis : axes)
    if (axis.empty()) throw UsageError(fmt::format("--axes: \"{}\"; expected names of columns, separated by commas", *text));
  return axes;
}

/// A report must not take the place of what it is about.
void check_out(const Options& options, const ResultFile& file) {
  const auto out = options.text("out");
  std::error_code none;
  if (out && *out != "-" && fs::equivalent(*out, file.path, none))
    throw UsageError(fmt::format("--out: {} is one of the files that are compared", *out));
}

/// A baseline that is yet to be written: the same axes and metrics, no points.
ResultPoints without_points(const ResultPoints& now) {
  ResultPoints none;
  none.kind = now.kind;
  none.axes = now.axes;
  none.axis_values.resize(now.axes.size());
  for (const ResultColumn& metric : now.metrics) none.metrics.push_back({metric.name, {}, {}});
  return none;
}

std::string rendered(const Comparison& comparison, const std::string& format, const ComparedFiles& files,
                     const ReportOptions& report) {
  if (format == "json") return comparison_json(comparison, files, report);
  if (format == "csv") return comparison_csv(comparison);
  if (format == "junit") return comparison_junit(comparison, files);
  if (format == "github") return comparison_github(comparison, files);
  return comparison_table(comparison, files, report);
}

void remark(const Options& options, const std::string& text) {
  if (!options.has("quiet")) fmt::print(stderr, "tokenomics: {}\n", text);
}

int compare_it(const Options& options) {
  const std::string format = options.choice("format", {"table", "json", "csv", "junit", "github"});
  const ReportOptions report = report_options(options);
  const std::string base_name = *options.argument(0), new_name = *options.argument(1);
  if (base_name == "-" && new_name == "-") throw UsageError("compare: BASE and NEW are both standard input");
  const bool updates = options.has("update-baseline");
  const std::vector<std::string> axes = axes_of(options);
  ComparedFiles files{base_name, new_name, options.text("tolerances").value_or(tolerances_beside(base_name))};
  CompareRules rules = rules_of(options, files.tolerances);

  ResultFile now = read_result_file(new_name, axes);
  const bool is_first = updates && base_name != "-" && !fs::exists(base_name);
  ResultFile base;
  if (is_first) {
    base.points = without_points(now.points);
  } else {
    base = read_result_file(base_name, axes);
    check_comparable(base, now);
  }
  check_out(options, now);
  if (!is_first) check_out(options, base);
  BaselinePlan plan;
  if (updates) plan = plan_baseline(base_name, is_first ? nullptr : &base, now);
  base.text = {};  // as large as the file, and only NEW's is still needed
  if (!updates) now.text = {};
  ResultOutput output(options);
  const Comparison comparison = compare(std::move(base.points), std::move(now.points), std::move(rules));
  if (comparison.metrics.empty()) throw UsageError("--ignore leaves no metric to compare");
  output.finish(rendered(comparison, format, files, report));
  if (!updates) return comparison.findings.empty() ? 0 : kRegression;
  remark(options, write_baseline(plan, now));
  return 0;
}

}  // namespace

Command compare_command() {
  return {"compare",
          "regression check of cost curves: what moved, where and by how much; exit 1 when anything did",
          {"tokenomics compare baseline/ sweep/", "tokenomics compare base.json new.json --tolerance 'latency.*=0.05,0.01'",
           "tokenomics compare base.csv new.csv --direction worse --format junit --out compare.xml",
           "tokenomics compare base.csv new.csv --update-baseline"},
          {{"BASE", "points of a sweep (directory, CSV, JSON lines), or JSON of run, solve, frontier or validate"},
           {"NEW", "the same kind of result, or \"-\" for standard input"}},
          {{"tolerance", "[NAME=]REL[,ABS]",
            "what may differ: |new - base| <= ABS + REL |base|; * in NAME; default 0.01; may be repeated", true},
           {"ignore", "NAME", "a metric that is not compared; * in NAME; may be repeated", true},
           {"tolerances", "FILE", "both in a file (default: tolerances.json in BASE, x.tolerances.json beside x.csv)"},
           {"direction", "WHICH", "any (default): every move is a finding; worse: only what is dearer or slower"},
           {"axes", "A,B", "columns that name a point, for tables without a column \"status\""},
           {"update-baseline", "", "after the report, write NEW over BASE and exit with 0"},
           kCatalogue,
           {"format", "FORMAT", "table (default), json, csv, junit or github (annotations)"},
           kOut,
           kColor,
           kQuiet,
           kHelp},
          compare_it};
}

}  // namespace tokenomics::cli
