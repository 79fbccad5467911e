#include "tokenomics/report/system_fit_report.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "text_page.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string errors_text(const ErrorStatistics& e) {
  return e.points == 0 ? "-" : fmt::format("{:.1f}/{:.1f}", 100 * e.median, 100 * e.p90);
}

/// "0.685 3%", with "!" at a bound and "(prior)" where the points said nothing.
std::string number_text(const SystemFit& fit, std::size_t p) {
  const double error = fit.numbers.standard_errors[p];
  const std::string mark = fit.numbers.at_bound[p] ? " !"
                           : std::isfinite(error)  ? fmt::format(" {:.0f}%", 100 * error)
                                                   : " ?";
  return fmt::format("{:.3g}{}", fit.numbers.values[p], mark);
}

ordered_json errors_json(const ErrorStatistics& e) {
  if (e.points == 0) return nullptr;
  return {{"points", e.points}, {"mdape", 100 * e.median}, {"p90ape", 100 * e.p90}, {"bias", 100 * e.bias}};
}

ordered_json fit_json(const SystemFit& fit, const BenchmarkSet& set) {
  ordered_json numbers = ordered_json::array();
  const auto& all = system_parameters();
  for (std::size_t p = 0; p < all.size(); ++p) {
    const double error = fit.numbers.standard_errors[p];
    numbers.push_back({{"name", all[p].name},
                       {"unit", all[p].unit},
                       {"value", fit.numbers.values[p]},
                       {"relative_standard_error", std::isfinite(error) ? ordered_json(error) : ordered_json(nullptr)},
                       {"low", all[p].low},
                       {"high", all[p].high},
                       {"at_bound", static_cast<bool>(fit.numbers.at_bound[p])}});
  }
  ordered_json points = ordered_json::array();
  for (const std::size_t i : fit.points) {
    const MeasuredPoint& m = *set.points()[i].measured;
    points.push_back(fmt::format("{}:{}", m.file, m.line));
  }
  return {{"level", std::string(name_of(fit.level))},
          {"key", fit.key},
          {"calibration", fit.calibration.name},
          {"iterations", fit.numbers.iterations},
          {"converged", fit.numbers.converged},
          {"numbers", numbers},
          {"correlations", fit.numbers.correlations},
          {"tok_s_per_gpu", errors_json(fit.tok_s_per_gpu)},
          {"tpot", errors_json(fit.tpot)},
          {"ttft", errors_json(fit.ttft)},
          {"points", points}};
}

/// Pairs of numbers that the points cannot tell apart.
std::vector<std::string> strong_correlations(const SystemFit& fit) {
  std::vector<std::string> found;
  const auto& all = system_parameters();
  for (std::size_t a = 0; a < all.size(); ++a) {
    for (std::size_t b = a + 1; b < all.size(); ++b) {
      const double r = fit.numbers.correlations[a][b];
      if (std::abs(r) > 0.8) found.push_back(fmt::format("{} and {} {:+.2f}", all[a].name, all[b].name, r));
    }
  }
  return found;
}

void add_fit(TextPage& page, const SystemFit& fit) {
  page.heading(fmt::format("{} ({}, {} points)", fit.key, name_of(fit.level), fit.points.size()));
  TextTable table{{{"number", Align::Left}, {"value", Align::Left}, {"unit", Align::Left}, {"meaning", Align::Left}}, {}};
  const auto& all = system_parameters();
  for (std::size_t p = 0; p < all.size(); ++p)
    table.rows.push_back({all[p].name, number_text(fit, p), all[p].unit, all[p].meaning});
  page.table(table);
  page.paragraph(fmt::format("errors of these points, median/p90 in percent: tok/s/GPU {}, TPOT {}, TTFT {}",
                             errors_text(fit.tok_s_per_gpu), errors_text(fit.tpot), errors_text(fit.ttft)));
  const auto correlations = strong_correlations(fit);
  if (!correlations.empty()) page.paragraph(fmt::format("hard to tell apart: {}", fmt::join(correlations, ", ")));
}

}  // namespace

ordered_json system_fit_json(const HierarchyFit& fit, const BenchmarkSet& set, const ReportOptions& options) {
  ordered_json fits = ordered_json::array();
  for (const SystemFit& one : fit.fits) fits.push_back(fit_json(one, set));
  return {{"schema", "tokenomics.calibration_fit/1"}, {"version", options.version}, {"fits", fits}};
}

std::string system_fit_table(const HierarchyFit& fit, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(fmt::format("{} fits of {} numbers each", fit.fits.size(), system_parameters().size()));
  page.paragraph(
      "value and relative standard error; ! at its bound. A family's numbers are the prior of its GPUs under an "
      "engine, those of their versions.");
  for (const SystemFit& one : fit.fits) add_fit(page, one);
  return page.text();
}

std::string system_fit_csv(const HierarchyFit& fit) {
  std::string text = "level,key,points,number,unit,value,relative_standard_error_percent,at_bound\n";
  const auto& all = system_parameters();
  for (const SystemFit& one : fit.fits) {
    for (std::size_t p = 0; p < all.size(); ++p) {
      text += fmt::format("{},{},{},{},{},{:.6g},{},{}\n", name_of(one.level), one.key, one.points.size(), all[p].name,
                          all[p].unit, one.numbers.values[p], percent(one.numbers.standard_errors[p]),
                          one.numbers.at_bound[p] ? 1 : 0);
    }
  }
  return text;
}

}  // namespace tokenomics
