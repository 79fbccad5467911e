#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "support/one_service.hpp"

namespace tokenomics::test {

/// A prepared list whose requests name segments of a tree that the test has built.
struct TreeSource final : RequestSource {
  PromptTree tree;
  std::vector<Request> requests;
  std::size_t next = 0;

  SimTime next_arrival() const override { return next < requests.size() ? requests[next].arrival : kNever; }
  Request take() override { return requests[next++]; }
  void ended(const Request&, SimTime) override {}
  PromptTree* prompts() override { return &tree; }

  /// `reusable`: of prompt and answer.
  void add(double arrival_ms, SegmentId segment, std::int64_t input, std::int64_t output, std::int64_t reusable) {
    Request r = request(arrival_ms, input, output);
    r.id = requests.size();
    r.segment = segment;
    r.reusable_tokens = reusable;
    requests.push_back(r);
  }
};

inline Outcomes serve(ServiceConfig config, TreeSource& source) {
  config.measure.requests = source.requests.size();
  config.measure.drain = true;
  Outcomes outcomes;
  config.observer = &outcomes;
  outcomes.result = simulate(config, source);
  return outcomes;
}

/// Users of four classes who talk: each prompt is the last one, most of its answer and something new; some begin again from
/// the system prompt that all share. Where they branch, some go on from the middle of what they have said.
struct TalkSource final : RequestSource {
  TalkSource(std::uint64_t seed, int users, std::uint64_t most)
      : random(seed, "talk"), system(tree.add(kNoSegment, 0)), left(most) {
    talks.resize(static_cast<std::size_t>(users));
    for (int user = 0; user < users; ++user) {
      begin(user);
      due.emplace(ms(user), user);
    }
  }
  SimTime next_arrival() const override { return due.empty() || left == 0 ? kNever : due.begin()->first; }
  Request take() override {
    const auto [time, user] = *due.begin();
    due.erase(due.begin());
    --left;
    Talk& talk = talks[static_cast<std::size_t>(user)];
    Request r;
    r.id = id++;
    r.arrival = time;
    r.tenant = user;
    r.priority = user % 4;
    r.session = user;
    r.input_tokens = talk.prompt;
    r.output_tokens = 1 + static_cast<std::int64_t>(random.below(longest_answer));
    r.segment = talk.segment;
    r.reusable_tokens = r.input_tokens + (random.below(2) == 0 ? r.output_tokens : 0);
    return r;
  }
  void ended(const Request& r, SimTime now) override {
    Talk& talk = talks[static_cast<std::size_t>(r.tenant)];
    talk.prompt = r.reusable_tokens + 1 + static_cast<std::int64_t>(random.below(200));
    if (talk.prompt > kLongest || random.below(8) == 0) {
      tree.release(talk.segment);
      begin(r.tenant);
    } else if (branches && random.below(6) == 0) {
      const SegmentId before = talk.segment;
      const std::int64_t from = std::max(tree.begin(before), talk.prompt / 2);
      talk.segment = tree.add(before, from);
      tree.release(before);
      talk.prompt = std::max(talk.prompt, from + 1);
    }
    due.emplace(now + ms(static_cast<double>(random.below(longest_thought_ms))), r.tenant);
  }
  PromptTree* prompts() override { return &tree; }
  /// Segments that it holds itself, or that those go on from.
  [[nodiscard]] std::size_t segments() const {
    std::set<SegmentId> held;
    for (SegmentId s = system; s != kNoSegment; s = tree.parent(s)) held.insert(s);
    for (const Talk& talk : talks)
      for (SegmentId s = talk.segment; s != kNoSegment; s = tree.parent(s)) held.insert(s);
    return held.size();
  }

  bool branches = false;
  std::uint64_t longest_answer = 60, longest_thought_ms = 3000;
  static constexpr std::int64_t kSystem = 137, kLongest = 1500;

  void begin(int user) {
    talks[static_cast<std::size_t>(user)] = {tree.add(system, kSystem),
                                             kSystem + 1 + static_cast<std::int64_t>(random.below(300))};
  }
  struct Talk {
    SegmentId segment = kNoSegment;
    std::int64_t prompt = 1;
  };
  RandomStream random;
  PromptTree tree;
  SegmentId system;
  std::vector<Talk> talks;
  std::multimap<SimTime, int> due;
  std::uint64_t left;
  std::uint64_t id = 0;
};

}  // namespace tokenomics::test
