#include "report/sweeps.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics {
namespace {

using namespace test;

}  // namespace

TEST_CASE("a point that cannot be is that row's status and reason, the others go on", "[report]") {
  const SweepSpec spec = spec_of(small());
  const SweepColumns columns(spec);
  CHECK(columns.names == std::vector<std::string>{"point", "rate", "tp", "status", "reason", "cost.usd_per_mtok.output",
                                                  "latency.ttft_s.p90", "binding", "twice"});
  const auto rows = rows_of(spec, RowFormat::Csv);
  REQUIRE(rows.size() == 6);
  CHECK(rows[0][columns.status] == "infeasible");  // 141 GB of weights on one GPU
  CHECK_THAT(rows[0][columns.reason], Catch::Contains("GB"));
  CHECK(rows[0][columns.figures].empty());
  CHECK(rows[1][columns.status] == "ok");
  CHECK(rows[1][columns.reason].empty());
  CHECK(rows[2][columns.status] == "error");  // three does not divide the heads
  CHECK_THAT(rows[2][columns.reason], Catch::Contains("tp"));
  CHECK(number_of(rows[1][columns.index("twice")]) == Approx(2 * number_of(rows[1][columns.figures])));
  CHECK(rows[5][0] == "5");
}

TEST_CASE("CSV and JSON Lines hold the same fields, one row a line", "[report]") {
  const SweepSpec spec = spec_of(small());
  CHECK(rows_of(spec, RowFormat::Csv) == rows_of(spec, RowFormat::JsonLines));
  const SweepPlan plan(spec);
  const SweepRows rows(spec, plan, shipped_catalogue(), RowFormat::JsonLines);
  const std::string line = rows.line(1);
  CHECK(line.find('\n') == line.size() - 1);
  const auto row = nlohmann::ordered_json::parse(line);
  CHECK(row["rate"] == 1);
  CHECK(row["tp"] == 4);
  CHECK(row["reason"].is_null());
  CHECK_THROWS_WITH(fields_of_row("1,2", RowFormat::Csv, 3), Catch::Contains("2 columns; expected 3"));
}

TEST_CASE("a row has the numbers of the run that it stands for", "[report]") {
  const SweepSpec spec = spec_of(small({{"metrics", {"cost.usd_per_mtok.output"}}, {"derived", nullptr}}));
  const Scenario scenario = load_scenario_text(spec.base_text, "", shipped_catalogue(), {"workload.arrivals.rate_per_s=2"});
  const auto result = result_json(run_scenario(scenario));
  CHECK(number_of(rows_of(spec, RowFormat::Csv)[4].back()) == result["cost"]["usd_per_mtok"]["output"].get<double>());
}

TEST_CASE("a sweep of which no point can be loaded is wrong itself", "[report]") {
  const SweepSpec spec = spec_of(small({{"set", {{"/deployment/hardware", "h10-sxm"}}}}));
  const SweepPlan plan(spec);
  CHECK_THROWS_AS(SweepRows(spec, plan, shipped_catalogue(), RowFormat::Csv).check_loading(), ScenarioError);
}

}  // namespace tokenomics
