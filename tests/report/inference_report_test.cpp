#include "tokenomics/report/inference_report.hpp"

#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/scenario/offer_query.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

/// An offer of Llama-3.3-70B on one chip, observed so.
InferredOffer offer(const std::string& provider, double tok_s, double ttft_s) {
  const ProviderSpec host = load_provider("lambda", test::shipped_catalogue());
  InferredOffer row;
  row.provider = provider;
  row.offer.model = "llama-3.3-70b";
  row.offer.date = parse_utc_time("2025-06-27");
  row.offer.prices = {usd_per_mtok(0.5), std::nullopt, usd_per_mtok(1)};
  row.offer.source = "made by hand";
  if (tok_s > 0) row.offer.speed_p50 = Tokens{tok_s} / Seconds{1};
  if (ttft_s > 0) row.offer.ttft_p50 = Seconds{ttft_s};
  const std::vector<std::string> sets{"search.gpus_per_instance=[4]"};
  row.query = offer_query(host, row.offer, {"chat-2023", {"h200-sxm"}, sets}, test::shipped_catalogue()).query;
  row.inference = infer_host(*row.query, {row.offer.prices, row.offer.ttft_p50, row.offer.speed_p50});
  return row;
}

InferenceReport four_offers() {
  InferenceReport report;
  report.offers = {offer("plain", 35, 0.5), offer("fast", 900, 0.5), offer("instant", 20, 0.001), offer("unseen", 0, 0)};
  report.not_inferred = {load_provider("google", test::shipped_catalogue()),
                         load_provider("cursor", test::shipped_catalogue())};
  return report;
}

}  // namespace

TEST_CASE("An inference has the keys of its schema, whatever the verdict", "[report]") {
  const ordered_json file = inference_json(four_offers());
  for (const Problem& problem : test::shipped_catalogue().check("inference", file)) FAIL_CHECK(to_string(problem));
  CHECK(file["offers"][0]["verdict"] == "explained");
  CHECK(file["offers"][1]["verdict"] == "too_fast");
  CHECK(file["offers"][2]["verdict"] == "late_first_token");
  CHECK(file["offers"][3]["verdict"] == "not_enough_observed");
  CHECK(file["offers"][3]["missing"] == ordered_json({"speed", "ttft"}));
  CHECK(file["offers"][0]["cheapest"]["margin_over_revenue"] == file["offers"][0]["range"]["margin_over_revenue"]["max"]);
  CHECK(file["offers"][1]["cheapest"].is_null());
}

TEST_CASE("A page of one offer names the deployment, one of several has a line for each that was seen", "[report]") {
  InferenceReport one = four_offers();
  one.offers.resize(1);
  CHECK_THAT(inference_table(one), Catch::Contains("4x h200-sxm tp4"));
  CHECK_THAT(inference_table(one), Catch::Contains("rental price of the hardware file"));
  const std::string page = inference_table(four_offers());
  CHECK_THAT(page, Catch::Contains("too fast for any"));
  CHECK_THAT(page, Catch::Contains("no speed is observed, so nothing is inferred: unseen llama-3.3-70b"));
}

TEST_CASE("Of a closed provider only what is observed is told", "[report]") {
  const std::string page = inference_table(four_offers());
  CHECK_THAT(page, Catch::Contains("only price, speed, time to first token and tokens per answer are modelled"));
  CHECK_THAT(page, Catch::Contains("gemini-2.5-pro: more than 3.00 times the tokens of claude-sonnet-4"));
  CHECK_THAT(page, Catch::Contains("cursor: buys tokens"));
}

TEST_CASE("CSV of an inference has one line an offer", "[report]") {
  const std::string text = inference_csv(four_offers());
  CHECK(std::count(text.begin(), text.end(), '\n') == 5);
  const auto fields = [](const std::string& line) { return std::count(line.begin(), line.end(), ','); };
  const std::string head = text.substr(0, text.find('\n')), last = text.substr(text.rfind("unseen"));
  CHECK(fields(head) == fields(last));
}

}  // namespace tokenomics
