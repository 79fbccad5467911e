// DeepSeek's production day of February 2025 (day 6 of its open-source week): steps, pools and the day itself.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/fleet_rule.hpp"
#include "tokenomics/study/run.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const char* const kMainJob = "deepseek-production-2025-02";

RunOptions two_threads() {
  RunOptions options;
  options.jobs = 2;
  return options;
}

double deviation(double ours, double published) { return ours / published - 1; }

/// Output tokens per second and GPU of the decode unit with 88 sequences a GPU at a mean KV length of 4,989.
double decode_tok_s_per_gpu(const Scenario& scenario) {
  const BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.decode();
  const double gpus = pool.gpus_per_instance(), n = 88 * gpus;
  const double step_s = pool.timer->step({static_cast<std::int64_t>(n), n * 4989, n * 4989}, {}).value();
  const double tokens_per_step = 1e6 / mean_steps(pool.config.mtp, 1e6);
  return n * tokens_per_step / step_s / gpus;
}

void scale(SourcedNumber& number, double factor) { number.value *= factor; }

/// Every kernel and link of every pool at `factor` of its efficiency.
void scale_efficiencies(Scenario& scenario, double factor) {
  for (PoolSpec& pool : scenario.deployment.pools) {
    for (auto& [family, kernel] : pool.calibration.kernels) {
      scale(kernel.compute, factor);
      scale(kernel.memory, factor);
    }
    for (LinkEfficiency* link :
         {&pool.calibration.all_to_all_low_latency, &pool.calibration.all_to_all_normal, &pool.calibration.all_reduce}) {
      scale(link->scale_up, factor);
      scale(link->scale_out, factor);
    }
  }
}

double decode_node_hours(const RunResult& day) { return day.pools.back().gpu_hours / 8; }

constexpr double kPublishedDecodeNodeHours = 131.4 * 24;

}  // namespace

TEST_CASE("The replayed schedule is the main job's deployment under another fleet rule", "[published]") {
  const nlohmann::json rule = resolved_json(shipped(kMainJob)),
                       schedule = resolved_json(shipped("deepseek-schedule-2025-02"));
  for (const char* part : {"deployment", "workload", "limits", "slo", "cost", "pricing"}) {
    INFO(part);
    CHECK(rule[part] == schedule[part]);
  }
}

// 608e9 / 86,400 / 73.7e3 = 95.5 prefill nodes, 168e9 / 86,400 / 14.8e3 = 131.4 decode nodes, 226.9 together.
TEST_CASE("The published rates and tokens need 95.5 + 131.4 nodes", "[published]") {
  const WorkloadSpec workload = shipped(kMainJob).workload;
  const BuiltService service = build_service(shipped(kMainJob));
  const double output_tok_s = *mean_arrival_rate(workload) * service.length_statistics.mean_output;
  const double input_tok_s = *mean_arrival_rate(workload) * service.length_statistics.mean_input;
  WARN("decode nodes " << output_tok_s / 14.8e3 << ", prefill nodes " << input_tok_s / 73.7e3
                       << " from the workload's means (sampled; long prompts are cut by the context limit)");
  CHECK(output_tok_s / 14.8e3 == Approx(131.4).epsilon(0.02));
  CHECK(input_tok_s / 73.7e3 == Approx(95.5).epsilon(0.04));
  CHECK(608e9 / kSecondsPerDay / 73.7e3 + 168e9 / kSecondsPerDay / 14.8e3 == Approx(226.9).epsilon(0.001));
  CHECK(service.length_statistics.kv_per_output_token == Approx(4989).epsilon(0.02));
}

TEST_CASE("The published node schedule replayed gives 226.75 nodes", "[published]") {
  // Short windows: nodes and cost do not depend on them.
  const Scenario scenario = shipped("deepseek-schedule-2025-02", {"/measure/warm_up_s=2", "/measure/window_s=1"});
  CHECK(mean_scheduled_nodes(scenario.fleet.schedule_nodes) == Approx(226.75).epsilon(1e-12));
  CHECK(mean_scheduled_nodes(scenario.fleet.schedule_nodes) * 8 * 24 * 2 == Approx(87072).epsilon(1e-12));
  CHECK(scheduled_nodes(scenario.fleet.schedule_nodes, 0.5) == 218);  // 00:00 to 01:15
  CHECK(scheduled_nodes(scenario.fleet.schedule_nodes, 5.0) == 68);
  CHECK(scheduled_nodes(scenario.fleet.schedule_nodes, 23.0) == 278);
  const RunResult day = run_scenario(scenario, two_threads());
  CHECK(day.fleet.nodes_mean == Approx(226.75).epsilon(1e-9));
  CHECK(day.cost.having.value() == Approx(87072).epsilon(1e-9));
}

// Every published step of the schedule is 30 nodes: one decode unit of 18 and three prefill units of 4.
TEST_CASE("Each published number of nodes is a whole number of decode and prefill units", "[published]") {
  const BuiltService service = build_service(shipped("deepseek-schedule-2025-02"));
  for (const int nodes : {68, 98, 128, 158, 188, 218, 278}) {
    const FleetSize size = share_nodes(service, nodes);
    CHECK(size.nodes == nodes);
    CHECK(size.instances.back() == (nodes - 68) / 30 + 2);
  }
}

// LESSONS of the data: with drafts accepted at 0.8 and imbalance, or without drafts and even; both are shown.
TEST_CASE("Production decode at 88 sequences and KV 4,989: 1,850 tokens/s of a GPU in at least one MTP state",
          "[published]") {
  const double with = decode_tok_s_per_gpu(shipped(kMainJob));
  const double without = decode_tok_s_per_gpu(shipped(kMainJob, {"/deployment/pools/1/mtp/draft_tokens=0"}));
  const double even = decode_tok_s_per_gpu(
      shipped(kMainJob, {"/deployment/pools/1/mtp/draft_tokens=0", "/deployment/pools/1/balance/context_max_over_mean=1"}));
  WARN("tokens/s of a GPU, published 1850: MTP 0.8 and KV max/mean 1.2 "
       << with << " (" << 100 * deviation(with, 1850) << "%), no MTP " << without << " (" << 100 * deviation(without, 1850)
       << "%), no MTP and even KV " << even << " (" << 100 * deviation(even, 1850) << "%)");
  CHECK(std::min(std::abs(deviation(with, 1850)), std::abs(deviation(without, 1850))) < 0.15);
}

TEST_CASE("The day: decode node-hours come out within 20% of the published ones", "[published]") {
  const RunResult day = run_scenario(shipped(kMainJob), two_threads());
  WARN("decode node-hours: published " << kPublishedDecodeNodeHours << ", ours " << decode_node_hours(day) << " ("
                                       << 100 * deviation(decode_node_hours(day), kPublishedDecodeNodeHours)
                                       << "%); nodes mean/peak/trough " << day.fleet.nodes_mean << "/"
                                       << day.fleet.nodes_peak << "/" << day.fleet.nodes_trough
                                       << " beside 226.75/278/68; cost " << day.cost.having.value() << " beside 87,072");
  CHECK(std::abs(deviation(decode_node_hours(day), kPublishedDecodeNodeHours)) < 0.20);
  CHECK(day.fleet.nodes_peak <= 278);
  CHECK(day.volume.output == Approx(168e9).epsilon(0.03));
  CHECK(day.volume.input_cached / (day.volume.input_cached + day.volume.input_computed) == Approx(0.5625).epsilon(0.005));
  // FACTS: all at R1's list 562,027; off-peak hours at their prices 490.1 thousand.
  CHECK(day.price.revenue_list->value() == Approx(562027).epsilon(0.03));
  CHECK(day.price.revenue->value() == Approx(490.1e3).epsilon(0.03));
}

TEST_CASE("With every kernel at 0.7 of its efficiency the day is no longer DeepSeek's", "[published]") {
  Scenario slow = shipped(kMainJob);
  scale_efficiencies(slow, 0.7);
  slow.fleet.max_nodes.reset();  // the cap would hide how many nodes are missing
  const RunResult day = run_scenario(slow, two_threads());
  WARN("decode node-hours at 0.7: " << decode_node_hours(day) << " ("
                                    << 100 * deviation(decode_node_hours(day), kPublishedDecodeNodeHours) << "%)");
  CHECK(std::abs(deviation(decode_node_hours(day), kPublishedDecodeNodeHours)) > 0.20);
}

// Published 32.2k computed tokens/s of a prefill node are an average over hours that were not full. Issue band 43k-62k.
TEST_CASE("Saturated prefill: neither reading of it lies in 43k to 62k tokens/s of a node, they lie around it",
          "[published]") {
  const Scenario scenario = shipped(kMainJob);
  const BuiltService service = build_service(scenario);
  const BuiltPool& prefill = service.pools.front();
  const double with_workload = saturated_prefill_tok_s(scenario, service, prefill) / prefill.nodes_per_instance();
  const auto full = static_cast<double>(prefill.config.batching.max_tokens_per_step);
  const double with_mean_prompts =
      full / prefill.timer->step({}, mean_prompts(prefill.config, service.length_statistics, full)).value() /
      prefill.nodes_per_instance();
  WARN("computed tokens/s of a saturated prefill node: " << with_workload << " with the workload's prompts (busy share "
                                                         << 32.2e3 / with_workload << "), " << with_mean_prompts
                                                         << " if every prompt were the mean one (busy share "
                                                         << 32.2e3 / with_mean_prompts << "); published average 32.2k");
  // Known miss: attention to long prompts costs more than to their mean, and nobody published how long they are. What
  // must hold: a saturated node does more than the published average, and the band lies between the readings.
  CHECK(with_workload > 32.2e3);
  CHECK(with_workload < 62e3);
  CHECK(with_mean_prompts > 43e3);
  CHECK(with_workload < with_mean_prompts);
}
