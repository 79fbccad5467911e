#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include <algorithm>
#include <map>

#include "helpers.hpp"
#include "tokenomics/workload/servegen.hpp"
#include "tokenomics/workload/trace.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

constexpr SimTime kSecond = 1'000'000'000;

const std::string kThreeRows =
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:00:00,10,1\n2023-11-16 18:00:01,20,2\n2023-11-16 18:00:04,30,3\n";

std::vector<Request> drained(const WorkloadSpec& spec, std::size_t most = 1000, std::uint64_t seed = 1, double scale = 1) {
  const auto source = make_request_source(spec, seed, 0, scale);
  return drain(*source, most);
}

std::vector<double> seconds_of(const std::vector<Request>& requests) {
  std::vector<double> result;
  for (const Request& request : requests) result.push_back(static_cast<double>(request.arrival) / kSecond);
  return result;
}

const std::string kRatesHead = "client,t_s,rate_rps,cv_iat,family,shape,scale_s\n";

}  // namespace

TEST_CASE("a replay brings the trace's rows at the trace's times", "[workload]") {
  const TemporaryFile file(kThreeRows);
  const auto requests = drained(replay_of(file.path(), TraceFormat::Azure));
  CHECK(seconds_of(requests) == std::vector<double>{0, 1, 4});
  CHECK(requests[2].input_tokens == 30);
  CHECK(requests[2].output_tokens == 3);
  CHECK(requests[2].id == 2);
}

TEST_CASE("a replay twice as fast takes half the time", "[workload]") {
  const TemporaryFile file(kThreeRows);
  WorkloadSpec spec = replay_of(file.path(), TraceFormat::Azure);
  spec.trace->speed = 2;
  CHECK(seconds_of(drained(spec)) == std::vector<double>{0, 0.5, 2});
  CHECK(seconds_of(drained(spec, 10, 1, 2.0)) == std::vector<double>{0, 0.25, 1});
  const WorkloadSpec azure = replay_of(trace_file("azure_conv_2023.csv.gz"), TraceFormat::Azure);
  const auto once = drained(azure, 30'000), twice = drained(azure, 30'000, 1, 2);
  REQUIRE(once.size() == 19'366);
  REQUIRE(twice.size() == 19'366);
  CHECK(std::abs(once.back().arrival - 2 * twice.back().arrival) <= 1);
}

TEST_CASE("a window keeps the rows from its start to before its end and starts at time 0", "[workload]") {
  const TemporaryFile file(kThreeRows);
  WorkloadSpec spec = replay_of(file.path(), TraceFormat::Azure);
  spec.trace->from_s = 0.5;
  spec.trace->to_s = 4;
  CHECK(seconds_of(drained(spec)) == std::vector<double>{0.5});
  spec.trace->to_s = 4.5;
  CHECK(seconds_of(drained(spec)) == std::vector<double>{0.5, 3.5});
  spec.trace->from_s = 9;
  spec.trace->to_s = 10;
  CHECK(message_of([&] { drained(spec); }) ==
        file.path() + ": from 9 s: no requests; expected a window of the trace with requests");
}

TEST_CASE("a looping replay starts again after its span and a mean gap", "[workload]") {
  // Span 4 s, mean gap 2 s: the second round starts at 6 s, the third at 12 s; 0.5 requests/s.
  const TemporaryFile file(kThreeRows);
  WorkloadSpec spec = replay_of(file.path(), TraceFormat::Azure);
  spec.trace->loop = true;
  CHECK(seconds_of(drained(spec, 7)) == std::vector<double>{0, 1, 4, 6, 7, 10, 12});
  CHECK(mean_arrival_rate(spec) == Approx(0.5));
  spec.trace->speed = 4;
  CHECK(mean_arrival_rate(spec) == Approx(2));
}

TEST_CASE("a replay may draw its lengths from laws, and other arrivals may draw rows from a trace", "[workload]") {
  const TemporaryFile file(kThreeRows);
  WorkloadSpec spec = replay_of(file.path(), TraceFormat::Azure);
  spec.lengths = IndependentLengths{{FixedLaw{5}}, {FixedLaw{6}}};
  CHECK(drained(spec).at(2).input_tokens == 5);
  CHECK(seconds_of(drained(spec)) == std::vector<double>{0, 1, 4});
  spec.lengths.reset();
  spec.arrivals = PoissonArrivals{1};
  spec.cache_hit_ratio = 0.5;
  std::map<std::int64_t, int> seen;
  for (const Request& request : drained(spec, 3000)) {
    REQUIRE(request.input_tokens == 10 * request.output_tokens);  // rows stay together
    REQUIRE(request.cached_tokens == 5 * request.output_tokens);
    ++seen[request.output_tokens];
  }
  // 3,000 draws of three rows: 1,000 each with a standard error of 25.8.
  for (const auto& [output, count] : seen) CHECK(std::abs(count - 1000) < 5 * 25.8);
  CHECK(seen.size() == 3);
}

TEST_CASE("requests of a Mooncake tick are spread over the tick, in file order and by the seed", "[workload]") {
  const WorkloadSpec spec = replay_of(trace_file("mooncake_conversation.jsonl.gz"), TraceFormat::Mooncake);
  const Trace trace = read_trace(spec.trace->file, TraceFormat::Mooncake);
  const auto requests = drained(spec, 10'000);
  REQUIRE(requests.size() == trace.rows.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const double after = static_cast<double>(requests[i].arrival) / kSecond - trace.rows[i].time_s;
    REQUIRE(after >= -1e-9);
    REQUIRE(after <= 3.001);
    REQUIRE(requests[i].input_tokens == trace.rows[i].input_tokens);
    REQUIRE(requests[i].cached_tokens == std::min(trace.rows[i].cached_tokens, requests[i].input_tokens - 1));
    if (i > 0) REQUIRE(requests[i].arrival >= requests[i - 1].arrival);
  }
  // Spread, the gaps are near exponential; the raw times of the file have a coefficient of variation of 2.97.
  const Moments gaps = moments(gaps_s(requests));
  CHECK(gaps.sd / gaps.mean == Approx(1.0).epsilon(0.05));
  CHECK(drained(spec, 100, 2)[50].arrival != requests[50].arrival);
}

TEST_CASE("a looping Mooncake replay never goes back in time at its seam", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("mooncake_conversation.jsonl.gz"), TraceFormat::Mooncake);
  spec.trace->loop = true;
  const auto requests = drained(spec, 20'000);
  REQUIRE(requests.size() == 20'000);
  for (std::size_t i = 1; i < requests.size(); ++i) REQUIRE(requests[i].arrival >= requests[i - 1].arrival);
  CHECK(requests[7851].input_tokens == requests[0].input_tokens);
}

TEST_CASE("a trace that records prefix hits refuses a hit ratio beside them", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("mooncake_conversation.jsonl.gz"), TraceFormat::Mooncake);
  spec.cache_hit_ratio = 0.4;
  CHECK(message_of([&] { drained(spec); }) ==
        "workload \"test\": /cache_hit_ratio: 0.4; expected no ratio: the mooncake trace records the prefix hits of each "
        "request");
}

namespace {

// Two sessions; the first row's own gap is ignored, the third's is missing: 30 - (12 + 4) = 14 s.
const std::string kSessions =
    "session,agent,seq,t_s,type,model,in_tokens,out_tokens,input_types,stop,think_time_s,api_time_s,ttft_s,blocks64,"
    "prefix_blocks_prev,prefix_blocks_session\n"
    "a,main,0,0,n,m,640,5,text,x,99,2,,10,0,0\n"
    "a,main,1,12,n,m,700,6,text,x,10,4,,10,10,10\n"
    "a,main,2,30,n,m,800,0,text,x,,1,,12,10,10\n"
    "b,main,0,0,n,m,64,7,text,x,0,2,,1,0,0\n";

WorkloadSpec sessions(const std::string& file, ArrivalSpec arrivals) {
  WorkloadSpec spec = replay_of(file, TraceFormat::ClaudeCode);
  spec.arrivals = std::move(arrivals);
  return spec;
}

}  // namespace

TEST_CASE("a session's requests follow the end of the one before by the recorded gap", "[workload]") {
  const TemporaryFile file(kSessions);
  bool played = false;
  for (std::uint64_t seed = 1; seed < 100 && !played; ++seed) {  // until session a is drawn first
    const auto source = make_request_source(sessions(file.path(), ClosedLoopArrivals{1, 3}), seed, 0);
    const Request first = source->take();
    if (first.input_tokens != 640) continue;
    CHECK(first.arrival == 0);
    CHECK(first.cached_tokens == 0);
    CHECK(source->next_arrival() == kNever);
    source->ended(first, 5 * kSecond);
    const Request second = source->take();
    CHECK(second.arrival == 15 * kSecond);
    CHECK(second.cached_tokens == 640);
    source->ended(second, 16 * kSecond);
    const Request third = source->take();
    CHECK(third.arrival == 30 * kSecond);
    CHECK(third.output_tokens == 1);  // an empty answer still ends
    source->ended(third, 40 * kSecond);
    CHECK(source->next_arrival() == 43 * kSecond);  // another session after the think time
    CHECK(source->take().id == 3);
    played = true;
  }
  CHECK(played);
}

TEST_CASE("faster sessions have shorter gaps", "[workload]") {
  const TemporaryFile file(kSessions);
  WorkloadSpec spec = sessions(file.path(), AllAtOnceArrivals{50});
  spec.trace->speed = 10;
  const auto source = make_request_source(spec, 1, 0);
  const auto first = drain(*source, 100);
  REQUIRE(first.size() == 50);
  std::size_t running = 0;
  for (const Request& request : first) {
    source->ended(request, kSecond);
    running += request.input_tokens == 640 ? 1 : 0;
  }
  const auto second = drain(*source, 100);
  CHECK(second.size() == running);
  for (const Request& request : second) CHECK(request.arrival == 2 * kSecond);
}

TEST_CASE("sessions in a closed loop keep the number of users and their requests in order", "[workload]") {
  const LoadedWorkload workload(sessions(trace_file("claude_code_requests.csv.gz"), ClosedLoopArrivals{20, 1}));
  rc::prop("answers after any time", [&] {
    const auto source = workload.source(*rc::gen::arbitrary<std::uint64_t>(), 0);
    std::vector<std::pair<SimTime, Request>> in_flight;
    SimTime now = 0;
    for (std::uint64_t id = 0; id < 300; ++id) {
      // Ends everything that is due before the next arrival; users are in flight or waiting, never more than 20.
      while (!in_flight.empty() && in_flight.front().first <= source->next_arrival()) {
        const auto [end, request] = in_flight.front();
        in_flight.erase(in_flight.begin());
        source->ended(request, end);
      }
      RC_ASSERT(source->next_arrival() != kNever);
      const Request request = source->take();
      RC_ASSERT(request.id == id);
      RC_ASSERT(request.arrival >= now);
      RC_ASSERT(request.tenant >= 0 && request.tenant < 20);
      RC_ASSERT(request.cached_tokens < request.input_tokens);
      now = request.arrival;
      in_flight.emplace_back(now + *rc::gen::inRange<SimTime>(1, 100) * kSecond, request);
      std::sort(in_flight.begin(), in_flight.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      RC_ASSERT(in_flight.size() <= 20U);
    }
  });
}

TEST_CASE("open arrivals of sessions count sessions, and requests come at the rate of both", "[workload]") {
  // 32,357 requests in 471 sessions: 68.70 requests a session.
  const WorkloadSpec spec = sessions(trace_file("claude_code_requests.csv.gz"), PoissonArrivals{0.5});
  CHECK(mean_arrival_rate(spec) == Approx(34.35).epsilon(0.0001));
  const auto firsts = drained(spec, 2000);  // nothing is ever answered: only first requests
  const Moments gaps = moments(gaps_s(firsts));
  CHECK(std::abs(gaps.mean - 2) < 5 * gaps.standard_error());
  for (const Request& request : firsts) REQUIRE(request.cached_tokens == 0);
  CHECK(message_of([&] { drained(sessions(spec.trace->file, TraceArrivals{})); }) ==
        "workload \"test\": /arrivals/kind: \"trace\"; expected poisson, gamma, day_night, closed_loop or all_at_once: "
        "claude_code sessions have no absolute times");
}

TEST_CASE("a tenant's windows have the recorded rates, whatever its family and shape", "[workload]") {
  // 20/s, silence, then 60/s in three windows of 600 s: 12,000 and 36,000 requests. Shape 1/4 has CV 2 and counts with
  // four times Poisson's variance; Weibull shape 1/2 has CV^2 = 5.
  const std::vector<std::pair<std::string, double>> families = {{",", 1}, {"Gamma,0.25", 4}, {"Weibull,0.5", 5}};
  for (const auto& [family, dispersion] : families) {
    const TemporaryFile file(kRatesHead + "4,0,20,1," + family + ",1\n4,1200,60,1," + family + ",1\n");
    WorkloadSpec spec = replay_of(file.path(), TraceFormat::ServeGen);
    spec.lengths = IndependentLengths{{FixedLaw{5}}, {FixedLaw{6}}};
    CHECK(mean_arrival_rate(spec) == Approx(48'000.0 / 1800));
    double counts[3] = {};
    for (const Request& request : drained(spec, 100'000)) {
      REQUIRE(request.tenant == 4);
      counts[request.arrival / (600 * kSecond)] += 1;
    }
    CHECK(std::abs(counts[0] - 12'000) < 5 * std::sqrt(dispersion * 12'000));
    CHECK(counts[1] == 0);
    CHECK(std::abs(counts[2] - 36'000) < 5 * std::sqrt(dispersion * 36'000));
  }
}

TEST_CASE("tenants loop over their window and answer to speed and scale", "[workload]") {
  const TemporaryFile file(kRatesHead + "0,0,2,1,Gamma,1,1\n1,600,4,1,Weibull,1,1\n");
  WorkloadSpec spec = replay_of(file.path(), TraceFormat::ServeGen);
  spec.lengths = IndependentLengths{{FixedLaw{5}}, {FixedLaw{6}}};
  spec.trace->loop = true;
  spec.trace->from_s = 300;
  spec.trace->to_s = 900;
  spec.trace->speed = 10;
  // 300 s at 2/s and 300 s at 4/s: a round of 1,800 requests takes 60 s.
  CHECK(mean_arrival_rate(spec) == Approx(30));
  for (const double scale : {1.0, 3.0}) {
    const auto requests = drained(spec, 90'000, 1, scale);
    REQUIRE(requests.size() == 90'000);
    const double span = static_cast<double>(requests.back().arrival) / kSecond;
    CHECK(span == Approx(3000 / scale).epsilon(5 / std::sqrt(90'000.0)));
    for (std::size_t i = 1; i < requests.size(); ++i) {
      REQUIRE(requests[i].arrival >= requests[i - 1].arrival);
      const bool first_half = (requests[i].arrival / kSecond) % 60 < 30;
      REQUIRE(requests[i].tenant == (first_half ? 0 : 1));
    }
  }
}

TEST_CASE("DeepSeek-R1 tenants bring the recorded rate, lengths and reasoning share", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("servegen_r1_rates.csv.gz"), TraceFormat::ServeGen);
  spec.trace->lengths_file = trace_file("servegen_r1_lengths.csv.gz");
  const LoadedWorkload workload(spec);
  CHECK(workload.mean_arrival_rate() == Approx(16.01).margin(0.005));
  const auto source = workload.source(1, 0);
  std::vector<double> input, output;
  double reasoning = 0, total = 0, all = 0;
  while (source->next_arrival() != kNever) {
    const Request request = source->take();
    ++all;
    if (request.arrival >= 64'800 * kSecond) continue;
    input.push_back(static_cast<double>(request.input_tokens));
    output.push_back(static_cast<double>(request.output_tokens));
    reasoning += static_cast<double>(request.reasoning_tokens) / output.back();
    total += 1;
  }
  // Published for the measured 18 hours, request-weighted: 1,375.3 in, 1,827.7 out, reasoning share 0.699. A bursty
  // tenant's count is uncertain, so the mix of tenants is too: 1.5%.
  CHECK(all == Approx(1.3837e6).epsilon(0.01));
  CHECK(moments(input).mean == Approx(1375.3).epsilon(0.015));
  CHECK(moments(output).mean == Approx(1827.7).epsilon(0.015));
  CHECK(reasoning / total == Approx(0.699).margin(0.006));
}

TEST_CASE("servegen without lengths, or with a reasoning share beside its own, is refused", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("servegen_r1_rates.csv.gz"), TraceFormat::ServeGen);
  spec.reasoning_share = 0.5;
  CHECK(message_of([&] { drained(spec); }) ==
        "workload \"test\": /trace/lengths_file; expected the file of the tenants' lengths, or lengths\n"
        "workload \"test\": /reasoning_share: 0.5; expected no share: servegen files hold the tenants' own");
}
