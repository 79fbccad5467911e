#include "serving_rules.hpp"

namespace tokenomics {

using nlohmann::json;

void read_start_waits(BatchingSpec& batching, const json& file) {
  if (file.contains("rank_balance_wait")) {
    const json& rule = file["rank_balance_wait"];
    RankBalanceWait& wait = batching.rank_balance_wait.emplace();
    wait.timeout_steps = rule.value("timeout_steps", wait.timeout_steps);
    wait.batching_steps = rule.value("batching_steps", wait.batching_steps);
  }
  if (file.contains("batch_wait")) {
    const json& rule = file["batch_wait"];
    batching.batch_wait = BatchWait{rule["steps"].get<std::int64_t>(), rule["tokens_ratio"].get<double>()};
  }
}

void write_start_waits(json& file, const BatchingSpec& batching) {
  if (const auto& wait = batching.rank_balance_wait)
    file["rank_balance_wait"] = {{"timeout_steps", wait->timeout_steps}, {"batching_steps", wait->batching_steps}};
  if (const auto& wait = batching.batch_wait)
    file["batch_wait"] = {{"steps", wait->steps}, {"tokens_ratio", wait->tokens_ratio}};
}

void check_start_waits(const PoolSpec& pool, const json& file, const Reporter& report) {
  const int ranks = pool.plan.parallelism.attention_dp;
  const BatchingSpec& batching = pool.batching;
  for (const char* key : {"rank_balance_wait", "batch_wait"}) {
    if (!file.contains(key)) continue;
    const auto refuse = [&](const std::string& why) { report.at(key).add(file[key].dump(), "no such key" + why); };
    if (pool.role != PoolRole::Mixed) refuse(" in a pool of prompts or of answers alone: nobody would be held");
    if (batching.queue != QueueOrder::Fcfs) refuse(" beside a queue that is not \"fcfs\"");
    if (batching.batch_tier) refuse(" beside a batch tier");
    if (batching.poll_steps > 1) refuse(" beside poll_steps above 1");
  }
  if (batching.rank_balance_wait && ranks == 1)
    report.at("rank_balance_wait").add(file["rank_balance_wait"].dump(), "no such key with one data-parallel rank");
  if (batching.batch_wait && ranks > 1) {
    report.at("batch_wait")
        .add(file["batch_wait"].dump(), "no such key with " + std::to_string(ranks) +
                                            " data-parallel ranks: delayed batching is for one (rank_balance_wait)");
  }
}

}  // namespace tokenomics
