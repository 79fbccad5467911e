#include "tokenomics/report/market_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

/// A small fleet beside a host that is only seen until February, whose cost is known from then on.
constexpr const char* kMarket = R"({
  "calendar": {"start": "2025-01-06", "period": "month", "periods": 3},
  "weights": {"log_price": -1, "log_seconds": -1},
  "assumptions": ["nobody sleeps"],
  "segments": [{"name": "chat, all", "requests_per_s": 4, "tokens": {"input": 1000, "output": 300}}],
  "providers": [
    {"name": "fleet", "usd_per_mtok": {"input": 0.5, "input_cached": 0.2, "output": 0.9}, "context": 64000,
     "service": {"kind": "simulated", "scenario": "llama-70b-h100", "fleet_gpus": 8}},
    {"name": "host", "usd_per_mtok": {"input": 1, "output": 2}, "context": 32000, "service": {"kind": "observed", "ttft_s": 0.8, "tok_s": 40}},
    {"name": "late", "usd_per_mtok": {"input": 1, "output": 2}, "context": 32000, "enters": "2025-03-06", "service": {"kind": "observed", "ttft_s": 0.8, "tok_s": 40}}
  ],
  "events": [{"date": "2025-02-06", "label": "known from here", "provider": "host", "service": {"kind": "held", "ttft_s": 2, "tok_s": 40, "query": "r1-host"}}],
  "measures": [{"name": "share", "kind": "token_share", "provider": "fleet"}, {"name": "late_wait", "kind": "ttft_s", "provider": "late"},
               {"name": "tokens", "kind": "tokens_per_day", "text": "of all"}],
  "uncertain": [{"pointer": "/weights/log_price", "low": -1.5, "high": -0.5, "source": "assumed"}]
})";

MarketResult result(unsigned jobs, int samples) {
  MarketOptions options;
  options.jobs = jobs;
  options.samples = samples;
  return run_market_spec(load_market_text(kMarket, "small.json", test::shipped_catalogue()), options);
}

}  // namespace

TEST_CASE("a market's result has the keys of its schema, with draws and without", "[report]") {
  for (const int samples : {0, 5}) {
    const ordered_json file = market_json(result(1, samples));
    for (const Problem& problem : test::shipped_catalogue().check("market_result", file)) FAIL_CHECK(to_string(problem));
    CHECK(file["draws"]["kept"] == samples);
    CHECK(file["measures"]["share"]["intervals"].size() == (samples > 0 ? 3 : 0));
    CHECK(file["measures"]["share"]["values"].size() == 3);
  }
}

TEST_CASE("a market's result is the same bytes on one thread and two, and again", "[report]") {
  const std::string once = market_json(result(1, 6)).dump();
  CHECK(once == market_json(result(2, 6)).dump());
  CHECK(once == market_json(result(1, 6)).dump());
}

TEST_CASE("cost is told where the service in force has one, and is null where it was only seen", "[report]") {
  const MarketResult run = result(1, 0);
  const ordered_json file = market_json(run);
  const ordered_json &before = file["periods"][0]["providers"][1], &after = file["periods"][1]["providers"][1];
  for (const char* key : {"cost_usd", "margin_usd", "gpus", "utilization"}) {
    INFO(key);
    CHECK(before[key].is_null());
    CHECK(after[key].is_number());
    CHECK(file["periods"][0]["providers"][0][key].is_number());
  }
  CHECK(after["cost_usd"] > 0);
  CHECK(after["revenue_usd"].get<double>() - after["cost_usd"].get<double>() ==
        Approx(after["margin_usd"].get<double>()).margin(1e-2));
  // What nobody has yet is null, not 0.
  CHECK(file["measures"]["late_wait"]["values"] == ordered_json({nullptr, nullptr, 0.8}));
  CHECK(file["measures"]["late_wait"]["last_over_first"].is_null());
}

TEST_CASE("a market has one CSV line a period, provider and segment, and a name with a comma is quoted", "[report]") {
  const std::string text = market_csv(result(1, 0));
  // Two providers for two months and three in the last, one segment, and the head.
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 + 2 + 3);
  CHECK_THAT(text, Catch::Contains("2025-01-06,host,\"chat, all\","));
}

TEST_CASE("a market's page tells the first measure, events, assumptions and the last period", "[report]") {
  const std::string page = market_table(result(1, 5));
  CHECK_THAT(page, Catch::StartsWith("share, %: "));
  for (const char* part : {"2025-02-06 known from here", "2025-03-06 late enters", "nobody sleeps", "/weights/log_price",
                           "1 free numbers", "loads; leave-one-out"}) {
    INFO(part);
    CHECK_THAT(page, Catch::Contains(part));
  }
}

}  // namespace tokenomics
