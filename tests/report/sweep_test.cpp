#include <sys/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/run_report.hpp"
#include "tokenomics/report/sweep_folder.hpp"
#include "tokenomics/report/sweep_rows.hpp"
#include "tokenomics/report/sweep_summary.hpp"
#include "tokenomics/study/run.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::shipped_catalogue;

/// A folder that goes when the test ends.
struct Place {
  std::string path;
  Place() {
    std::string name = (fs::temp_directory_path() / "tokenomics-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Place() { fs::remove_all(path); }
  [[nodiscard]] std::string in(const std::string& name) const { return path + "/" + name; }
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// A sweep of a service that takes milliseconds.
json small(json changes = json::object()) {
  json file{{"name", "small"},
            {"scenario",
             {{"model", "llama-3.3-70b"},
              {"workload", {{"base", "chat-2023"}, {"arrivals", {{"kind", "poisson"}, {"rate_per_s", 2}}}}},
              {"deployment", {{"hardware", "h100-sxm"}, {"parallelism", {{"tp", 4}}}}},
              {"cost", {{"usd_per_gpu_hour", 2}}},
              {"measure", {{"requests", 60}, {"warm_up_requests", 5}}}}},
            {"axes",
             {{{"name", "rate"}, {"pointer", "/workload/arrivals/rate_per_s"}, {"values", {1, 2}}},
              {{"name", "tp"}, {"pointer", "/deployment/parallelism/tp"}, {"values", {1, 4, 3}}}}},
            {"metrics", {"cost.usd_per_mtok.output", "latency.ttft_s.p90", "binding"}},
            {"derived", {{"twice", "2 * cost.usd_per_mtok.output"}}}};
  file.merge_patch(changes);
  return file;
}

/// Rows that begin with their number.
const RowBeginning kNumbered = [](std::uint64_t row) { return std::to_string(row) + ","; };
const RowBeginning kAny = [](std::uint64_t) { return std::string(); };

std::string row_text(std::uint64_t row) { return fmt::format("{},1,1,ok,,1,1,,2\n", row); }

SweepSpec spec_of(const json& file) { return load_sweep_parts(file.dump(), "small.json", "", "", shipped_catalogue()); }

std::vector<SweepFields> rows_of(const SweepSpec& spec, RowFormat format) {
  const SweepPlan plan(spec);
  const SweepRows rows(spec, plan, shipped_catalogue(), format);
  std::vector<SweepFields> all;
  for (std::uint64_t row = 0; row < plan.rows(); ++row)
    all.push_back(fields_of_row(rows.line(row), format, rows.columns().names.size()));
  return all;
}

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
  const SweepSpec spec =
      spec_of(small({{"metrics", {"latency.ttft_s.p90", "cost.usd_per_mtok.output", "cost.usd_per_gpu_hour"}},
                     {"derived", nullptr},
                     {"curves",
                      {{{"x", "latency.ttft_s.p90"},
                        {"y", "cost.usd_per_mtok.output"},
                        {"by", {"tp"}},
                        {"reference", {{"tp", 1}}},
                        {"gpu_price", "cost.usd_per_gpu_hour"}}}}}));
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
  const SweepSpec spec =
      spec_of(small({{"metrics", {"latency.ttft_s.p90", "cost.usd_per_mtok.output", "cost.usd_per_gpu_hour"}},
                     {"derived", nullptr},
                     {"curves",
                      {{{"x", "latency.ttft_s.p90"},
                        {"y", "cost.usd_per_mtok.output"},
                        {"by", {"tp"}},
                        {"reference", {{"tp", 1}}},
                        {"gpu_price", "cost.usd_per_gpu_hour"}}}}}));
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

TEST_CASE("a rows file is whole lines wherever it was cut, and goes on from there", "[report]") {
  const std::string head = "point,x\n";
  const std::string all = head + "0,a\n1,b\n2,c\n3,d\n";
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const Place place;
    write(place.in("rows.csv"), all.substr(0, size));
    if (size > 0 && size < head.size()) {
      // Half a head is cut off like half a row.
      CHECK(RowsFile(place.in("rows.csv"), head, 0, 4, kNumbered).next() == 0);
      continue;
    }
    {
      RowsFile file(place.in("rows.csv"), head, 0, 4, kNumbered);
      const char* const lines[] = {"0,a\n", "1,b\n", "2,c\n", "3,d\n"};
      for (std::uint64_t row = file.next(); row < 4; ++row) file.append(row, lines[row]);
      file.finish();
    }
    CHECK(content(place.in("rows.csv")) == all);
    CHECK(RowsFile::look(place.in("rows.csv"), head, 0, 4, kNumbered)->rows == 4);
    CHECK_FALSE(fs::exists(place.in("rows.csv.early")));
  }
}

TEST_CASE("rows that were ready before their turn are kept, half of one is not", "[report]") {
  const Place place;
  const std::string path = place.in("rows.csv");
  {
    RowsFile file(path, "", 10, 20, kAny);
    file.append(10, "ten\n");
    file.keep_early(12, "twelve\n");
    file.keep_early(15, "fifteen\n");
  }
  std::ofstream(path + ".early", std::ios::app) << "17\tseven";
  {
    RowsFile file(path, "", 10, 20, kAny);
    CHECK(file.next() == 11);
    CHECK(file.early() == std::map<std::uint64_t, std::string>{{12, "twelve\n"}, {15, "fifteen\n"}});
    file.append(11, "eleven\n");
    file.append(12, "twelve\n");
  }
  RowsFile file(path, "", 10, 20, kAny);
  CHECK(file.next() == 13);
  CHECK(file.early() == std::map<std::uint64_t, std::string>{{15, "fifteen\n"}});
}

TEST_CASE("a rows file has one writer, and its own columns", "[report]") {
  const Place place;
  const RowsFile file(place.in("rows.csv"), "a,b\n", 0, 2, kNumbered);
  CHECK_THROWS_WITH(RowsFile(place.in("rows.csv"), "a,b\n", 0, 2, kNumbered), Catch::Contains("another process is writing"));
  write(place.in("other.csv"), "a,c\n1,2\n");
  CHECK_THROWS_WITH(RowsFile(place.in("other.csv"), "a,b\n", 0, 2, kNumbered), Catch::Contains("other columns"));
  CHECK(content(place.in("other.csv")) == "a,c\n1,2\n");
}

TEST_CASE("rows are known by how they begin: a file that was changed is refused", "[report]") {
  const Place place;
  const auto fault_of_text = [&](const std::string& text) {
    write(place.in("rows.csv"), text);
    CHECK_THROWS_AS(RowsFile(place.in("rows.csv"), "h\n", 5, 8, kNumbered), FolderError);
    CHECK(content(place.in("rows.csv")) == text);
    return RowsFile::look(place.in("rows.csv"), "h\n", 5, 3, kNumbered)->fault;
  };
  CHECK(fault_of_text("h\n5,a\n7,c\n") == "has another row where row 6 is due");
  CHECK(fault_of_text("h\n5,a\n6,b\n7,c\n8,d\n") == "has more than 3 rows");
  CHECK(fault_of_text("other\n5,a\n") == "has other columns");
  CHECK_FALSE(RowsFile::look(place.in("none.csv"), "h\n", 5, 3, kNumbered));

  const SweepSpec spec = spec_of(small({{"set", {{"/cost/usd_per_gpu_hour", {{"low", 2}, {"high", 4}}}}}, {"samples", 2}}));
  const SweepPlan plan(spec);
  for (const RowFormat format : {RowFormat::Csv, RowFormat::JsonLines}) {
    const SweepRows rows(spec, plan, shipped_catalogue(), format);
    for (const std::uint64_t row : {0U, 1U, 5U}) {
      CHECK(rows.line(row).starts_with(row_beginning(plan, row, format)));
      CHECK_FALSE(rows.line(row).starts_with(row_beginning(plan, row + 1, format)));
    }
  }
}

TEST_CASE("shards are contiguous, cover all rows once, and differ by one row at most", "[report]") {
  rc::prop("any cut", [](std::uint32_t rows, std::uint16_t shards) {
    const std::uint64_t of = shards + 1ULL;
    std::uint64_t next = 0;
    const std::uint64_t step = of > 64 ? of / 64 : 1;  // neighbours of some places are enough for many shards
    for (std::uint64_t i = 0; i < of; i += step) {
      const auto [first, last] = shard_rows(rows, i, of);
      if (i == 0 || step == 1) RC_ASSERT(first == next);
      RC_ASSERT(last - first >= rows / of && last - first <= rows / of + 1);
      next = last;
    }
    RC_ASSERT(shard_rows(rows, 0, of).first == 0);
    RC_ASSERT(shard_rows(rows, of - 1, of).second == rows);
  });
}

TEST_CASE("a folder refuses what would mix two sweeps, and keeps what is in it", "[report]") {
  const Place place;
  const SweepSpec spec = spec_of(small());
  const SweepPlan plan(spec);
  SweepManifest manifest = manifest_of(spec, plan, shipped_catalogue());
  manifest.version = "1.0";
  const std::string path = place.in("deep/results");
  SweepFolder folder = SweepFolder::make(path, manifest);
  CHECK(SweepFolder::open(path).manifest().text == manifest.text);
  CHECK_NOTHROW(SweepFolder::open(path).check_same(manifest));
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("tokenomics sweep resume " + path));

  const auto refused = [&](auto change, const std::string& why) {
    SweepManifest other = manifest;
    change(other);
    CHECK_THROWS_WITH(folder.check_same(other), Catch::Contains(why));
  };
  refused([](SweepManifest& m) { m.version = "1.1"; }, "begun by version 1.0, this is 1.1");
  refused([](SweepManifest& m) { m.program = "another"; }, "another build");
  refused([](SweepManifest& m) { m.hash = "another"; }, "another sweep");
  refused([](SweepManifest& m) { m.files["my.json"] = "another"; }, "my.json has changed");
  refused([](SweepManifest& m) { m.first_scenario = "another"; }, "first point has changed");
  refused([](SweepManifest& m) { m.catalogue["hardware"] = "another"; }, "catalogue's hardware have changed");

  folder.complete();
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("holds a finished sweep"));
  write(path + "/manifest.json", content(path + "/manifest.json").substr(0, 100));
  CHECK_THROWS_WITH(SweepFolder::open(path), Catch::Contains("no valid JSON; this manifest is broken"));
  write(path + "/manifest.json", "{}");
  CHECK_THROWS_WITH(SweepFolder::make(path, manifest), Catch::Contains("not \"tokenomics.sweep/1\""));
  SweepManifest none = manifest;
  none.shards = 0;
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.in("none"), none), Catch::Contains("shards below 1"));
  // What a process leaves that was killed while it made a manifest is in nobody's way.
  fs::create_directories(place.in("left"));
  write(place.in("left/manifest.json.host.1.tmp"), "{");
  CHECK_NOTHROW(SweepFolder::make(place.in("left"), manifest));
  write(place.in("file"), "mine");
  CHECK_THROWS_WITH(SweepFolder::make(place.path, manifest), Catch::Contains("is not empty"));
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.path, manifest), Catch::Contains("is not empty"));
  CHECK_THROWS_AS(SweepFolder::make(place.in("file"), manifest), IoError);
  CHECK(content(place.in("file")) == "mine");
}

TEST_CASE("shards are merged in order once each is there and whole", "[report]") {
  const Place place;
  const SweepSpec spec = spec_of(small());
  const SweepPlan plan(spec);
  SweepManifest manifest = manifest_of(spec, plan, shipped_catalogue());
  manifest.shards = 3;
  SweepFolder folder = SweepFolder::make_or_join(place.in("out"), manifest);
  CHECK(SweepFolder::make_or_join(place.in("out"), manifest).manifest().hash == manifest.hash);
  const std::string head = head_of(manifest);
  const auto fill = [&](std::uint64_t index, std::uint64_t rows) {
    folder.claim_shard(index, 3);
    const auto [first, last] = shard_rows(6, index, 3);
    RowsFile file(folder.shard_path(index, 3), head, first, last, kNumbered);
    for (std::uint64_t row = file.next(); row < first + rows; ++row) file.append(row, row_text(row));
  };
  fill(0, 2);
  fill(2, 1);
  using Missing = std::vector<std::pair<std::uint64_t, std::string>>;
  CHECK(folder.missing_shards(kNumbered) == Missing{{1, "has not begun"}, {2, "has 1 of 2 rows"}});
  fill(1, 2);
  fill(2, 2);
  CHECK(folder.missing_shards(kNumbered).empty());
  folder.merge_shards();
  std::string expected = head;
  for (std::uint64_t row = 0; row < 6; ++row) expected += row_text(row);
  CHECK(content(folder.points_path()) == expected);

  SweepManifest other = manifest;
  other.shards = 4;
  CHECK_THROWS_WITH(SweepFolder::make_or_join(place.in("out"), other), Catch::Contains("cut into 3 shards, not 4"));
  write(folder.shard_path(1, 3) + ".json", "{}");
  CHECK(folder.missing_shards(kNumbered) == Missing{{1, "is of another sweep or program"}});
  CHECK_THROWS_AS(folder.claim_shard(1, 3), FolderError);
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
