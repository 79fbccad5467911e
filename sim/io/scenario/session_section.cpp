#include "session_section.hpp"

#include "laws.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

SubAgentSpec sub_agents_from(const json& file, const Reporter& report) {
  return {.probability = file["probability"],
          .count = marginal_from(file["count"], report.at("count")),
          .calls = marginal_from(file["calls"], report.at("calls")),
          .first_prompt = marginal_from(file["first_prompt"], report.at("first_prompt"))};
}

json json_of_sub_agents(const SubAgentSpec& sub_agents) {
  return {{"probability", sub_agents.probability},
          {"count", json_of_marginal(sub_agents.count)},
          {"calls", json_of_marginal(sub_agents.calls)},
          {"first_prompt", json_of_marginal(sub_agents.first_prompt)}};
}

/// What a session that outgrows its context needs, and what fits into it.
void check_limit(const SessionSpec& sessions, const Reporter& report) {
  if (!sessions.context_limit_tokens) return;
  if (!sessions.compacted)
    report.at("compaction").add("", "an object (missing): a session that reaches context_limit_tokens is compacted");
  if (*sessions.context_limit_tokens < sessions.system_prompt_tokens + 2)
    report.at("context_limit_tokens")
        .add(std::to_string(*sessions.context_limit_tokens),
             "more than the system prompt, " + std::to_string(sessions.system_prompt_tokens) + " tokens");
}

}  // namespace

SessionSpec sessions_from(const json& file, const Reporter& report) {
  const auto law = [&](const char* key) { return marginal_from(file[key], report.at(key)); };
  SessionSpec sessions;
  if (file.contains("system_prompt")) {
    sessions.system_prompt_tokens = file["system_prompt"]["tokens"];
    sessions.system_prompt_versions = file["system_prompt"].value("versions", 1);
  }
  sessions.first_prompt = law("first_prompt");
  sessions.calls = law("calls");
  sessions.added = law("added");
  sessions.output = law("output");
  sessions.tool_share = file.value("tool_share", 0.0);
  if (file.contains("tool_time_s")) sessions.tool_time = time_from(file["tool_time_s"], report.at("tool_time_s"));
  if (file.contains("think_time_s")) sessions.think_time = time_from(file["think_time_s"], report.at("think_time_s"));
  if (file.contains("compaction")) {
    sessions.compaction_probability = file["compaction"].value("probability", 0.0);
    sessions.compacted = marginal_from(file["compaction"]["tokens_after"], report.at("compaction").at("tokens_after"));
  }
  sessions.rewrite_probability = file.value("rewrite_probability", 0.0);
  if (file.contains("context_limit_tokens"))
    sessions.context_limit_tokens = file["context_limit_tokens"].get<std::int64_t>();
  if (file.contains("sub_agents")) sessions.sub_agents = sub_agents_from(file["sub_agents"], report.at("sub_agents"));
  check_limit(sessions, report);
  return sessions;
}

json json_of(const SessionSpec& sessions) {
  json file{{"first_prompt", json_of_marginal(sessions.first_prompt)},
            {"calls", json_of_marginal(sessions.calls)},
            {"added", json_of_marginal(sessions.added)},
            {"output", json_of_marginal(sessions.output)},
            {"tool_share", sessions.tool_share},
            {"rewrite_probability", sessions.rewrite_probability}};
  if (sessions.system_prompt_tokens > 0)
    file["system_prompt"] = {{"tokens", sessions.system_prompt_tokens}, {"versions", sessions.system_prompt_versions}};
  if (sessions.tool_time) file["tool_time_s"] = json_of_time(*sessions.tool_time);
  if (sessions.think_time) file["think_time_s"] = json_of_time(*sessions.think_time);
  if (sessions.compacted) {
    file["compaction"] = {{"probability", sessions.compaction_probability},
                          {"tokens_after", json_of_marginal(*sessions.compacted)}};
  }
  if (sessions.context_limit_tokens) file["context_limit_tokens"] = *sessions.context_limit_tokens;
  if (sessions.sub_agents) file["sub_agents"] = json_of_sub_agents(*sessions.sub_agents);
  return file;
}

}  // namespace tokenomics
