#include "tokenomics/report/validation_report.hpp"

#include <sstream>

#include <nlohmann/json.hpp>

#include "hand_made.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

/// Two predicted points, one of them with derived throughput and against its label; one that cannot be run; one that is
/// no measurement. Referred to by the set, so neither copied nor moved.
struct Made {
  std::vector<MeasuredPoint> points;
  std::vector<BenchmarkPoint> set_up;
  std::vector<ValidatedPoint> validated;
  ValidationInputs inputs{{"points.csv"}, {"flags.csv"}, ""};

  Made() : points(4) {
    int line = 2;
    for (MeasuredPoint& m : points) {
      m.file = "points.csv";
      m.line = line++;
      m.model = "DeepSeek-R1-0528";
      m.gpu = "h200";
      m.framework = "dynamo-sglang";
      m.precision = "fp8";
      m.input_tokens = 1024;
      m.output_tokens = 1000;
      m.concurrency = 64;
      m.gpus = 8;
      m.tok_s_per_gpu = 100;
      m.tpot_ms = 20;
      m.ttft_s = 0.5;
      BenchmarkPoint point;
      point.measured = &m;
      point.network = "deepseek-r1-0528";
      point.calibration = {"hopper", ServedFit::Family};
      set_up.push_back(point);
      ValidatedPoint v;
      v.point = validated.size();
      v.calibration = "hopper";
      validated.push_back(v);
    }
    Prediction p;
    p.tok_s_per_gpu = 90;
    p.tpot_ms_median = 22;
    p.ttft_s_median = 0.4;
    validated[0].prediction = validated[1].prediction = p;
    validated[0].errors = validated[1].errors = {-0.1, 0.1, -0.2};
    points[1].throughput = ThroughputKind::DerivedFromLatency;
    points[1].relabelled = validated[1].relabelled = true;
    validated[2].errors = {-1, -1, -1};
    validated[2].reason = "12 requests do not fit\nnot one";
    points[3].invalid = validated[3].reason = "the concurrency is missing";
    validated[3].invalid = true;
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  [[nodiscard]] BenchmarkSet set() const { return {set_up, {}}; }
  [[nodiscard]] ordered_json json() const { return validation_json(set(), summed_up(set(), validated), inputs); }
  [[nodiscard]] std::string table() const { return validation_table(set(), summed_up(set(), validated), inputs); }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("JSON of a validation has errors in percent by group and as its schema says", "[report]") {
  const Made made;
  const ordered_json file = made.json();
  for (const Problem& problem : test::shipped().check("validation", nlohmann::json(file))) FAIL_CHECK(to_string(problem));
  CHECK(file["schema"] == "tokenomics.validation/1");
  REQUIRE(file["groups"].size() == 1);
  const ordered_json group = file["groups"][0];
  CHECK(group["key"]["engine"] == "sglang");
  CHECK(group["key"]["disaggregated"] == false);
  CHECK(group["points"] == 3);
  CHECK(group["infeasible"] == 1);
  CHECK(group["skipped"] == 1);
  // Sizes 10% and 100%: 55%, and 10 + 0.9 x 90 = 91%.
  CHECK(group["tok_s_per_gpu"]["points"] == 2);
  CHECK(group["tok_s_per_gpu"]["mdape"] == 55);
  CHECK(group["tok_s_per_gpu"]["p90ape"] == 91);
  CHECK(group["tok_s_per_gpu"]["bias"] == -55);
  CHECK(group["tok_s_per_gpu_derived"]["mdape"] == 10);
  CHECK(group["tpot"]["mdape"] == 10);
  CHECK(file["all"]["tpot"] == group["tpot"]);
  CHECK(file["deepseek"]["points"] == 3);
  CHECK(file["macro"]["tpot"]["groups"] == 1);
  CHECK(file["calibrations"][0]["fit"] == "family");
  CHECK(file["calibrations"][0]["points"] == 2);
  CHECK(file["predictions"].size() == 4);
  CHECK(file["predictions"][0]["predicted_tpot_ms"] == 22);
  CHECK(file["predictions"][0]["error_tpot_percent"] == 10);
  CHECK(file["predictions"][1]["outcome"] == "relabelled");
  CHECK(file["predictions"][2]["predicted_tpot_ms"].is_null());
  CHECK(file["predictions"][2]["error_tpot_percent"] == -100);
  CHECK(file["predictions"][3]["error_tpot_percent"].is_null());
  CHECK(file["predictions"][3]["reason"] == "the concurrency is missing");
}

TEST_CASE("a quantity that no point has is null, not zero", "[report]") {
  Made made;
  for (std::size_t i = 0; i < 4; ++i) {
    made.points[i].ttft_s.reset();
    made.validated[i].errors.ttft.reset();
  }
  const ordered_json file = made.json();
  CHECK(file["all"]["ttft"]["points"] == 0);
  CHECK(file["all"]["ttft"]["mdape"].is_null());
  CHECK(file["macro"]["ttft"]["mdape"].is_null());
}

TEST_CASE("reasons that differ in free-standing numbers are one, with the first place", "[report]") {
  Made made;
  made.validated[0].prediction.reset();
  made.validated[0].reason = "7 requests do not fit\nnot one";
  made.validated[1].prediction.reset();
  made.validated[1].reason = "Qwen3-8B is not known";
  const ordered_json reasons = made.json()["reasons"];
  REQUIRE(reasons.size() == 3);
  CHECK(reasons[0]["points"] == 2);
  CHECK(reasons[0]["outcome"] == "infeasible");
  CHECK(reasons[0]["reason"] == "7 requests do not fit; not one");
  CHECK(reasons[0]["first"] == "points.csv:2");
}

TEST_CASE("the page has groups, totals, what was not predicted and how near calibrations are", "[report]") {
  const Made made;
  const std::string page = made.table();
  INFO(page);
  CHECK_THAT(page, Catch::StartsWith("3 points: median absolute error 55.0% of tok/s/GPU, 10.0% of TPOT, 20.0% of TTFT; 1 "
                                     "cannot be"));
  CHECK_THAT(page, Catch::Matches("[^]*h200 +sglang +fp8 +3 +55\\.0 +91\\.0 +-55\\.0 +10\\.0 +82\\.0 +10\\.0[^]*"));
  CHECK_THAT(page, Catch::Contains("DeepSeek alone"));
  CHECK_THAT(page, Catch::Matches("[^]*throughput derived[^\n]* 1 +10\\.0 +10\\.0 +-10\\.0[^]*"));
  CHECK_THAT(page, Catch::Matches("[^]*h200 +sglang +2 +family +hopper[^]*"));
  CHECK_THAT(page, Catch::Contains("1 infeasible (points.csv:4): 12 requests do not fit; not one"));
  CHECK_THAT(page, Catch::Contains("1 invalid (points.csv:5): the concurrency is missing"));
  CHECK_THAT(page, Catch::Contains("1 relabelled (points.csv:3)"));
  for (const std::string& line : lines_of(page)) CHECK(line.size() <= 100);
}

TEST_CASE("a calibration that was given for all is called so", "[report]") {
  Made made;
  made.inputs.calibration = "hopper";
  CHECK(made.json()["calibrations"][0]["fit"] == "given");
}

TEST_CASE("tables of groups and of predictions have a row each, as wide as the head", "[report]") {
  const Made made;
  const BenchmarkSet set = made.set();
  const Validation validation = summed_up(set, made.validated);
  const std::vector<std::string> groups = lines_of(validation_csv(validation));
  REQUIRE(groups.size() == 5);  // head, one group, all, DeepSeek, mean over groups
  CHECK_THAT(groups[0],
             Catch::StartsWith("scope,model,gpu,engine,precision,drafts,disaggregated,points,tok_s_per_gpu.points,"
                               "tok_s_per_gpu.mdape"));
  CHECK_THAT(groups[1], Catch::StartsWith("group,DeepSeek-R1-0528,h200,sglang,fp8,false,false,3,2,55"));
  CHECK_THAT(groups[2], Catch::StartsWith("all,,,,,,,3,2,55"));
  CHECK_THAT(groups[4], Catch::StartsWith("macro,"));
  const std::vector<std::string> rows = lines_of(predictions_csv(set, validation, made.inputs));
  REQUIRE(rows.size() == 5);
  CHECK_THAT(rows[3], Catch::EndsWith("hopper,family,infeasible,12 requests do not fit; not one"));
}

}  // namespace tokenomics
