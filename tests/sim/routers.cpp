// Routers on their own: what they choose from what they see.
#include <map>
#include <set>

#include "../../sim/core/lru_map.hpp"
#include "../../sim/serving/router/available_set.hpp"
#include "../../sim/serving/router/prefix_index.hpp"
#include "../../sim/serving/router/router.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/random.hpp"
//
#include <rapidcheck/catch.h>

using namespace tokenomics;

namespace {

constexpr RouterPolicy kAll[] = {RouterPolicy::RoundRobin, RouterPolicy::LeastLoaded,     RouterPolicy::LeastTokens,
                                 RouterPolicy::PowerOfTwo, RouterPolicy::SessionAffinity, RouterPolicy::CacheAware};

RouterContext pool_of(int instances, PromptTree* prompts = nullptr) {
  RouterContext context;
  context.instances = instances;
  context.prompts = prompts;
  return context;
}

RoutedRequest of_session(std::int64_t session) { return {100, session, kNoSegment}; }
RoutedRequest of_segment(SegmentId segment, std::int64_t tokens) { return {tokens, -1, segment}; }

}  // namespace

TEST_CASE("Round robin passes over instances that are not available", "[sim][router]") {
  const auto router = make_router(RouterPolicy::RoundRobin, pool_of(4));
  CHECK(router->choose({}) == 0);
  CHECK(router->choose({}) == 1);
  router->set_available(2, false);
  CHECK(router->choose({}) == 3);
  CHECK(router->choose({}) == 0);
  router->set_available(2, true);
  CHECK(router->choose({}) == 1);
  CHECK(router->choose({}) == 2);
  router->set_available(3, false);
  router->set_available(0, false);
  CHECK(router->choose({}) == 1);  // behind 2 come 3 and 0, which are gone
}

TEST_CASE("Least loaded counts requests, least tokens their prompts", "[sim][router]") {
  const auto requests = make_router(RouterPolicy::LeastLoaded, pool_of(3));
  const auto tokens = make_router(RouterPolicy::LeastTokens, pool_of(3));
  for (const auto& router : {requests.get(), tokens.get()}) {
    router->load_changed(0, {5, 100});
    router->load_changed(1, {2, 9000});
    router->load_changed(2, {3, 200});
  }
  CHECK(requests->choose({}) == 1);
  CHECK(tokens->choose({}) == 0);
  requests->set_available(1, false);
  CHECK(requests->choose({}) == 2);
  requests->load_changed(1, {0, 0});  // drains while it is away
  CHECK(requests->choose({}) == 2);
  requests->set_available(1, true);
  CHECK(requests->choose({}) == 1);
}

TEST_CASE("No policy chooses an instance that is not available, and none is an answer", "[sim][router]") {
  rc::prop("available", [] {
    const int n = *rc::gen::inRange(1, 9);
    PromptTree tree;
    const SegmentId segment = tree.add(kNoSegment, 0);
    for (const RouterPolicy policy : kAll) {
      const auto router = make_router(policy, pool_of(n, &tree));
      std::set<int> available;
      for (int i = 0; i < n; ++i) available.insert(i);
      for (int k = 0; k < 60; ++k) {
        const int i = *rc::gen::inRange(0, n);
        const bool up = *rc::gen::inRange(0, 2) == 1;
        router->set_available(i, up);
        if (up) available.insert(i);
        else available.erase(i);
        router->load_changed(*rc::gen::inRange(0, n), {*rc::gen::inRange(0, 100), *rc::gen::inRange(0, 100)});
        const int chosen = router->choose({100, *rc::gen::inRange(-1, 3), segment});
        const bool sound = available.empty() ? chosen == Router::kNobody : available.count(chosen) == 1;
        RC_ASSERT(sound);
      }
    }
  });
}

TEST_CASE("Power of two takes the lesser of two different instances, all pairs alike", "[sim][router]") {
  const auto router = make_router(RouterPolicy::PowerOfTwo, pool_of(4));
  for (int i = 0; i < 4; ++i) router->load_changed(i, {i, 0});
  std::map<int, int> chosen;
  constexpr int kDraws = 60'000;
  for (int k = 0; k < kDraws; ++k) ++chosen[router->choose({})];
  // Of the six pairs, three have 0 in them, two have 1 as the lesser, one has 2; 3 is never the lesser.
  CHECK(chosen[0] == Approx(kDraws * 3 / 6.0).epsilon(0.02));
  CHECK(chosen[1] == Approx(kDraws * 2 / 6.0).epsilon(0.02));
  CHECK(chosen[2] == Approx(kDraws * 1 / 6.0).epsilon(0.03));
  CHECK(chosen[3] == 0);
}

TEST_CASE("Sessions stay where they began, however loaded it is, until the instance goes or they are forgotten",
          "[sim][router]") {
  RouterContext context = pool_of(3);
  context.rules.remembered_sessions = 2;
  const auto router = make_router(RouterPolicy::SessionAffinity, context);
  router->load_changed(0, {9, 0});
  router->load_changed(1, {1, 0});
  router->load_changed(2, {2, 0});
  CHECK(router->choose(of_session(7)) == 1);
  router->load_changed(1, {50, 0});
  CHECK(router->choose(of_session(7)) == 1);
  CHECK(router->choose(of_session(-1)) == 2);  // none: the least loaded
  CHECK(router->choose(of_session(8)) == 2);
  router->set_available(1, false);
  CHECK(router->choose(of_session(7)) == 2);
  router->set_available(1, true);
  CHECK(router->choose(of_session(7)) == 2);  // it has moved
  router->load_changed(1, {0, 0});
  CHECK(router->choose(of_session(9)) == 1);  // 8 is forgotten for it
  router->load_changed(0, {0, 0});
  CHECK(router->choose(of_session(8)) == 0);
}

// A conversation of 1000 tokens went to one instance; prompts that begin with half of it or more follow it.
TEST_CASE("Cache-aware routing follows the longest prompt sent before, from the stated share on", "[sim][router]") {
  PromptTree tree;
  const SegmentId chat = tree.add(kNoSegment, 0);
  const SegmentId fork = tree.add(chat, 500), late_fork = tree.add(chat, 900);
  {
    const auto router = make_router(RouterPolicy::CacheAware, pool_of(3, &tree));
    router->load_changed(0, {1, 0});
    router->load_changed(1, {1, 0});
    CHECK(router->choose(of_segment(chat, 1000)) == 2);  // the least loaded
    router->load_changed(2, {2, 0});
    CHECK(router->choose(of_segment(chat, 1500)) == 2);       // 1000 of 1500 were sent there
    CHECK(router->choose(of_segment(chat, 3001)) == 0);       // 1500 of 3001 are less than half
    CHECK(router->choose(of_segment(late_fork, 1700)) == 0);  // 900 of 1700 with the chat, whose 3001 are with 0 now
    router->load_changed(0, {4, 0});
    CHECK(router->choose(of_segment(fork, 1001)) == 1);  // 500 of 1001
    CHECK(router->choose(of_segment(fork, 1000)) == 1);  // its own segment is there
    router->set_available(0, false);                     // what it held is gone
    router->set_available(0, true);
    router->load_changed(0, {0, 0});
    CHECK(router->choose(of_segment(late_fork, 1000)) == 0);  // by load
    router->load_changed(0, {9, 0});
    CHECK(router->choose(of_segment(late_fork, 1000)) == 0);  // and there it stays
  }
  CHECK(tree.live() == 3);
  for (const SegmentId segment : {fork, late_fork, chat}) tree.release(segment);
  CHECK(tree.live() == 0);  // the router gave back what it held
}

// 33 > 32 + 0, and 33 > 1.0001 * 0: uneven. 32 is not.
TEST_CASE("Cache-aware routing goes by load while loads are uneven", "[sim][router]") {
  PromptTree tree;
  const SegmentId chat = tree.add(kNoSegment, 0);
  const auto router = make_router(RouterPolicy::CacheAware, pool_of(2, &tree));
  CHECK(router->choose(of_segment(chat, 100)) == 0);
  router->load_changed(0, {32, 0});
  CHECK(router->choose(of_segment(chat, 100)) == 0);
  router->load_changed(0, {33, 0});
  CHECK(router->choose(of_segment(chat, 100)) == 1);
  router->load_changed(0, {0, 0});
  CHECK(router->choose(of_segment(chat, 100)) == 1);  // that is where it was sent last
}

TEST_CASE("The prefix index holds at most its capacity and gives the least recently used back", "[sim][router]") {
  PromptTree tree;
  std::vector<SegmentId> chats;
  for (int i = 0; i < 5; ++i) chats.push_back(tree.add(kNoSegment, 0));
  {
    PrefixIndex index(&tree, 2, 3);
    for (const SegmentId chat : chats) index.remember(of_segment(chat, 100), 1);
    CHECK(index.segments() == 3);
    for (const SegmentId chat : chats) tree.release(chat);  // the sessions are over
    CHECK(tree.live() == 3);
    CHECK(index.match(of_segment(chats[4], 100), 50).tokens == 100);
  }
  CHECK(tree.live() == 0);
}

TEST_CASE("A bounded map is the map of its most recently used keys", "[sim][router]") {
  rc::prop("lru", [] {
    const auto capacity = static_cast<std::size_t>(*rc::gen::inRange(1, 40));
    LruMap<std::int64_t, int> map(capacity);
    std::vector<std::pair<std::int64_t, int>> model;  // the oldest first
    for (int k = 0; k < 300; ++k) {
      const std::int64_t key = *rc::gen::inRange(0, 60);
      const auto at = std::find_if(model.begin(), model.end(), [&](const auto& one) { return one.first == key; });
      int* found = map.find(key);
      RC_ASSERT((found != nullptr) == (at != model.end()));
      if (found != nullptr) {
        RC_ASSERT(*found == at->second);
        std::rotate(at, at + 1, model.end());
        continue;
      }
      const auto forgotten = map.add(key, k);
      RC_ASSERT(forgotten.has_value() == (model.size() == capacity));
      if (forgotten) {
        RC_ASSERT(*forgotten == model.front());
        model.erase(model.begin());
      }
      model.emplace_back(key, k);
    }
    RC_ASSERT(map.size() == model.size());
  });
}

TEST_CASE("Ranks and places of the available instances invert each other", "[sim][router]") {
  rc::prop("fenwick", [] {
    const int n = *rc::gen::inRange(1, 200);
    AvailableSet set(n);
    std::set<int> model;
    for (int i = 0; i < n; ++i) model.insert(i);
    for (int k = 0; k < 100; ++k) {
      const int i = *rc::gen::inRange(0, n);
      const bool up = *rc::gen::inRange(0, 2) == 1;
      set.set(i, up);
      if (up) model.insert(i);
      else model.erase(i);
    }
    RC_ASSERT(set.count() == static_cast<int>(model.size()));
    int k = 0;
    for (const int i : model) {
      RC_ASSERT(set.at(k) == i);
      RC_ASSERT(set.rank(i) == k++);
    }
  });
}
