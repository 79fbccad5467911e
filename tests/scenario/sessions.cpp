#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "tokenomics/base/statistics.hpp"
#include "tokenomics/workload/length_statistics.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

constexpr SimTime kSecond = 1'000'000'000;

/// What a workload's users see, each call answered in two seconds.
struct Played {
  std::vector<double> calls, first_prompts, growth, gaps_s;
  double input = 0, cached = 0, output = 0;
  double transitions = 0, falls = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return sorted_quantile(values, 0.5);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Sessions that end, of main agents; totals over all calls. One session at a time, so that calls come in order.
Played play(WorkloadSpec spec, std::size_t sessions) {
  spec.arrivals = ClosedLoopArrivals{1, 0};
  const auto source = make_request_source(spec, 1, 0);
  Played played;
  Request last;
  SimTime end = 0;
  SegmentId main = kNoSegment;
  while (played.calls.size() <= sessions) {
    const Request request = source->take();
    const auto input = static_cast<double>(request.input_tokens);
    if (request.session != last.session) {
      played.calls.push_back(0);
      played.first_prompts.push_back(input);
    } else if (last.segment == main || main == kNoSegment) {
      ++played.transitions;
      const auto before = static_cast<double>(last.input_tokens);
      if (input < 0.9 * before) ++played.falls;
      else played.growth.push_back(input - before);
      played.gaps_s.push_back(static_cast<double>(request.arrival - end) / kSecond);
    }
    ++played.calls.back();
    played.input += input;
    played.cached += static_cast<double>(request.cached_tokens);
    played.output += static_cast<double>(request.output_tokens);
    last = request;
    end = request.arrival + 2 * kSecond;
    source->ended(request, end);
  }
  played.calls.pop_back();  // the one that has just begun
  played.first_prompts.pop_back();
  return played;
}

}  // namespace

TEST_CASE("generated agent loops have the measured figures of Claude Code", "[scenario]") {
  WorkloadSpec spec = load_workload("agentic-code-generated", shipped());
  spec.sessions->sub_agents.reset();  // the figures are those of main agents
  const Played p = play(spec, 4000);
  // Measured on 471 sessions; tolerances: 5% where only the sampling differs (calls have a standard error of 1.5% here
  // and of 4.4% there), more where a simplification is named.
  CHECK(mean(p.calls) == Approx(67.8).epsilon(0.05));
  CHECK(median(p.calls) == Approx(47).epsilon(0.07));
  CHECK(median(p.first_prompts) == Approx(23'836).epsilon(0.07));
  // Added tokens and answers are drawn independently and are at least 1, where recorded prompts also shrink a little.
  CHECK(median(p.growth) == Approx(636).epsilon(0.12));
  CHECK(mean(p.growth) == Approx(1809).epsilon(0.08));
  CHECK(p.cached / p.input == Approx(0.963).margin(0.01));
  // The window of 200,000 tokens cuts the recorded sessions that went beyond: in:out 273, uncached:out 10.1.
  CHECK(p.input / p.output == Approx(273).epsilon(0.15));
  CHECK((p.input - p.cached) / p.output == Approx(10.1).epsilon(0.2));
  CHECK(p.falls / p.transitions == Approx(0.0068).margin(0.004));
  // At 11 s: 0.86 of tool gaps, of which 0.5 + 0.25 ln(11/9) / ln(19/9) = 0.567 are over, and 0.14 of user gaps, of which
  // the normal law has 0.080 below (ln 11 - 4.874) / 1.762: together 0.499.
  CHECK(median(p.gaps_s) == Approx(11).epsilon(0.05));
}

TEST_CASE("generated chats have the measured turns of Kimi's", "[scenario]") {
  const WorkloadSpec spec = load_workload("long-chat-sessions", shipped());
  const LoadedWorkload workload(spec);
  CHECK(workload.mean_arrival_rate() == Approx(3.275).epsilon(0.003));
  const Played p = play(spec, 40'000);
  // 27.7% of the requests go on from an earlier one; depths halve: 1187, 431, 224 ... at turns 2, 3, 4.
  CHECK(1 - 1 / mean(p.calls) == Approx(0.277).epsilon(0.03));
  CHECK(mean(p.first_prompts) == Approx(11'327).epsilon(0.03));
  CHECK(median(p.gaps_s) == Approx(132).epsilon(0.05));  // exp(4.883)
  CHECK(p.input / (static_cast<double>(p.calls.size()) * mean(p.calls)) == Approx(12'428).epsilon(0.12));
}

TEST_CASE("sessions and mixes resolve to themselves", "[scenario]") {
  const auto round = [](const std::string& workload) {
    const std::string text = R"({"model": "llama-3.3-70b", "deployment": {"hardware": "h100-sxm", "tp": 8}, "workload": )";
    const Scenario scenario = load_scenario_text(text + workload + "}", "x.json", shipped());
    const json resolved = resolved_json(scenario);
    const Scenario again = load_scenario_text(resolved.dump(), "again.json", shipped());
    CHECK(resolved_json(again) == resolved);
    return scenario.workload;
  };
  CHECK(round(R"("agentic-code-generated")").sessions == load_workload("agentic-code-generated", shipped()).sessions);
  CHECK(round(R"("long-chat-sessions")").sessions->calls.law == MarginalLaw(GeometricLaw{0.277}));
  const WorkloadSpec mix = round(R"({"name": "both", "mix": [{"workload": "chat-2023"},
      {"name": "batch", "workload": {"base": "summarise", "priority": 1}},
      {"name": "code", "workload": "agentic-code-generated", "priority": 2}]})");
  REQUIRE(mix.mix.size() == 3);
  CHECK(mix.mix[0].name == "chat-2023");
  CHECK(mix.mix[0].priority == 0);
  CHECK(mix.mix[1].name == "batch");
  CHECK(mix.mix[1].priority == 1);
  CHECK(mix.mix[2].priority == 2);
  CHECK(mix.mix[2].sessions->sub_agents.has_value());
}

TEST_CASE("sessions and mixes that contradict themselves are refused with their place", "[scenario]") {
  const auto refusals = [](const std::string& workload) {
    const std::string text = R"({"model": "llama-3.3-70b", "deployment": {"hardware": "h100-sxm", "tp": 8}, "workload": )";
    Lines lines;
    try {
      load_scenario_text(text + workload + "}", "x.json", shipped());
    } catch (const ScenarioError& error) {
      for (const Problem& problem : error.problems()) lines.push_back(to_string(problem).substr(9));  // "x.json:1:"
    }
    return lines;
  };
  CHECK(refusals(R"({"base": "long-chat-sessions", "cache_hit_ratio": 0.5,
                     "lengths": {"input": {"law": "fixed", "value": 5}, "output": {"law": "fixed", "value": 5}}})") ==
        Lines{" /workload/cache_hit_ratio: 0.5; expected no ratio: sessions know what their prompts share",
              " /workload/lengths; expected no lengths beside sessions, which make their own"});
  CHECK(refusals(R"({"base": "long-chat-sessions", "sessions": {"tool_share": 1.5}})") ==
        Lines{" /workload/sessions/tool_share: 1.5; expected a number of at least 0 and at most 1"});
  CHECK(refusals(R"({"base": "long-chat-sessions", "sessions": {"compaction": null}})") ==
        Lines{" /workload/sessions/compaction; expected an object (missing): a session that reaches context_limit_tokens is "
              "compacted"});
  CHECK(refusals(R"({"mix": [{"workload": "chat-2023"}], "reasoning_share": 0.2})") ==
        Lines{" /workload/reasoning_share: 0.2; expected no such key beside mix: it belongs to the parts"});
  CHECK(refusals(R"({"mix": [{"workload": "chat-2032"}]})") ==
        Lines{" /workload/mix/0/workload: \"chat-2032\"; expected the name of a known workload; did you mean chat-2023?"});
  CHECK(refusals(R"({"mix": [{"workload": "chat-2023"}, {"workload": "chat-2023"}]})") ==
        Lines{" /workload/mix/1/name: \"chat-2023\"; expected another name than those before"});
  CHECK(refusals(R"({"mix": [{"workload": {"mix": [{"workload": "chat-2023"}], "name": "inner"}}]})") ==
        Lines{" /workload/mix/0/workload: \"inner\"; expected a workload that is no mix itself"});
  CHECK(refusals(R"({"mix": [{"workload": "chat-2023", "share": 2}]})").size() == 1);
}

}  // namespace tokenomics
