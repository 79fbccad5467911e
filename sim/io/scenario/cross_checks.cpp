#include <algorithm>
#include <set>

#include "sections.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

std::string text(std::int64_t number) { return std::to_string(number); }

/// Points at the key that the user wrote: long form, short form, or the shorthand beside the pool's keys.
Reporter at_size(const json& pool, const Reporter& report, const char* long_name, const char* short_name) {
  if (pool.contains(short_name)) return report.at(short_name);
  const bool is_short = pool.contains("parallelism") && pool["parallelism"].contains(short_name);
  return report.at("parallelism").at(is_short ? short_name : long_name);
}

int heads_of(const Network& network) {
  return std::visit([](const auto& attention) { return attention.heads; }, network.attention);
}

void check_attention(const PoolSpec& pool, const json& file, const Reporter& report) {
  const int tp = pool.plan.parallelism.attention_tp;
  const Reporter at_tp = at_size(file, report, "attention_tp", "tp");
  const int heads = heads_of(pool.plan.network);
  if (heads % tp != 0)
    at_tp.add(text(tp), "a divisor of the " + text(heads) + " attention heads of " + pool.plan.network.name);
  const auto* gqa = std::get_if<GqaAttention>(&pool.plan.network.attention);
  if (gqa != nullptr && heads % tp == 0 && gqa->kv_heads % tp != 0 && tp % gqa->kv_heads != 0) {
    at_tp.add(text(tp),
              "a divisor or a multiple of the " + text(gqa->kv_heads) + " key/value heads of " + pool.plan.network.name);
  }
  const int layers = pool.plan.network.layer_count();
  const int pp = pool.plan.parallelism.pp;
  if (pp > layers)
    at_size(file, report, "pp", "pp").add(text(pp), "at most the " + text(layers) + " layers of " + pool.plan.network.name);
}

void check_popularity(const ExpertRouting& routing, const json& file, int experts, const Reporter& report) {
  const bool has_law = file.contains("popularity");
  const std::string law = has_law ? file["popularity"]["law"].get<std::string>() : "zipf";
  const auto wanted = [&](const char* key, const char* of) {
    if (has_law && file["popularity"].contains(key) && law != of)
      report.at("popularity").at(key).add(file["popularity"][key].dump(), std::string("no such key: it belongs to ") + of);
  };
  wanted("exponent", "zipf");
  wanted("alpha", "power_law");
  wanted("ratio", "power_law");
  wanted("values", "histogram");
  if (has_law && file.contains("zipf_exponent") && file["zipf_exponent"] != 0)
    report.at("zipf_exponent").add(file["zipf_exponent"].dump(), "one law of popularity: it is given under popularity");
  const auto used =
      std::count_if(routing.popularity.values.begin(), routing.popularity.values.end(), [](double v) { return v > 0; });
  if (law == "histogram" && static_cast<int>(routing.popularity.values.size()) != experts)
    report.at("popularity")
        .at("values")
        .add(text(static_cast<std::int64_t>(routing.popularity.values.size())) + " values",
             "one for each of the " + text(experts) + " routed experts");
  else if (law == "histogram" && used == 0) report.at("popularity").at("values").add("zeros only", "popularities above 0");
}

void check_placement(const ExpertRouting& routing, const json& file, const Reporter& report) {
  const bool twice =
      file.contains("eplb") && file["eplb"].contains("redundant_experts") && file.contains("redundant_experts");
  if (twice && file["eplb"]["redundant_experts"] != file["redundant_experts"])
    report.at("redundant_experts")
        .add(file["redundant_experts"].dump(), "one number of redundant experts: eplb gives another");
  const bool drifts = routing.drift_time_const_s > 0;
  if (drifts && !routing.eplb)
    report.at("drift").add(file["drift"].dump(), "eplb with refresh_s beside it: no placement follows popularity");
  if (drifts && routing.eplb && routing.refresh_s <= 0)
    report.at("eplb").at("refresh_s").add("", "the time between placements, since popularity drifts (missing)");
  if (!drifts && routing.refresh_s > 0)
    report.at("eplb")
        .at("refresh_s")
        .add(file["eplb"]["refresh_s"].dump(), "a drift beside it: popularity that stays needs no refresh");
}

/// Prompts are cut over cp GPUs; decode over such parts (each with a share of a sequence's KV) is another thing.
void check_context_parallel(const PoolSpec& pool, const Reporter& report) {
  const int cp = pool.plan.parallelism.cp;
  if (cp > 1 && pool.role != PoolRole::Prefill)
    report.at("parallelism").at("cp").add(text(cp), "1: only prefill pools cut prompts over GPUs");
}

void check_balance(const PoolSpec& pool, const json& file, const Reporter& report) {
  const RankBalance& balance = pool.plan.balance;
  if (balance.dispatch && pool.plan.parallelism.token_ranks() == 1)
    report.at("balance").at("dispatch").add(file["balance"]["dispatch"].dump(), "attention_dp above 1: there is one rank");
  if (balance.context_cv && !balance.dispatch)
    report.at("balance").at("context_cv").add(file["balance"]["context_cv"].dump(), "a dispatch policy beside it");
}

void check_experts(const PoolSpec& pool, const json& file, const Reporter& report) {
  const Parallelism& p = pool.plan.parallelism;
  const int redundant = pool.plan.routing.redundant_experts;
  const json routing = file.value("routing", json::object());
  const Reporter at_ep = at_size(file, report, "ep", "ep");
  const MoeFfn* moe = pool.plan.network.moe();
  if (moe == nullptr) {
    if (p.ep != 1) at_ep.add(text(p.ep), "1: " + pool.plan.network.name + " has no experts");
    if (routing.contains("popularity") || routing.contains("eplb") || routing.contains("drift"))
      report.at("routing").add(routing.dump(),
                               "no popularity, eplb or drift: " + pool.plan.network.name + " has no experts");
    if (redundant != 0)
      report.at("routing").at("redundant_experts").add(text(redundant), "0: " + pool.plan.network.name + " has no experts");
    return;
  }
  check_popularity(pool.plan.routing, routing, moe->routed_experts, report.at("routing"));
  check_placement(pool.plan.routing, routing, report.at("routing"));
  const int slots = moe->routed_experts + redundant;
  if (slots % p.ep != 0) {
    at_ep.add(text(p.ep), "a divisor of the " + text(slots) + " expert slots (" + text(moe->routed_experts) +
                              " routed experts and " + text(redundant) + " redundant ones)");
  }
  const int stage_gpus = p.stage_gpus();
  const std::string times_cp = p.cp > 1 ? " x cp" : "";
  if (stage_gpus % p.ep != 0 || p.ep * p.moe_tp != stage_gpus) {
    at_ep.add(text(p.ep), "ep x moe_tp equal to attention_tp x attention_dp" + times_cp +
                              ": experts lie on the same GPUs as attention, " + text(p.ep) + " x " + text(p.moe_tp) +
                              " is not " + text(p.attention_tp) + " x " + text(p.attention_dp) +
                              (p.cp > 1 ? " x " + text(p.cp) : ""));
  }
  if (p.moe_tp > 1 && moe->intermediate % p.moe_tp != 0) {
    report.at("parallelism").at("moe_tp").add(text(p.moe_tp), "a divisor of the experts' width " + text(moe->intermediate));
  }
}

void check_drafts(const PoolSpec& pool, const Reporter& report) {
  const int drafts = pool.mtp.draft_tokens;
  const Network& network = pool.plan.network;
  const Reporter at = report.at("mtp").at("draft_tokens");
  if (drafts > 0 && !network.mtp_layers)
    at.add(text(drafts), "0: whether " + network.name + " has MTP modules is not published");
  if (drafts > 0 && network.mtp_layers == 0) at.add(text(drafts), "0: " + network.name + " has no MTP modules");
  if (static_cast<int>(pool.mtp.acceptance.size()) < drafts) {
    report.at("mtp")
        .at("acceptance")
        .add(json(pool.mtp.acceptance).dump(), "one acceptance for each of the " + text(drafts) + " draft tokens");
  }
}

}  // namespace

void check_pool(const PoolSpec& pool, const json& file, const Reporter& report) {
  check_attention(pool, file, report);
  check_experts(pool, file, report);
  check_drafts(pool, report);
  check_context_parallel(pool, report);
  check_balance(pool, file, report);
}

void check_topology(const std::vector<PoolSpec>& pools, const Reporter& report) {
  const auto has = [&](PoolRole role) {
    return std::any_of(pools.begin(), pools.end(), [&](const PoolSpec& pool) { return pool.role == role; });
  };
  const bool is_split = has(PoolRole::Prefill) || has(PoolRole::Decode);
  if (has(PoolRole::Decode) && !has(PoolRole::Prefill)) report.add("decode pools only", "a prefill pool beside them");
  if (has(PoolRole::Prefill) && !has(PoolRole::Decode)) report.add("prefill pools only", "a decode pool beside them");
  if (has(PoolRole::Mixed) && is_split)
    report.add("mixed and split pools", "either mixed pools, or prefill and decode pools");
  std::set<std::string> names;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    if (!names.insert(pools[i].name).second)
      report.at(text(static_cast<std::int64_t>(i))).at("name").add(json(pools[i].name).dump(), "a name of its own");
  }
}

void check_limits(const Network& network, const json& file, const Reporter& report) {
  if (!file.contains("context_tokens") || file["context_tokens"].get<std::int64_t>() <= network.max_context_tokens) return;
  report.at("context_tokens")
      .add(file["context_tokens"].dump(),
           "at most " + text(network.max_context_tokens) + ", the maximum of " + network.name);
}

void check_measure(const Scenario& scenario, const Reporter& report) {
  const auto& arrivals = scenario.workload.arrivals;
  if (scenario.measure.start != MeasureSpec::Start::Stationary) return;
  if (std::holds_alternative<ClosedLoopArrivals>(arrivals) || std::holds_alternative<AllAtOnceArrivals>(arrivals)) {
    report.at("start").add("\"stationary\"",
                           "\"empty\": a stationary state follows from an arrival rate, which this workload has not");
  }
}

}  // namespace tokenomics
