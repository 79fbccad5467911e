// Every token but a request's first comes after a gap, and the gaps of a request fill the time from its first token to
// its last: over a service that ends empty, counts and sums of both must agree.
#include "support/catch.hpp"
#include "support/trivial_service.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

struct Decoding final : Observer {
  double gaps = 0, decode_ns = 0;
  void request_ended(const RequestRecord& r) override {
    if (r.outcome != Outcome::Completed) return;
    gaps += static_cast<double>(r.request.output_tokens - 1);
    decode_ns += static_cast<double>(r.end - r.first_token);
  }
};

ServiceResult drained(ServiceConfig config, Observer& observer, double rate) {
  config.measure.requests = 300;
  config.measure.drain = true;
  config.observer = &observer;
  PoissonSource source(config.seed, rate, [](RandomStream& random, Request& r) {
    r.input_tokens = 1 + static_cast<std::int64_t>(300 * random.exponential());
    r.output_tokens = 1 + static_cast<std::int64_t>(100 * random.exponential());
  });
  return simulate(config, source);
}

}  // namespace

TEST_CASE("Inter-token gaps add up to the time from first to last token, and to the tokens", "[laws]") {
  rc::prop("gaps", [] {
    const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
    LinearTimer timer;
    timer.fixed_s = 1e-3 * pick(1, 20);
    timer.per_sequence_s = 1e-6 * pick(0, 50);
    timer.per_context_s = 1e-9 * pick(0, 50);
    timer.per_prompt_token_s = 1e-6 * pick(0, 100);
    ServiceConfig config;
    config.pools = {mixed_pool(timer)};
    PoolConfig& pool = config.pools[0];
    pool.batching.policy = pick(0, 1) == 1 ? BatchPolicy::PrefillFirst : BatchPolicy::ChunkedMixed;
    pool.batching.max_sequences = pick(1, 60);
    pool.batching.max_tokens_per_step = pick(50, 2000);
    pool.block_tokens = pick(1, 64);
    pool.instances = pick(1, 2);
    // Preempted sequences lose the prompt-only steps before their preemption, so memory is scarce only without those.
    if (pool.batching.policy == BatchPolicy::ChunkedMixed) pool.kv_tokens = 3000 + pick(0, 3000);
    config.seed = static_cast<std::uint64_t>(pick(1, 1000));
    Decoding decoding;
    const ServiceResult r = drained(config, decoding, 0.5 * pick(1, 60));
    RC_CLASSIFY(r.requests.preemptions > 0);
    RC_ASSERT(static_cast<double>(r.itl.histogram().count()) == decoding.gaps);
    const double sum = r.itl.histogram().mean() * decoding.gaps;
    RC_ASSERT(std::abs(sum - decoding.decode_ns) <= 1e-6 * decoding.decode_ns + 2 * decoding.gaps);  // whole nanoseconds
    RC_ASSERT(std::abs(r.output_tokens - r.answers_tokens) <= 1e-9 * r.answers_tokens);
  });
}
