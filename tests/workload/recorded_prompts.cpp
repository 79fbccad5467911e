#include <rapidcheck/catch.h>

#include "helpers.hpp"
#include "support/catch.hpp"
#include "tokenomics/workload/trace.hpp"
#include "unlimited_cache.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

/// Tokens of the leading blocks that two rows share, by their lists of hashes.
std::int64_t shared_by_hashes(const Trace& trace, const TraceRow& a, const TraceRow& b) {
  std::uint32_t blocks = 0;
  while (blocks < std::min(a.hash_count, b.hash_count) &&
         trace.hashes[a.first_hash + blocks] == trace.hashes[b.first_hash + blocks]) {
    ++blocks;
  }
  return std::min({std::int64_t{blocks} * trace.block_tokens, a.input_tokens, b.input_tokens});
}

/// Share of the input that an unlimited cache holds, requests one after the other; each row's hits are those of the file.
double reuse_in_order(RequestSource& source, const std::vector<Request>& requests) {
  UnlimitedCache cache(*source.prompts());
  double input = 0, hits = 0;
  for (const Request& request : requests) {
    const std::int64_t hit = cache.hit(request);
    REQUIRE(std::min(hit, request.input_tokens - 1) == request.cached_tokens);
    input += static_cast<double>(request.input_tokens);
    hits += static_cast<double>(hit);
    cache.keep(request);
  }
  return hits / input;
}

}  // namespace

TEST_CASE("prompts of a hand-made trace branch where their hashes part", "[workload]") {
  const auto row = [](int tokens, const std::string& ids) {
    return R"({"timestamp": 0, "input_length": )" + std::to_string(tokens) + R"(, "output_length": 1, "hash_ids": )" + ids +
           "}\n";
  };
  // The second goes on where the first ends; the third leaves the path after one block; the fourth is part of the second;
  // the fifth shares nothing.
  const TemporaryFile file(row(1024, "[0, 1]") + row(1500, "[0, 1, 2]") + row(1024, "[0, 3]") + row(1024, "[0, 1]") +
                           row(100, "[9]"));
  const auto source = make_request_source(replay_of(file.path(), TraceFormat::Mooncake), 1, 0);
  const auto requests = drain(*source, 10);
  const PromptTree& tree = *source->prompts();
  REQUIRE(requests.size() == 5);
  CHECK(requests[1].segment == requests[0].segment);
  CHECK(requests[3].segment == requests[0].segment);
  CHECK(tree.parent(requests[2].segment) == requests[0].segment);
  CHECK(tree.begin(requests[2].segment) == 512);
  CHECK(tree.parent(requests[4].segment) == kNoSegment);
  CHECK(tree.live() == 3);
  CHECK(requests[1].reusable_tokens == 1500);
  CHECK(requests[1].session == -1);
}

TEST_CASE("any two prompts of a Mooncake trace share by the tree what they share by their hashes", "[workload]") {
  for (const std::string name : {"mooncake_conversation.jsonl.gz", "mooncake_synthetic.jsonl.gz"}) {
    const Trace trace = read_trace(trace_file(name), TraceFormat::Mooncake);
    const auto source = make_request_source(replay_of(trace_file(name), TraceFormat::Mooncake), 1, 0);
    const auto requests = drain(*source, trace.rows.size());
    REQUIRE(requests.size() == trace.rows.size());
    CHECK(source->prompts()->live() <= trace.rows.size());
    for (std::size_t i = 0; i < requests.size(); i += 13) {
      for (std::size_t j = 0; j <= i; j += 7) {
        REQUIRE(shared_prefix(*source->prompts(), requests[i], requests[j]) ==
                shared_by_hashes(trace, trace.rows[i], trace.rows[j]));
      }
    }
  }
}

TEST_CASE("an unlimited cache finds the recorded share of the Mooncake traces by walking the tree", "[workload]") {
  const auto reuse = [](const std::string& name) {
    const auto source = make_request_source(replay_of(trace_file(name), TraceFormat::Mooncake), 1, 0);
    return reuse_in_order(*source, drain(*source, 10'000));
  };
  CHECK(reuse("mooncake_conversation.jsonl.gz") == Approx(0.358).margin(0.0005));
  CHECK(reuse("mooncake_synthetic.jsonl.gz") == Approx(0.651).margin(0.0005));
}

TEST_CASE("a looping replay comes back to the same segments", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("mooncake_synthetic.jsonl.gz"), TraceFormat::Mooncake);
  spec.trace->loop = true;
  const auto source = make_request_source(spec, 1, 0);
  const auto requests = drain(*source, 2 * 3993);
  for (std::size_t i = 0; i < 3993; ++i) REQUIRE(requests[i].segment == requests[i + 3993].segment);
}

TEST_CASE("replays without hashes, and lengths drawn beside a trace, name no segments", "[workload]") {
  WorkloadSpec spec = replay_of(trace_file("mooncake_synthetic.jsonl.gz"), TraceFormat::Mooncake);
  spec.lengths = IndependentLengths{{FixedLaw{100}}, {FixedLaw{10}}};
  const auto source = make_request_source(spec, 1, 0);
  CHECK(source->prompts() == nullptr);
  CHECK(source->take().segment == kNoSegment);
}

namespace {

WorkloadSpec claude(const std::string& file, ArrivalSpec arrivals) {
  WorkloadSpec spec = replay_of(file, TraceFormat::ClaudeCode);
  spec.arrivals = std::move(arrivals);
  return spec;
}

constexpr SimTime kSecond = 1'000'000'000;

/// Plays calls one after the other, each answered in a second.
template <class Visit>
void play(RequestSource& source, std::size_t calls, Visit visit) {
  for (std::size_t i = 0; i < calls; ++i) {
    const Request request = source.take();
    visit(request);
    source.ended(request, request.arrival + kSecond);
  }
}

}  // namespace

TEST_CASE("calls of a hand-made session go on in their segment, leave it and come back", "[workload]") {
  // 640 tokens; goes on; falls back to 5 blocks and differs from there; a sub-agent with the first 2 blocks; the main
  // agent returns to the prompt before the fall, of which its own last one has only the 5 blocks.
  const TemporaryFile file(
      "session,agent,seq,t_s,type,model,in_tokens,out_tokens,input_types,stop,think_time_s,api_time_s,ttft_s,blocks64,"
      "prefix_blocks_prev,prefix_blocks_session\n"
      "a,main,0,0,n,m,650,5,text,x,,2,,10,0,0\n"
      "a,main,1,12,n,m,1280,6,tool_result,x,1,4,,20,10,10\n"
      "a,main,2,30,n,m,800,9,text,x,1,1,,12,5,5\n"
      "a,sub,0,30,n,m,300,9,text,x,1,1,,4,0,2\n"
      "a,main,3,40,n,m,1400,9,text,x,1,1,,21,5,20\n");
  const auto source = make_request_source(claude(file.path(), ClosedLoopArrivals{1, 0}), 1, 0);
  const PromptTree& tree = *source->prompts();
  std::vector<Request> calls;
  play(*source, 5, [&](const Request& request) {
    calls.push_back(request);
    if (calls.size() == 3) {
      CHECK(tree.parent(request.segment) == calls[0].segment);
      CHECK(tree.begin(request.segment) == 320);
    }
    if (calls.size() == 4) CHECK(tree.begin(request.segment) == 128);
  });
  CHECK(calls[1].segment == calls[0].segment);
  CHECK(calls[4].segment == calls[0].segment);
  CHECK(calls[0].reusable_tokens == 640);  // whole blocks
  CHECK(calls[4].cached_tokens == 1280);
  CHECK(tree.live() == 3);  // those of the last call may still be asked for
  const Request next = source->take();
  CHECK(next.session == calls[0].session + 1);
  CHECK(tree.live() == 1);
}

TEST_CASE("each Claude Code call finds by the tree of its session the recorded prefix: 96.3% of all tokens", "[workload]") {
  const auto source = make_request_source(claude(trace_file("claude_code_requests.csv.gz"), ClosedLoopArrivals{1, 0}), 1, 0);
  std::int64_t session = -1;
  std::optional<UnlimitedCache> cache;
  double input = 0, hits = 0;
  play(*source, 60'000, [&](const Request& request) {
    if (request.session != session) cache.emplace(*source->prompts());  // nothing is shared between sessions
    session = request.session;
    REQUIRE(std::min(cache->hit(request), request.input_tokens - 1) == request.cached_tokens);
    cache->keep(request);
    input += static_cast<double>(request.input_tokens);
    hits += static_cast<double>(request.cached_tokens);
  });
  CHECK(hits / input == Approx(0.963).margin(0.015));  // of some 870 sessions drawn with replacement
}

TEST_CASE("segments of ended sessions are given back", "[workload]") {
  const auto source = make_request_source(claude(trace_file("claude_code_requests.csv.gz"), ClosedLoopArrivals{3, 0}), 1, 0);
  std::size_t most = 0;
  play(*source, 50'000, [&](const Request&) { most = std::max(most, source->prompts()->live()); });
  // Three users at a time; the session with the most segments has 159.
  CHECK(most <= 3U * 159U);
  CHECK(source->take().session > 500);
}

TEST_CASE("a cached prefix covers the published shares of Claude Code's tool and user gaps", "[workload]") {
  const TraceStatistics s = statistics_of(read_trace(trace_file("claude_code_requests.csv.gz"), TraceFormat::ClaudeCode));
  const auto covers = [](const GapStatistics& gaps, std::array<double, 4> percent) {
    for (std::size_t i = 0; i < percent.size(); ++i) CHECK(gaps.covered[i] * 100 == Approx(percent[i]).margin(0.05));
  };
  covers(s.tool_gaps, {87.8, 96.5, 98.0, 99.7});
  covers(s.user_gaps, {34.8, 69.1, 80.0, 97.4});
  CHECK(s.tool_gaps.p50_s == 9);
  CHECK(s.user_gaps.p50_s == Approx(124).margin(0.5));
  CHECK(s.reusable_input_share == Approx(0.963).margin(0.0005));
  const double gaps = static_cast<double>(s.tool_gaps.count + s.user_gaps.count);
  CHECK(static_cast<double>(s.tool_gaps.count) / gaps == Approx(0.86).margin(0.005));
  CHECK(statistics_of(read_trace(trace_file("mooncake_synthetic.jsonl.gz"), TraceFormat::Mooncake)).tool_gaps.count == 0);
}
