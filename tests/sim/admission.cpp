// Who is let into the service: buckets of tenants and early rejection.
#include "../../sim/serving/admission.hpp"
#include "support/catch.hpp"
#include "support/one_service.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

Request of_tenant(double arrival_ms, std::int32_t tenant, std::int64_t input = 10) {
  Request r = request(arrival_ms, input, 1);
  r.tenant = tenant;
  return r;
}

bool is_rejected(const Outcomes& o, std::uint64_t id) { return o.of.at(id).outcome == Outcome::RejectedAdmission; }

}  // namespace

// 2 at once and 10/s: full at 0, so two pass; 50 ms later half a request is there, at 100 ms one.
TEST_CASE("A tenant's bucket lets its burst through and then its rate", "[sim][admission]") {
  const LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.admission.tenants = {{7, {BucketUnit::Requests, 10, 2}}};
  const Outcomes o = serve(config, {of_tenant(0, 7), of_tenant(0, 7), of_tenant(0, 7), of_tenant(1, 8), of_tenant(50, 7),
                                    of_tenant(101, 7), of_tenant(102, 7)});
  CHECK_FALSE(is_rejected(o, 0));
  CHECK_FALSE(is_rejected(o, 1));
  CHECK(is_rejected(o, 2));
  CHECK_FALSE(is_rejected(o, 3));  // another tenant: no bucket
  CHECK(is_rejected(o, 4));
  CHECK_FALSE(is_rejected(o, 5));
  CHECK(is_rejected(o, 6));
  CHECK(o.result.requests.rejected_admission == 3u);
  CHECK(o.result.requests.completed == 4u);
}

// 100 tokens at once and 1000/s. A refused request takes nothing.
TEST_CASE("Buckets of prompt tokens: every tenant that is not named has its own", "[sim][admission]") {
  const LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.admission.default_bucket = TokenBucketRule{BucketUnit::PromptTokens, 1000, 100};
  const Outcomes o = serve(config, {of_tenant(0, 1, 60), of_tenant(0, 1, 50), of_tenant(0, 1, 40), of_tenant(0, 2, 100),
                                    of_tenant(0, 3, 101), of_tenant(30.1, 1, 30)});
  CHECK_FALSE(is_rejected(o, 0));
  CHECK(is_rejected(o, 1));
  CHECK_FALSE(is_rejected(o, 2));
  CHECK_FALSE(is_rejected(o, 3));
  CHECK(is_rejected(o, 4));  // never: more than the burst
  CHECK_FALSE(is_rejected(o, 5));
}

// One place and prompts of 100 ms (1 ms a token). While the first runs the others wait, 100 tokens each: 0.1 s of prompt
// steps of 1000 tokens in 1 s. More than 0.15 s of waiting is refused: the fourth.
TEST_CASE("Shedding by the estimated wait refuses who would find too many prompt tokens before it", "[sim][admission]") {
  LinearTimer timer;
  timer.fixed_s = 0;
  timer.per_prompt_token_s = 1e-3;
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_tokens_per_step = 1000;
  config.pools[0].batching.max_sequences = 1;
  CHECK(full_prompt_tok_s(config.pools[0]) == Approx(1000));
  config.admission.shed.wait_s = 0.15;
  std::vector<Request> requests;
  for (int i = 0; i < 5; ++i) requests.push_back(request(i, 100, 1));
  const Outcomes o = serve(config, requests);
  CHECK_FALSE(is_rejected(o, 0));
  CHECK_FALSE(is_rejected(o, 1));  // nobody waits
  CHECK_FALSE(is_rejected(o, 2));  // 100 tokens wait
  CHECK(is_rejected(o, 3));        // 200
  CHECK(is_rejected(o, 4));
}

// At most 4 may wait; for class 1 it is 2, for class 2 it is 1.
TEST_CASE("Later classes are shed first", "[sim][admission]") {
  LinearTimer timer;
  timer.fixed_s = 1;
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 1;
  config.admission.shed.waiting_requests_per_instance = 3;
  config.admission.shed.class_factor = 0.5;
  std::vector<Request> requests;
  const auto add = [&](std::int32_t priority) {
    requests.push_back(request(static_cast<double>(requests.size()), 10, 1));
    requests.back().priority = priority;
  };
  for (const int priority : {0, 2, 2, 1, 1, 0, 0, 0}) add(priority);
  const Outcomes o = serve(config, requests);
  // Waiting before each: 0, 0, 1 (> 0.75), 1, 2 (> 1.5), 2, 3, 4 (> 3).
  const std::vector<bool> refused{false, false, true, false, true, false, false, true};
  for (std::size_t i = 0; i < refused.size(); ++i) CHECK(is_rejected(o, i) == refused[i]);
}

// 100 tokens of KV: the first holds 61, which is more than 0.5.
TEST_CASE("Shedding by KV memory looks at what is held", "[sim][admission]") {
  LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 100;
  config.admission.shed.kv_share = 0.5;
  const Outcomes o = serve(config, {request(0, 60, 20), request(5, 10, 2), request(100, 10, 2)});
  CHECK(is_rejected(o, 1));
  CHECK_FALSE(is_rejected(o, 2));
}

TEST_CASE("In no interval does a bucket let more through than burst + rate * t", "[sim][admission]") {
  rc::prop("token bucket", [] {
    const double rate = 0.1 * *rc::gen::inRange(1, 1000), burst = *rc::gen::inRange(1, 100);
    TokenBucket bucket({BucketUnit::PromptTokens, rate, burst});
    std::vector<std::pair<SimTime, double>> passed;
    SimTime now = 0;
    double offered = 0;
    for (int k = 0; k < 100; ++k) {
      now += *rc::gen::inRange(0, 200'000'000);
      const double amount = *rc::gen::inRange(1, 60);
      offered += amount;
      if (bucket.take(amount, now)) passed.emplace_back(now, amount);
    }
    for (std::size_t i = 0; i < passed.size(); ++i) {
      double sum = 0;
      for (std::size_t j = i; j < passed.size(); ++j) {
        sum += passed[j].second;
        const double most = burst + rate * to_seconds(passed[j].first - passed[i].first).value();
        RC_ASSERT(sum <= most * (1 + 1e-12) + 1e-9);
      }
    }
  });
}

// 1 ms steps; class 0: two requests of 10 + 3 tokens, class 1: one of 20 + 5 and one that is too long.
TEST_CASE("Results are told by class where there are several, and add up to the whole", "[sim][classes]") {
  const LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.priority_classes = 2;
  config.context_limit_tokens = 100;
  config.measure.slo_ttft_s = 1e-3;
  std::vector<Request> requests{request(0, 10, 3), request(10, 10, 3), request(20, 20, 5), request(30, 200, 5)};
  requests[2].priority = requests[3].priority = 1;
  requests[1].cached_tokens = 4;
  const ServiceResult r = serve(config, requests).result;
  REQUIRE(r.classes.size() == 2);
  CHECK(r.classes[0].requests.arrived == 2u);
  CHECK(r.classes[0].requests.completed == 2u);
  CHECK(r.classes[0].answers_tokens == 6);
  CHECK(r.classes[0].input_computed_tokens == 16);
  CHECK(r.classes[0].input_cached_tokens == 4);
  CHECK(r.classes[0].e2e.histogram().mean() == Approx(3e6));
  CHECK(r.classes[1].requests.rejected_context_limit == 1u);
  CHECK(r.classes[1].requests.unfinished == 0u);
  CHECK(r.classes[1].answers_tokens == 5);
  CHECK(r.classes[1].e2e.histogram().mean() == Approx(5e6));
  CHECK(r.classes[1].met_ttft == 1u);
  CHECK(r.classes[1].judged_ttft == 2u);
  CHECK(r.classes[0].met_ttft + r.classes[1].met_ttft == r.met_ttft);
  config.priority_classes = 1;
  CHECK(serve(config, requests).result.classes.empty());
}
