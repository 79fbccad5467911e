#include "tokenomics/roofline/plan_check.hpp"

#include <algorithm>
#include <string>

#include "tokenomics/roofline/overlap.hpp"

namespace tokenomics {
namespace {

class Checker {
 public:
  explicit Checker(const InstancePlan& plan) : plan_(plan) {}

  std::vector<Problem> run() {
    network();
    sizes();
    if (problems_.empty()) experts();
    drafts();
    memory();
    balance();
    schedules();
    return std::move(problems_);
  }

 private:
  void wrong(const std::string& pointer, const std::string& value, const std::string& expected) {
    problems_.push_back({plan_.network.name, pointer, value, expected, ""});
  }

  void network() {
    if (!plan_.network.not_modelled.empty()) {
      wrong("/attention", plan_.network.not_modelled, "a network whose attention is modelled");
    }
    std::int64_t window = 0;
    for (const LayerGroup& group : plan_.network.layers) {
      if (group.window_tokens <= 0) continue;
      if (window != 0 && window != group.window_tokens) {
        wrong("/layers", std::to_string(group.window_tokens), "one window size for all windowed layers");
      }
      window = group.window_tokens;
    }
    if (window != 0 && plan_.network.sparse) wrong("/layers", std::to_string(window), "no window beside sparse attention");
  }

  void sizes() {
    const Parallelism& p = plan_.parallelism;
    for (const auto& [name, value] : {std::pair{"attention_tp", p.attention_tp},
                                      {"attention_dp", p.attention_dp},
                                      {"ep", p.ep},
                                      {"moe_tp", p.moe_tp},
                                      {"pp", p.pp},
                                      {"cp", p.cp}}) {
      if (value < 1) wrong("/parallelism/" + std::string(name), std::to_string(value), "at least 1");
    }
    if (p.pp > plan_.network.layer_count()) wrong("/parallelism/pp", std::to_string(p.pp), "no more stages than layers");
  }

  void experts() {
    const Parallelism& p = plan_.parallelism;
    const MoeFfn* moe = plan_.network.moe();
    if (moe == nullptr) {
      if (p.ep != 1) wrong("/parallelism/ep", std::to_string(p.ep), "1: the network has no experts");
      return;
    }
    const int gpus = p.stage_gpus();
    if (p.ep * p.moe_tp != gpus) {
      wrong("/parallelism/ep", std::to_string(p.ep) + " * moe_tp " + std::to_string(p.moe_tp),
            std::string("ep * moe_tp = attention_tp * attention_dp ") + (p.cp > 1 ? "* cp " : "") + "= " +
                std::to_string(gpus));
    }
    const int slots = moe->routed_experts + plan_.routing.redundant_experts;
    if (plan_.routing.redundant_experts < 0 || slots % p.ep != 0) {
      wrong("/routing/redundant_experts", std::to_string(plan_.routing.redundant_experts),
            "experts and redundant experts (" + std::to_string(slots) + ") that divide over ep = " + std::to_string(p.ep));
    }
    if (!(plan_.routing.zipf_exponent >= 0)) {
      wrong("/routing/zipf_exponent", std::to_string(plan_.routing.zipf_exponent), "0 (uniform) or more");
    }
    popularity(*moe);
  }

  void popularity(const MoeFfn& moe) {
    const ExpertRouting& routing = plan_.routing;
    const PopularityLaw& law = routing.popularity;
    if (law.kind == PopularityLaw::Kind::Histogram) {
      const auto used = std::count_if(law.values.begin(), law.values.end(), [](double value) { return value > 0; });
      if (law.values.size() != static_cast<std::size_t>(moe.routed_experts) || used < moe.experts_per_token) {
        wrong("/routing/popularity/values",
              std::to_string(law.values.size()) + " values, " + std::to_string(used) + " above 0",
              "one for each of " + std::to_string(moe.routed_experts) + " experts, at least " +
                  std::to_string(moe.experts_per_token) + " above 0");
      }
    }
    if (law.kind == PopularityLaw::Kind::PowerLaw && !(law.alpha >= 0 && law.ratio >= 1)) {
      wrong("/routing/popularity", std::to_string(law.alpha) + ", " + std::to_string(law.ratio),
            "alpha of 0 or more, ratio of 1 or more");
    }
    const bool drifts = routing.drift_time_const_s > 0;
    if (drifts != (routing.refresh_s > 0)) {
      wrong("/routing/eplb/refresh_s", std::to_string(routing.refresh_s),
            drifts ? "the interval between placements, since popularity drifts" : "a drift of popularity beside it");
    }
    if (drifts && routing.redundant_experts == 0 && !routing.eplb) {
      wrong("/routing/drift", std::to_string(routing.drift_time_const_s), "EPLB beside it: no placement follows popularity");
    }
  }

  void drafts() {
    if (plan_.draft_tokens < 0) wrong("/draft_tokens", std::to_string(plan_.draft_tokens), "0 or more");
    if (plan_.draft_tokens > 0 && plan_.network.mtp_layers.value_or(0) < 1) {
      wrong("/draft_tokens", std::to_string(plan_.draft_tokens),
            plan_.network.mtp_layers ? "0: the network has no MTP module" : "0: no MTP module of this network is published");
    }
    if (!(plan_.draft_module.overhead_us >= 0)) {
      wrong("/draft_module/overhead_us", std::to_string(plan_.draft_module.overhead_us), "0 us or more");
    }
  }

  void memory() {
    if (!(plan_.hbm_utilization > 0 && plan_.hbm_utilization <= 1)) {
      wrong("/hbm_utilization", std::to_string(plan_.hbm_utilization), "a share in (0, 1]");
    }
    if (!(plan_.reserved_per_gpu.value() >= 0)) {
      wrong("/reserved_per_gpu", std::to_string(plan_.reserved_per_gpu.value()), "0 bytes or more");
    }
  }

  void balance() {
    for (const auto& [name, value] : {std::pair{"sequences_max_over_mean", plan_.balance.sequences_max_over_mean},
                                      {"context_max_over_mean", plan_.balance.context_max_over_mean}}) {
      const bool computed = plan_.balance.dispatch && value == 0;
      if (!(value >= 1) && !computed) wrong("/balance/" + std::string(name), std::to_string(value), "1 or more");
    }
    if (const double cv = plan_.balance.context_cv.value_or(0); !(cv >= 0))
      wrong("/balance/context_cv", std::to_string(cv), "0 or more");
  }

  void schedules() {
    for (const OverlapSchedule* schedule : {&plan_.decode_schedule, &plan_.prefill_schedule}) {
      const auto found = check_schedule(*schedule, "overlap schedule " + schedule->name);
      problems_.insert(problems_.end(), found.begin(), found.end());
    }
  }

  const InstancePlan& plan_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check_plan(const InstancePlan& plan) { return Checker(plan).run(); }

void require_sound(const InstancePlan& plan) {
  auto problems = check_plan(plan);
  if (!problems.empty()) throw ScenarioError(std::move(problems));
}

std::int64_t attention_cap(const Network& network) {
  if (network.sparse) return network.sparse->top_k;
  std::int64_t cap = 0;
  for (const LayerGroup& group : network.layers) cap = std::max(cap, group.window_tokens);
  return cap;
}

}  // namespace tokenomics
