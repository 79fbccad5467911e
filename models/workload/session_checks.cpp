#include "session_checks.hpp"

#include <fmt/format.h>

#include "tokenomics/workload/quantiles.hpp"

namespace tokenomics {

namespace {

class SessionChecks {
 public:
  SessionChecks(const std::string& file, std::string pointer) : file_(file), pointer_(std::move(pointer)) {}

  std::vector<Problem> run(const SessionSpec& s) {
    if (s.system_prompt_tokens < 0) add("/system_prompt/tokens", fmt::format("{}", s.system_prompt_tokens), "at least 0");
    if (s.system_prompt_versions < 1)
      add("/system_prompt/versions", fmt::format("{}", s.system_prompt_versions), "at least 1");
    law("/first_prompt", s.first_prompt);
    law("/calls", s.calls);
    law("/added", s.added);
    law("/output", s.output);
    probability("/tool_share", s.tool_share);
    if (s.tool_time) law("/tool_time_s", *s.tool_time);
    if (s.think_time) law("/think_time_s", *s.think_time);
    probability("/compaction/probability", s.compaction_probability);
    if (s.compacted) law("/compaction/tokens_after", *s.compacted);
    probability("/rewrite_probability", s.rewrite_probability);
    check_limit(s);
    if (s.sub_agents) check_sub_agents(*s.sub_agents);
    return std::move(problems_);
  }

 private:
  void check_limit(const SessionSpec& s) {
    if (!s.compacted && (s.compaction_probability > 0 || s.context_limit_tokens)) {
      add("/compaction/tokens_after", "", "what a compacted prompt holds: sessions here come to compaction");
    }
    if (s.context_limit_tokens && *s.context_limit_tokens < s.system_prompt_tokens + 2) {
      add("/context_limit_tokens", fmt::format("{}", *s.context_limit_tokens),
          fmt::format("more than the system prompt of {} tokens, a token of prompt and one of answer",
                      s.system_prompt_tokens));
    }
  }

  void check_sub_agents(const SubAgentSpec& s) {
    probability("/sub_agents/probability", s.probability);
    law("/sub_agents/count", s.count);
    law("/sub_agents/calls", s.calls);
    law("/sub_agents/first_prompt", s.first_prompt);
  }

  template <class Law>
  void law(const std::string& key, const Law& law) {
    for (Problem& problem : problems_of(law, file_, pointer_ + key)) problems_.push_back(std::move(problem));
  }
  void probability(const std::string& key, double value) {
    if (!(value >= 0 && value <= 1)) add(key, fmt::format("{}", value), "a number from 0 to 1");
  }
  void add(const std::string& key, std::string value, std::string expected) {
    problems_.push_back({file_, pointer_ + key, std::move(value), std::move(expected), ""});
  }

  const std::string& file_;
  std::string pointer_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> problems_of(const SessionSpec& sessions, const std::string& file, const std::string& pointer) {
  return SessionChecks(file, pointer).run(sessions);
}

}  // namespace tokenomics
