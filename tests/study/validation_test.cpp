#include "tokenomics/study/validation.hpp"

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "support/trivial_service.hpp"
#include "tokenomics/study/validation_gate.hpp"

namespace tokenomics {
namespace {

MeasuredPoint measured(const std::string& gpu, const std::string& model, double tok_s_per_gpu, double tpot_ms,
                       double ttft_s) {
  MeasuredPoint m;
  m.file = "points.csv";
  m.model = model;
  m.gpu = gpu;
  m.framework = "sglang";
  m.precision = "fp8";
  m.tok_s_per_gpu = tok_s_per_gpu;
  m.tpot_ms = tpot_ms;
  m.ttft_s = ttft_s;
  m.input_tokens = 100;
  m.output_tokens = 11;
  m.concurrency = 1;
  m.gpus = 1;
  m.decode.gpus = 1;
  m.shortest_share = 1;
  return m;
}

/// Points that are not run, for sums of errors that are given.
struct Sums {
  std::vector<MeasuredPoint> points;
  std::vector<ValidatedPoint> validated;
  void add(const MeasuredPoint& m, double tok_s_per_gpu, double tpot, double ttft) {
    ValidatedPoint v;
    v.point = points.size();
    v.prediction = Prediction{};
    v.errors = {tok_s_per_gpu, tpot, ttft};
    points.push_back(m);
    validated.push_back(v);
  }
  [[nodiscard]] BenchmarkSet set() const {
    std::vector<BenchmarkPoint> all;
    for (const MeasuredPoint& m : points) {
      BenchmarkPoint point;
      point.measured = &m;
      point.network = m.model;
      point.cannot_run = m.invalid;
      all.push_back(std::move(point));
    }
    return {std::move(all), {}};
  }
  [[nodiscard]] Validation summed() const { return summed_up(set(), validated); }
};

}  // namespace

TEST_CASE("statistics of errors: median and 90th percentile of their sizes, median of them as they are", "[study]") {
  // Sizes 0, 0.1, 0.2, 0.3, 0.4: median 0.2, 90th percentile 3.6 steps from the first: 0.36. In order: -0.4, -0.1, 0, 0.2,
  // 0.3.
  const ErrorStatistics s = statistics_of_errors({0.3, -0.1, 0.2, 0.0, -0.4});
  CHECK(s.points == 5);
  CHECK(s.median == Approx(0.2));
  CHECK(s.p90 == Approx(0.36));
  CHECK(s.bias == Approx(0.0));
  CHECK(statistics_of_errors({}).points == 0);
}

TEST_CASE("a benchmark of one user is worked out by hand", "[study]") {
  // Each prompt takes 101 ms (1 ms and 1 ms a token of 100) and gives the first token; 10 more at 1 ms. A request: 5 ms to
  // the engine, 101 + 10 ms there. 10 prompts one after the other: 110 tokens in 1.16 s on 4 GPUs = 23.7069 tok/s/GPU.
  MeasuredPoint m = measured("g", "n", 25, 1, 0.1);
  m.gpus = 4;
  test::LinearTimer timer;
  timer.per_prompt_token_s = 1e-3;
  BenchmarkPoint point;
  point.measured = &m;
  BenchmarkPool pool;
  pool.config = test::mixed_pool(timer);
  point.pools.push_back(pool);
  Calibration calibration;
  calibration.request_latency_ms.value = 5;
  const Prediction p = predict(point, {&timer}, calibration, {});
  CHECK(p.tok_s_per_gpu == Approx(110 / 1.16 / 4).epsilon(1e-6));
  CHECK(p.ttft_s_median == Approx(0.106).epsilon(1e-6));
  CHECK(p.ttft_s_mean == Approx(0.106).epsilon(1e-6));
  CHECK(p.tpot_ms_median == Approx(1).epsilon(1e-6));
  CHECK(p.tpot_ms_mean == Approx(1).epsilon(1e-6));

  const BenchmarkSet set({point}, {});
  const ValidatedPoint v = compared(set, 0, {p, ""}, "by hand");
  CHECK(*v.errors.tok_s_per_gpu == Approx(23.7069 / 25 - 1).epsilon(1e-4));
  CHECK(*v.errors.tpot == Approx(0).margin(1e-6));
  CHECK(*v.errors.ttft == Approx(0.06).epsilon(1e-4));
  CHECK(v.calibration == "by hand");
}

TEST_CASE("means are compared with means and medians with medians; what was not measured has no error", "[study]") {
  MeasuredPoint m = measured("g", "n", 10, 10, 1);
  m.tpot_is_mean = true;
  m.ttft_is_mean = false;
  m.tok_s_per_gpu.reset();
  BenchmarkPoint point;
  point.measured = &m;
  const BenchmarkSet set({point}, {});
  Prediction p;
  p.tpot_ms_median = 20;
  p.tpot_ms_mean = 11;
  p.ttft_s_median = 1.5;
  p.ttft_s_mean = 3;
  const ValidatedPoint v = compared(set, 0, {p, ""}, "");
  CHECK_FALSE(v.errors.tok_s_per_gpu);
  CHECK(*v.errors.tpot == Approx(0.1));
  CHECK(*v.errors.ttft == Approx(0.5));
}

TEST_CASE("a point that cannot be run counts as 100%, a row that is no measurement not at all", "[study]") {
  std::vector<MeasuredPoint> points{measured("no-such-gpu", "llama-3.1-8b", 10, 10, 1),
                                    measured("h100", "no-such-network", 10, 10, 1),
                                    measured("h100", "llama-3.1-8b", 10, 10, 1)};
  points[2].invalid = "the concurrency is missing";
  std::vector<BenchmarkPoint> set_up;
  for (const MeasuredPoint& m : points) set_up.push_back(benchmark_point(m, test::shipped_catalogue(), {}));
  const BenchmarkSet set(std::move(set_up), {});
  const Validation v = validate(
      set, [](std::size_t) { return nullptr; }, 1);
  CHECK(v.all.points == 2);
  CHECK(v.all.infeasible == 2);
  CHECK(v.all.skipped == 1);
  CHECK(v.all.tok_s_per_gpu.points == 2);
  for (const ErrorStatistics* s : {&v.all.tok_s_per_gpu, &v.all.tpot, &v.all.ttft}) {
    CHECK(s->median == 1);
    CHECK(s->p90 == 1);
    CHECK(s->bias == -1);
  }
  CHECK_THAT(v.points[0].reason, Catch::Contains("no-such-gpu"));
  CHECK_THAT(v.points[1].reason, Catch::Contains("no-such-network"));
  CHECK(v.points[2].reason == "the concurrency is missing");
  CHECK(v.points[2].invalid);
  CHECK_FALSE(v.points[2].errors.tpot);
}

TEST_CASE("groups, totals, DeepSeek alone and the mean over groups by hand", "[study]") {
  Sums sums;
  sums.add(measured("a", "DeepSeek-R1", 1, 1, 1), 0.1, 0.2, -0.3);
  sums.add(measured("a", "DeepSeek-R1", 1, 1, 1), -0.3, 0.2, -0.3);
  sums.add(measured("a", "DeepSeek-R1", 1, 1, 1), 0.2, 0.2, -0.3);
  sums.add(measured("b", "Llama", 1, 1, 1), 0.6, 0.4, 0.1);
  MeasuredPoint derived = measured("b", "Llama", 1, 1, 1);
  derived.throughput = ThroughputKind::DerivedFromLatency;
  sums.add(derived, 0.9, 0.6, 0.1);
  const Validation v = sums.summed();

  REQUIRE(v.groups.size() == 2);
  CHECK(v.groups[0].key == (GroupKey{"DeepSeek-R1", "a", "sglang", "fp8", false, false}));
  CHECK(v.groups[0].tok_s_per_gpu.median == Approx(0.2));
  CHECK(v.groups[0].tok_s_per_gpu.bias == Approx(0.1));
  CHECK(v.groups[1].points == 2);
  CHECK(v.groups[1].tok_s_per_gpu.points == 1);  // derived throughput stands apart
  CHECK(v.groups[1].tok_s_per_gpu.median == Approx(0.6));
  CHECK(v.groups[1].tok_s_per_gpu_derived.median == Approx(0.9));
  // Sizes 0.1, 0.2, 0.3, 0.6.
  CHECK(v.all.tok_s_per_gpu.median == Approx(0.25));
  CHECK(v.deepseek.points == 3);
  CHECK(v.deepseek.tok_s_per_gpu.median == Approx(0.2));
  // Of the groups' medians: (0.2 + 0.6) / 2 and (0.2 + 0.5) / 2, however many points each has.
  CHECK(v.macro_tok_s_per_gpu.points == 2);
  CHECK(v.macro_tok_s_per_gpu.median == Approx(0.4));
  CHECK(v.macro_tpot.median == Approx(0.35));
  CHECK(v.macro_ttft.bias == Approx(-0.1));
}

TEST_CASE("networks that nobody knows are groups of their own in the mean over groups", "[study]") {
  Sums sums;
  for (const char* model : {"one", "two"}) sums.add(measured("a", model, 1, 1, 1), -1, -1, -1);
  sums.add(measured("a", "three", 1, 1, 1), 0.1, 0.1, 0.1);
  std::vector<BenchmarkPoint> nameless = sums.set().points();
  for (BenchmarkPoint& point : nameless) point.network.clear();
  const Validation v = summed_up(BenchmarkSet(nameless, {}), sums.validated);
  CHECK(v.macro_tpot.points == 3);
  CHECK(v.macro_tpot.median == Approx(0.7));  // (1 + 1 + 0.1) / 3
}

TEST_CASE("limits name what is above them and by how much", "[study]") {
  Sums sums;
  sums.add(measured("a", "DeepSeek-R1", 1, 1, 1), 0.1, 0.2, -0.3);
  const GroupErrors all = sums.summed().all;
  CHECK(breaches(all, {{"tok_s_per_gpu", 0.1, 0.1}, {"tpot", 0.25, {}}, {"ttft", 0.3, 0.3}}).empty());
  CHECK(breaches(all, {{"tok_s_per_gpu", 0.08, 0.25}, {"ttft", 0.29, 0.295}}) ==
        std::vector<std::string>{"the median error of tok_s_per_gpu is 10.00%, 2.00 above 8%",
                                 "the median error of ttft is 30.00%, 1.00 above 29%",
                                 "the 90th percentile error of ttft is 30.00%, 0.50 above 29.5%"});
  CHECK(breaches({}, {{"tpot", 1, {}}}) == std::vector<std::string>{"tpot was measured at no point"});
}

TEST_CASE("predictions do not depend on the number of threads, and points that are alike are the same", "[study]") {
  std::vector<MeasuredPoint> points;
  for (const std::int64_t users : {1, 4, 1, 16}) {
    points.push_back(measured("h100", "llama-3.1-8b", 100, 10, 0.1));
    points.back().concurrency = users;
    points.back().output_tokens = 50;
    points.back().shortest_share = 0.8;
  }
  std::vector<BenchmarkPoint> set_up;
  for (const MeasuredPoint& m : points) set_up.push_back(benchmark_point(m, test::shipped_catalogue(), {}));
  const BenchmarkSet set(std::move(set_up), {});
  const Calibration calibration = load_calibration("hopper", test::shipped_catalogue());
  const auto with = [&](unsigned jobs) {
    return validate(
        set, [&](std::size_t) { return &calibration; }, jobs);
  };
  const Validation one = with(1), two = with(2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    INFO(one.points[i].reason);
    REQUIRE(one.points[i].prediction);
    CHECK(one.points[i].prediction->tok_s_per_gpu == two.points[i].prediction->tok_s_per_gpu);
    CHECK(one.points[i].prediction->tpot_ms_median == two.points[i].prediction->tpot_ms_median);
    CHECK(one.points[i].prediction->ttft_s_mean == two.points[i].prediction->ttft_s_mean);
    CHECK(one.points[i].calibration == "hopper");
  }
  CHECK(one.points[0].prediction->ttft_s_mean == one.points[2].prediction->ttft_s_mean);
  CHECK(one.points[3].prediction->tok_s_per_gpu > one.points[0].prediction->tok_s_per_gpu);
}

TEST_CASE("progress is told from 0 up to below 1", "[study]") {
  std::vector<MeasuredPoint> points{measured("nobody", "nothing", 1, 1, 1), measured("nobody", "else", 1, 1, 1)};
  std::vector<BenchmarkPoint> set_up;
  for (const MeasuredPoint& m : points) set_up.push_back(benchmark_point(m, test::shipped_catalogue(), {}));
  std::vector<double> told;
  const auto answers = BenchmarkSet(std::move(set_up), {}).predict({{0, nullptr}, {1, nullptr}}, 1, [&](double share) {
    told.push_back(share);
  });
  CHECK_THAT(answers.at(1).reason, Catch::Contains("nobody"));
  REQUIRE_FALSE(told.empty());
  for (const double share : told) CHECK((share >= 0 && share < 1));
}

}  // namespace tokenomics
