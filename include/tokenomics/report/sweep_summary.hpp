#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/base/expression.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/report/sweep_rows.hpp"
#include "tokenomics/study/cost_curves.hpp"

namespace tokenomics {

/// A figure of one design point: its value, or what the uncertain numbers leave of it.
struct FigureSpread {
  double p10 = 0, p50 = 0, p90 = 0;   ///< NaN where no sample has a number; all equal where nothing is uncertain
  std::uint64_t samples = 0;          ///< that are ok and have a number: what the quantiles are of
  std::optional<std::size_t> driver;  ///< index of the uncertain input with the largest first-order index
  double driver_share = 0;            ///< that index: the share of the figure's variance that goes with the input alone
  double driver_sign = 0;             ///< its rank correlation with the figure
};

/// A design point over all its samples.
struct DesignSummary {
  std::uint64_t point = 0;
  SweepFields axes;
  std::uint64_t ok = 0, infeasible = 0, errors = 0;  ///< samples
  std::string reason;                                ///< of the first that is not ok
  std::vector<double> inputs;                        ///< medians of the uncertain numbers
  std::vector<FigureSpread> figures;                 ///< of the samples that are ok
  SweepFields texts;  ///< figures that are texts: as written where all samples that are ok agree, else "mixed"
};

/// What is asked of all rows of a sweep: counts, the best points, curves. Rows come in order; only what the answers need
/// is kept, so that memory does not grow with the number of rows (curves keep their points).
class SweepSummary {
 public:
  /// `spec` must outlive it.
  explicit SweepSummary(const SweepSpec& spec);

  void add(const SweepFields& row);
  /// After the last row.
  void close();

  /// Told each design point when its last sample is in.
  std::function<void(const DesignSummary&)> on_design;

  struct Best {
    double objective = 0;
    DesignSummary design;
  };
  struct Group {
    SweepFields per;
    std::vector<Best> best;  ///< the best first
    std::uint64_t candidates = 0;
  };
  struct CurvePair {
    std::string a, b;
    std::vector<Crossing> crossings;
  };
  struct BreakEvenRow {
    std::string curve;
    double own_price = 0;  ///< NaN where the curve's points have several
    std::optional<CurveBreakEven> result;
  };
  struct CurveAnswer {
    const SweepCurves* spec = nullptr;
    SweepFields per;
    std::vector<CostCurve> curves;
    std::vector<CurvePair> pairs;
    std::vector<BreakEvenRow> break_even;
  };

  [[nodiscard]] const SweepSpec& spec() const { return *spec_; }
  [[nodiscard]] const SweepColumns& columns() const { return columns_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t designs() const { return designs_; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& statuses() const { return statuses_; }
  /// Rows that are not ok by their reason: the first kMostReasons that differ in more than numbers.
  struct Reason {
    std::string text;  ///< of the first row
    std::uint64_t rows = 0;
  };
  [[nodiscard]] const std::map<std::string, Reason>& reasons() const { return reasons_; }
  [[nodiscard]] const std::vector<Group>& best() const { return best_; }
  [[nodiscard]] std::vector<CurveAnswer> curves() const;
  /// The first design points, for a page.
  [[nodiscard]] const std::vector<DesignSummary>& first_designs() const { return first_; }

  static constexpr std::size_t kShown = 40;
  static constexpr std::size_t kMostReasons = 8;

 private:
  struct CurvePoint {
    double x = 0, y = 0;
    double gpu_price = 0;  ///< 0: not asked for
  };
  using CurvePoints = std::vector<CurvePoint>;

  void close_design();
  void count_reason(const std::string& reason);
  void offer(const DesignSummary& design);
  void add_to_curves(const DesignSummary& design);
  static void compare(CurveAnswer& answer, const std::vector<CurvePoints>& points, const std::string& reference);
  [[nodiscard]] std::vector<double> numbers_of(const DesignSummary& design) const;
  [[nodiscard]] double value_of(const DesignSummary& design, const std::string& column) const;
  [[nodiscard]] SweepFields axes_of(const DesignSummary& design, const std::vector<std::string>& names) const;
  using Curves = std::map<std::pair<SweepFields, SweepFields>, CurvePoints>;  ///< by (per, by)

  const SweepSpec* spec_;
  SweepColumns columns_;
  std::uint64_t rows_ = 0, designs_ = 0;
  std::map<std::string, std::uint64_t> statuses_;
  std::vector<std::string> names_;         ///< that objective and conditions may use
  std::map<std::string, Reason> reasons_;  ///< by the text without its digits
  std::vector<SweepFields> samples_;       ///< of the design that is being read
  std::vector<Expression> objective_;      ///< empty, or one
  std::vector<Expression> where_;
  std::vector<Group> best_;
  std::vector<Curves> curves_;
  std::vector<std::vector<std::pair<SweepFields, SweepFields>>> order_;  ///< of curves, as they appeared
  std::vector<DesignSummary> first_;
};

/// "tokenomics.sweep_result/1".
nlohmann::ordered_json sweep_json(const SweepSummary& summary, const ReportOptions& options = {});
/// A page for people.
std::string sweep_table(const SweepSummary& summary, const ReportOptions& options = {});

/// Lines of the file of intervals: one a design point, four columns a figure (p10, p50, p90, driver).
std::string interval_head(const SweepColumns& columns);
std::string interval_line(const DesignSummary& design, const SweepColumns& columns);

}  // namespace tokenomics
