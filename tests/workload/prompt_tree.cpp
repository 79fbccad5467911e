#include "tokenomics/workload/prompt_tree.hpp"

#include <vector>

#include <rapidcheck/catch.h>

#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;

TEST_CASE("a segment keeps its ancestors until it is released itself", "[workload]") {
  PromptTree tree;
  const SegmentId system = tree.add(kNoSegment, 0);
  const SegmentId chat = tree.add(system, 14'000);
  CHECK(tree.parent(chat) == system);
  CHECK(tree.begin(chat) == 14'000);
  tree.release(system);
  CHECK(tree.live() == 2);
  tree.acquire(chat);
  tree.release(chat);
  CHECK(tree.live() == 2);
  tree.release(chat);
  CHECK(tree.live() == 0);
}

TEST_CASE("ids of released segments are used again: memory follows what is alive", "[workload]") {
  PromptTree tree;
  SegmentId largest = 0;
  for (int i = 0; i < 1000; ++i) {
    const SegmentId root = tree.add(kNoSegment, 0), leaf = tree.add(root, i);
    tree.release(root);
    tree.release(leaf);
    largest = std::max({largest, root, leaf});
  }
  CHECK(largest == 1);
}

TEST_CASE("segments that begin before their parent, or are released twice, are refused", "[workload]") {
  PromptTree tree;
  const SegmentId root = tree.add(kNoSegment, 0), leaf = tree.add(root, 100);
  CHECK_THROWS_AS(tree.add(leaf, 99), std::logic_error);
  CHECK_THROWS_AS(tree.add(kNoSegment, 1), std::logic_error);
  tree.release(root);
  tree.release(leaf);
  CHECK_THROWS_AS(tree.release(leaf), std::logic_error);
}

TEST_CASE("no reference too many and none too few: a tree of random growth and release ends empty", "[workload]") {
  rc::check([] {
    PromptTree tree;
    std::vector<SegmentId> held;
    for (int step = 0; step < 200; ++step) {
      if (held.empty() || *rc::gen::inRange(0, 3) > 0) {
        const bool is_root = held.empty() || *rc::gen::inRange(0, 4) == 0;
        const SegmentId parent = is_root ? kNoSegment : held[*rc::gen::inRange<std::size_t>(0, held.size())];
        held.push_back(tree.add(parent, is_root ? 0 : tree.begin(parent) + *rc::gen::inRange(0, 50)));
      } else {
        const auto at = *rc::gen::inRange<std::size_t>(0, held.size());
        tree.release(held[at]);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
      }
      RC_ASSERT(tree.live() >= held.size());
    }
    for (const SegmentId segment : held) tree.release(segment);
    RC_ASSERT(tree.live() == 0U);
  });
}
