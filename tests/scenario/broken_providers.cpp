#include "support/catch.hpp"

#include <functional>
#include <map>

#include "shipped.hpp"
#include "tokenomics/scenario/host_counts.hpp"
#include "tokenomics/scenario/provider.hpp"

namespace tokenomics {
namespace {

const std::string kHere = std::string(TOKENOMICS_TEST_DATA) + "/scenario/";

/// What a reader complains of, a line each; folders are cut off the file names.
std::vector<std::string> refusals(const std::function<void()>& read) {
  std::vector<std::string> lines;
  try {
    read();
  } catch (const ScenarioError& error) {
    for (Problem problem : error.problems()) {
      problem.file = problem.file.substr(problem.file.rfind('/') + 1);
      lines.push_back(to_string(problem));
    }
  }
  return lines;
}

// clang-format off
const std::map<std::string, std::vector<std::string>> kProviders{
    {"dates",
     {R"(dates.json:4: /offers/0/date: "2025-02-30"; expected a date, YYYY-MM-DD, or a time, YYYY-MM-DDTHH:MMZ)",
      R"(dates.json:5: /offers/1/date: "summer"; expected a date, YYYY-MM-DD, or a time, YYYY-MM-DDTHH:MMZ)",
      R"(dates.json:8: /price_history/0/to: "2025-02-01"; expected a time after from, "2025-03-01")",
      R"(dates.json:9: /price_history/1/from: "2025-03-01T24:00Z"; expected a date, YYYY-MM-DD, or a time, YYYY-MM-DDTHH:MMZ)",
      R"(dates.json:10: /price_history/2/to: "2025-03-01T00:00Z"; expected a time after from, "2025-03-01")",
      R"(dates.json:12: /price_history/4/from: "2025-02-08"; expected a period of chat that does not overlap the one at /price_history/3)",
      R"(dates.json:15: /price_history/5/off_peak/from: "2025-1-1"; expected a date, YYYY-MM-DD, or a time, YYYY-MM-DDTHH:MMZ)",
      R"(dates.json:15: /price_history/5/off_peak/utc_window: "16:30-24:30"; expected two different times of the day, HH:MM-HH:MM)"}},
    {"names",
     {R"(names.json:5: /strategy/models/1: "deepseek-r2"; expected the name of a known network; did you mean deepseek-r1?)",
      R"(names.json:6: /strategy/hardware/0: "h900-sxm"; expected the name of a known GPU; did you mean h100-sxm?)",
      R"(names.json:8: /buys_from/1: "deepsek"; expected the name of a known provider; did you mean deepseek?)",
      R"(names.json:10: /tokens_per_answer/0: "a"; expected either tokens, or relative and relative_to)",
      R"(names.json:11: /tokens_per_answer/1: "b"; expected either tokens, or relative and relative_to)",
      R"(names.json:12: /tokens_per_answer/2: "c"; expected either tokens, or relative and relative_to)"}},
    {"shape",
     {R"(shape.json:4: /modelled: ["price","cost"]; expected ["price", "speed", "ttft", "tokens_per_answer"], all that is modelled of a closed provider)",
      R"(shape.json:6: /offers/0/usd_per_mtok/output; expected a number above 0 and at most 1e9 (missing))",
      R"(shape.json:7: /offers/1/ttft_ms_p50: 300; expected a known key (wrong unit?); did you mean ttft_s_p50?)",
      R"(shape.json:7: /offers/1/usd_per_mtok/output: 0; expected a number above 0 and at most 1e9)",
      R"(shape.json:8: /offers/2/source; expected text of at least 1 character (missing))",
      R"(shape.json:8: /offers/2/usd_per_mtok/output: null; expected a number above 0 and at most 1e9)",
      R"(shape.json:10: /strategy/objective: "max_margins"; expected one of "max_margin", "max_share", "max_research"; did you mean max_margin?)",
      R"(shape.json:11: /price_histori: []; expected a known key; did you mean price_history?)"}}};

const std::map<std::string, std::vector<std::string>> kHosts{
    {"cells",
     {R"(cells.csv:4: "B,0.5,2,64000,1,20,10"; expected 8 cells, not 7)",
      R"(cells.csv:5: "free"; expected a number above 0 in column input_usd_per_mtok)",
      R"(cells.csv:5: "-2"; expected a number above 0 in column output_usd_per_mtok)",
      R"(cells.csv:5: "64000.5"; expected a whole number above 0 in column context_tokens)",
      R"(cells.csv:5: "1s"; expected a number above 0 in column ttft_s)",
      R"(cells.csv:5: "0"; expected a number above 0 in column tok_s)",
      R"(cells.csv:5: "many"; expected a whole number above 0 in column requests)",
      R"(cells.csv:6: "0"; expected a whole number above 0 in column requests)",
      R"(cells.csv:6: "A"; expected a host that stands once)",
      R"(cells.csv:7: ""; expected a name in column provider)",
      R"(cells.csv:7: "inf"; expected a number above 0 in column ttft_s)"}},
    {"empty",
     {R"(empty.csv; expected at least one host)"}},
    {"header",
     {R"(header.csv:2: "provider,input"; expected the header provider,input_usd_per_mtok,output_usd_per_mtok,context_tokens,ttft_s,tok_s,quantization,requests)"}}};
// clang-format on

}  // namespace

TEST_CASE("a broken provider names every problem with file, line, pointer, value, what was expected and the nearest name",
          "[scenario]") {
  for (const auto& [name, lines] : kProviders) {
    INFO(name);
    const std::string path = kHere + "broken_providers/" + name + ".json";
    CHECK(refusals([&] { load_provider(path, shipped()); }) == lines);
  }
}

TEST_CASE("a broken table of hosts names every problem with file, line, value and what was expected", "[scenario]") {
  for (const auto& [name, lines] : kHosts) {
    INFO(name);
    CHECK(refusals([&] { read_host_counts(kHere + "broken_hosts/" + name + ".csv"); }) == lines);
  }
}

TEST_CASE("an unknown provider is an input error with the nearest name, a table that cannot be read an I/O error",
          "[scenario]") {
  CHECK_THROWS_WITH(load_provider("deepinfa", shipped()),
                    "providers: \"deepinfa\"; expected a known provider; did you mean deepinfra?");
  CHECK_THROWS_AS(read_host_counts("/nowhere/at/all.csv"), IoError);
}

}  // namespace tokenomics
