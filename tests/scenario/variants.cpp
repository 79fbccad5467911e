#include "tokenomics/scenario/variants.hpp"

#include <thread>

#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "../../sim/io/scenario/load_cache.hpp"
#include "shipped.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using Sets = std::vector<std::string>;

/// What loading gives: the resolved file, or the message.
template <typename Load>
std::string outcome(Load load) {
  try {
    return resolved_json(load()).dump();
  } catch (const std::exception& error) {
    return std::string("refused: ") + error.what();
  }
}

/// By a catalogue that has read nothing before.
std::string alone(const std::string& text, const Sets& sets) {
  const Catalogue fresh({TOKENOMICS_CATALOGUE});
  return outcome([&] { return load_scenario_text(text, "folder/file.json", fresh, sets); });
}

std::string as_variant(const ScenarioVariants& variants, const Sets& sets) {
  return outcome([&] { return variants.load(sets); });
}

const std::vector<Sets> kSound{
    {},
    {"seed=5"},
    {"workload=summarise", "deployment.hardware=h200-sxm", "cost.usd_per_gpu_hour=2.5"},
    {"workload.arrivals.rate_per_s=2", "workload.arrivals.cv=1.5"},
    {"deployment.hardware.hbm_bandwidth_TBps=4", "deployment.hardware.hbm_capacity_GB=100"},
    {"deployment.calibration=h200-sxm-sglang", "deployment.calibration.kernels.dense_gemm.compute.value=0.5"},
    {"model=deepseek-r1", "deployment.hardware=h200-sxm", "model.layers=61", "deployment.overlap=deepseek_decode"},
    {"model=deepseek-ai/DeepSeek-R1", "deployment.hardware=H200"}};

const std::vector<Sets> kBroken{{"seed"},
                                {"seed=NaN"},
                                {"model=nothing"},
                                {"model=kimi"},
                                {"deployment.hardware.hbm=4"},
                                {"deployment.hardware.hbm_bandwidth_TBps=-4", "workload=nothing"},
                                {"deployment.tp=7"},
                                {"workload.lengths.input={\"law\": \"uniform\", \"low\": 9, \"high\": 3}", "slo.x=1"},
                                {"deployment.calibration=h200-sxm-sglang", "deployment.calibration.kernels.x=1"},
                                {"workload.arrivals={\"kind\": \"day_night\", \"mean_rate_per_s\": 1, \"hourly_shape\": 3}"},
                                {"deployment=3", "workload.trace.file=none.csv"},
                                {"model=\xff"}};

}  // namespace

TEST_CASE("a variant is what loading the text with the same overrides gives, errors included", "[scenario]") {
  const ScenarioVariants variants(kMinimal, "folder/file.json", shipped());
  for (int round = 0; round < 2; ++round) {  // what is remembered of the first round changes nothing
    for (const Sets& sets : kSound) {
      CHECK(as_variant(variants, sets) == alone(kMinimal, sets));
      CHECK_NOTHROW(variants.load(sets));
    }
    for (const Sets& sets : kBroken) {
      CHECK(as_variant(variants, sets) == alone(kMinimal, sets));
      CHECK_THROWS(variants.load(sets));
    }
  }
  CHECK(variants.load({"seed=3"}, 8).seed == 8);
}

TEST_CASE("a text that does not parse is told by load, not by the constructor", "[scenario]") {
  for (const char* text : {"{\"model\": ", "3", "{\"model\": NaN}", "{\"seed\": 1, \"seed\": 2}"}) {
    const ScenarioVariants variants(text, "folder/file.json", shipped());
    CHECK(as_variant(variants, {}) == alone(text, {}));
    CHECK(as_variant(variants, {"seed=2"}) == alone(text, {"seed=2"}));
  }
}

TEST_CASE("variants of a query are what loading its text gives", "[scenario]") {
  const std::string text = shipped().raw(CatalogueKind::Queries, "r1-interactive").dump();
  const QueryVariants variants(text, "q.json", shipped());
  const Query query = variants.load({"slo.ttft_s.max=1.5", "hardware=[\"h200-sxm\"]"}, 7);
  const Query same = load_query_text(text, "q.json", shipped(), {"slo.ttft_s.max=1.5", "hardware=[\"h200-sxm\"]"}, 7);
  CHECK(query.slo.ttft_s->value == 1.5);
  CHECK(query.seed == same.seed);
  REQUIRE(query.hardware.size() == 1);
  CHECK(query.hardware[0].calibration.name == same.hardware[0].calibration.name);
  CHECK(query.hardware[0].price == same.hardware[0].price);
  for (const Sets& sets : {Sets{"slo.ttft=1"}, Sets{"price=3"}, Sets{"hardware=[\"h2000\"]"}}) {
    std::string message;
    try {
      load_query_text(text, "q.json", Catalogue({TOKENOMICS_CATALOGUE}), sets);
    } catch (const ScenarioError& error) {
      message = error.what();
    }
    CHECK_THROWS_WITH(variants.load(sets), message);
  }
}

TEST_CASE("whatever is overridden, sound or not, a variant equals its text", "[scenario]") {
  const ScenarioVariants variants(kMinimal, "folder/file.json", shipped());
  rc::prop("variant equals text", [&] {
    const auto pointers = std::vector<std::string>{"workload.arrivals.rate_per_s",
                                                   "deployment.tp",
                                                   "deployment.hardware.hbm_capacity_GB",
                                                   "deployment.hardware",
                                                   "deployment.batching.max_sequences",
                                                   "deployment.calibration",
                                                   "model",
                                                   "cost.usd_per_gpu_hour",
                                                   "measure.requests",
                                                   "slo.ttft_s.max"};
    const auto values =
        std::vector<std::string>{"1", "2.5", "8", "-1", "null", "h200-sxm", "b200-sxm-sglang", "deepseek-r1", "{}", "1e6"};
    Sets sets;
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
      sets.push_back(*rc::gen::elementOf(pointers) + "=" + *rc::gen::elementOf(values));
    RC_ASSERT(as_variant(variants, sets) == alone(kMinimal, sets));
  });
}

TEST_CASE("threads that load at once get what one gets", "[scenario]") {
  const Catalogue fresh({TOKENOMICS_CATALOGUE});
  const ScenarioVariants variants(kMinimal, "folder/file.json", fresh);
  std::vector<Sets> all = kSound;
  all.insert(all.end(), kBroken.begin(), kBroken.end());
  std::vector<std::vector<std::string>> seen(8);
  std::vector<std::thread> threads;
  for (auto& own : seen) {
    threads.emplace_back([&] {
      for (const Sets& sets : all) own.push_back(as_variant(variants, sets));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string expected = alone(kMinimal, all[i]);
    for (const auto& own : seen) CHECK(own[i] == expected);
  }
}

TEST_CASE("the memory of a catalogue is bounded, and keeps no failure", "[scenario]") {
  BoundedCache<int> cache;
  const std::size_t most = BoundedCache<int>::kMost;
  for (std::size_t i = 0; i < most; ++i) cache.put(std::to_string(i), std::make_shared<const int>(static_cast<int>(i)));
  CHECK(cache.size() == most);
  CHECK(*cache.find("7") == 7);
  cache.put("one more", std::make_shared<const int>(1));
  CHECK(cache.size() == 1);
  CHECK(cache.find("7") == nullptr);

  const Catalogue fresh({TOKENOMICS_CATALOGUE});
  const ScenarioVariants variants(kMinimal, "folder/file.json", fresh);
  CHECK_THROWS(variants.load({"deployment.hardware.hbm_capacity_GB=-1"}));
  CHECK(load_cache(fresh).gpus.size() == 0);
  for (const std::string gb : {"90", "91", "90"})
    CHECK_NOTHROW(variants.load({"deployment.hardware.hbm_capacity_GB=" + gb}));
  CHECK(load_cache(fresh).gpus.size() == 2);
}

}  // namespace tokenomics
