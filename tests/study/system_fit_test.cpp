#include "tokenomics/study/system_fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

using test::shipped_catalogue;

/// Runs of DeepSeek-R1 on eight H200 or H100 under SGLang, before anybody measured them.
std::vector<MeasuredPoint> runs(const std::string& gpu, const std::string& date, std::vector<std::int64_t> inputs) {
  std::vector<MeasuredPoint> points;
  for (const std::int64_t input : inputs) {
    for (const std::int64_t users : {1, 4, 16, 48}) {
      MeasuredPoint m;
      m.file = "made.csv";
      m.line = static_cast<int>(points.size()) + 2;
      m.model = "deepseek-r1-0528";
      m.gpu = gpu;
      m.framework = "sglang";
      m.precision = "fp8";
      m.date = date;
      m.input_tokens = input;
      m.output_tokens = 256;
      m.concurrency = users;
      m.gpus = 8;
      m.decode = {8, 1, 8, 1, 1};
      m.tok_s_per_gpu = m.tpot_ms = m.ttft_s = 1;
      points.push_back(m);
    }
  }
  return points;
}

BenchmarkSet set_of(const std::vector<MeasuredPoint>& points) {
  std::vector<BenchmarkPoint> made;
  for (const MeasuredPoint& m : points) made.push_back(benchmark_point(m, shipped_catalogue(), {}));
  return {std::move(made), {}};
}

/// Gives the points what a calibration predicts.
void measure(std::vector<MeasuredPoint>& points, const Calibration& truth) {
  const BenchmarkSet set = set_of(points);
  std::vector<BenchmarkSet::Task> tasks;
  for (std::size_t i = 0; i < points.size(); ++i) tasks.push_back({i, &truth});
  const auto answers = set.predict(tasks, 1);
  for (std::size_t i = 0; i < points.size(); ++i) {
    REQUIRE(answers[i].prediction);
    points[i].tok_s_per_gpu = answers[i].prediction->tok_s_per_gpu;
    points[i].tpot_ms = answers[i].prediction->tpot_ms_median;
    points[i].ttft_s = answers[i].prediction->ttft_s_median;
  }
}

std::size_t place_of(const std::string& name) {
  const auto& all = system_parameters();
  for (std::size_t p = 0; p < all.size(); ++p) {
    if (all[p].name == name) return p;
  }
  FAIL("no parameter " + name);
  return 0;
}

/// The catalogue's kernels of H200 with a slow front end and half of the kernels' fixed times.
Calibration truth_of(const Calibration& base) {
  std::vector<double> values;
  for (const SystemParameter& p : system_parameters()) values.push_back(p.value(base));
  values[place_of("launch_share")] = 0.4;
  values[place_of("request_latency")] = 150;
  return with_parameters(base, values);
}

FitSettings quick() {
  FitSettings settings;
  settings.soft = 0;
  return settings;
}

const SystemFit& fit_at(const HierarchyFit& fit, FitLevel level, const std::string& key = "") {
  const auto found = std::find_if(fit.fits.begin(), fit.fits.end(), [&](const SystemFit& one) {
    return one.level == level && (key.empty() || one.key == key);
  });
  REQUIRE(found != fit.fits.end());
  return *found;
}

TEST_CASE("a fit finds what another calibration predicts", "[system_fit]") {
  auto points = runs("h200-sxm", "2026-03-01", {256, 2048});
  measure(points, truth_of(load_calibration("h200-sxm-sglang", shipped_catalogue())));
  const BenchmarkSet set = set_of(points);
  const SystemFitter fitter(set, shipped_catalogue(), quick());
  const HierarchyFit fit = fitter.fit(fitter.usable());
  const SystemFit& version = fit_at(fit, FitLevel::Version);
  CHECK(version.tpot.median < 0.03);
  CHECK(version.tok_s_per_gpu.median < 0.03);
  CHECK(version.ttft.median < 0.05);
  CHECK(version.calibration.gpu == "h200-sxm");
  CHECK(version.calibration.engine == "sglang");
  CHECK(version.calibration.valid_from == "2026-03-01");
}

TEST_CASE("numbers that were changed come back within their standard errors", "[system_fit]") {
  auto points = runs("h200-sxm", "2026-03-01", {256, 2048});
  Calibration truth = load_calibration(set_of(points).points()[0].calibration.name, shipped_catalogue());
  std::map<std::string, double> changed{{"launch_share", 0.85}, {"request_latency", 1.4}, {"hbm_experts", 0.9}};
  for (auto& [name, factor] : changed) {
    const SystemParameter& p = system_parameters()[place_of(name)];
    factor *= p.value(truth);
    p.set(truth, {factor, "assumed", "test"});
  }
  measure(points, truth);
  const BenchmarkSet set = set_of(points);
  const SystemFitter fitter(set, shipped_catalogue(), quick());
  const SystemFit fit = fitter.fit_few(fitter.usable());
  for (const auto& [name, value] : changed) {
    const std::size_t p = place_of(name);
    INFO(name << ": " << fit.numbers.values[p] << " for " << value << " +- " << fit.numbers.standard_errors[p]);
    CHECK(std::abs(std::log(fit.numbers.values[p] / value)) < 3 * fit.numbers.standard_errors[p]);
    CHECK(fit.numbers.standard_errors[p] < system_parameters()[p].spread / 2);  // the points say more than the prior
  }
}

TEST_CASE("a point finds its version, else its GPU and engine, else its family", "[system_fit]") {
  auto points = runs("h200-sxm", "2026-03-01", {256});
  measure(points, truth_of(load_calibration("h200-sxm-sglang", shipped_catalogue())));
  const BenchmarkSet set = set_of(points);
  FitSettings settings = quick();
  settings.most_iterations = 1;
  const HierarchyFit fit = SystemFitter(set, shipped_catalogue(), settings).fit({0, 1, 2, 3});
  auto asked = runs("h200-sxm", "2026-03-01", {256});
  const auto nearest = [&](const MeasuredPoint& m) { return fit.nearest(benchmark_point(m, shipped_catalogue(), {})); };
  CHECK(nearest(asked[0])->level == FitLevel::Version);
  asked[0].date = "2025-11-01";
  CHECK(nearest(asked[0])->level == FitLevel::Gpu);
  asked[0].gpu = "h100-sxm";
  asked[0].decode = {16, 1, 16, 1, 1};
  asked[0].gpus = 16;
  CHECK(nearest(asked[0])->level == FitLevel::Family);
  asked[0].framework = "trt";
  CHECK(nearest(asked[0]) == nullptr);
}

TEST_CASE("days with a gap of three weeks are versions of their own", "[system_fit]") {
  std::vector<MeasuredPoint> points;
  for (const char* date : {"2025-12-20", "2026-01-05", "2026-01-27", ""}) {
    points.push_back(runs("h200-sxm", date, {256}).front());
  }
  const BenchmarkSet set = set_of(points);
  const SystemFitter fitter(set, shipped_catalogue(), quick());
  CHECK(fitter.place(0).version == fitter.place(1).version);  // 16 days apart
  CHECK(fitter.place(1).version != fitter.place(2).version);  // 22 days
  CHECK(fitter.place(3).version.empty());
  CHECK(fitter.place(0).family == "Hopper sglang");
}

TEST_CASE("two points move what they speak for and leave the rest at the prior", "[system_fit]") {
  auto points = runs("h200-sxm", "2026-03-01", {256});
  points.resize(2);
  measure(points, truth_of(load_calibration("h200-sxm-sglang", shipped_catalogue())));
  const BenchmarkSet set = set_of(points);
  const SystemFit fit = SystemFitter(set, shipped_catalogue(), quick()).fit_few({0, 1});
  CHECK(fit.tpot.median < 0.05);
  const Calibration prior = load_calibration(set.points()[0].calibration.name, shipped_catalogue());
  const std::size_t kv = place_of("link");
  CHECK(fit.numbers.values[kv] == Approx(system_parameters()[kv].value(prior)).epsilon(0.15));
  CHECK(fit.numbers.standard_errors[kv] > 0.05);  // two short runs do not tell the link
}

TEST_CASE("a fold is never seen by the fits that predict it", "[system_fit]") {
  auto points = runs("h200-sxm", "2026-03-01", {256, 2048});
  measure(points, truth_of(load_calibration("h200-sxm-sglang", shipped_catalogue())));
  // Nonsense in one shape: were it seen, the other shape's predictions would move.
  auto spoilt = points;
  for (MeasuredPoint& m : spoilt) {
    if (m.input_tokens == 2048) *m.tpot_ms *= 5;
  }
  const auto predictions_of_2048 = [](const std::vector<MeasuredPoint>& given) {
    const BenchmarkSet set = set_of(given);
    FitSettings settings = quick();
    settings.most_iterations = 2;
    const SystemFitter fitter(set, shipped_catalogue(), settings);
    std::vector<double> tpot;
    for (const ValidatedPoint& v : cross_validate(set, fitter, FoldKind::Shape, fitter.usable(), 1).points) {
      if (set.points()[v.point].measured->input_tokens == 2048) tpot.push_back(v.prediction->tpot_ms_median);
    }
    return tpot;
  };
  CHECK(predictions_of_2048(points) == predictions_of_2048(spoilt));
}

}  // namespace
}  // namespace tokenomics
