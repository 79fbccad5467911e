#include "pool_options.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"
#include "tokenomics/roofline/plan_check.hpp"

namespace tokenomics {
namespace {

struct Layout {
  Parallelism parallelism;
  int redundant_experts = 0;
};

bool divides(int a, int b) { return a > 0 && b % a == 0; }

int attention_heads(const Network& network) {
  return std::visit([](const auto& attention) { return attention.heads; }, network.attention);
}

/// As many copies of experts as the slots need to divide over `ep` ranks.
int redundant_for(const MoeFfn& moe, int ep) { return (ep - moe.routed_experts % ep) % ep; }

/// Tensor parallel over all GPUs, data parallel with experts spread, and both mixed.
std::vector<Layout> layouts(const Network& network, int gpus, int domain) {
  std::vector<Layout> found;
  const MoeFfn* moe = network.moe();
  for (int tp = 1; tp <= std::min(gpus, domain); tp *= 2) {
    const int dp = gpus / tp;
    if (tp * dp != gpus || !divides(tp, attention_heads(network))) continue;
    if (moe == nullptr) {
      if (dp == 1) found.push_back({{tp, 1, 1, 1, 1}, 0});
      continue;
    }
    const bool spread = gpus <= moe->routed_experts + redundant_for(*moe, gpus);
    if (dp == 1 && gpus <= domain) found.push_back({{tp, 1, 1, gpus, 1}, 0});
    if (gpus > 1 && spread && (gpus <= domain || tp == 1))
      found.push_back({{tp, dp, gpus, 1, 1}, redundant_for(*moe, gpus)});
  }
  return found;
}

std::vector<int> sizes(const Query& query, const Gpu& gpu, bool apart) {
  if (!query.search.gpus_per_instance.empty()) return query.search.gpus_per_instance;
  std::vector<int> all{1, 2, 4, 8};
  const int domain = gpu.scale_up_domain_gpus.value_or(1);
  if (query.network.moe() != nullptr && apart) all.insert(all.end(), {16, 32, 64, 144});
  if (query.network.moe() != nullptr && domain > 16) all.insert(all.end(), {16, 32, 64});
  std::set<int> once(all.begin(), all.end());
  return {once.begin(), once.end()};
}

PoolSpec spec_of(const Query& query, const HardwareChoice& hardware, const Layout& layout, PoolRole role, int drafts) {
  const SearchSpace& space = query.search;
  PoolSpec spec;
  spec.role = role;
  spec.name = role == PoolRole::Mixed ? "mixed" : role == PoolRole::Prefill ? "prefill" : "decode";
  spec.gpus_per_node = hardware.gpu.scale_up_domain_gpus.value_or(8);
  spec.calibration = hardware.calibration;
  spec.block_tokens = space.block_tokens;
  InstancePlan& plan = spec.plan;
  plan.network = query.network;
  plan.gpu = hardware.gpu;
  plan.parallelism = layout.parallelism;
  plan.precisions = space.precisions;
  plan.all_to_all = role == PoolRole::Prefill ? AllToAll::Normal : AllToAll::LowLatency;
  plan.routing.redundant_experts = layout.redundant_experts;
  if (layout.parallelism.attention_dp > 1) plan.balance = space.balance;
  if (layout.parallelism.gpus() > hardware.gpu.scale_up_domain_gpus.value_or(8)) {
    if (role == PoolRole::Decode) plan.decode_schedule = space.decode_overlap;
    if (role == PoolRole::Prefill) plan.prefill_schedule = space.prefill_overlap;
  }
  plan.hbm_utilization = space.hbm_utilization;
  plan.reserved_per_gpu = space.reserved_per_gpu;
  if (role == PoolRole::Prefill) drafts = 0;
  spec.mtp = {drafts, {space.acceptance.begin(), space.acceptance.begin() + drafts}};
  plan.draft_tokens = drafts;
  return spec;
}

/// What differs in batching only.
std::vector<BatchingSpec> batchings(const Query& query, const PoolSpec& spec) {
  const SearchSpace& space = query.search;
  const int ranks = spec.plan.parallelism.attention_dp;
  const bool decodes_only = spec.role == PoolRole::Decode, prefills_only = spec.role == PoolRole::Prefill;
  std::vector<BatchingSpec> all;
  for (const BatchPolicy policy : space.policies)
    for (const std::int64_t tokens : space.tokens_per_step)
      for (const WaitRule& wait : space.waits)
        for (const std::int64_t sequences : space.sequences_per_rank) {
          const bool first = policy == space.policies.front() && tokens == space.tokens_per_step.front();
          if (decodes_only && !(first && wait.at_most_s == space.waits.front().at_most_s)) continue;
          if (prefills_only && policy != space.policies.front()) continue;
          BatchingSpec batching;
          batching.policy = prefills_only ? BatchPolicy::PrefillFirst : policy;
          // One long prompt would hold up all ranks of a prefill pool: DeepSeek's balancer evens out the work, not the
          // tokens.
          if (prefills_only && ranks > 1) batching.prompt_budget = PromptBudget::EvenWork;
          batching.max_tokens_per_step = tokens * ranks;
          batching.max_sequences = sequences * ranks;
          batching.wait = decodes_only ? WaitRule{} : wait;
          all.push_back(batching);
        }
  return all;
}

struct Plan {
  std::size_t hardware;
  PoolSpec spec;
};

/// Whether the chip's links carry such an instance: KV moves from pool to pool between nodes, and so do the activations of
/// instances that are larger than a scale-up domain.
bool has_links(const Gpu& gpu, PoolRole role, int gpus) {
  return gpu.scale_out_bandwidth || (role == PoolRole::Mixed && gpus <= gpu.scale_up_domain_gpus.value_or(1));
}

std::vector<Plan> plans(const Query& query) {
  std::vector<Plan> all;
  std::vector<PoolRole> roles;
  if (query.search.mixed) roles.push_back(PoolRole::Mixed);
  if (query.search.disaggregated) roles.insert(roles.end(), {PoolRole::Prefill, PoolRole::Decode});
  for (std::size_t h = 0; h < query.hardware.size(); ++h) {
    const Gpu& gpu = query.hardware[h].gpu;
    for (const PoolRole role : roles)
      for (const int gpus : sizes(query, gpu, role != PoolRole::Mixed)) {
        if (!has_links(gpu, role, gpus)) continue;
        for (const Layout& layout : layouts(query.network, gpus, gpu.scale_up_domain_gpus.value_or(1)))
          for (const int drafts : query.search.draft_tokens) {
            if (role == PoolRole::Prefill && drafts != query.search.draft_tokens.front()) continue;
            PoolSpec spec = spec_of(query, query.hardware[h], layout, role, drafts);
            if (check_plan(spec.plan).empty()) all.push_back({h, std::move(spec)});
          }
      }
  }
  return all;
}

void add_options(const Query& query, const Plan& plan, std::int64_t context_tokens,
                 const std::shared_ptr<const StepModel>& timer, const MemoryPlan& memory, PoolOptions& options) {
  auto& list = plan.spec.role == PoolRole::Mixed     ? options.mixed
               : plan.spec.role == PoolRole::Prefill ? options.prefill
                                                     : options.decode;
  for (const BatchingSpec& batching : batchings(query, plan.spec)) {
    for (const ContextReservation reservation : query.search.reservations) {
      PoolOption option{plan.hardware, plan.spec, timer, memory, {}};
      option.spec.batching = batching;
      PoolConfig& config = option.config;
      config.role = plan.spec.role;
      config.ranks = plan.spec.plan.parallelism.attention_dp;
      config.timer = timer.get();
      config.mtp = plan.spec.mtp;
      config.block_tokens = plan.spec.block_tokens;
      config.kv_tokens = memory.kv_tokens_per_instance / config.block_tokens * config.block_tokens;
      if (reservation == ContextReservation::Full) {
        const std::int64_t fit = std::max<std::int64_t>(1, option.kv_tokens_per_rank() / context_tokens) * config.ranks;
        option.spec.batching.max_sequences = std::min(batching.max_sequences, fit);
      }
      config.batching = option.spec.batching;
      if (option.kv_tokens_per_rank() < context_tokens) {
        ++options.context_too_short;
        return;
      }
      list.push_back(std::move(option));
    }
  }
}

}  // namespace

std::string PoolOption::name() const {
  const Parallelism& p = spec.plan.parallelism;
  std::string text = fmt::format("{}x {}", gpus(), spec.plan.gpu.name);
  if (p.attention_tp > 1 || gpus() == 1) text += fmt::format(" tp{}", p.attention_tp);
  if (p.attention_dp > 1) text += fmt::format(" dp{}", p.attention_dp);
  if (p.ep > 1) text += fmt::format(" ep{}", p.ep);
  if (spec.role != PoolRole::Decode) {
    const bool chunked = spec.batching.policy == BatchPolicy::ChunkedMixed;
    text += fmt::format(", {} {}", chunked ? "chunked" : "prefill first", spec.batching.max_tokens_per_step);
    if (spec.batching.wait.at_most_s > 0) text += fmt::format(", waits {:g} s", spec.batching.wait.at_most_s);
  }
  if (spec.mtp.draft_tokens > 0) text += fmt::format(", mtp {}", spec.mtp.draft_tokens);
  return text;
}

PoolOptions pool_options(const Query& query, std::int64_t context_tokens, unsigned jobs) {
  const std::vector<Plan> all = plans(query);
  struct Built {
    std::shared_ptr<const StepModel> timer;
    MemoryPlan memory;
    std::string reason;
  };
  std::vector<Built> built(all.size());
  parallel_for(jobs, all.size(), [&](std::size_t i) {
    try {
      built[i].memory = plan_memory(all[i].spec.plan);
      built[i].timer = std::make_shared<StepModel>(all[i].spec.plan, all[i].spec.calibration);
    } catch (const Infeasible& error) {
      built[i].reason = error.what();
    }
  });
  PoolOptions options;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (built[i].timer) {
      add_options(query, all[i], context_tokens, built[i].timer, built[i].memory, options);
    } else {
      ++options.too_large;
      options.fit_reason = built[i].reason;
    }
  }
  return options;
}

}  // namespace tokenomics
