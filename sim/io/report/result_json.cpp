#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "figures.hpp"
#include "number_format.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json usd(const std::optional<Usd>& money) { return money ? tidy(money->value()) : ordered_json(nullptr); }
ordered_json per_mtok(const std::optional<UsdPerToken>& price) {
  return price ? tidy(in_usd_per_mtok(*price)) : ordered_json(nullptr);
}
double gb(Bytes bytes) { return bytes.value() * 1e-9; }

ordered_json requests_block(const RequestCounts& counts, bool with_failures) {
  ordered_json block{{"arrived", counts.arrived},
                     {"completed", counts.completed},
                     {"rejected",
                      {{"context_limit", counts.rejected_context_limit},
                       {"queue_full", counts.rejected_queue_full},
                       {"admission", counts.rejected_admission}}},
                     {"cancelled", counts.cancelled},
                     {"unfinished", counts.unfinished},
                     {"preemptions", counts.preemptions},
                     {"truncated", counts.truncated}};
  if (!with_failures) return block;
  block["lost"] = counts.lost;
  block["retries"] = counts.retries;
  return block;
}

/// Whether a block is asked for: some wanted figure lies in it.
bool is_wanted(const ReportOptions& options, std::string_view block) {
  const auto lies_in = [&](const std::string& name) {
    return name.starts_with(block) && (name.size() == block.size() || name[block.size()] == '.');
  };
  return options.only.empty() || std::any_of(options.only.begin(), options.only.end(), lies_in);
}

ordered_json latency_block(const ServiceResult& service, const ReportOptions& options) {
  ordered_json block;
  for (const NamedLatency& latency : latencies(service)) {
    if (!is_wanted(options, std::string("latency.") + latency.key)) continue;
    const auto f = latency_figures(*latency.metric, latency.ns_per_unit);
    ordered_json& one = block[latency.key];
    for (const char* key : {"mean", "p50", "p90", "p95", "p99", "ci95"}) one[key] = nullptr;
    if (!f) continue;
    one = {{"mean", tidy(f->mean)}, {"p50", tidy(f->p50)}, {"p90", tidy(f->p90)},
           {"p95", tidy(f->p95)},   {"p99", tidy(f->p99)}, {"ci95", tidy(f->ci95)}};
  }
  return block;
}

ordered_json interactivity_block(const ServiceResult& service) {
  const InteractivityFigures f = interactivity_figures(service);
  return {{"mean", tidy(f.mean)}, {"p50", tidy(f.p50)}, {"p10", tidy(f.p10)}};
}

ordered_json throughput_block(const RunResult& result) {
  const ThroughputFigures f = throughput_figures(result);
  return {{"output_tok_s", tidy(f.output_tok_s)},
          {"input_tok_s", tidy(f.input_tok_s)},
          {"cached_input_tok_s", tidy(f.cached_input_tok_s)},
          {"requests_s", tidy(f.requests_s)},
          {"goodput_requests_s", tidy(f.goodput_requests_s)},
          {"output_tok_s_per_gpu", tidy(f.output_tok_s_per_gpu)},
          {"total_tok_s_per_gpu", tidy(f.total_tok_s_per_gpu)},
          {"output_tok_s_per_decode_gpu", tidy(f.output_tok_s_per_decode_gpu)},
          {"output_tok_s_per_decode_node", tidy(f.output_tok_s_per_decode_node)},
          {"input_tok_s_per_prefill_node", tidy(f.input_tok_s_per_prefill_node)},
          {"computed_input_tok_s_per_prefill_node", tidy(f.computed_input_tok_s_per_prefill_node)}};
}

ordered_json memory_of_pool(const MemoryPlan& memory) {
  return {{"capacity_GB_per_gpu", tidy(gb(memory.capacity))},
          {"weights_GB_per_gpu",
           {{"attention", tidy(gb(memory.attention_weights))},
            {"dense_ffn", tidy(gb(memory.dense_weights))},
            {"routed_experts", tidy(gb(memory.expert_weights))},
            {"shared_experts", tidy(gb(memory.shared_expert_weights))},
            {"embedding", tidy(gb(memory.embedding_weights))},
            {"mtp", tidy(gb(memory.mtp_weights))}}},
          {"reserved_GB_per_gpu", tidy(gb(memory.reserved))},
          {"kv_GB_per_gpu", tidy(gb(memory.kv_budget))},
          {"kv_bytes_per_token_per_gpu", tidy(memory.kv_bytes_per_token)},
          {"kv_tokens_per_instance", memory.kv_tokens_per_instance}};
}

template <typename Items, typename Block>
ordered_json list_of(const Items& items, Block block) {
  ordered_json list = ordered_json::array();
  for (const auto& item : items) list.push_back(block(item));
  return list;
}

ordered_json cache_block(const CacheSummary& cache) {
  return {{"hit_share", tidy(cache.hit_share)},
          {"hbm_hit_share", tidy(cache.hbm_hit_share)},
          {"load_wait_s_mean", tidy(cache.load_wait_s_mean)},
          {"places", list_of(cache.places, [](const CacheSummary::Place& place) {
             return ordered_json{{"name", place.name},
                                 {"loaded_tokens", tidy(place.loaded_tokens)},
                                 {"written_tokens", tidy(place.written_tokens)},
                                 {"evicted_tokens", tidy(place.evicted_tokens)},
                                 {"held_tokens_mean", tidy(place.held_tokens_mean)}};
           })}};
}

ordered_json plain_pool_block(const PoolSummary& pool) {
  return {{"name", pool.name},
          {"role", to_string(pool.role)},
          {"hardware", pool.hardware},
          {"instances", tidy(pool.instances)},
          {"gpus", tidy(pool.gpus)},
          {"busy_fraction", tidy(pool.busy_fraction)},
          {"batch_mean", tidy(pool.batch_mean)},
          {"step_ms_mean", tidy(pool.step_ms_mean)},
          {"kv_occupancy_mean", tidy(pool.kv_occupancy_mean)},
          {"mfu", tidy(pool.mfu)},
          {"mbu", tidy(pool.mbu)},
          {"balancedness", tidy(pool.balancedness)},
          {"gpu_hours", tidy(pool.gpu_hours)},
          {"saturated_tok_s_per_node", tidy(pool.saturated_tok_s_per_node)},
          {"calibration", pool.calibration},
          {"calibration_is_family_default", pool.calibration_is_family_default},
          {"memory", memory_of_pool(pool.memory)}};
}

ordered_json pool_block(const PoolSummary& pool) {
  ordered_json block = plain_pool_block(pool);
  if (pool.cache) block["prefix_cache"] = cache_block(*pool.cache);
  return block;
}

/// Disaggregated services: instances of prefill and decode that are full together.
ordered_json rate_match_block(const RateMatch& match) {
  return {{"prefill_requests_s_per_instance", tidy(match.prefill_rate_per_s)},
          {"decode_requests_s_per_instance", tidy(match.decode_rate_per_s)},
          {"held_tok_s_user", tidy(match.held_tok_s_user)},
          {"prefill_per_decode_instance", tidy(match.prefill_per_decode)},
          {"gpus", tidy(match.gpus)},
          {"instances", {{"prefill", match.prefill}, {"decode", match.decode}}},
          {"requests_s", tidy(match.rate_per_s)}};
}

ordered_json memory_block(const RunResult& result) {
  const PoolSummary* pool = decoding_pool(result);
  ordered_json block{{"weights_GB_per_gpu", nullptr}, {"kv_bytes_per_token", nullptr}, {"kv_tokens_per_instance", nullptr}};
  if (pool != nullptr) {
    block["weights_GB_per_gpu"] = tidy(gb(pool->memory.weights()));
    block["kv_bytes_per_token"] = tidy(pool->kv_bytes_per_token);
    block["kv_tokens_per_instance"] = pool->memory.kv_tokens_per_instance;
  }
  block["max_context_tokens"] = result.max_context_tokens;
  block["sequences_at_context_limit"] = tidy(result.sequences_at_context_limit);
  block["fits"] = list_of(result.fits, [](const ContextFit& fit) {
    return ordered_json{{"context_tokens", fit.context_tokens},
                        {"sequences_per_instance", tidy(fit.sequences_per_instance)},
                        {"sequences_per_gpu", tidy(fit.sequences_per_gpu)}};
  });
  return block;
}

ordered_json control_block(const PoolSummary& pool, const PoolControlSummary& control) {
  return {{"name", pool.name},
          {"start_up_s", tidy(control.start_up_s)},
          {"load_s", tidy(control.load_s)},
          {"starts", tidy(control.starts)},
          {"stops", tidy(control.stops)},
          {"failures", tidy(control.failures)},
          {"starting_gpu_hours", tidy(control.starting_gpu_hours)},
          {"draining_gpu_hours", tidy(control.draining_gpu_hours)},
          {"down_gpu_hours", tidy(control.down_gpu_hours)},
          {"mtbf_instance_s", tidy(control.mtbf_instance_s)},
          {"availability", tidy(control.availability)}};
}

/// Where instances come and go: totals over the pools, each pool, and the time.
void add_control(ordered_json& block, const RunResult& result) {
  PoolControlSummary sum;
  ordered_json pools = ordered_json::array(), timeline = ordered_json::array();
  for (std::size_t i = 0; i < result.fleet.control.size(); ++i) {
    const PoolControlSummary& one = result.fleet.control[i];
    sum.starts += one.starts;
    sum.stops += one.stops;
    sum.failures += one.failures;
    sum.starting_gpu_hours += one.starting_gpu_hours;
    pools.push_back(control_block(result.pools[i], one));
  }
  for (const FleetTimePoint& point : result.fleet.timeline) {
    ordered_json instances = ordered_json::array();
    for (const double count : point.instances) instances.push_back(tidy(count));
    timeline.push_back({{"from_s", tidy(point.from_s)}, {"instances", std::move(instances)}});
  }
  block["starts"] = tidy(sum.starts);
  block["stops"] = tidy(sum.stops);
  block["failures"] = tidy(sum.failures);
  block["starting_gpu_hours"] = tidy(sum.starting_gpu_hours);
  block["pools"] = std::move(pools);
  block["timeline"] = std::move(timeline);
}

ordered_json research_block(const ResearchSummary& research) {
  return {{"owned_usd", tidy(research.owned.value())},
          {"value_usd", tidy(research.value.value())},
          {"net_usd", tidy(research.net.value())},
          {"net_own_mix_usd_per_mtok", per_mtok(research.net_own_mix)}};
}

ordered_json fleet_block(const RunResult& result) {
  const FleetSummary& fleet = result.fleet;
  ordered_json block{{"gpus_mean", tidy(fleet.gpus_mean)},      {"gpus_peak", tidy(fleet.gpus_peak)},
                     {"gpu_hours", tidy(fleet.gpu_hours)},      {"gpu_hours_released", tidy(fleet.gpu_hours_released)},
                     {"nodes_mean", tidy(fleet.nodes_mean)},    {"nodes_peak", tidy(fleet.nodes_peak)},
                     {"nodes_trough", tidy(fleet.nodes_trough)}};
  if (!fleet.control.empty()) add_control(block, result);
  if (fleet.research) block["research_value_usd"] = tidy(fleet.research->value.value());
  return block;
}

ordered_json cost_block(const RunResult& result) {
  const CostBreakdown& cost = result.cost;
  const PerToken& token = cost.per_token;
  const bool spans_time = result.represents_s > 0;
  ordered_json block{{"usd_per_gpu_hour", cost.per_gpu ? tidy(in_usd_per_hour(*cost.per_gpu)) : ordered_json(nullptr)},
                     {"usd_total", tidy(cost.having.value())},
                     {"usd_per_hour", spans_time ? tidy(cost.having.value() * kSecondsPerHour / result.represents_s)
                                                 : ordered_json(nullptr)},
                     {"usd_per_mtok",
                      {{"input", per_mtok(token.input)},
                       {"input_computed", per_mtok(token.input_computed)},
                       {"input_cached", per_mtok(token.input_cached)},
                       {"output", per_mtok(token.output)},
                       {"blended_3_1", per_mtok(token.blended_3_1)},
                       {"own_mix", per_mtok(token.own_mix)}}},
                     {"usd_per_answer", usd(cost.per_answer)},
                     {"usd_in_use", tidy(cost.in_use.value())},
                     {"parts_usd",
                      {{"input_computed", tidy(cost.parts.input_computed.value())},
                       {"input_cached", tidy(cost.parts.input_cached.value())},
                       {"output", tidy(cost.parts.output.value())},
                       {"unallocated", tidy(cost.unallocated.value())}}}};
  if (result.fleet.research) block["research"] = research_block(*result.fleet.research);
  return block;
}

ordered_json price_block(const PriceSummary& price) {
  std::optional<UsdPerToken> input, cached, output, blended;
  if (price.prices) {
    input = price.prices->input;
    cached = price.prices->input_cached.value_or(price.prices->input);
    output = price.prices->output;
    blended = blended_3_1(*price.prices);
  }
  const std::optional<double> own_mix = price.own_mix_usd_per_token;
  return {{"usd_per_mtok",
           {{"input", per_mtok(input)},
            {"input_cached", per_mtok(cached)},
            {"output", per_mtok(output)},
            {"blended_3_1", per_mtok(blended)},
            {"own_mix", own_mix ? tidy(*own_mix * 1e6) : ordered_json(nullptr)}}},
          {"revenue_usd", usd(price.revenue)},
          {"margin_over_revenue", tidy(price.margin_over_revenue)},
          {"margin_over_cost", tidy(price.margin_over_cost)},
          {"from", price.from_card ? "price card" : "cost and margin"},
          {"revenue_list_usd", usd(price.revenue_list)},
          {"margin_over_cost_list", tidy(price.margin_over_cost_list)},
          {"revenue_realised_usd", usd(price.revenue_realised)}};
}

ordered_json answer_block(const RunResult& result) {
  const AnswerFigures f = answer_figures(result);
  return {{"tokens", tidy(f.tokens)}, {"seconds", tidy(f.seconds)}, {"usd", tidy(f.usd)}};
}

ordered_json energy_block(const std::optional<EnergySummary>& energy) {
  if (!energy) return {{"kWh", nullptr}, {"joule_per_output_token", nullptr}};
  return {{"kWh", tidy(energy->kwh)}, {"joule_per_output_token", tidy(energy->joule_per_output_token)}};
}

ordered_json slo_block(const RunResult& result) {
  const SloFigures f = slo_figures(result);
  return {{"met", f.met ? ordered_json(*f.met) : ordered_json(nullptr)},
          {"attainment", {{"ttft", tidy(f.ttft)}, {"interactivity", tidy(f.interactivity)}, {"all", tidy(f.all)}}}};
}

/// The blocks of the whole service, for the requests of one priority class.
ordered_json class_block(const ClassResult& one, std::size_t priority, const RunResult& result) {
  ServiceResult service;
  static_cast<ClassResult&>(service) = one;
  ordered_json latency = latency_block(service, {});
  latency.erase("itl_ms");  // a step's gaps are not told apart by class
  const SloFigures slo = slo_figures(result.scenario.slo, one);
  return {{"priority", priority},
          {"requests", requests_block(one.requests, result.scenario.fleet.failures.has_value())},
          {"latency", latency},
          {"interactivity_tok_s_user", interactivity_block(service)},
          {"tokens",
           {{"input_computed", tidy(one.input_computed_tokens)},
            {"input_cached", tidy(one.input_cached_tokens)},
            {"answers", tidy(one.answers_tokens)}}},
          {"answers", one.answers},
          {"attainment", {{"ttft", tidy(slo.ttft)}, {"interactivity", tidy(slo.interactivity)}, {"all", tidy(slo.all)}}}};
}

ordered_json classes_block(const RunResult& result) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < result.service.classes.size(); ++i)
    list.push_back(class_block(result.service.classes[i], i, result));
  return list;
}

/// Counts and latencies are of what was simulated; money, volumes and rates of what it stands for.
ordered_json represents_block(const RunResult& result) {
  return {{"seconds", tidy(result.represents_s)},
          {"simulated_s", tidy(result.service.measured_s)},
          {"requests", tidy(result.requests_arrived)},
          {"answers", tidy(result.answers)},
          {"tokens",
           {{"input_computed", tidy(result.volume.input_computed)},
            {"input_cached", tidy(result.volume.input_cached)},
            {"output", tidy(result.volume.output)}}}};
}

ordered_json window_block(const WindowSummary& window) {
  return {{"hour", tidy(window.hour)},
          {"requests_s", tidy(window.rate_per_s)},
          {"instances", window.instances},
          {"nodes", tidy(window.nodes)},
          {"capped", window.capped},
          {"ttft_p90_s", tidy(seen(window.ttft_p90_s))},
          {"interactivity_tok_s_user", tidy(seen(window.interactivity_tok_s_user))},
          {"batch_per_instance", tidy(window.batch_per_instance)},
          {"cost_usd", tidy(window.cost.value())},
          {"revenue_usd", tidy(window.revenue.value())}};
}

ordered_json published_block(const PublishedComparison& one) {
  return {{"quantity", one.figure.quantity},
          {"published", tidy(one.figure.value)},
          {"ours", tidy(one.ours)},
          {"deviation", tidy(one.deviation)},
          {"source", one.figure.source}};
}

ordered_json limit_block(const BindingLimit& limit) {
  return {{"name", limit.name}, {"strength", tidy(limit.strength)}, {"detail", limit.detail}};
}

ordered_json performance_block(const RunResult& result, double wall_s) {
  const double requests = static_cast<double>(result.service.requests.arrived);
  return {{"events", result.service.events},
          {"requests_per_wall_s", wall_s > 0 ? tidy(requests / wall_s) : ordered_json(nullptr)},
          {"wall_s", tidy(wall_s)}};
}

}  // namespace

ordered_json result_json(const RunResult& result, const ReportOptions& options) {
  ordered_json file{{"schema", "tokenomics.result/1"}, {"version", options.version}, {"seed", result.scenario.seed}};
  const auto add = [&](const char* key, const auto& block) {
    if (is_wanted(options, key)) file[key] = block();
  };
  add("requests", [&] { return requests_block(result.service.requests, result.scenario.fleet.failures.has_value()); });
  add("latency", [&] { return latency_block(result.service, options); });
  add("interactivity_tok_s_user", [&] { return interactivity_block(result.service); });
  add("throughput", [&] { return throughput_block(result); });
  add("pools", [&] { return list_of(result.pools, pool_block); });
  if (result.rate_match) add("rate_match", [&] { return rate_match_block(*result.rate_match); });
  add("memory", [&] { return memory_block(result); });
  add("fleet", [&] { return fleet_block(result); });
  add("cost", [&] { return cost_block(result); });
  add("price", [&] { return price_block(result.price); });
  add("answer", [&] { return answer_block(result); });
  add("binding",
      [&] { return list_of(result.binding, [](const BindingLimit& limit) { return ordered_json(limit.name); }); });
  add("binding_details", [&] { return list_of(result.binding, limit_block); });
  add("energy", [&] { return energy_block(result.energy); });
  add("slo", [&] { return slo_block(result); });
  if (!result.service.classes.empty()) add("classes", [&] { return classes_block(result); });
  add("represents", [&] { return represents_block(result); });
  add("windows", [&] { return list_of(result.windows, window_block); });
  add("published", [&] { return list_of(compare_published(result), published_block); });
  add("notes", [&] { return ordered_json(result.notes); });
  if (options.wall_s) file["performance"] = performance_block(result, *options.wall_s);
  file["scenario"] = {{"name", result.scenario.name},
                      {"hash", result.hash.empty() ? ordered_json(nullptr) : ordered_json(result.hash)}};
  if (options.with_scenario) file["scenario"]["resolved"] = resolved_json(result.scenario);
  return file;
}

std::optional<bool> slo_met(const RunResult& result) { return slo_figures(result).met; }

}  // namespace tokenomics
