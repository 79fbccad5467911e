// DeepSeek's own API on two dates. SemiAnalysis, "DeepSeek Debrief: >128 Days Later" (2025-07-03): users wait many seconds
// for the first token, 25 s longer than at Azure, and then get 25 tok/s, for 0.55 / 2.19 USD per million tokens.
// OpenRouter's statistics of 2025-06-27: 3.275 s and 25.137 tok/s at the same price.
#include "shortened.hpp"
#include "support/catch.hpp"
#include "tokenomics/cost/price_card.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const char* const kSpring = "deepseek-api-spring-2025";
const char* const kJune = "deepseek-api-2025-06-27";
const std::vector<std::string> kTwiceTheFleet{"/deployment/pools/0/instances=10", "/deployment/pools/1/instances=4"};

double mean_speed(const RunResult& run) {
  return run.service.interactivity_sum / static_cast<double>(run.service.interactivity_count);
}
double median_ttft_s(const RunResult& run) { return seconds_at(run.service.ttft, 0.5); }
double list_blend(const RunResult& run) { return blended_3_1(*run.price.prices).value() * 1e6; }

}  // namespace

TEST_CASE("on a fleet too small for its users the first token takes tens of seconds, at 25 tok/s and 0.96 USD/M",
          "[scenarios]") {
  const RunResult run = run_shortened(kSpring);
  CHECK(median_ttft_s(run) >= 20);  // published: at least 25
  CHECK(median_ttft_s(run) < 50);   // tens of seconds, not minutes
  CHECK(mean_speed(run) == Approx(25).epsilon(0.10));
  CHECK(list_blend(run) == Approx(0.96).margin(0.0001));  // (3 x 0.55 + 2.19) / 4
  CHECK(run.service.requests.rejected() == 0);            // users wait, none is refused
  // Nearly all of it is waiting, not computing: a prefill pass takes under two seconds.
  CHECK(run.service.queue_wait.histogram().mean() > 0.85 * run.service.ttft.histogram().mean());
}

TEST_CASE("twice the fleet takes the wait away", "[scenarios]") {
  const RunResult twice = run_shortened(kSpring, kTwiceTheFleet);
  CHECK(median_ttft_s(twice) < 5);
  CHECK(mean_speed(twice) > 25);
}

TEST_CASE("the capped fleet's tokens cost less than those of twice the fleet", "[scenarios]") {
  const RunResult once = run_shortened(kSpring), twice = run_shortened(kSpring, kTwiceTheFleet);
  CHECK(once.cost.per_token.blended_3_1->value() < 0.9 * twice.cost.per_token.blended_3_1->value());
}

// All users ask at once at the start; the wave that makes has died down to a second or two after 15 minutes.
TEST_CASE("the wait is steady: as long in a later window", "[scenarios]") {
  const double early = median_ttft_s(run_shortened(kSpring, {"/measure/warm_up_s=900"}));
  const double late = median_ttft_s(run_shortened(kSpring, {"/measure/warm_up_s=1800"}));
  CHECK(late == Approx(early).epsilon(0.10));
}

// Little's law around the whole service: users = requests per second x (first token + answer + think time).
// Tolerance 3%: means over a window of 300 s, in which the queue still moves by a second or two.
TEST_CASE("users who wait, read or type add up to all users", "[scenarios]") {
  const RunResult run = run_shortened(kSpring, {"/measure/warm_up_s=600", "/measure/duration_s=300"});
  const ServiceResult& r = run.service;
  const double rate = static_cast<double>(r.requests.arrived) / r.measured_s;
  const double tokens_per_request = r.output_tokens / static_cast<double>(r.requests.arrived);
  const double answer_s = (tokens_per_request - 1) * r.itl.histogram().mean() * 1e-9;
  const double think_s = 30;
  CHECK(rate * (r.ttft.histogram().mean() * 1e-9 + answer_s + think_s) == Approx(48000).epsilon(0.03));
}

TEST_CASE("more users wait longer and are served no slower", "[scenarios]") {
  const RunResult fewer = run_shortened(kSpring, {"/workload/arrivals/concurrency=44000"});
  const RunResult more = run_shortened(kSpring, {"/workload/arrivals/concurrency=52000"});
  // 8,000 users more at about 490 answers a second: 16 s.
  CHECK(median_ttft_s(more) - median_ttft_s(fewer) == Approx(16).margin(3));
  CHECK(mean_speed(more) == Approx(mean_speed(fewer)).epsilon(0.02));
}

TEST_CASE("in June a fleet that follows the load gives 3.3 s and 25 tok/s", "[scenarios]") {
  const RunResult run = run_shortened(kJune, {"/measure/windows_per_day=6"});
  CHECK(median_ttft_s(run) == Approx(3.275).epsilon(0.30));
  CHECK(mean_speed(run) == Approx(25.137).epsilon(0.10));
  CHECK(list_blend(run) == Approx(0.96).margin(0.0001));
  CHECK(run.max_context_tokens == 64000);
}

TEST_CASE("the June service holds its rule at several loads", "[scenarios]") {
  const std::string load = GENERATE("970", "3900");
  const RunResult run =
      run_shortened(kJune, {"/workload={\"base\": \"deepseek-day\", \"arrivals\": {\"mean_rate_per_s\": " + load + "}}"});
  INFO(load);
  CHECK(median_ttft_s(run) == Approx(3.275).epsilon(0.30));
  for (const WindowSummary& window : run.windows) CHECK(window.interactivity_tok_s_user > 0.97 * 23);
}
