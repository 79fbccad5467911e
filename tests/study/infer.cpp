// Backwards: a host whose batch and load are known is simulated, these are hidden, and inferred from what its users see.
#include "tokenomics/study/infer.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/scenario/offer_query.hpp"
#include "tokenomics/study/run.hpp"

using namespace tokenomics;
using namespace tokenomics::test;
using nlohmann::json;

namespace {

/// A mixed instance of whole tensor parallelism at a load.
struct Host {
  std::string network, chip;
  int gpus = 8;
  int drafts = 0;
  double rate_per_s = 1;
  double overload_per_s = 10;  ///< more than it can take
  double margin = 0.4;
  std::string name;  ///< of the deployment
};

constexpr double kUsdPerGpuHour = 2;
constexpr std::int64_t kContext = 32768;

json workload_at(double rate_per_s) {
  return {{"base", "chat-2023"}, {"arrivals", {{"kind", "poisson"}, {"rate_per_s", rate_per_s}}}};
}

RunResult simulated(const Host& host, double rate_per_s, const json& measure) {
  json pool{{"hardware", host.chip},
            {"parallelism", {{"tp", host.gpus}}},
            {"batching", {{"policy", "chunked_mixed"}, {"max_sequences", 1024}, {"max_tokens_per_step", 8192}}}};
  if (host.drafts > 0) pool["mtp"] = {{"draft_tokens", 1}, {"acceptance", {0.8}}};
  const json file{{"name", "hidden"},
                  {"model", host.network},
                  {"workload", workload_at(rate_per_s)},
                  {"deployment", {{"pools", {pool}}}},
                  {"limits", {{"context_tokens", kContext}}},
                  {"cost", {{"usd_per_gpu_hour", kUsdPerGpuHour}}},
                  {"measure", measure}};
  return run_scenario(load_scenario_text(file.dump(), "hidden", shipped_catalogue()));
}

/// What the host knows and what its users see.
struct Truth {
  double batch_per_gpu = 0, utilization = 0, margin = 0;
  ObservedService observed;
};

/// Output tokens per second when requests never stop queueing, once the batch has filled: answers then take minutes.
double full_output_tok_s(const Host& host) {
  const RunResult run = simulated(host, host.overload_per_s, {{"warm_up_s", 300}, {"duration_s", 300}});
  return run.service.output_tokens / run.service.measured_s;
}

Truth truth_of(const Host& host) {
  const RunResult run =
      simulated(host, host.rate_per_s, {{"start", "stationary"}, {"warm_up_requests", 1000}, {"requests", 6000}});
  const ServiceResult& seen = run.service;
  const PoolResult& pool = seen.pools.front();
  Truth truth;
  truth.batch_per_gpu = pool.sequence_s / pool.provisioned_s / host.gpus;
  truth.utilization = seen.output_tokens / seen.measured_s / full_output_tok_s(host);
  truth.margin = host.margin;
  const TokenVolume volume{seen.input_computed_tokens, seen.input_cached_tokens, seen.output_tokens};
  const Usd cost = usd_per_hour(kUsdPerGpuHour) * Seconds{pool.provisioned_s * host.gpus};
  const TokenPrices shape{usd_per_mtok(1), std::nullopt, usd_per_mtok(4)};
  truth.observed.prices = *prices_in_ratios(shape, cost, volume, host.margin);
  truth.observed.ttft_p50 = Seconds{seen.ttft.histogram().quantile(0.5) * 1e-9};
  truth.observed.speed_p50 = Tokens{1} / Seconds{seen.tpot.histogram().quantile(0.5) * 1e-9};
  return truth;
}

Query query_of(const Host& host, const std::vector<std::string>& chips, const json& search) {
  const json file{{"model", host.network},
                  {"workload", "chat-2023"},
                  {"hardware", chips},
                  {"usd_per_gpu_hour", kUsdPerGpuHour},
                  {"limits", {{"context", kContext}}},
                  {"search", search}};
  return load_query_text(file.dump(), "outsider", shipped_catalogue());
}

json wide_search(const Host& host) {
  json search{{"gpus_per_instance", {host.gpus}}, {"tokens_per_step", {8192, 16384}}};
  if (host.drafts > 0) search["mtp"] = {{"draft_tokens", {0, 1}}, {"acceptance", {0.8}}};
  return search;
}

const InferredDeployment* find(const HostInference& host, const std::string& name) {
  const auto at = std::find_if(host.consistent.begin(), host.consistent.end(),
                               [&](const InferredDeployment& d) { return d.at_load.name == name; });
  return at == host.consistent.end() ? nullptr : &*at;
}

bool contains(const Span& span, double value, double slack) {
  return span.min - slack <= value && value <= span.max + slack;
}

// From a light to a heavy load.
const std::vector<Host> kHosts{
    {"deepseek-r1", "h200-sxm", 8, 0, 4, 40, 0.4, "8x h200-sxm tp8, chunked 8192"},
    {"deepseek-r1", "b200-sxm", 8, 1, 12, 60, 0.2, "8x b200-sxm tp8, chunked 8192, mtp 1"},
    {"llama-3.3-70b", "h200-sxm", 4, 0, 6, 40, 0.6, "4x h200-sxm tp4, chunked 8192"},
};

Host host_r1() { return kHosts.front(); }

ObservedService seen(double tok_s, double ttft_s) {
  return {{usd_per_mtok(0.5), std::nullopt, usd_per_mtok(2)}, Seconds{ttft_s}, Tokens{tok_s} / Seconds{1}};
}

}  // namespace

TEST_CASE("A simulated host's batch, utilization and margin are inferred from its price, speed and first token", "[study]") {
  for (const Host& host : kHosts) {
    const Truth truth = truth_of(host);
    const HostInference inferred = infer_host(query_of(host, {host.chip}, wide_search(host)), truth.observed);
    std::string names;
    for (const InferredDeployment& d : inferred.consistent) names += d.at_load.name + "\n";
    INFO(host.network << " on " << host.chip << ": " << inferred.explanation << "\n" << names);
    CAPTURE(truth.batch_per_gpu, truth.utilization);
    REQUIRE(truth.utilization < 0.9);
    const InferredDeployment* own = find(inferred, host.name);
    REQUIRE(own != nullptr);
    CHECK(own->batch_per_gpu == Approx(truth.batch_per_gpu).epsilon(0.10));
    CHECK(own->utilization == Approx(truth.utilization).margin(0.1));
    CHECK(own->margin_over_revenue == Approx(truth.margin).margin(0.05));
    CHECK(own->unexplained_ttft_s.value() == Approx(0).margin(0.1 * truth.observed.ttft_p50->value() + 0.005));
  }
}

TEST_CASE("Over two chips the range of what a host may be contains what it is", "[study]") {
  for (const Host& host : kHosts) {
    const Truth truth = truth_of(host);
    const HostInference inferred = infer_host(query_of(host, {"h200-sxm", "b200-sxm"}, wide_search(host)), truth.observed);
    INFO(host.network << " on " << host.chip << ": " << inferred.explanation);
    REQUIRE(find(inferred, host.name) != nullptr);
    CHECK(contains(inferred.all.batch_per_gpu, truth.batch_per_gpu, 0.1 * truth.batch_per_gpu));
    CHECK(contains(inferred.all.utilization, truth.utilization, 0.1));
    CHECK(contains(inferred.all.margin_over_revenue, truth.margin, 0.05));
    CHECK(inferred.all.consistent == inferred.consistent.size());
    REQUIRE(inferred.per_hardware.size() == 2);
    CHECK(inferred.per_hardware[0].consistent + inferred.per_hardware[1].consistent == inferred.all.consistent);
  }
}

// One prefill server feeds one decode server. How full prefill is shows in the first token alone.
TEST_CASE("A simulated pair of prefill and decode pools is inferred too", "[study]") {
  constexpr double kRate = 11, kMargin = 0.5;
  const json tp8{{"tp", 8}};
  const json file{
      {"name", "hidden pair"},
      {"model", "deepseek-r1"},
      {"workload", workload_at(kRate)},
      {"deployment",
       {{"pools",
         {{{"role", "prefill"},
           {"hardware", "h200-sxm"},
           {"parallelism", tp8},
           {"batching", {{"policy", "prefill_first"}, {"max_tokens_per_step", 8192}}}},
          {{"role", "decode"}, {"hardware", "h200-sxm"}, {"parallelism", tp8}, {"batching", {{"max_sequences", 1024}}}}}}}},
      {"limits", {{"context_tokens", kContext}}},
      {"cost", {{"usd_per_gpu_hour", kUsdPerGpuHour}}},
      {"measure", {{"start", "stationary"}, {"warm_up_requests", 1000}, {"requests", 6000}}}};
  const RunResult run = run_scenario(load_scenario_text(file.dump(), "hidden", shipped_catalogue()));
  const ServiceResult& service = run.service;
  const PoolResult& decode = service.pools[1];
  const TokenVolume volume{service.input_computed_tokens, service.input_cached_tokens, service.output_tokens};
  const Usd cost = usd_per_hour(kUsdPerGpuHour) * Seconds{decode.provisioned_s * 16};
  ObservedService observed;
  observed.prices = *prices_in_ratios({usd_per_mtok(1), std::nullopt, usd_per_mtok(4)}, cost, volume, kMargin);
  observed.ttft_p50 = Seconds{service.ttft.histogram().quantile(0.5) * 1e-9};
  observed.speed_p50 = Tokens{1} / Seconds{service.tpot.histogram().quantile(0.5) * 1e-9};
  const json search{{"pools", {"disaggregated"}}, {"gpus_per_instance", {8}}, {"tokens_per_step", {8192}}};
  const HostInference inferred = infer_host(query_of(host_r1(), {"h200-sxm"}, search), observed);
  INFO(inferred.explanation << "; TTFT " << observed.ttft_p50->value() << ", tok/s " << observed.speed_p50->value());
  const auto own = std::find_if(inferred.consistent.begin(), inferred.consistent.end(), [](const InferredDeployment& d) {
    const std::vector<PoolSpec>& pools = d.at_load.deployment.pools;
    return pools[0].plan.parallelism.attention_tp == 8 && pools[1].plan.parallelism.attention_tp == 8 &&
           pools[0].plan.parallelism.ep == 1 && pools[1].plan.parallelism.ep == 1;
  });
  REQUIRE(own != inferred.consistent.end());
  INFO(own->at_load.name);
  CHECK(own->batch_per_gpu == Approx(decode.sequence_s / decode.provisioned_s / 8).epsilon(0.10));
  CHECK(own->margin_over_revenue == Approx(kMargin).margin(0.05));
}

TEST_CASE("A first token that waits elsewhere too leaves the batch as it is and the rest of the wait unexplained",
          "[study]") {
  const Query query = query_of(host_r1(), {"h200-sxm"}, wide_search(host_r1()));
  const HostInference near = infer_host(query, seen(40, 1)), far = infer_host(query, seen(40, 3));
  REQUIRE(near.consistent.size() == far.consistent.size());
  CHECK(far.consistent.front().batch_per_gpu == near.consistent.front().batch_per_gpu);
  CHECK(*far.consistent.front().unexplained_ttft_s - *near.consistent.front().unexplained_ttft_s == Approx(2).epsilon(1e-9));
}

TEST_CASE("A speed that no deployment reaches is explained by none, with the fastest named", "[study]") {
  const HostInference fast = infer_host(query_of(host_r1(), {"h200-sxm", "mi300x"}, wide_search(host_r1())), seen(250, 1));
  CHECK(fast.verdict == InferenceVerdict::TooFast);
  CHECK(fast.consistent.empty());
  CHECK_THAT(fast.explanation, Catch::Contains("no deployment explains it: 250 tok/s"));
  CHECK(fast.all.tried > 0);
}

// Eight sequences at most: the largest batch is still fast.
TEST_CASE("A speed below that of the fullest deployment is not explained by a large batch", "[study]") {
  json search = wide_search(host_r1());
  search["sequences_per_rank"] = {8};
  const HostInference slow = infer_host(query_of(host_r1(), {"h200-sxm"}, search), seen(5, 30));
  CHECK(slow.verdict == InferenceVerdict::SlowerThanFull);
  REQUIRE(slow.nearest);
  CHECK(slow.nearest->utilization == 1);
  CHECK_THAT(slow.explanation, Catch::Contains("throttling"));
}

TEST_CASE("A slow answer with an instant first token is no large batch", "[study]") {
  const HostInference odd = infer_host(query_of(host_r1(), {"h200-sxm"}, wide_search(host_r1())), seen(12, 0.01));
  CHECK(odd.verdict == InferenceVerdict::LateFirstToken);
  REQUIRE(odd.nearest);
  CHECK(odd.nearest->at_load.point.ttft.value() > 0.011);
}

TEST_CASE("A price below the cost of the cheapest deployment is told as such", "[study]") {
  ObservedService cheap = seen(40, 1);
  cheap.prices = {usd_per_mtok(0.01), std::nullopt, usd_per_mtok(0.02)};
  const HostInference inferred = infer_host(query_of(host_r1(), {"h200-sxm"}, wide_search(host_r1())), cheap);
  CHECK(inferred.verdict == InferenceVerdict::BelowCost);
  CHECK(inferred.all.margin_over_revenue.max < 0);
  CHECK(inferred.consistent.front().margin_over_revenue == inferred.all.margin_over_revenue.max);
  CHECK_THAT(inferred.explanation, Catch::Contains("below the cost of rented GPUs on this mix"));
}

TEST_CASE("What is not observed is named, and a network that does not fit is no error", "[study]") {
  ObservedService unseen = seen(40, 1);
  unseen.speed_p50 = std::nullopt;
  const Query query = query_of(host_r1(), {"h200-sxm"}, wide_search(host_r1()));
  const HostInference blind = infer_host(query, unseen);
  CHECK(blind.verdict == InferenceVerdict::NotEnoughObserved);
  CHECK(blind.missing == std::vector<std::string>{"speed"});
  ObservedService no_ttft = seen(40, 1);
  no_ttft.ttft_p50 = std::nullopt;
  const HostInference partial = infer_host(query, no_ttft);
  CHECK(partial.missing == std::vector<std::string>{"ttft"});
  CHECK_FALSE(partial.consistent.front().unexplained_ttft_s);
  const HostInference none =
      infer_host(query_of(host_r1(), {"h100-sxm"}, json{{"gpus_per_instance", {8}}}), seen(40, 1));  // 671 GB into 640
  CHECK(none.verdict == InferenceVerdict::DoesNotFit);
}

TEST_CASE("The number of threads changes nothing", "[study]") {
  const Query query = query_of(host_r1(), {"h200-sxm"}, wide_search(host_r1()));
  InferOptions three;
  three.jobs = 3;
  const HostInference a = infer_host(query, seen(40, 1)), b = infer_host(query, seen(40, 1), three);
  REQUIRE(a.consistent.size() == b.consistent.size());
  for (std::size_t i = 0; i < a.consistent.size(); ++i) {
    CHECK(a.consistent[i].at_load.name == b.consistent[i].at_load.name);
    CHECK(a.consistent[i].utilization == b.consistent[i].utilization);
  }
}

TEST_CASE("An offer's query has its context, number format and the market price of each candidate", "[study]") {
  const ProviderSpec host = load_provider("deepinfra", shipped_catalogue());
  const auto offer = std::find_if(host.offers.begin(), host.offers.end(),
                                  [](const OfferSpec& o) { return o.model == "deepseek-v3-0324" && o.speed_p50; });
  REQUIRE(offer != host.offers.end());
  const OfferQuery asked = offer_query(host, *offer, {}, shipped_catalogue());
  REQUIRE(asked.query);
  CHECK(asked.query->context_tokens == 163840);
  CHECK(asked.query->search.precisions.experts == Precision::Fp4);
  CHECK(asked.query->search.draft_tokens == std::vector<int>{0, 1});
  CHECK(asked.query->workload.name == "chat-2023");
  REQUIRE(asked.query->hardware.size() == host.strategy.hardware.size());
  for (const HardwareChoice& chip : asked.query->hardware) {
    CHECK(chip.price == chip.gpu.rental_price.value());
    CHECK(chip.price_source == "rental price of the hardware file");
  }
  CHECK(usual_workload("deepseek-r1-0528") == "r1-api");
  const ProviderSpec first_party = load_provider("deepseek", shipped_catalogue());
  const OfferQuery own = offer_query(first_party, first_party.offers.front(), {}, shipped_catalogue());
  CHECK(in_usd_per_hour(own.query->hardware.front().price) == Approx(2));
  CHECK(own.query->hardware.front().price_source == "given");
  OfferSpec unknown = *offer;
  unknown.model = "nobody-7b";
  CHECK_FALSE(offer_query(host, unknown, {}, shipped_catalogue()).query);
}
