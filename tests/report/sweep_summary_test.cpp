#include "tokenomics/report/sweep_summary.hpp"

#include <cmath>

#include "report/sweeps.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using namespace test;

const json kCurves{{"metrics", {"latency.ttft_s.p90", "cost.usd_per_mtok.output", "cost.usd_per_gpu_hour"}},
                   {"derived", nullptr},
                   {"curves",
                    {{{"x", "latency.ttft_s.p90"},
                      {"y", "cost.usd_per_mtok.output"},
                      {"by", {"tp"}},
                      {"reference", {{"tp", 1}}},
                      {"gpu_price", "cost.usd_per_gpu_hour"}}}}};

}  // namespace

TEST_CASE("the best points are those of the objective under its conditions, by group", "[report]") {
  const SweepSpec spec = spec_of(small(
      {{"objective",
        {{"minimize", "cost.usd_per_mtok.output"}, {"where", {"latency.ttft_s.p90 <= 2"}}, {"top", 2}, {"per", {"tp"}}}}}));
  SweepSummary summary(spec);
  // point, rate, tp, status, reason, cost, ttft, binding, twice
  const std::vector<SweepFields> rows{
      {"0", "1", "1", "ok", "", "5", "1", "", "10"},        {"1", "1", "4", "ok", "", "4", "1", "", "8"},
      {"2", "1", "3", "ok", "", "1", "3", "", "2"},         {"3", "2", "1", "ok", "", "3", "2", "", "6"},
      {"4", "2", "4", "infeasible", "why", "", "", "", ""}, {"5", "2", "3", "ok", "", "2", "", "", "4"},
      {"6", "3", "1", "ok", "", "9", "1", "", "18"}};
  for (const SweepFields& row : rows) summary.add(row);
  summary.close();
  // tp 1: 3 (point 3), 5 (point 0), and 9 is third; tp 4: point 1; tp 3: too late, and unknown.
  REQUIRE(summary.best().size() == 2);
  CHECK(summary.best()[0].per == SweepFields{"1"});
  CHECK(summary.best()[0].candidates == 3);
  REQUIRE(summary.best()[0].best.size() == 2);
  CHECK(summary.best()[0].best[0].objective == 3);
  CHECK(summary.best()[0].best[0].design.point == 3);
  CHECK(summary.best()[0].best[1].design.point == 0);
  CHECK(summary.best()[1].best[0].design.point == 1);
  CHECK(summary.statuses().at("infeasible") == 1);
  CHECK(summary.reasons().at("why").rows == 1);
  CHECK(sweep_json(summary)["statuses"]["ok"] == 6);
}

TEST_CASE("uncertain numbers leave intervals, and the input that drives a figure is found", "[report]") {
  const SweepSpec spec =
      spec_of(small({{"set", {{"/cost/usd_per_gpu_hour", {{"low", 2}, {"high", 4}}}, {"/seed", {{"low", 1}, {"high", 9}}}}},
                     {"samples", 101},
                     {"derived", nullptr}}));
  SweepSummary summary(spec);
  // The cost is ten times the price of a GPU-hour; the seed, which runs the other way round, has nothing to do with it.
  for (int i = 0; i <= 100; ++i) {
    const double price = 2 + 0.02 * i;
    summary.add({"0", std::to_string(i), "1", "4", std::to_string(price), std::to_string((i * 37) % 101), "ok", "",
                 std::to_string(10 * price), "1", "load"});
  }
  summary.close();
  REQUIRE(summary.first_designs().size() == 1);
  const DesignSummary& design = summary.first_designs().front();
  CHECK(design.figures[0].p10 == Approx(22));
  CHECK(design.figures[0].p50 == Approx(30));
  CHECK(design.figures[0].p90 == Approx(38));
  CHECK(*design.figures[0].driver == 0);
  CHECK(design.figures[0].driver_share > 0.95);
  CHECK(design.figures[0].driver_sign == Approx(1));
  CHECK_FALSE(design.figures[1].driver);  // it does not vary
  CHECK(std::isnan(design.figures[2].p50));
  CHECK(design.texts[2] == "load");
  for (const Problem& problem : shipped_catalogue().check("sweep_result", json(sweep_json(summary))))
    FAIL_CHECK(to_string(problem));
  CHECK_THAT(interval_line(design, SweepColumns(spec)),
             Catch::StartsWith("0,1,4,101,0,0,,22.0,30.0,38.0,drawn.cost.usd_per_gpu_hour,"));
}

TEST_CASE("samples without a number or a result are told, not averaged in", "[report]") {
  const SweepSpec spec = spec_of(small({{"set", {{"/cost/usd_per_gpu_hour", {{"low", 2}, {"high", 4}}}}},
                                        {"samples", 8},
                                        {"objective", {{"minimize", "cost.usd_per_mtok.output"}}},
                                        {"derived", nullptr}}));
  SweepSummary summary(spec);
  // point, sample, rate, tp, drawn, status, reason, cost, ttft, binding
  for (int i = 0; i < 8; ++i)
    summary.add(
        {"0", std::to_string(i), "1", "4", "2", "ok", "", i < 4 ? "" : std::to_string(i), "1", i < 4 ? "load" : "ttft"});
  for (int i = 0; i < 8; ++i)
    summary.add({"1", std::to_string(i), "2", "4", "2", i < 6 ? "infeasible" : "ok",
                 i < 6 ? "needs " + std::to_string(i) : "", "1", "1", ""});
  summary.close();
  const DesignSummary& first = summary.first_designs()[0];
  CHECK(first.figures[0].samples == 4);
  CHECK(first.figures[0].p50 == Approx(5.5));
  CHECK(first.texts[2] == "mixed");
  // The second point is cheaper, but most of its draws are infeasible.
  REQUIRE(summary.best().size() == 1);
  CHECK(summary.best()[0].candidates == 1);
  CHECK(summary.best()[0].best[0].design.point == 0);
  REQUIRE(summary.reasons().size() == 1);
  CHECK(summary.reasons().begin()->second.text == "needs 0");
  CHECK(summary.reasons().begin()->second.rows == 6);
  CHECK_THAT(sweep_table(summary),
             Catch::Contains("6 rows infeasible") && Catch::Contains("feasible, %") && Catch::Contains("25.0"));
}

TEST_CASE("a curve of points at several prices of a GPU-hour breaks even all the same", "[report]") {
  const SweepSpec spec = spec_of(small(kCurves));
  SweepSummary summary(spec);
  // tp 4 costs 5 USD/M at 1 USD a GPU-hour, 10 at 2: as cheap as tp 1's 4 at 0.8.
  for (const SweepFields& row : std::vector<SweepFields>{{"0", "1", "1", "ok", "", "1", "4", "9"},
                                                         {"1", "1", "1", "ok", "", "2", "4", "9"},
                                                         {"2", "1", "4", "ok", "", "1", "5", "1"},
                                                         {"3", "1", "4", "ok", "", "2", "10", "2"}})
    summary.add(row);
  summary.close();
  const auto& row = summary.curves()[0].break_even[0];
  CHECK(std::isnan(row.own_price));
  CHECK(row.result->low == Approx(0.8));
  CHECK(row.result->high == Approx(0.8));
}

TEST_CASE("curves are compared within their group: crossings and the price that breaks even", "[report]") {
  const SweepSpec spec = spec_of(small(kCurves));
  SweepSummary summary(spec);
  // tp 1: y = 16 / x. tp 4: y = 8 throughout. They cross at x = 2; the break-even of tp 4 at 3 USD runs from 6 at x = 1
  // (16 against 8) to 1.5 at x = 4 (4 against 8).
  const std::vector<SweepFields> rows{{"0", "1", "1", "ok", "", "1", "16", "2"},
                                      {"1", "1", "4", "ok", "", "1", "8", "3"},
                                      {"2", "2", "1", "ok", "", "4", "4", "2"},
                                      {"3", "2", "4", "ok", "", "4", "8", "3"}};
  for (const SweepFields& row : rows) summary.add(row);
  summary.close();
  const auto curves = summary.curves();
  REQUIRE(curves.size() == 1);
  REQUIRE(curves[0].pairs.size() == 1);
  REQUIRE(curves[0].pairs[0].crossings.size() == 1);
  CHECK(curves[0].pairs[0].crossings[0].x == Approx(2));
  CHECK(curves[0].pairs[0].crossings[0].below_after);
  REQUIRE(curves[0].break_even.size() == 1);
  CHECK(curves[0].break_even[0].curve == "4");
  CHECK(curves[0].break_even[0].own_price == 3);
  CHECK(curves[0].break_even[0].result->low == Approx(1.5));
  CHECK(curves[0].break_even[0].result->high == Approx(6));
  for (const Problem& problem : shipped_catalogue().check("sweep_result", json(sweep_json(summary))))
    FAIL_CHECK(to_string(problem));
}

TEST_CASE("a sweep's page says what was found, its JSON what a program needs", "[report]") {
  const SweepSpec spec = spec_of(small({{"objective", {{"minimize", "twice"}}}}));
  SweepSummary summary(spec);
  for (const SweepFields& row : rows_of(spec, RowFormat::Csv)) summary.add(row);
  summary.close();
  const std::string page = sweep_table(summary);
  CHECK_THAT(page, Catch::StartsWith("6 points; 2 infeasible; 2 with an error; lowest twice "));
  CHECK_THAT(page, Catch::Contains("Why not") && Catch::Contains("needs"));
  const auto file = sweep_json(summary);
  CHECK(file["schema"] == "tokenomics.sweep_result/1");
  CHECK(file["objective"]["groups"][0]["best"][0]["axes"]["tp"] == "4");
  for (const Problem& problem : shipped_catalogue().check("sweep_result", json(file))) FAIL_CHECK(to_string(problem));

  const Place place;
  const SweepPlan plan(spec);
  SweepFolder::make(place.in("out"), manifest_of(spec, plan, shipped_catalogue()));
  const json manifest = json::parse(content(place.in("out/manifest.json")));
  for (const Problem& problem : shipped_catalogue().check("sweep_manifest", manifest)) FAIL_CHECK(to_string(problem));
}

}  // namespace tokenomics
