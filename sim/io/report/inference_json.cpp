#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "inference_parts.hpp"
#include "number_format.hpp"
#include "solution_parts.hpp"
#include "tokenomics/report/inference_report.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

template <typename Value>
ordered_json number_or_null(const std::optional<Value>& value) {
  if (!value) return nullptr;
  if constexpr (std::is_integral_v<Value>) return *value;
  else return tidy(value->value());
}

ordered_json text_or_null(const std::string& text) { return text.empty() ? ordered_json(nullptr) : ordered_json(text); }

ordered_json prices_block(const TokenPrices& prices) {
  return {{"input", tidy(in_usd_per_mtok(prices.input))},
          {"input_cached", prices.input_cached ? tidy(in_usd_per_mtok(*prices.input_cached)) : ordered_json(nullptr)},
          {"output", tidy(in_usd_per_mtok(prices.output))}};
}

ordered_json observed_block(const OfferSpec& offer) {
  return {{"usd_per_mtok", prices_block(offer.prices)},       {"ttft_s_p50", number_or_null(offer.ttft_p50)},
          {"tok_s_p50", number_or_null(offer.speed_p50)},     {"context_tokens", number_or_null(offer.context_tokens)},
          {"quantization", text_or_null(offer.quantization)}, {"source", offer.source}};
}

ordered_json assumed_block(const Query& query) {
  ordered_json hardware = ordered_json::array();
  for (const HardwareChoice& choice : query.hardware)
    hardware.push_back({{"name", choice.gpu.name},
                        {"usd_per_gpu_hour", tidy(in_usd_per_hour(choice.price))},
                        {"price_source", price_source_of(choice)},
                        {"calibration", choice.calibration.name},
                        {"calibration_is_family_default", choice.calibration.is_family_default}});
  return {{"workload", query.workload.name},
          {"context_tokens", query.context_tokens},
          {"hardware", hardware},
          {"assumptions", query.assumptions}};
}

ordered_json inferred_block(const std::optional<InferredDeployment>& inferred) {
  if (!inferred) return nullptr;
  const OperatingPoint& point = inferred->at_load.point;
  return {{"deployment", deployment_block(inferred->at_load)},
          {"gpus", tidy(point.gpus)},
          {"batch_per_instance", tidy(point.batch_per_instance)},
          {"batch_per_gpu", tidy(inferred->batch_per_gpu)},
          {"utilization", tidy(inferred->utilization)},
          {"kv_occupancy", tidy(point.kv_occupancy)},
          {"requests_per_s", tidy(point.requests_per_s)},
          {"output_tok_s_per_gpu", tidy(point.requests_per_s * point.per_request.output / point.gpus)},
          {"ttft_s_p50", tidy(point.ttft.value())},
          {"unexplained_ttft_s", tidy(inferred->unexplained_ttft_s)},
          {"tok_s_p50", tidy(point.interactivity.value())},
          {"usd_per_gpu_hour", tidy(in_usd_per_hour(point.cost_rate) / point.gpus)},
          {"cost_usd_per_mtok_own_mix", tidy(1e6 * inferred->cost_own_mix)},
          {"price_usd_per_mtok_own_mix", tidy(1e6 * inferred->price_own_mix)},
          {"margin_over_revenue", tidy(inferred->margin_over_revenue)}};
}

ordered_json span_block(const Span& span) { return {{"min", tidy(span.min)}, {"max", tidy(span.max)}}; }

ordered_json range_block(const InferredRange& range) {
  const auto span = [&](const Span& s) { return range.consistent > 0 ? span_block(s) : ordered_json(nullptr); };
  return {{"hardware", text_or_null(range.hardware)}, {"deployments", range.tried},
          {"consistent", range.consistent},           {"batch_per_gpu", span(range.batch_per_gpu)},
          {"utilization", span(range.utilization)},   {"margin_over_revenue", span(range.margin_over_revenue)}};
}

ordered_json offer_block(const InferredOffer& row) {
  const HostInference& host = row.inference;
  ordered_json ranges = ordered_json::array();
  for (const InferredRange& range : host.per_hardware) ranges.push_back(range_block(range));
  return {{"provider", row.provider},
          {"model", row.offer.model},
          {"flavour", text_or_null(row.offer.flavour)},
          {"date", text_or_null(date_text(row.offer.date))},
          {"via", text_or_null(row.offer.via)},
          {"verdict", to_string(host.verdict)},
          {"explanation", host.explanation},
          {"observed", observed_block(row.offer)},
          {"assumed", row.query ? assumed_block(*row.query) : ordered_json(nullptr)},
          {"missing", host.missing},
          {"cheapest", inferred_block(host.consistent.empty() ? std::nullopt : std::optional(host.consistent.front()))},
          {"nearest", inferred_block(host.nearest)},
          {"range", range_block(host.all)},
          {"range_by_hardware", ranges},
          {"notes", row.notes}};
}

ordered_json answer_block(const AnswerLength& length) {
  return {{"model", length.model},
          {"task", text_or_null(length.task)},
          {"tokens", tidy(length.tokens)},
          {"relative", tidy(length.relative)},
          {"relative_to", text_or_null(length.relative_to)},
          {"is_lower_bound", length.is_lower_bound},
          {"source", length.source}};
}

ordered_json not_inferred_block(const ProviderSpec& provider) {
  ordered_json offers = ordered_json::array(), answers = ordered_json::array();
  for (const OfferSpec& offer : provider.offers)
    offers.push_back(
        {{"model", offer.model}, {"date", text_or_null(date_text(offer.date))}, {"observed", observed_block(offer)}});
  for (const AnswerLength& length : provider.tokens_per_answer) answers.push_back(answer_block(length));
  return {{"provider", provider.name},
          {"statement", statement_of(provider)},
          {"modelled", provider.modelled},
          {"offers", offers},
          {"tokens_per_answer", answers}};
}

std::string field(const std::optional<double>& value) { return value ? fmt::format("{:.9g}", *value) : ""; }

}  // namespace

ordered_json inference_json(const InferenceReport& report, const ReportOptions& options) {
  ordered_json offers = ordered_json::array(), others = ordered_json::array();
  for (const InferredOffer& row : report.offers) offers.push_back(offer_block(row));
  for (const ProviderSpec& provider : report.not_inferred) others.push_back(not_inferred_block(provider));
  return {{"schema", "tokenomics.inference/1"}, {"version", options.version}, {"offers", offers}, {"not_inferred", others}};
}

std::string inference_csv(const InferenceReport& report) {
  std::string text =
      "provider,model,flavour,date,via,verdict,input_usd_per_mtok,output_usd_per_mtok,tok_s_p50,ttft_s_p50,context_tokens,"
      "consistent,batch_per_gpu_min,batch_per_gpu_max,utilization_min,utilization_max,margin_over_revenue_min,"
      "margin_over_revenue_max,cheapest\n";
  for (const InferredOffer& row : report.offers) {
    const InferredRange& range = row.inference.all;
    const bool any = range.consistent > 0;
    const auto of = [&](double value) { return any ? field(value) : std::string(); };
    const OfferSpec& offer = row.offer;
    text += csv_line({row.provider, offer.model, offer.flavour, date_text(offer.date), offer.via,
                      to_string(row.inference.verdict), field(in_usd_per_mtok(offer.prices.input)),
                      field(in_usd_per_mtok(offer.prices.output)), offer.speed_p50 ? field(offer.speed_p50->value()) : "",
                      offer.ttft_p50 ? field(offer.ttft_p50->value()) : "",
                      offer.context_tokens ? std::to_string(*offer.context_tokens) : "", std::to_string(range.consistent),
                      of(range.batch_per_gpu.min), of(range.batch_per_gpu.max), of(range.utilization.min),
                      of(range.utilization.max), of(range.margin_over_revenue.min), of(range.margin_over_revenue.max),
                      any ? row.inference.consistent.front().at_load.name : ""});
  }
  return text;
}

}  // namespace tokenomics
