#include "solution_parts.hpp"

#include "figures.hpp"
#include "number_format.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json per_mtok(const std::optional<UsdPerToken>& price) {
  return price ? tidy(in_usd_per_mtok(*price)) : ordered_json(nullptr);
}

ordered_json pool_block(const PoolSpec& pool) {
  const Parallelism& p = pool.plan.parallelism;
  ordered_json block{
      {"role", to_string(pool.role)},
      {"hardware", pool.plan.gpu.name},
      {"instances", pool.instances},
      {"gpus_per_instance", p.gpus()},
      {"parallelism",
       {{"attention_tp", p.attention_tp}, {"attention_dp", p.attention_dp}, {"ep", p.ep}, {"moe_tp", p.moe_tp}}},
      {"policy", pool.batching.policy == BatchPolicy::ChunkedMixed ? "chunked_mixed" : "prefill_first"},
      {"max_tokens_per_step", pool.batching.max_tokens_per_step},
      {"max_sequences", pool.batching.max_sequences},
      {"wait", {{"until_requests", pool.batching.wait.until_requests}, {"at_most_s", pool.batching.wait.at_most_s}}},
      {"draft_tokens", pool.mtp.draft_tokens},
      {"calibration", pool.calibration.name},
      {"calibration_is_family_default", pool.calibration.is_family_default}};
  return block;
}

}  // namespace

double written(double objective, Objective kind) { return kind == Objective::PerAnswer ? objective : objective * 1e6; }
const char* unit_of(Objective kind) { return kind == Objective::PerAnswer ? "USD/answer" : "USD/Mtok"; }

ordered_json price_block(const PricedDeployment& deployment, double margin_over_revenue) {
  const TokenPrices& prices = deployment.prices;
  const OperatingPoint& point = deployment.point;
  return {{"usd_per_mtok",
           {{"input", per_mtok(prices.input)},
            {"input_cached", per_mtok(prices.input_cached)},
            {"output", per_mtok(prices.output)},
            {"blended_3_1", tidy(1e6 * objective_of(point, prices, Objective::Blended31))},
            {"own_mix", tidy(1e6 * objective_of(point, prices, Objective::OwnMix))}}},
          {"usd_per_answer", tidy(objective_of(point, prices, Objective::PerAnswer))},
          {"margin_over_revenue", tidy(margin_over_revenue)},
          {"margin_over_cost", tidy(margin_over_revenue / (1 - margin_over_revenue))}};
}

ordered_json cost_block(const PricedDeployment& deployment) {
  const OperatingPoint& point = deployment.point;
  const PerToken& cost = point.cost.per_token;
  return {{"usd_per_gpu_hour", tidy(in_usd_per_hour(point.cost_rate) / point.gpus)},
          {"usd_per_hour", tidy(in_usd_per_hour(point.cost_rate))},
          {"usd_per_mtok",
           {{"input", per_mtok(cost.input)},
            {"input_computed", per_mtok(cost.input_computed)},
            {"input_cached", per_mtok(cost.input_cached)},
            {"output", per_mtok(cost.output)},
            {"blended_3_1", per_mtok(cost.blended_3_1)},
            {"own_mix", per_mtok(cost.own_mix)}}},
          {"usd_per_answer", point.cost.per_answer ? tidy(point.cost.per_answer->value()) : ordered_json(nullptr)}};
}

ordered_json service_block(const PricedDeployment& deployment, const Query& query) {
  const OperatingPoint& point = deployment.point;
  return {
      {"ttft_s", tidy(point.ttft.value())},
      {"ttft_percentile", query.slo.ttft_s ? query.slo.ttft_s->percentile : 90},
      {"ttft_mean_s", tidy(point.ttft_mean.value())},
      {"interactivity_tok_s_user", tidy(point.interactivity.value())},
      {"interactivity_percentile", query.slo.interactivity_tok_s_user ? query.slo.interactivity_tok_s_user->percentile : 90},
      {"interactivity_mean_tok_s_user", tidy(point.interactivity_mean.value())},
      {"context", deployment.context_tokens},
      {"requests_per_s", tidy(point.requests_per_s)},
      {"output_tok_s_per_gpu", tidy(point.requests_per_s * point.per_request.output / point.gpus)},
      {"gpus", tidy(point.gpus)},
      {"batch_per_instance", tidy(point.batch_per_instance)},
      {"kv_occupancy", tidy(point.kv_occupancy)},
      {"busy", tidy(point.busy)}};
}

ordered_json deployment_block(const PricedDeployment& deployment) {
  ordered_json pools = ordered_json::array();
  for (const PoolSpec& pool : deployment.deployment.pools) pools.push_back(pool_block(pool));
  return {{"name", deployment.name}, {"hardware", deployment.hardware}, {"pools", pools}};
}

}  // namespace tokenomics
