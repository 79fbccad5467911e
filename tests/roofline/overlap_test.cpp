#include "support/catch.hpp"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "roofline/plans.hpp"
#include "tokenomics/roofline/overlap.hpp"

using namespace plans;

namespace {

PartTimes parts(double dispatch, double combine, double others) {
  PartTimes t;
  t.alone.fill(others);
  t.alone[static_cast<std::size_t>(LayerPart::Dispatch)] = dispatch;
  t.alone[static_cast<std::size_t>(LayerPart::Combine)] = combine;
  t.alone[static_cast<std::size_t>(LayerPart::DenseFfn)] = 0;
  t.slowed = t.alone;
  return t;
}

double layer_time(const LayerLayout& layout, const PartTimes& times, double hold) {
  double total = 0;
  for (const auto& stage : layout.stages) {
    double slowest = 0;
    for (const auto& lane : stage.lanes) slowest = std::max(slowest, lane_time(lane, times, hold));
    total += stage.times * slowest;
  }
  return total;
}

}  // namespace

TEST_CASE("DeepSeek's schedules place every part of both micro-batches once", "[roofline]") {
  CHECK(check_schedule(deepseek_decode_schedule(), "-").empty());
  CHECK(check_schedule(deepseek_prefill_schedule(), "-").empty());
  CHECK(check_schedule(OverlapSchedule{}, "-").empty());
}

TEST_CASE("Every schedule of the catalogue places every part", "[roofline]") {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TOKENOMICS_CATALOGUE) + "/overlaps")) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    std::ifstream in(entry.path());
    const auto file = nlohmann::json::parse(in);
    OverlapSchedule s;
    s.micro_batches = file.at("micro_batches").get<int>();
    s.compute_share = file.value("compute_share", 1.0);
    for (const auto& written : file.at("stages")) {
      OverlapSchedule::Stage stage{written.value("times", 1), {}};
      for (const auto& lane : written.at("lanes")) {
        stage.lanes.emplace_back();
        for (const auto& name : lane) {
          const auto part = layer_part_named(name.get<std::string>());
          REQUIRE(part);
          stage.lanes.back().parts.push_back(*part);
        }
      }
      s.stages.push_back(stage);
    }
    CHECK(check_schedule(s, "-").empty());
    ++files;
  }
  CHECK(files >= 4);
}

TEST_CASE("A schedule that forgets or repeats a part is refused with the part's name", "[roofline]") {
  OverlapSchedule s = deepseek_decode_schedule();
  s.stages[1].lanes[0].parts = {LayerPart::Experts};
  s.stages[0].lanes[1].parts.push_back(LayerPart::DenseFfn);
  const auto problems = check_schedule(s, "file.json");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].value == "router 0 times");
  CHECK(problems[0].expected == "each part once per micro-batch: 2 times");
  CHECK(problems[1].value == "dense_ffn");
}

TEST_CASE("A layer is the sum of its stages' slowest lanes", "[roofline]") {
  // Every computing part 1, dispatch 5, combine 1.5. Decode, twice: max(5, 1 + 1) + (1 + 1) + max(1.5, 1 + 1) = 9.
  CHECK(layer_time(layout_of(deepseek_decode_schedule(), true), parts(5, 1.5, 1), 0) == Approx(18));
  // One after the other, one micro-batch: six computing parts, 5 and 1.5.
  CHECK(layer_time(layout_of(OverlapSchedule{}, true), parts(5, 1.5, 1), 0) == Approx(12.5));
  // Prefill: max(1.5, 5) + max(5, 4) + max(5, 1) + max(1.5, 2).
  CHECK(layer_time(layout_of(deepseek_prefill_schedule(), true), parts(5, 1.5, 1), 0) == Approx(5 + 5 + 5 + 2));
}

TEST_CASE("A transfer holds computing kernels up at both its ends", "[roofline]") {
  // Decode with 0.75 a hold: max(5, 2 + 1.5) + 2 + max(1.5, 2 + 1.5) = 10.5, twice. Nothing waits where nothing travels.
  CHECK(layer_time(layout_of(deepseek_decode_schedule(), true), parts(5, 1.5, 1), 0.75) == Approx(21));
  CHECK(layer_time(layout_of(OverlapSchedule{}, true), parts(5, 1.5, 1), 0.75) == Approx(12.5));
}

TEST_CASE("SMs given to communication slow only lanes that run beside it", "[roofline]") {
  PartTimes t = parts(0, 0, 1);
  t.slowed.fill(1.5);
  OverlapSchedule s = deepseek_decode_schedule();
  s.compute_share = 0.5;
  // Twice: (1 + 1) * 1.5 beside dispatch, 2 alone, (1 + 1) * 1.5 beside combine.
  CHECK(layer_time(layout_of(s, true), t, 0) == Approx(16));
}

TEST_CASE("Layers without experts run one part after the other for each micro-batch", "[roofline]") {
  const LayerLayout layout = layout_of(deepseek_decode_schedule(), false);
  REQUIRE(layout.stages.size() == 1);
  CHECK(layout.stages[0].times == 2);
  CHECK(layout.stages[0].lanes.size() == 1);
}
