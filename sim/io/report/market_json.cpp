#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "market_parts.hpp"
#include "number_format.hpp"
#include "tokenomics/report/market_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json interval(const MeasureSeries::Interval& interval) {
  return {{"p5", tidy(interval.p5)}, {"p50", tidy(interval.p50)}, {"p95", tidy(interval.p95)}};
}

ordered_json drivers(const MeasureSeries& series, const MarketSpec& spec) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < series.driver.size(); ++i)
    list.push_back({{"pointer", spec.uncertain[i].pointer}, {"rank_correlation", tidy(series.driver[i])}});
  return list;
}

ordered_json measure_block(const MeasureSeries& series, const MarketSpec& spec) {
  ordered_json values = ordered_json::array(), intervals = ordered_json::array();
  for (const auto& value : series.values) values.push_back(tidy(value));
  for (const auto& one : series.intervals) intervals.push_back(interval(one));
  return {{"name", series.measure.name},
          {"text", series.measure.text},
          {"values", values},
          {"intervals", intervals},
          {"first", tidy(series.values.front())},
          {"last", tidy(series.values.back())},
          {"last_over_first", tidy(series.last_over_first)},
          {"last_over_first_interval", interval(series.last_over_first_interval)},
          {"falls_every_period", falls_every_period(series.values)},
          {"drivers", drivers(series, spec)}};
}

ordered_json usd(MicroUsd amount) { return tidy(to_usd(amount).value()); }

ordered_json provider_block(const ProviderPeriod& provider, const MarketPeriod& period, bool has_known_cost) {
  ordered_json segments = ordered_json::array();
  for (std::size_t s = 0; s < provider.segments.size(); ++s) {
    const MarketCell& cell = provider.segments[s];
    segments.push_back({{"segment", period.segments[s].name},
                        {"share", tidy(cell.share)},
                        {"served", tidy(cell.served)},
                        {"refused", tidy(cell.refused)},
                        {"left", tidy(cell.left)},
                        {"revenue_usd", usd(cell.revenue)}});
  }
  const ServicePoint& service = provider.service.point;
  const TokenVolume tokens = provider.tokens();
  return {{"name", provider.name},
          {"usd_per_mtok",
           {{"input", tidy(in_usd_per_mtok(provider.prices.input))},
            {"input_cached",
             provider.prices.input_cached ? tidy(in_usd_per_mtok(*provider.prices.input_cached)) : ordered_json(nullptr)},
            {"output", tidy(in_usd_per_mtok(provider.prices.output))}}},
          {"ttft_s", tidy(service.ttft.value())},
          {"interactivity_tok_s_user", tidy(service.interactivity.value())},
          {"served_share", tidy(service.served_share)},
          {"saturated", provider.service.saturated},
          {"gpus", has_known_cost ? tidy(service.gpus) : ordered_json(nullptr)},
          {"utilization", has_known_cost ? tidy(service.utilization) : ordered_json(nullptr)},
          {"output_tok_s", tidy(provider.load.value())},
          {"tokens",
           {{"input_computed", tidy(tokens.input_computed)},
            {"input_cached", tidy(tokens.input_cached)},
            {"output", tidy(tokens.output)}}},
          {"revenue_usd", usd(provider.revenue)},
          {"cost_usd", has_known_cost ? usd(provider.cost) : ordered_json(nullptr)},
          {"margin_usd", has_known_cost ? usd(provider.margin()) : ordered_json(nullptr)},
          {"segments", segments}};
}

ordered_json period_block(const MarketPeriod& period, const MarketResult& result) {
  ordered_json providers = ordered_json::array(), segments = ordered_json::array();
  for (const ProviderPeriod& provider : period.providers)
    providers.push_back(provider_block(provider, period, has_known_cost(result, provider.name, period)));
  for (const SegmentPeriod& segment : period.segments)
    segments.push_back({{"name", segment.name}, {"requests", tidy(segment.demand)}, {"outside", tidy(segment.outside)}});
  return {{"begin", date_text(period.begin)},
          {"days", tidy(period.length.value() / kSecondsPerDay)},
          {"events", period.events},
          {"providers", providers},
          {"segments", segments},
          {"revenue_usd", usd(period.revenue)},
          {"known_cost_usd", usd(period.cost)},
          {"fixed_point",
           {{"iterations", period.convergence.iterations},
            {"residual", tidy(period.convergence.residual)},
            {"converged", period.convergence.converged}}}};
}

ordered_json surface_block(const MarketResult::Surface& surface) {
  const auto error = [](const std::optional<FitError>& fit) {
    return fit ? ordered_json{{"median", tidy(fit->median)}, {"max", tidy(fit->max)}} : ordered_json(nullptr);
  };
  ordered_json block{{"provider", surface.provider}, {"kind", surface.kind}};
  if (surface.kind != "simulated") return block;
  ordered_json points = ordered_json::array();
  for (const ServicePoint& point : surface.surface.points())
    points.push_back({{"output_tok_s", tidy(point.load.value())},
                      {"ttft_s", tidy(point.ttft.value())},
                      {"interactivity_tok_s_user", tidy(point.interactivity.value())},
                      {"gpus", tidy(point.gpus)},
                      {"utilization", tidy(point.utilization)}});
  block["points"] = points;
  block["leave_one_out_error"] = {{"ttft", error(surface.surface.ttft_error())},
                                  {"interactivity", error(surface.surface.interactivity_error())},
                                  {"cost", error(surface.surface.cost_error())}};
  return block;
}

}  // namespace

ordered_json market_json(const MarketResult& result, const ReportOptions& options) {
  ordered_json measures = ordered_json::object(), periods = ordered_json::array(), surfaces = ordered_json::array();
  for (const MeasureSeries& series : result.measures) measures[series.measure.name] = measure_block(series, result.spec);
  for (const MarketPeriod& period : result.periods) periods.push_back(period_block(period, result));
  for (const MarketResult::Surface& surface : result.surfaces) surfaces.push_back(surface_block(surface));
  ordered_json uncertain = ordered_json::array();
  for (const UncertainNumber& number : result.spec.uncertain)
    uncertain.push_back(
        {{"pointer", number.pointer}, {"low", number.low}, {"high", number.high}, {"source", number.source}});
  return {{"schema", "tokenomics.market/1"},
          {"version", options.version},
          {"seed", result.spec.seed},
          {"market", result.spec.name},
          {"measures", measures},
          {"free_parameters", result.spec.uncertain.size()},
          {"uncertain", uncertain},
          {"draws", {{"made", result.drawn}, {"kept", result.kept}}},
          {"converged", result.converged},
          {"spread_of_fixed_points", tidy(result.start_spread)},
          {"response_surfaces", surfaces},
          {"assumptions", result.spec.assumptions},
          {"periods", periods}};
}

}  // namespace tokenomics
