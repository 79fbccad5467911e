#include "support/catch.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "helpers.hpp"
#include "tokenomics/workload/length_statistics.hpp"
#include "tokenomics/workload/quantiles.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

nlohmann::json preset(const std::string& name) {
  std::ifstream file(std::string(TOKENOMICS_CATALOGUE) + "/workloads/" + name + ".json");
  REQUIRE(file);
  return nlohmann::json::parse(file);
}

LengthMarginal marginal(const nlohmann::json& json) {
  LengthMarginal result;
  const std::string law = json.at("law");
  if (law == "lognormal") result.law = lognormal_with_mean(json.at("mean"), json.at("sigma"));
  if (law == "uniform") result.law = UniformLaw{json.at("low"), json.at("high")};
  if (law == "quantiles") result.law = QuantileLaw{json.at("probability"), json.at("value")};
  result.min_tokens = json.value("min_tokens", result.min_tokens);
  result.max_tokens = json.value("max_tokens", result.max_tokens);
  return result;
}

LengthStatistics statistics(const std::string& name) {
  const nlohmann::json json = preset(name);
  WorkloadSpec spec = with_fixed_lengths(PoissonArrivals{1});
  spec.lengths = IndependentLengths{marginal(json.at("lengths").at("input")), marginal(json.at("lengths").at("output"))};
  spec.cache_hit_ratio = json.at("cache_hit_ratio");
  return LengthBiasedSampler(*make_length_law(spec), RandomStream(1, "sample")).statistics();
}

}  // namespace

TEST_CASE("DeepSeek's fleet has the published ratio, hits, volume and mean KV per output token", "[workload]") {
  // Published for 24 hours: 608 B in, 342 B of them cached, 168 B out, mean KV length per output token 4,989.
  for (const std::string name : {"deepseek-fleet", "deepseek-day"}) {
    const LengthStatistics s = statistics(name);
    CHECK(s.mean_input / s.mean_output == Approx(608.0 / 168.0).epsilon(0.01));
    CHECK(s.mean_cached / s.mean_input == Approx(342.0 / 608.0).epsilon(0.001));
    CHECK(s.kv_per_output_token == Approx(4989).epsilon(0.01));
    CHECK(s.mean_output == Approx(999).epsilon(0.01));
    CHECK(s.mean_input == Approx(3615).epsilon(0.01));
    const nlohmann::json arrivals = preset(name).at("arrivals");
    CHECK(arrivals.at("mean_rate_per_s").get<double>() * s.mean_output * 86400 == Approx(168e9).epsilon(0.005));
  }
}

TEST_CASE("DeepSeek's days have the published peaks", "[workload]") {
  const auto peak_to_mean = [](const std::string& name) {
    const std::vector<double> shape = preset(name).at("arrivals").at("hourly_shape");
    REQUIRE(shape.size() == 24);
    return *std::max_element(shape.begin(), shape.end()) * 24 / std::accumulate(shape.begin(), shape.end(), 0.0);
  };
  // Nodes: peak 278 over mean 226.75. Income: highest bar 31,039 of 562,027 USD a day, 1.325 times the mean.
  CHECK(peak_to_mean("deepseek-fleet") == Approx(278 / 226.75).epsilon(0.001));
  CHECK(peak_to_mean("deepseek-day") == Approx(1.325).epsilon(0.001));
  const std::vector<double> income = preset("deepseek-day").at("arrivals").at("hourly_shape");
  CHECK(std::accumulate(income.begin(), income.end(), 0.0) == Approx(562'027).margin(30));
  CHECK(income[22] == 31'039);
  CHECK(income[4] == 6'368);
}

TEST_CASE("the other length presets have the means of the data they were taken from", "[workload]") {
  // Quantile tables are linear in log between points: means within 1.5% of the data's.
  CHECK(statistics("chat-2023").mean_input == Approx(1154.7).epsilon(0.015));
  CHECK(statistics("chat-2023").mean_output == Approx(211.1).epsilon(0.015));
  CHECK(statistics("summarise").mean_input == Approx(2588.1).epsilon(0.015));
  CHECK(statistics("summarise").mean_output == Approx(291.4).epsilon(0.015));
  // Uniform in [0.8 L, L]: mean 0.9 L.
  CHECK(statistics("inferencex-8k1k").mean_input == Approx(7373).epsilon(0.001));
  CHECK(statistics("inferencex-8k1k").mean_output == Approx(922).epsilon(0.001));
}
