#include "tokenomics/report/sweep_rows.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "../csv.hpp"
#include "../number_format.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/expression.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/report/solution_report.hpp"
#include "tokenomics/scenario/variants.hpp"
#include "tokenomics/study/run.hpp"
#include "tokenomics/study/solve.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

/// A dotted name taken apart once: finding a figure in a result must not cost more than the figure.
struct FigurePath {
  std::vector<std::string> keys;

  explicit FigurePath(const std::string& name) {
    for (std::size_t begin = 0; begin <= name.size();) {
      const std::size_t end = std::min(name.find('.', begin), name.size());
      keys.push_back(name.substr(begin, end - begin));
      begin = end + 1;
    }
  }
};

const ordered_json* child(const ordered_json& value, const std::string& key) {
  if (value.is_object()) {
    const auto found = value.find(key);
    return found == value.end() ? nullptr : &*found;
  }
  const bool is_index = !key.empty() && key.size() < 9 && key.find_first_not_of("0123456789") == std::string::npos;
  if (!value.is_array() || !is_index || std::stoul(key) >= value.size()) return nullptr;
  return &value[std::stoul(key)];
}

/// A scalar of the result; a list of texts becomes one text; null for what is not there.
ordered_json figure_at(const ordered_json& result, const FigurePath& path) {
  const ordered_json* at = &result;
  for (const std::string& key : path.keys) {
    at = child(*at, key);
    if (at == nullptr) return nullptr;
  }
  if (!at->is_structured()) return *at;
  const bool is_texts = at->is_array() && std::all_of(at->begin(), at->end(), [](const auto& v) { return v.is_string(); });
  return is_texts ? ordered_json(fmt::format("{}", fmt::join(at->get<std::vector<std::string>>(), ";"))) : nullptr;
}

/// One row is one line.
std::string in_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

struct PointOutcome {
  const char* status = "ok";
  std::string reason;
  ordered_json result;  ///< null unless there is one
};

/// Adds the time until it ends.
class Stopwatch {
 public:
  explicit Stopwatch(std::atomic<std::int64_t>& sum_ns) : sum_ns_(sum_ns) {}
  ~Stopwatch() {
    sum_ns_ += std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::atomic<std::int64_t>& sum_ns_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

struct SweepRows::Impl {
  const SweepSpec& spec;
  const SweepPlan& plan;
  RowFormat format;
  unsigned jobs;
  SweepColumns columns;
  std::vector<FigurePath> paths;
  std::vector<std::size_t> numeric;  ///< columns that expressions may use, in the order of their names
  std::vector<Expression> derived;
  std::unique_ptr<ScenarioVariants> scenarios;
  std::unique_ptr<QueryVariants> queries;
  mutable std::atomic<std::int64_t> simulated_ns{0};

  Impl(const SweepSpec& s, const SweepPlan& p, const Catalogue& catalogue, RowFormat f, unsigned j)
      : spec(s), plan(p), format(f), jobs(j), columns(s) {
    for (const std::string& name : spec.metrics) paths.emplace_back(name);
    const std::vector<std::string> names = spec.numeric_columns();
    for (const std::string& name : names) numeric.push_back(columns.index(name));
    for (const SweepDerived& one : spec.derived) derived.emplace_back(one.expression, names);
    if (spec.subject == SweepSubject::Scenario)
      scenarios = std::make_unique<ScenarioVariants>(spec.base_text, spec.base_file, catalogue);
    else queries = std::make_unique<QueryVariants>(spec.base_text, spec.base_file, catalogue);
  }

  void load(const SweepPoint& point) const {
    if (scenarios) (void)scenarios->load(point.sets, point.seed);
    else (void)queries->load(point.sets, point.seed);
  }

  [[nodiscard]] ordered_json simulated(const SweepPoint& point) const {
    RunOptions how;
    how.jobs = jobs;
    how.hash = false;
    ReportOptions report;
    report.with_scenario = false;
    report.only = spec.metrics;
    const Scenario scenario = scenarios->load(point.sets, point.seed);
    const RunResult result = [&] {
      const Stopwatch watch(simulated_ns);
      return run_scenario(scenario, how);
    }();
    return result_json(result, report);
  }

  [[nodiscard]] PointOutcome solved(const SweepPoint& point) const {
    SolveOptions how;
    how.jobs = jobs;
    how.confirm = spec.confirm;
    how.shadow = false;
    ReportOptions report;
    report.with_scenario = false;
    const Query query = queries->load(point.sets, point.seed);
    const Solution solution = [&] {
      const Stopwatch watch(simulated_ns);
      return solve(query, how);
    }();
    return {solution.infeasible_reason.empty() ? "ok" : "infeasible", solution.infeasible_reason,
            solution_json(solution, report)};
  }

  /// Everything but an exhausted memory is this point's own affair.
  [[nodiscard]] PointOutcome outcome(const SweepPoint& point) const {
    try {
      return scenarios ? PointOutcome{"ok", "", simulated(point)} : solved(point);
    } catch (const Infeasible& error) {
      return {"infeasible", error.what(), nullptr};
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const ScenarioError& error) {
      return {"error", error.what(), nullptr};
    } catch (const std::exception& error) {
      return {"error", fmt::format("internal error: {}", error.what()), nullptr};
    }
  }

  [[nodiscard]] std::vector<ordered_json> cells(const SweepPoint& point, const PointOutcome& outcome) const {
    std::vector<ordered_json> cells{point.design};
    if (columns.has_sample) cells.push_back(point.sample ? ordered_json(*point.sample) : ordered_json(nullptr));
    for (const std::string& shown : point.shown) cells.push_back(ordered_json::parse(shown));
    for (const std::string& drawn : point.drawn) cells.push_back(ordered_json::parse(drawn));
    cells.emplace_back(outcome.status);
    cells.push_back(outcome.reason.empty() ? ordered_json(nullptr) : ordered_json(outcome.reason));
    for (const FigurePath& path : paths) cells.push_back(figure_at(outcome.result, path));
    for (ordered_json& cell : cells)
      if (cell.is_string()) cell = in_one_line(cell.get<std::string>());
    if (derived.empty()) return cells;
    std::vector<double> values;
    for (const std::size_t column : numeric) values.push_back(number_of(csv_value(cells[column])));
    for (const Expression& one : derived) cells.push_back(tidy(one.evaluate(values)));
    return cells;
  }

  [[nodiscard]] std::string text(const std::vector<ordered_json>& cells) const {
    if (format == RowFormat::Csv) {
      std::vector<std::string> fields;
      for (const ordered_json& cell : cells) fields.push_back(csv_value(cell));
      return csv_line(fields);
    }
    ordered_json row = ordered_json::object();
    for (std::size_t c = 0; c < cells.size(); ++c) row[columns.names[c]] = cells[c];
    return row.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  }
};

SweepRows::SweepRows(const SweepSpec& spec, const SweepPlan& plan, const Catalogue& catalogue, RowFormat format,
                     unsigned jobs)
    : impl_(std::make_unique<Impl>(spec, plan, catalogue, format, jobs)) {}

void SweepRows::check_loading() const {
  std::optional<ScenarioError> first;
  const SweepPlan& plan = impl_->plan;
  for (const std::uint64_t row : {std::uint64_t{0}, plan.rows() / 2, plan.rows() - 1}) {
    try {
      impl_->load(plan.at(row));
      return;
    } catch (const ScenarioError& error) {
      if (!first) first = error;
    }
  }
  throw ScenarioError(first->problems());
}

SweepRows::~SweepRows() = default;

const SweepColumns& SweepRows::columns() const { return impl_->columns; }

double SweepRows::simulated_s() const { return static_cast<double>(impl_->simulated_ns) * 1e-9; }

std::string SweepRows::line(std::uint64_t row) const {
  const SweepPoint point = impl_->plan.at(row);
  return impl_->text(impl_->cells(point, impl_->outcome(point)));
}

}  // namespace tokenomics
