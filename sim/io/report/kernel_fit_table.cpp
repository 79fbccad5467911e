#include <cmath>

#include <fmt/format.h>

#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/kernel_fit_report.hpp"

namespace tokenomics {
namespace {

std::string remark_of(const FittedNumber& n) {
  if (!n.kept.empty()) return "kept: " + n.kept;
  std::string remark = n.at_bound ? "at its bound" : "";
  if (std::abs(n.prior_distance) > 3) remark += std::string(remark.empty() ? "" : "; ") + "far from the prior";
  return remark;
}

TextTable numbers_of(const KernelFit& fit) {
  TextTable table{{{"family", Align::Left}, {"number", Align::Left}, {"value"}, {"+-"}, {"prior"}, {"remark", Align::Left}},
                  {}};
  for (const FittedNumber& n : fit.numbers) {
    const bool fitted = n.kept.empty() && !n.at_bound;
    table.rows.push_back({n.family, n.name, significant(n.value), fitted ? significant(n.standard_error, 2) : "",
                          significant(n.prior), remark_of(n)});
  }
  return table;
}

/// A log error as a percentage of what was measured.
std::string error(double log_error) { return percent(std::expm1(log_error)); }

TextTable residuals_of(const KernelFit& fit) {
  TextTable table{
      {{"family", Align::Left}, {"rows", Align::Left}, {"n"}, {"median %"}, {"p90 %"}, {"bias %"}, {"", Align::Left}}, {}};
  for (const KernelResiduals& r : fit.residuals) {
    table.rows.push_back({r.family, r.dtype, whole(static_cast<double>(r.rows)), error(r.median), error(r.p90),
                          error(r.bias), r.left_out.empty() ? "" : "not fitted: " + r.left_out});
  }
  return table;
}

}  // namespace

std::string kernel_fit_table(const KernelFit& fit, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(fmt::format("{}: {} under {}", fit.calibration.name, fit.calibration.gpu, fit.calibration.engine));
  page.heading("Numbers");
  page.table(numbers_of(fit));
  page.heading("Predicted against measured");
  page.table(residuals_of(fit));
  if (!fit.left_out.empty()) page.heading("Rows left out");
  for (const KernelRowsLeftOut& l : fit.left_out) {
    page.point(fmt::format("{} of {}: {}", whole(static_cast<double>(l.rows)), l.file, l.reason));
  }
  return page.text();
}

}  // namespace tokenomics
