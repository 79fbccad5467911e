#include <algorithm>
#include <functional>

#include "arrival_clock.hpp"
#include "late_releases.hpp"
#include "loaded_workload.hpp"
#include "session_calendar.hpp"
#include "session_script.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Generated sessions. Each has a random stream of its own, so that the n-th session is the same however the service
/// answers the others. An agent has one segment at a time, from its version's system prompt on; a request is known by it.
/// Request::tenant is the user's place, reused when the session is over; a closed loop's users keep theirs.
class GeneratedSource final : public RequestSource {
 public:
  GeneratedSource(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale)
      : data_(std::move(data)),
        script_(*data_->sessions_script),
        random_(streams.lengths),
        prompts_(std::move(prompts)),
        releases_(prompts_),
        calendar_(SessionCalendar<std::uint32_t>::clock_of(*data_, streams.arrivals, rate_scale)) {
    add_system_prompts();
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      for (std::int64_t user = 0; user < closed->concurrency; ++user) start_session(0);
    }
  }

  [[nodiscard]] SimTime next_arrival() const override { return calendar_.next(); }

  Request take() override {
    releases_.settle();
    const auto due = calendar_.take([&](SimTime time) { start_session(time); });
    return request(due.time, agents_[due.caller]);
  }

  void ended(const Request& request, SimTime now) override {
    releases_.settle();
    const std::uint32_t index = agent_of_.at(request.segment);
    if (agents_[index].state.calls_left == 1) return end(index, now);
    const NextCall next = script_.advance(agents_[index].state);
    if (next.breaks_history) new_segment(index);
    if (next.sub_agents == 0) return calendar_.push(later(now, next.gap_s), index);
    agents_[index].waits_for = next.sub_agents;
    for (std::int64_t i = 0; i < next.sub_agents; ++i) start_sub_agent(index, now);
  }

  [[nodiscard]] PromptTree* prompts() override { return prompts_.get(); }

 private:
  static constexpr std::uint32_t kNobody = 0xffffffffU;
  struct Agent {
    AgentState state{RandomStream(0, ""), 0, true, {}};
    SegmentId segment = kNoSegment;
    std::uint32_t parent = kNobody;  // of a sub-agent
    std::int64_t waits_for = 0;      // sub-agents of its own under way
    std::int32_t user = 0;
    std::int64_t session = 0;
    std::size_t version = 0;
  };
  /// Every version is a segment that stays, from which all its sessions branch.
  void add_system_prompts() {
    const SessionSpec& spec = script_.spec();
    if (spec.system_prompt_tokens == 0) return;
    for (std::int64_t i = 0; i < spec.system_prompt_versions; ++i) roots_.push_back(prompts_->add(kNoSegment, 0));
  }

  [[nodiscard]] Request request(SimTime time, const Agent& agent) {
    Request request = request_of(id_++, time, agent.state.call, agent.user);
    request.session = agent.session;
    request.segment = agent.segment;
    request.reusable_tokens = SessionScript::reusable(agent.state.call);
    return request;
  }

  void start_session(SimTime time) {
    const std::uint32_t index = new_agent(RandomStream(random_.bits(), "session"), true);
    Agent& agent = agents_[index];
    agent.user = new_user();
    agent.session = session_++;
    agent.version = roots_.empty() ? 0 : agent.state.random.below(roots_.size());
    new_segment(index);
    calendar_.push(time, index);
  }

  void start_sub_agent(std::uint32_t parent, SimTime time) {
    const std::uint32_t index = new_agent(RandomStream(agents_[parent].state.random.bits(), "sub-agent"), false);
    Agent& agent = agents_[index];
    agent.parent = parent;
    agent.user = agents_[parent].user;
    agent.session = agents_[parent].session;
    agent.version = agents_[parent].version;
    new_segment(index);
    calendar_.push(time, index);
  }

  std::uint32_t new_agent(RandomStream random, bool is_main) {
    if (free_agents_.empty()) {
      free_agents_.push_back(static_cast<std::uint32_t>(agents_.size()));
      agents_.emplace_back();
    }
    const std::uint32_t index = free_agents_.back();
    free_agents_.pop_back();
    agents_[index] = Agent{};
    agents_[index].state = script_.begin(random, is_main);
    return index;
  }

  std::int32_t new_user() {
    if (free_users_.empty()) return users_++;
    const std::int32_t user = free_users_.back();
    free_users_.pop_back();
    return user;
  }

  void new_segment(std::uint32_t index) {
    Agent& agent = agents_[index];
    if (agent.segment != kNoSegment) releases_.add(agent.segment);
    agent.segment = roots_.empty() ? prompts_->add(kNoSegment, 0)
                                   : prompts_->add(roots_[agent.version], script_.spec().system_prompt_tokens);
    if (agent.segment >= agent_of_.size()) agent_of_.resize(agent.segment + 1, kNobody);
    agent_of_[agent.segment] = index;
  }

  /// An agent after its last call: its parent may go on, or its user begins anew.
  void end(std::uint32_t index, SimTime now) {
    const Agent agent = agents_[index];
    releases_.add(agent.segment);
    free_agents_.push_back(index);
    if (agent.parent != kNobody) {
      if (--agents_[agent.parent].waits_for == 0) calendar_.push(now, agent.parent);
      return;
    }
    free_users_.push_back(agent.user);
    if (const auto* closed = std::get_if<ClosedLoopArrivals>(&data_->spec.arrivals)) {
      start_session(later(now, closed->think_s));
    }
  }

  DataPtr data_;
  const SessionScript& script_;
  RandomStream random_;
  PromptsPtr prompts_;
  LateReleases releases_;
  SessionCalendar<std::uint32_t> calendar_;
  std::vector<SegmentId> roots_;
  std::vector<Agent> agents_;
  std::vector<std::uint32_t> free_agents_;
  std::vector<std::int32_t> free_users_;
  std::vector<std::uint32_t> agent_of_;  // by segment
  std::int32_t users_ = 0;
  std::int64_t session_ = 0;
  std::uint64_t id_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> make_generated_source(DataPtr data, Streams streams, PromptsPtr prompts, double rate_scale) {
  return std::make_unique<GeneratedSource>(std::move(data), streams, std::move(prompts), rate_scale);
}

}  // namespace tokenomics
