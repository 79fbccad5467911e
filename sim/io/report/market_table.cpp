#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "csv.hpp"
#include "market_parts.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/market_report.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kMostRows = 24;  ///< of the calendar; longer ones are thinned evenly

std::string shown(const MarketMeasure& measure, const std::optional<double>& value) {
  if (measure.kind == MarketMeasure::Kind::TokenShare) return percent(value);
  if (value && *value >= 1e6) return significant(*value * 1e-6) + " M";
  return significant(value);
}

std::string title_of(const MarketMeasure& measure) {
  return measure.kind == MarketMeasure::Kind::TokenShare ? measure.name + ", %" : measure.name;
}

std::string verdict(const MarketResult& result) {
  if (result.measures.empty()) return fmt::format("{} periods, {} providers", result.periods.size(), result.surfaces.size());
  const MeasureSeries& first = result.measures.front();
  std::string text = fmt::format("{}: {} at first, {} at last", title_of(first.measure),
                                 shown(first.measure, first.values.front()), shown(first.measure, first.values.back()));
  if (!first.intervals.empty())
    text += fmt::format(" ({} to {})", shown(first.measure, first.intervals.back().p5),
                        shown(first.measure, first.intervals.back().p95));
  return text;
}

void measures_section(TextPage& page, const MarketResult& result) {
  if (result.measures.empty()) return;
  const bool has_intervals = !result.measures.front().intervals.empty();
  TextTable table{{{"from", Align::Left}}, {}};
  for (const MeasureSeries& series : result.measures) {
    table.columns.push_back({fmt::format("({})", table.columns.size())});
    if (has_intervals && &series == &result.measures.front())
      table.columns.push_back({"5%"}), table.columns.push_back({"95%"});
  }
  const std::size_t stride = (result.periods.size() + kMostRows - 1) / kMostRows;
  for (std::size_t k = 0; k < result.periods.size(); k += stride) {
    std::vector<std::string> row{date_text(result.periods[k].begin)};
    for (const MeasureSeries& series : result.measures) {
      row.push_back(shown(series.measure, series.values[k]));
      if (!has_intervals || &series != &result.measures.front()) continue;
      row.push_back(shown(series.measure, series.intervals[k].p5));
      row.push_back(shown(series.measure, series.intervals[k].p95));
    }
    table.rows.push_back(std::move(row));
  }
  page.heading("Over the calendar");
  page.table(table);
  std::size_t column = 1;
  for (const MeasureSeries& series : result.measures) {
    const std::string& text = series.measure.text;
    page.paragraph(fmt::format("({}) {}{}{}", column, title_of(series.measure), text.empty() ? "" : ": ", text), 2);
    column += has_intervals && &series == &result.measures.front() ? 3 : 1;
  }
}

void events_section(TextPage& page, const MarketResult& result) {
  page.heading("Events");
  for (const MarketPeriod& period : result.periods)
    for (const std::string& event : period.events) page.point(fmt::format("{}  {}", date_text(period.begin), event));
}

void providers_section(TextPage& page, const MarketResult& result, const MarketPeriod& period) {
  page.heading(fmt::format("Providers from {} on", date_text(period.begin)));
  TextTable table{{{"", Align::Left},
                   {"in, USD/M"},
                   {"out, USD/M"},
                   {"TTFT, s"},
                   {"tok/s/user"},
                   {"out tok/s"},
                   {"GPUs"},
                   {"revenue, USD"},
                   {"cost, USD"},
                   {"margin, %"}},
                  {}};
  for (const ProviderPeriod& p : period.providers) {
    const bool is_known = has_known_cost(result, p.name, period);
    const double revenue = to_usd(p.revenue).value();
    table.rows.push_back({p.name, significant(in_usd_per_mtok(p.prices.input)),
                          significant(in_usd_per_mtok(p.prices.output)), significant(p.service.point.ttft.value()),
                          significant(p.service.point.interactivity.value()), significant(p.load.value()),
                          is_known ? significant(p.service.point.gpus) : "-", significant(revenue),
                          is_known ? significant(to_usd(p.cost).value()) : "-",
                          is_known && revenue > 0 ? percent(to_usd(p.margin()).value() / revenue) : "-"});
  }
  page.table(table);
}

void drivers_section(TextPage& page, const MarketResult& result) {
  if (result.measures.empty() || result.measures.front().driver.empty()) return;
  const MeasureSeries& series = result.measures.front();
  page.heading(fmt::format("What drives {} in the last period", series.measure.name));
  TextTable table{{{"uncertain number", Align::Left}, {"low"}, {"high"}, {"rank correlation"}}, {}};
  for (std::size_t u = 0; u < series.driver.size(); ++u) {
    const UncertainNumber& number = result.spec.uncertain[u];
    table.rows.push_back(
        {number.pointer, significant(number.low), significant(number.high), fmt::format("{:+.2f}", series.driver[u])});
  }
  page.table(table);
}

}  // namespace

std::string date_text(Date date) {
  const std::chrono::year_month_day d{date};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                     static_cast<unsigned>(d.day()));
}

bool has_known_cost(const MarketResult& result, const std::string& provider, const MarketPeriod& period) {
  const MarketSpec& spec = result.spec;
  const auto is_in_force = [&](std::size_t surface) {
    if (surface < spec.providers.size()) return true;
    const Date date = spec.service_events[surface - spec.providers.size()].date;
    return period_begin(spec.calendar, period_of(spec.calendar, date)) <= period.begin;
  };
  bool is_known = false;
  for (std::size_t i = 0; i < result.surfaces.size(); ++i)
    if (result.surfaces[i].provider == provider && is_in_force(i)) is_known = result.surfaces[i].has_known_cost;
  return is_known;
}

bool falls_every_period(const std::vector<std::optional<double>>& values) {
  for (std::size_t k = 1; k < values.size(); ++k)
    if (!values[k] || !values[k - 1] || !(*values[k] < *values[k - 1])) return false;
  return values.size() > 1;
}

std::string market_table(const MarketResult& result, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(verdict(result));
  measures_section(page, result);
  events_section(page, result);
  providers_section(page, result, result.periods.back());
  drivers_section(page, result);
  page.heading("Notes");
  page.point(fmt::format(
      "{} free numbers, given as ranges; fixed points {}; from different starts they differ by {:.1e} of all load",
      result.spec.uncertain.size(), result.converged ? "converged in every period" : "did NOT converge in every period",
      result.start_spread));
  for (const MarketResult::Surface& s : result.surfaces)
    if (s.kind == "simulated" && s.surface.ttft_error())
      page.point(fmt::format(
          "service of {}: simulated at {} loads; leave-one-out error of TTFT {}% median, {}% at most, of speed {}%, {}%",
          s.provider, s.surface.points().size(), percent(s.surface.ttft_error()->median),
          percent(s.surface.ttft_error()->max), percent(s.surface.interactivity_error()->median),
          percent(s.surface.interactivity_error()->max)));
  for (const std::string& text : result.spec.assumptions) page.point("assumed: " + text);
  return page.text();
}

std::string market_csv(const MarketResult& result) {
  std::string text =
      "begin,provider,segment,share,served,refused,left,revenue_usd,cost_usd,ttft_s,interactivity_tok_s_user\n";
  for (const MarketPeriod& period : result.periods)
    for (const ProviderPeriod& p : period.providers)
      for (std::size_t s = 0; s < p.segments.size(); ++s) {
        const MarketCell& cell = p.segments[s];
        text += fmt::format("{},{},{},{:.9g},{:.9g},{:.9g},{:.9g},{:.6f},{},{:.9g},{:.9g}\n", date_text(period.begin),
                            csv_field(p.name), csv_field(period.segments[s].name), cell.share, cell.served, cell.refused,
                            cell.left, to_usd(cell.revenue).value(),
                            has_known_cost(result, p.name, period) ? fmt::format("{:.6f}", to_usd(cell.cost).value()) : "",
                            p.service.point.ttft.value(), p.service.point.interactivity.value());
      }
  return text;
}

}  // namespace tokenomics
