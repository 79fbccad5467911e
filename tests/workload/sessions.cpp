#include <map>
#include <optional>

#include <rapidcheck/catch.h>

#include "helpers.hpp"
#include "support/catch.hpp"
#include "tokenomics/workload/length_statistics.hpp"
#include "tokenomics/workload/quantiles.hpp"
#include "unlimited_cache.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

constexpr SimTime kSecond = 1'000'000'000;

LengthMarginal fixed(double value) { return {FixedLaw{value}}; }

/// System prompt 100, first prompt 300, three calls, each answer 40 and 60 tokens added after it.
WorkloadSpec plain(ArrivalSpec arrivals = ClosedLoopArrivals{1, 7}) {
  WorkloadSpec spec;
  spec.name = "test";
  spec.arrivals = std::move(arrivals);
  spec.sessions = SessionSpec{};
  SessionSpec& s = *spec.sessions;
  s.system_prompt_tokens = 100;
  s.first_prompt = fixed(300);
  s.calls = fixed(3);
  s.added = fixed(60);
  s.output = fixed(40);
  s.think_time = TimeMarginal{FixedLaw{5}};
  return spec;
}

/// Answers each call a second after it came, in order; at most one in flight unless several are due at once.
template <class Visit>
void play(RequestSource& source, std::size_t calls, Visit visit) {
  for (std::size_t i = 0; i < calls; ++i) {
    const Request request = source.take();
    visit(request);
    source.ended(request, request.arrival + kSecond);
  }
}

std::vector<Request> played(const WorkloadSpec& spec, std::size_t calls, std::uint64_t seed = 1) {
  std::vector<Request> result;
  const auto source = make_request_source(spec, seed, 0);
  play(*source, calls, [&](const Request& request) { result.push_back(request); });
  return result;
}

}  // namespace

TEST_CASE("a generated session worked by hand", "[workload]") {
  // Prompts 300, 300 + 40 + 60 = 400, 500; gaps of 5 s after answers of 1 s; another session 7 s after the last answer.
  const auto calls = played(plain(), 4);
  CHECK(calls[0].input_tokens == 300);
  CHECK(calls[0].cached_tokens == 100);  // the system prompt
  CHECK(calls[0].reusable_tokens == 340);
  CHECK(calls[1].input_tokens == 400);
  CHECK(calls[1].cached_tokens == 340);
  CHECK(calls[1].arrival == 6 * kSecond);
  CHECK(calls[2].input_tokens == 500);
  CHECK(calls[2].segment == calls[0].segment);
  CHECK(calls[2].session == 0);
  CHECK(calls[3].session == 1);
  CHECK(calls[3].arrival == (12 + 1 + 7) * kSecond);
  CHECK(calls[3].input_tokens == 300);
}

TEST_CASE("reasoning is dropped from the history, and the answer behind it has to be computed again", "[workload]") {
  WorkloadSpec spec = plain();
  spec.reasoning_share = 0.75;  // 30 of 40 tokens
  const auto calls = played(spec, 2);
  CHECK(calls[0].reasoning_tokens == 30);
  CHECK(calls[0].reusable_tokens == 300);
  CHECK(calls[1].input_tokens == 300 + 10 + 60);
  CHECK(calls[1].cached_tokens == 300);
}

TEST_CASE("a session that would outgrow its context is compacted to a new history behind the system prompt", "[workload]") {
  // 400 + 40 fits into 450; 500 + 40 does not: 200 tokens follow.
  WorkloadSpec spec = plain();
  spec.sessions->context_limit_tokens = 450;
  spec.sessions->compacted = fixed(200);
  const auto source = make_request_source(spec, 1, 0);
  std::vector<Request> calls;
  play(*source, 3, [&](const Request& request) { calls.push_back(request); });
  CHECK(calls[1].input_tokens == 400);
  CHECK(calls[2].input_tokens == 200);
  CHECK(calls[2].cached_tokens == 100);
  CHECK(calls[2].segment != calls[1].segment);
  CHECK(source->prompts()->parent(calls[2].segment) == source->prompts()->parent(calls[0].segment));
  spec.sessions->first_prompt = fixed(9000);  // cut: 450 - 40
  CHECK(played(spec, 1)[0].input_tokens == 410);
  spec.sessions->output = fixed(9000);
  CHECK(played(spec, 1)[0].output_tokens == 449);
  CHECK(played(spec, 1)[0].input_tokens == 1);
}

TEST_CASE("a rewritten history goes on at its length, but only the system prompt is found", "[workload]") {
  WorkloadSpec spec = plain();
  spec.sessions->rewrite_probability = 1;
  const auto calls = played(spec, 2);
  CHECK(calls[1].input_tokens == 400);
  CHECK(calls[1].cached_tokens == 100);
  CHECK(calls[1].segment != calls[0].segment);
}

TEST_CASE("sub-agents run side by side and the main agent goes on when the last is done", "[workload]") {
  WorkloadSpec spec = plain();
  spec.sessions->sub_agents = SubAgentSpec{1.0, fixed(2), fixed(2), fixed(150)};
  spec.sessions->tool_time = TimeMarginal{FixedLaw{3}};
  const auto source = make_request_source(spec, 1, 0);
  const Request main = source->take();
  source->ended(main, kSecond);
  const Request a = source->take(), b = source->take();
  CHECK(a.arrival == kSecond);
  CHECK(b.arrival == kSecond);
  CHECK(a.segment != b.segment);
  CHECK(a.input_tokens == 150);
  CHECK(a.session == main.session);
  CHECK(source->next_arrival() == kNever);
  source->ended(a, 2 * kSecond);
  source->ended(b, 4 * kSecond);
  const Request a2 = source->take(), b2 = source->take();
  CHECK(a2.arrival == 5 * kSecond);  // the tool's 3 s
  CHECK(a2.input_tokens == 250);
  source->ended(a2, 6 * kSecond);
  CHECK(source->next_arrival() == kNever);
  source->ended(b2, 9 * kSecond);
  const Request second = source->take();
  CHECK(second.arrival == 9 * kSecond);
  CHECK(second.input_tokens == 400);
  CHECK(second.segment == main.segment);
}

namespace {

/// A workload with everything on, in small numbers.
WorkloadSpec random_sessions(bool open) {
  WorkloadSpec spec = plain(open ? ArrivalSpec(PoissonArrivals{2}) : ArrivalSpec(ClosedLoopArrivals{5, 1}));
  SessionSpec& s = *spec.sessions;
  s.system_prompt_tokens = *rc::gen::inRange<std::int64_t>(0, 200);
  s.system_prompt_versions = *rc::gen::inRange<std::int64_t>(1, 4);
  s.first_prompt = {LognormalLaw{5, 1}};
  s.calls = {GeometricLaw{*rc::gen::inRange(0, 95) * 0.01}};
  s.added = {GammaLaw{0.7, 100}};
  s.output = {LognormalLaw{3, 1}};
  s.tool_share = 0.5;
  s.tool_time = TimeMarginal{FixedLaw{0.5}};
  s.compaction_probability = *rc::gen::inRange(0, 20) * 0.01;
  s.compacted = {UniformLaw{10, 400}};
  s.rewrite_probability = *rc::gen::inRange(0, 20) * 0.01;
  if (*rc::gen::arbitrary<bool>()) s.context_limit_tokens = *rc::gen::inRange<std::int64_t>(400, 3000);
  if (*rc::gen::arbitrary<bool>()) s.sub_agents = SubAgentSpec{0.2, {UniformLaw{1, 3}}, {GeometricLaw{0.5}}, fixed(120)};
  spec.reasoning_share = *rc::gen::element(0.0, 0.5);
  return spec;
}

}  // namespace

TEST_CASE("sessions of any kind keep their laws, and their hits are those of an unlimited cache on the tree", "[workload]") {
  rc::prop("answers after any time", [] {
    const WorkloadSpec spec = random_sessions(*rc::gen::arbitrary<bool>());
    const std::int64_t limit = spec.sessions->context_limit_tokens.value_or(1'000'000'000);
    const auto source = make_request_source(spec, *rc::gen::arbitrary<std::uint64_t>(), 0);
    std::vector<std::pair<SimTime, Request>> in_flight;
    std::map<SegmentId, std::int64_t> held;  // of segments under way: what is cached of them
    SimTime now = 0;
    for (std::uint64_t id = 0; id < 400; ++id) {
      while (!in_flight.empty() && in_flight.front().first <= source->next_arrival()) {
        const auto [end, request] = in_flight.front();
        in_flight.erase(in_flight.begin());
        held[request.segment] = request.reusable_tokens;
        source->ended(request, end);
      }
      const Request request = source->take();
      RC_ASSERT(request.id == id);
      RC_ASSERT(request.arrival >= now);
      now = request.arrival;
      RC_ASSERT(request.input_tokens + request.output_tokens <= limit);
      RC_ASSERT(request.cached_tokens >= 0 && request.cached_tokens < request.input_tokens);
      RC_ASSERT(request.reasoning_tokens < request.output_tokens);
      RC_ASSERT(request.reusable_tokens >= request.input_tokens);
      const std::int64_t system = spec.sessions->system_prompt_tokens;
      RC_ASSERT(source->prompts()->begin(request.segment) == system);
      // The first call of a segment finds the system prompt, every later one what the call before left.
      const bool is_first = request.cached_tokens <= system;
      if (!is_first) RC_ASSERT(request.cached_tokens == std::min(held.at(request.segment), request.input_tokens - 1));
      in_flight.emplace_back(now + *rc::gen::inRange<SimTime>(1, 3000) * 1'000'000, request);
      std::sort(in_flight.begin(), in_flight.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    }
  });
}

TEST_CASE("the n-th session is the same however fast the service is", "[workload]") {
  WorkloadSpec spec = plain(ClosedLoopArrivals{4, 0});
  spec.sessions->calls = {GeometricLaw{0.8}};
  spec.sessions->added = {LognormalLaw{5, 1}};
  const auto inputs = [&](SimTime service) {
    std::map<std::int64_t, std::vector<std::int64_t>> result;
    const auto source = make_request_source(spec, 1, 0);
    for (int i = 0; i < 2000; ++i) {
      const Request request = source->take();
      result[request.session].push_back(request.input_tokens);
      source->ended(request, request.arrival + (request.session % 4 + 1) * service);
    }
    return result;
  };
  const auto fast = inputs(kSecond), slow = inputs(30 * kSecond);
  for (std::int64_t session = 0; session < 50; ++session) CHECK(fast.at(session) == slow.at(session));
}

TEST_CASE("a million generated calls live in the segments of the sessions under way", "[workload]") {
  WorkloadSpec spec = plain(ClosedLoopArrivals{50, 1});
  SessionSpec& s = *spec.sessions;
  s.calls = {GammaLaw{1.079, 62.8}};
  s.added = {LognormalLaw{6, 1}};
  s.rewrite_probability = 0.05;
  s.sub_agents = SubAgentSpec{0.02, fixed(2), fixed(10), fixed(150)};
  const auto source = make_request_source(spec, 1, 0);
  std::size_t most = 0;
  SegmentId largest = 0;
  std::vector<Request> batch;
  for (int i = 0; i < 1'000'000;) {
    batch.clear();
    while (batch.size() < 40 && source->next_arrival() != kNever) batch.push_back(source->take());
    for (const Request& request : batch) {
      most = std::max(most, source->prompts()->live());
      largest = std::max(largest, request.segment);
      source->ended(request, request.arrival + kSecond);
      ++i;
    }
  }
  // 50 users, each with a main agent and at most two sub-agents; the system prompt; one that is let go a call later.
  CHECK(most <= 50U * 3U + 2U);
  CHECK(largest <= 50U * 3U + 2U);
}

TEST_CASE("open arrivals count sessions; calls come at the rate of both, sub-agents included", "[workload]") {
  WorkloadSpec spec = plain(PoissonArrivals{0.5});
  CHECK(mean_arrival_rate(spec) == Approx(1.5));
  // Two of the three calls start 1.5 sub-agents of 4 calls with a probability of 0.25: 3 more.
  spec.sessions->sub_agents = SubAgentSpec{0.25, {UniformLaw{0.6, 2.4}}, fixed(4), fixed(150)};
  CHECK(mean_arrival_rate(spec) == Approx(0.5 * 6).epsilon(0.001));
  CHECK_FALSE(mean_arrival_rate(plain()));
  std::size_t calls = 0;
  SimTime last = 0;
  const auto source = make_request_source(spec, 1, 0);
  play(*source, 60'000, [&](const Request& request) { last = request.arrival, ++calls; });
  // A session's calls have a standard deviation near 4.5 about 6, with 10,000 sessions: 1.3% with the arrivals' own.
  CHECK(static_cast<double>(calls) / static_cast<double>(last) * 1e9 == Approx(3).epsilon(0.05));
}

TEST_CASE("the law of generated lengths is that of the calls that a source sends", "[workload]") {
  WorkloadSpec spec = plain(ClosedLoopArrivals{20, 0});
  spec.sessions->calls = {GammaLaw{2, 10}};
  spec.sessions->added = {LognormalLaw{5, 1}};
  spec.sessions->sub_agents = SubAgentSpec{0.05, fixed(2), fixed(5), fixed(150)};
  const LoadedWorkload workload(spec);
  RandomStream random(1, "test");
  const auto sample = workload.length_law()->representative(16384, random);
  const LengthStatistics law = statistics_of(sample);
  std::vector<Lengths> sent;
  const auto source = workload.source(5, 0);
  play(*source, 300'000, [&](const Request& r) {
    sent.push_back({r.input_tokens, r.cached_tokens, r.output_tokens, r.reasoning_tokens});
  });
  const LengthStatistics of_source = statistics_of(sent);
  // Some 13,000 sessions each; prompts grow over a session, so means move by 1% from sample to sample.
  CHECK(law.mean_input == Approx(of_source.mean_input).epsilon(0.04));
  CHECK(law.mean_cached == Approx(of_source.mean_cached).epsilon(0.04));
  CHECK(law.mean_output == Approx(40));
  CHECK(law.kv_per_output_token == Approx(of_source.kv_per_output_token).epsilon(0.04));
}

TEST_CASE("gamma and geometric laws have their means", "[workload]") {
  // Gamma 1.079 x 62.8 = 67.8, rounded to whole calls of at least 1. Geometric with 3/4: 1 / (1 - 3/4) = 4.
  CHECK(MarginalSampler({GammaLaw{1.079, 62.8}}).mean_tokens() == Approx(67.8).epsilon(0.005));
  CHECK(MarginalSampler({GeometricLaw{0.75}}).mean_tokens() == Approx(4).epsilon(0.002));
  CHECK(quantile(GeometricLaw{0.75}, 0.2) == 1);   // below 1 - 3/4
  CHECK(quantile(GeometricLaw{0.75}, 0.26) == 2);  // up to 1 - 9/16
  CHECK(quantile(GeometricLaw{0}, 0.99) == 1);
  CHECK(quantile(GammaLaw{1, 2}, 0.5) == Approx(2 * std::log(2)).epsilon(1e-3));
}

TEST_CASE("sessions that contradict themselves are refused", "[workload]") {
  WorkloadSpec spec = plain();
  spec.sessions->tool_share = 1.5;
  spec.sessions->context_limit_tokens = 101;
  spec.sessions->calls = {GeometricLaw{1}};
  CHECK(
      message_of([&] { LoadedWorkload{spec}; }) ==
      "workload \"test\": /sessions/calls/continue_probability: 1; expected a number from 0 to below 1\n"
      "workload \"test\": /sessions/tool_share: 1.5; expected a number from 0 to 1\n"
      "workload \"test\": /sessions/compaction/tokens_after; expected what a compacted prompt holds: sessions here come to "
      "compaction\n"
      "workload \"test\": /sessions/context_limit_tokens: 101; expected more than the system prompt of 100 tokens, a token "
      "of prompt and one of answer");
  WorkloadSpec both = plain(TraceArrivals{});
  both.lengths = IndependentLengths{fixed(1), fixed(1)};
  both.cache_hit_ratio = 0.5;
  CHECK(
      message_of([&] { LoadedWorkload{both}; }) ==
      "workload \"test\": /lengths: beside sessions; expected lengths or sessions: sessions make their lengths\n"
      "workload \"test\": /arrivals/kind: \"trace\"; expected poisson, gamma, day_night, closed_loop or all_at_once, which "
      "start sessions\n"
      "workload \"test\": /cache_hit_ratio: 0.5; expected no ratio: sessions know what their prompts share");
}
