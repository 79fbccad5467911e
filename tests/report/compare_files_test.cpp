#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "../../sim/io/report/points_table.hpp"
#include "report/hand_made.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/compare_report.hpp"
#include "tokenomics/report/result_file.hpp"
#include "tokenomics/report/solution_report.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

const std::string kCsv =
    "point,sample,gpu,n,status,reason,usd,binding\r\n"
    "0,0,\"h100, sxm\",4,ok,,1.5,\"say \"\"ttft\"\"\"\r\n"
    "1,0,h200,8,infeasible,\"two\nlines\",,\r\n";

/// A folder that goes away.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("compare_files_" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
};

std::string refusal_of_csv(const std::string& text, const Texts& axes = {}) {
  try {
    points_from_csv(text, "p.csv", axes);
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}
std::string refusal_of_jsonl(const std::string& text) {
  try {
    points_from_jsonl(text, "p.jsonl", {});
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}
std::string refusal_of_json(const std::string& text) {
  try {
    points_from_json(text, "r.json");
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

Texts names_of(const ResultPoints& points) {
  Texts names;
  for (const ResultColumn& metric : points.metrics) names.push_back(metric.name);
  return names;
}

TEST_CASE("Columns before status are axes, those after reason metrics; quotes are those of RFC 4180", "[report]") {
  const ResultPoints points = points_from_csv(kCsv, "p.csv", {});
  CHECK(points.axes == Texts{"sample", "gpu", "n"});
  CHECK(points.axis_values[1] == Texts{"h100, sxm", "h200"});
  CHECK(points.status == Texts{"ok", "infeasible"});
  CHECK(points.reason[1] == "two\nlines");
  CHECK(names_of(points) == Texts{"usd", "binding"});
  CHECK(points.metrics[0].number(0) == 1.5);
  CHECK_FALSE(points.metrics[0].number(1));
  REQUIRE(points.metrics[1].text(0) != nullptr);
  CHECK(*points.metrics[1].text(0) == "say \"ttft\"");
  CHECK(points.metrics[1].text(1) == nullptr);
}

TEST_CASE("JSON lines say the same as CSV", "[report]") {
  const ResultPoints points = points_from_jsonl(
      R"({"point": 0, "sample": 0, "gpu": "h100, sxm", "n": 4.0, "status": "ok", "reason": null, "usd": 1.5, "binding": "say \"ttft\""}
{"point": 1, "sample": 0, "gpu": "h200", "n": 8, "status": "infeasible", "reason": "two\nlines", "usd": null, "binding": null}
)",
      "p.jsonl", {});
  CHECK(compare(points_from_csv(kCsv, "p.csv", {}), points, {}).findings.empty());
  CHECK(points.reason[1] == "two\nlines");
}

TEST_CASE("Without a status column the axes are named", "[report]") {
  const std::string text = "point,gpu,n,usd\n0,h100,4,1.5\n";
  const ResultPoints points = points_from_csv(text, "p.csv", {"gpu", "n"});
  CHECK(points.axes == Texts{"gpu", "n"});
  CHECK(names_of(points) == Texts{"usd"});
  CHECK(refusal_of_csv(text) ==
        "p.csv:1: no column \"status\" among 4 columns; expected the columns point, the axes, status, reason, then metrics; "
        "or --axes to name the axes");
  CHECK(refusal_of_csv(text, {"gpi"}) == "--axes: \"gpi\"; expected a column of p.csv; did you mean gpu?");
}

TEST_CASE("A broken table is refused with file, line, value and what was expected", "[report]") {
  const std::string head = "point,n,status,reason,usd\n";
  CHECK(refusal_of_csv(head + "0,1,ok,,1\n1,2,done,,1\n2,3,ok,1\n3,4,ok,,nan\n4,5,ok,,1e999\n") ==
        "p.csv:3: \"done\"; expected ok, infeasible or error in column status\n"
        "p.csv:4: 4 fields; expected 5 as in the header\n"
        "p.csv:5: nan; expected a finite number in column usd, or nothing\n"
        "p.csv:6: 1e999; expected a finite number in column usd, or nothing");
  CHECK(refusal_of_csv(head + "0,\"a\nb\",ok,,1\n1,2,okk,,1\n") ==
        "p.csv:4: \"okk\"; expected ok, infeasible or error in column status; did you mean ok?");
  CHECK(refusal_of_csv(head + "0,\"a,ok,,1\n") == "p.csv:2: 0; expected a closing quote");
  CHECK(refusal_of_csv(head + "0,\"a\"b,ok,,1\n") == "p.csv:2: 0; expected a comma or a line's end after a closing quote");
  CHECK(refusal_of_csv(head) == "p.csv; expected at least one point");
  CHECK(refusal_of_csv("point,n,status,reason\n0,1,ok,\n") == "p.csv:1; expected at least one metric");
  CHECK(refusal_of_csv("n,n,,status,usd\n") ==
        "p.csv:1: \"n\"; expected a column that stands once\np.csv:1: \"\"; expected a name for each column");
  std::string many = head;
  for (int i = 0; i < 1000; ++i) many += "0,1,bad,,1\n";
  const std::string refusal = refusal_of_csv(many);
  CHECK(std::count(refusal.begin(), refusal.end(), '\n') == 19);
}

TEST_CASE("Broken JSON lines are refused with file, line, value and what was expected", "[report]") {
  const std::string head = R"({"point": 0, "n": 1, "status": "ok", "reason": null, "usd": 1})"
                           "\n";
  CHECK(refusal_of_jsonl(head + R"({"point": 0, "n": 1, "status": "ok", "usd": 1, "reason": null})") ==
        "p.jsonl:2: \"usd\"; expected \"reason\", the next key of line 1");
  CHECK(refusal_of_jsonl(head + R"({"point": 0, "n": 1, "status": "ok", "reason": null})") ==
        "p.jsonl:2: the line's end; expected \"usd\", the next key of line 1");
  CHECK(refusal_of_jsonl(head + R"({"point": 0, "n": 1, "status": "ok", "reason": null, "usd": 1, "x": 2})") ==
        "p.jsonl:2: \"x\"; expected no more keys than in line 1");
  CHECK(refusal_of_jsonl(head + "[1]\n" + R"({"point": {"a": 1}})") ==
        "p.jsonl:2; expected an object\np.jsonl:3; expected no object in point");
  CHECK_THAT(refusal_of_jsonl(head + "{\"point\": 0,"), Catch::StartsWith("p.jsonl:2; expected valid JSON: "));
  CHECK_THAT(refusal_of_jsonl(head + "{\"point\": NaN}"), Catch::StartsWith("p.jsonl:2; expected valid JSON: "));
  CHECK_THAT(refusal_of_jsonl(head + "{\"point\": 1e999}"), Catch::StartsWith("p.jsonl:2; expected valid JSON: "));
}

TEST_CASE("A run is one point whose metrics are its figures, without scenario, seed and words for people", "[report]") {
  const ResultPoints points = points_from_json(result_json(test::round_result()).dump(), "r.json");
  CHECK(points.kind == ResultKind::Run);
  CHECK(points.size() == 1);
  const auto ttft = points.find("latency.ttft_s.mean");
  REQUIRE(ttft);
  CHECK(points.metrics[*ttft].number(0) == 2);  // 1 s and 3 s
  CHECK(points.find("pools.1.gpus"));
  for (const std::string& name : names_of(points)) {
    INFO(name);
    for (const char* block :
         {"scenario", "seed", "version", "notes", "windows", "performance", "published", "binding_details"})
      CHECK_FALSE(name.starts_with(block));
  }
}

TEST_CASE("Frontiers are one curve a network and chip; solutions one point with their status", "[report]") {
  constexpr const char* kText = R"({"name": "small", "model": "llama-3.3-70b", "workload": "chat-2023",
      "hardware": ["h100-sxm", "h200-sxm"], "usd_per_gpu_hour": 2, "limits": {"context": 32768},
      "search": {"gpus_per_instance": [4], "policies": ["chunked_mixed"], "tokens_per_step": [8192]}})";
  const Query query = load_query_text(kText, "small.json", test::shipped());
  const nlohmann::ordered_json file = frontier_json(frontier(query, {}, 4));
  const ResultPoints points = points_from_json(nlohmann::ordered_json::array({file, file}).dump(), "f.json");
  CHECK(points.kind == ResultKind::Frontier);
  CHECK(points.size() == 2 * file["points_by_hardware"].size());
  CHECK(points.axis_values[0][0] == "llama-3.3-70b");
  CHECK(points.axis_values[1][0] == "h100-sxm");
  CHECK(points.metrics[kFrontierPrice].name == "price.usd_per_mtok.own_mix");
  CHECK(points.metrics[kFrontierContext].number(0) == 32768);
  const Comparison comparison = compare(points, points, {});
  CHECK(comparison.findings.empty());
  CHECK(comparison.curves.size() == 2);

  const ResultPoints solved = points_from_json(solution_json(solve(query, {1, false, false})).dump(), "s.json");
  CHECK(solved.kind == ResultKind::Solution);
  CHECK(solved.status == Texts{"ok"});
  CHECK(solved.find("price.usd_per_mtok.own_mix"));
  CHECK_FALSE(solved.find("searched.evaluated"));
}

TEST_CASE("A validation is a point for each group, and one for all", "[report]") {
  const ResultPoints points = points_from_json(
      R"({"groups": [{"key": {"gpu": "h100", "isl": 1024}, "points": 3, "tok_s_per_gpu": {"mdape": 12.5, "bias": -3}}],
          "all": {"points": 3, "tok_s_per_gpu": {"mdape": 12.5, "bias": -3}}, "predictions": [{"x": 1}]})",
      "v.json");
  CHECK(points.kind == ResultKind::Validation);
  CHECK(points.axes == Texts{"gpu", "isl"});
  CHECK(points.axis_values[0] == Texts{"h100", "all"});
  CHECK(names_of(points) == Texts{"points", "tok_s_per_gpu.mdape", "tok_s_per_gpu.bias"});
}

TEST_CASE("Broken JSON results are refused with file, place, value and what was expected", "[report]") {
  CHECK_THAT(refusal_of_json("{"), Catch::StartsWith("r.json: line 1; expected valid JSON: "));
  CHECK_THAT(refusal_of_json("{\n\"schema\": \"tokenomics.market/1\"}"),
             Catch::StartsWith(
                 "r.json:2: /schema: \"tokenomics.market/1\"; expected a result of run, solve, frontier or validate"));
  CHECK(refusal_of_json(R"({"schema": "tokenomics.result/1"})") == "r.json; expected the blocks of a run (missing)");
  CHECK(refusal_of_json("[]") == "r.json: []; expected at least one frontier");
  CHECK(refusal_of_json("{\"schema\": \"tokenomics.frontier/1\", \"objective\": \"own_mix\", \"model\": \"m\",\n"
                        "\"points_by_hardware\": [{\"deployment\": {\"hardware\": \"h\"}, \"price\": {\"usd_per_mtok\": "
                        "{\"own_mix\": \"1\"}},\n"
                        "\"service\": {\"ttft_s\": 1, \"context\": 5}}]}") ==
        "r.json:2: /points_by_hardware/0/price/usd_per_mtok/own_mix: \"1\"; expected a number\n"
        "r.json:3: /points_by_hardware/0/service/interactivity_tok_s_user; expected a number (missing)");
  CHECK(refusal_of_json("{\"groups\": [\n{\"points\": 3}]}") == "r.json:2: /groups/0/key; expected an object (missing)");
  CHECK(refusal_of_json("{\"groups\":\n3}") == "r.json:1: /groups: 3; expected a list of groups");
}

TEST_CASE("A directory is read when its sweep is finished", "[report]") {
  const Folder folder;
  const std::string directory = folder.path.string();
  CHECK_THROWS_WITH(read_result_file(directory), directory + "; expected a directory with points.csv or points.jsonl");
  const std::string points = folder.write("points.csv", kCsv);
  CHECK(read_result_file(directory).path == points);
  const std::string manifest = folder.write("manifest.json", "{\"state\": \"running\"}");
  CHECK_THROWS_WITH(read_result_file(directory), manifest +
                                                     ": \"state\": \"running\"; expected \"complete\": the sweep in " +
                                                     directory + " is not finished: tokenomics sweep resume " + directory);
  CHECK_THROWS_AS(read_result_file(points), ScenarioError);  // naming the file makes it no more whole
  static_cast<void>(folder.write("manifest.json", R"({"state": "complete", "rows": 3})"));
  CHECK_THROWS_WITH(read_result_file(points), points + ": 2 rows; expected 3 rows, as " + manifest + " says");
  static_cast<void>(folder.write("manifest.json", "{\"state\": \"complete\"}"));
  CHECK(read_result_file(directory).manifest == manifest);
  static_cast<void>(folder.write("points.jsonl", "{}"));
  CHECK_THROWS_WITH(read_result_file(directory),
                    directory + ": both points.csv and points.jsonl; expected one of them: name it itself");
  CHECK_THROWS_WITH(read_result_file(directory + "/none"),
                    directory + "/none; expected a file or a directory of results: there is none");
}

TEST_CASE("The kind of a file is found from its content, and kinds and axes are not mixed", "[report]") {
  const Folder folder;
  const ResultFile csv = read_result_file(folder.write("a", kCsv));
  CHECK(csv.format == ResultFormat::Csv);
  const std::string line = R"({"n": 1, "status": "ok", "usd": 1})";
  const ResultFile lines = read_result_file(folder.write("b", line + "\n" + line + "\n"));
  CHECK(lines.format == ResultFormat::Jsonl);
  CHECK(read_result_file(folder.write("c", line + "\n")).format == ResultFormat::Jsonl);
  const ResultFile run = read_result_file(folder.write("d", result_json(test::round_result()).dump()));
  CHECK(run.format == ResultFormat::Json);
  CHECK_THROWS_WITH(check_comparable(csv, run), run.path + ": a run; expected sweep points as in " + csv.path);
  CHECK_THROWS_WITH(check_comparable(csv, lines),
                    lines.path + ": the axes n; expected those of " + csv.path + ": sample, gpu, n");
  const std::string empty = folder.write("e", " \n");
  CHECK_THROWS_WITH(read_result_file(empty), empty + ": an empty file; expected results");
  CHECK_THROWS_WITH(read_result_file(run.path, {"n"}),
                    "--axes: n; expected a table of points: " + run.path + " has axes of its own");
}

TEST_CASE("A file that was cut off, or in which there is nothing to compare, is no result", "[report]") {
  const Folder folder;
  const std::string csv = kCsv;
  const std::string cut = folder.write("cut.csv", csv.substr(0, csv.size() - 1));
  CHECK_THROWS_WITH(read_result_file(cut),
                    cut + ": a last line without its end; expected whole lines: the file has been cut off");
  const std::string none =
      folder.write("none.csv", "point,n,status,reason,usd\n0,1,infeasible,no room,\n1,2,infeasible,no room,\n");
  CHECK_THROWS_WITH(read_result_file(none), none + "; expected results: no metric has a number in any of its points");
}

TEST_CASE("Tolerances come from a file whose unknown keys and wrong numbers are refused", "[report]") {
  const Folder folder;
  const std::string good = folder.write("good.json", R"({"default": {"relative": 0.05}, "ignore": ["answer.*"],
      "metrics": {"latency.*": {"relative": 0, "absolute": 0.5}}})");
  const CompareRules rules = read_tolerances(good, test::shipped());
  CHECK(rules.otherwise.relative == 0.05);
  CHECK(rules.otherwise.absolute == 0);
  REQUIRE(rules.metrics.size() == 1);
  CHECK(rules.metrics[0].of.pattern == "latency.*");
  CHECK(rules.metrics[0].tolerance.absolute == 0.5);
  CHECK(rules.ignore[0].pattern == "answer.*");
  const std::string bad =
      folder.write("bad.json", "{\"default\": {\"relativ\": 1},\n\"metrics\": {\"a\": {\"absolute\": -1}}}");
  CHECK_THROWS_WITH(read_tolerances(bad, test::shipped()),
                    bad + ":1: /default/relativ: 1; expected a known key; did you mean relative?\n" + bad +
                        ":2: /metrics/a/absolute: -1; expected a number of at least 0");
}

}  // namespace
}  // namespace tokenomics
