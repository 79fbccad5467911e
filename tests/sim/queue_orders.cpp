// Who of a queue is admitted next.
#include <algorithm>

#include "../../sim/serving/prompt_queue.hpp"
#include "support/catch.hpp"
#include "support/one_service.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// One at a time: 1 ms a prompt token and 1 s a decode step, so that whoever is served first is plain to see.
ServiceConfig one_at_a_time(const StepTimer& timer, QueueOrder order) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 1;
  config.pools[0].batching.queue = order;
  return config;
}

LinearTimer milliseconds() {
  LinearTimer timer;
  timer.fixed_s = 1e-3;
  return timer;
}

Request of_class(double arrival_ms, std::int32_t priority, std::int64_t input = 10, std::int64_t output = 1) {
  Request r = request(arrival_ms, input, output);
  r.priority = priority;
  return r;
}

/// Requests by the time of their first token.
std::vector<std::uint64_t> order_of_service(const Outcomes& outcomes) {
  std::vector<std::pair<SimTime, std::uint64_t>> firsts;
  for (const auto& [id, record] : outcomes.of) firsts.emplace_back(record.first_token, id);
  std::sort(firsts.begin(), firsts.end());
  std::vector<std::uint64_t> ids;
  for (const auto& one : firsts) ids.push_back(one.second);
  return ids;
}

using Order = std::vector<std::uint64_t>;

}  // namespace

// 0 is served at once, for 5 steps; the others wait for it.
TEST_CASE("Classes go before arrival, arrival counts inside a class", "[sim][queue]") {
  const LinearTimer timer = milliseconds();
  const std::vector<Request> requests{of_class(0, 2, 10, 5), of_class(1, 2),   of_class(2, 1),
                                      of_class(3, 0),        of_class(3.5, 1), of_class(4, 0)};
  CHECK(order_of_service(serve(one_at_a_time(timer, QueueOrder::Priority), requests)) == Order{0, 3, 5, 2, 4, 1});
  CHECK(order_of_service(serve(one_at_a_time(timer, QueueOrder::Fcfs), requests)) == Order{0, 1, 2, 3, 4, 5});
}

// Aging of 1 ms a class: ranks are arrival + class in ms, 1.5 + 2, 2 + 1, 2.5 + 1, 3.4 and 3.6; of the two 3.5 the earlier.
TEST_CASE("With aging a class is worth so much waiting", "[sim][queue]") {
  const LinearTimer timer = milliseconds();
  ServiceConfig config = one_at_a_time(timer, QueueOrder::Priority);
  config.pools[0].batching.priority_aging_s = 1e-3;
  const std::vector<Request> requests{of_class(0, 0, 10, 6), of_class(1.5, 2), of_class(2, 1),
                                      of_class(2.5, 1),      of_class(3.4, 0), of_class(3.6, 0)};
  CHECK(order_of_service(serve(config, requests)) == Order{0, 2, 4, 1, 3, 5});
}

TEST_CASE("Shortest prompt counts what is to be computed, longest prefix what is there", "[sim][queue]") {
  const LinearTimer timer = milliseconds();
  std::vector<Request> requests{of_class(0, 0, 10, 6), of_class(1, 0, 300), of_class(2, 0, 1000), of_class(3, 0, 200),
                                of_class(4, 0, 300)};
  requests[2].cached_tokens = 950;  // 50 to compute
  requests[4].cached_tokens = 20;   // 280
  CHECK(order_of_service(serve(one_at_a_time(timer, QueueOrder::ShortestPrompt), requests)) == Order{0, 2, 3, 4, 1});
  CHECK(order_of_service(serve(one_at_a_time(timer, QueueOrder::LongestPrefix), requests)) == Order{0, 2, 4, 1, 3});
}

TEST_CASE("A queue gives its sequences back in the order of their ranks, whoever is taken out between", "[sim][queue]") {
  rc::prop("heap", [] {
    SequenceStore store;
    BatchingSpec batching;
    batching.queue = static_cast<QueueOrder>(*rc::gen::inRange(0, 4));
    if (*rc::gen::inRange(0, 2) == 1) batching.batch_tier = BatchTier{2, 0.5, false};
    PromptQueue queue(batching);
    std::vector<Slot> waiting;
    std::int64_t tokens = 0;
    for (int k = 0; k < 60; ++k) {
      Request r;
      r.id = static_cast<std::uint64_t>(k);
      r.arrival = k;
      r.priority = *rc::gen::inRange(0, 4);
      r.input_tokens = *rc::gen::inRange(1, 50);
      r.cached_tokens = *rc::gen::inRange(0, static_cast<int>(r.input_tokens));
      const Slot slot = store.add(r);
      queue.push(store, slot);
      waiting.push_back(slot);
      tokens += r.input_tokens - r.cached_tokens;
      if (*rc::gen::inRange(0, 3) == 0) {
        const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(waiting.size())));
        queue.remove(store, waiting[at]);
        tokens -= store[waiting[at]].request.input_tokens - store[waiting[at]].request.cached_tokens;
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
      }
      RC_ASSERT(queue.tokens() == tokens);
      RC_ASSERT(queue.size() == static_cast<std::int64_t>(waiting.size()));
    }
    const auto before = [&](Slot a, Slot b) {
      const Request &ra = store[a].request, &rb = store[b].request;
      const bool batch_a = queue.is_batch(store[a]), batch_b = queue.is_batch(store[b]);
      if (batch_a != batch_b) return batch_b;
      const auto key = [&](const Request& r) -> std::int64_t {
        if (batching.queue == QueueOrder::Priority) return r.priority;
        if (batching.queue == QueueOrder::ShortestPrompt) return r.input_tokens - r.cached_tokens;
        return batching.queue == QueueOrder::LongestPrefix ? -r.cached_tokens : 0;
      };
      return key(ra) != key(rb) ? key(ra) < key(rb) : ra.arrival < rb.arrival;
    };
    std::sort(waiting.begin(), waiting.end(), before);
    for (const Slot slot : waiting) {
      RC_ASSERT(queue.front() == slot);
      queue.remove(store, slot);
    }
    RC_ASSERT(queue.empty());
  });
}

// Room for one sequence of 30 tokens and a little: the second is preempted when memory runs out, and computed again before
// those that wait.
TEST_CASE("A preempted sequence goes before those that wait, in its own class", "[sim][queue]") {
  LinearTimer timer = milliseconds();
  ServiceConfig config = one_instance(timer);
  config.pools[0].kv_tokens = 60;
  config.pools[0].batching.max_sequences = 2;
  for (const QueueOrder order : {QueueOrder::Fcfs, QueueOrder::ShortestPrompt, QueueOrder::LongestPrefix}) {
    config.pools[0].batching.queue = order;
    const Outcomes o = serve(config, {of_class(0, 0, 20, 25), of_class(0, 0, 20, 25), of_class(1, 0, 2, 2)});
    CHECK(o.of.at(1).preemptions == 1);
    CHECK(o.of.at(2).scheduled >= o.of.at(0).end);
    CHECK(o.of.at(2).first_token > o.of.at(1).first_token);
  }
}
