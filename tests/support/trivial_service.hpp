#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tokenomics/base/random.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics::test {

/// Step time = fixed + per_sequence * n + per_context * sum of contexts + per_capped * capped sum + per_prompt * prompt
/// tokens: simple enough to work out by hand, and linear, so that runs have no kinks but those of the batch.
struct LinearTimer final : StepTimer {
  double fixed_s = 1e-3;
  double per_sequence_s = 0;
  double per_context_s = 0;
  double per_capped_s = 0;
  double per_prompt_token_s = 0;
  std::int64_t cap = 0;
  double longest_run = 1e18;  ///< ends runs early, as a timer's kinks do

  Seconds step(const DecodeLoad& d, const PrefillLoad& p) const override {
    return Seconds{fixed_s + per_sequence_s * static_cast<double>(d.sequences) + per_context_s * d.context_tokens +
                   per_capped_s * d.capped_tokens + per_prompt_token_s * p.tokens};
  }
  LinearRun run(const DecodeLoad& d, const DecodeGrowth& g) const override {
    return {step(d, {}).value(), per_context_s * g.context_tokens + per_capped_s * g.capped_tokens, longest_run};
  }
  std::int64_t context_cap() const override { return cap; }
};

/// Hands out a prepared list.
struct ListSource final : RequestSource {
  std::vector<Request> requests;
  std::size_t next = 0;
  std::uint64_t ended_count = 0;

  SimTime next_arrival() const override { return next < requests.size() ? requests[next].arrival : kNever; }
  Request take() override { return requests[next++]; }
  void ended(const Request&, SimTime) override { ++ended_count; }
};

/// Poisson arrivals with lengths from a function; endless.
struct PoissonSource final : RequestSource {
  PoissonSource(std::uint64_t seed, double rate, std::function<void(RandomStream&, Request&)> lengths)
      : arrivals(seed, "arrivals"), lengths_stream(seed, "lengths"), rate_per_s(rate), draw(std::move(lengths)) {
    advance();
  }
  SimTime next_arrival() const override { return pending.arrival; }
  Request take() override {
    const Request out = pending;
    advance();
    return out;
  }
  void ended(const Request&, SimTime) override {}
  void advance() {
    clock_s += arrivals.exponential() / rate_per_s;
    pending = {};
    pending.id = id++;
    pending.arrival = to_sim_time(Seconds{clock_s});
    draw(lengths_stream, pending);
  }
  RandomStream arrivals, lengths_stream;
  double rate_per_s;
  std::function<void(RandomStream&, Request&)> draw;
  double clock_s = 0;
  std::uint64_t id = 0;
  Request pending;
};

inline PoolConfig mixed_pool(const StepTimer& timer) {
  PoolConfig pool;
  pool.timer = &timer;
  pool.kv_tokens = std::int64_t{1} << 40;
  pool.batching.max_tokens_per_step = std::int64_t{1} << 40;
  return pool;
}

}  // namespace tokenomics::test
