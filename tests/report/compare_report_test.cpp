#include "tokenomics/report/compare_report.hpp"

#include "../../sim/io/report/points_table.hpp"
#include "report/hand_made.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

const ComparedFiles kFiles{"base.csv", "new.csv", ""};

ResultPoints table(const std::string& rows) {
  return points_from_csv("gpu,n,status,reason,usd,ttft_s\n" + rows, "p.csv", {});
}

/// Two curves along n; on a<b the price at 2 rises from 2 to 2.5, and the point 4 becomes infeasible.
Comparison small() {
  return compare(table("a<b,1,ok,,1,1\na<b,2,ok,,2,1\na<b,4,ok,,4,1\nc,1,ok,,1,1\n"),
                 table("a<b,1,ok,,1,1\na<b,2,ok,,2.5,1\na<b,4,infeasible,\"no\nroom\",,\nc,1,ok,,1,1\n"), {});
}
Comparison unmoved() { return compare(table("a,1,ok,,1,1\na,2,ok,,2,1\n"), table("a,1,ok,,1,1\na,2,ok,,2,1\n"), {}); }

/// Tags are closed in order, and nothing else stands open: enough for what we write.
bool is_well_formed(std::string xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos) return false;
    if (tag.starts_with("?") || tag.ends_with("/")) continue;
    if (!tag.starts_with("/")) {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else if (open.empty() || open.back() != tag.substr(1)) {
      return false;
    } else {
      open.pop_back();
    }
  }
  return open.empty();
}

TEST_CASE("The verdict comes first and says how many points moved, on how many curves, and how far", "[report]") {
  CHECK(comparison_verdict(unmoved()) == "no point moved: 2 points, 2 metrics, 1 curve");
  CHECK(comparison_verdict(small()) ==
        "2 of 4 points moved on 1 of 2 curves: furthest gpu=a<b: n=2: usd 2.000 -> 2.500, +25.0% (allowed 1%)");
  const Comparison gone = compare(table("a,1,ok,,1,1\na,2,ok,,1,1\n"), table("a,1,ok,,1,1\n"), {});
  CHECK(comparison_verdict(gone) == "1 point missing; no point moved: 1 point, 2 metrics, 1 curve");
}

TEST_CASE("The page names each curve that moved and what was allowed", "[report]") {
  CompareRules rules;
  rules.metrics = {{{"ttft*", "--tolerance"}, {0, 0.5}}};
  const Comparison comparison = compare(table("a,1,ok,,1,1\na,2,ok,,2,1\n"), table("a,1,ok,,1,1\na,2,ok,,2.5,1.4\n"), rules);
  CHECK(comparison_table(comparison, {"base.csv", "new.csv", "tolerances.json"}) ==
        "1 of 2 points moved on 1 of 1 curve: furthest gpu=a: n=2: usd 2.000 -> 2.500, +25.0% (allowed 1%)\n"
        "sweep points: new.csv against base.csv\n"
        "\n"
        "Curves along n\n"
        "  curve  points  moved  at   base    new  change  worst\n"
        "  gpu=a       2      1   2  2.000  2.500  +25.0%  usd\n"
        "\n"
        "Findings\n"
        "  - gpu=a: n=2: usd 2.000 -> 2.500, +25.0% (allowed 1%)\n"
        "\n"
        "Allowed\n"
        "  1%; ttft* 0.5 (from tolerances.json and the options)\n");
}

TEST_CASE("Forty findings are shown and the rest is counted", "[report]") {
  std::string base, now;
  for (int i = 0; i < 50; ++i) {
    base += "a," + std::to_string(i) + ",ok,,1,1\n";
    now += "a," + std::to_string(i) + ",ok,,2,1\n";
  }
  const std::string page = comparison_table(compare(table(base), table(now), {}), kFiles);
  CHECK_THAT(page, Catch::Contains("n=39: usd") && !Catch::Contains("n=40: usd") && Catch::Contains("and 10 more"));
}

TEST_CASE("The JSON has the keys of its schema for each kind of result", "[report]") {
  CompareRules worse;
  worse.only_worse = true;
  const ResultPoints run = points_from_json(result_json(test::round_result()).dump(), "r.json");
  ResultPoints front;
  front.kind = ResultKind::Frontier;
  front.axes = {"model", "hardware"};
  front.axis_values = {{"m"}, {"h"}};
  front.status = front.reason = {"ok"};
  for (const char* name : {"price", "service.ttft_s", "service.interactivity_tok_s_user", "service.context"})
    front.metrics.push_back({name, {1}, {}});
  ResultPoints dearer = front;
  dearer.metrics[0].numbers[0] = 2;
  for (const Comparison& comparison :
       {small(), unmoved(), compare(run, run, worse), compare(front, dearer, {}), compare(front, front, {})}) {
    const json file = json::parse(comparison_json(comparison, kFiles, {"1.2.3", false, {}}));
    const std::vector<Problem> problems = test::shipped().check("comparison", file);
    for (const Problem& problem : problems) UNSCOPED_INFO(to_string(problem));
    CHECK(problems.empty());
    CHECK(file["passed"] == comparison.findings.empty());
  }
  const json file = json::parse(comparison_json(small(), kFiles));
  CHECK(file["findings"][0] == json({{"finding", "moved"},
                                     {"curve", 0},
                                     {"point", {{"gpu", "a<b"}, {"n", 2}}},
                                     {"metric", "usd"},
                                     {"base", 2},
                                     {"new", 2.5},
                                     {"change", 0.25}}));
}

TEST_CASE("The CSV has a line for each finding", "[report]") {
  CHECK(comparison_csv(small()) ==
        "finding,gpu,n,metric,base,new,change\n"
        "moved,a<b,2,usd,2.0,2.5,0.25\n"
        "status_changed,a<b,4,status,ok,infeasible,\n");
}

TEST_CASE("JUnit is well-formed whatever the names, a test case for each curve", "[report]") {
  CHECK_FALSE(is_well_formed("<a><b></a></b>"));  // the check can fail
  const std::string xml = comparison_junit(small(), {"a&\"b\".csv", "new.csv", ""});
  CHECK(is_well_formed(xml));
  CHECK_THAT(xml, Catch::Contains("<testsuite name=\"new.csv against a&amp;&quot;b&quot;.csv\" tests=\"2\" failures=\"1\""));
  CHECK_THAT(xml, Catch::Contains("<testcase classname=\"compare\" name=\"gpu=a&lt;b\">\n      <failure type=\"moved\" "
                                  "message=\"2 findings\">n=2: usd 2.000 -&gt; 2.500, +25.0% (allowed 1%)\n"
                                  "n=4: status ok -&gt; infeasible (no\nroom)\n</failure>"));
  CHECK_THAT(xml, Catch::Contains("<testcase classname=\"compare\" name=\"gpu=c\"/>"));
  // XML 1.0 has no control characters; files have whatever bytes somebody wrote.
  const std::string odd = comparison_junit(unmoved(), {"\x01\xff\xe2\x82\xac", "n", ""});
  CHECK_THAT(odd, Catch::Contains("name=\"n against ??\xe2\x82\xac\""));
}

TEST_CASE("GitHub's annotations are one line each, escaped as it wants", "[report]") {
  CHECK(
      comparison_github(small(), {"a,b:c%.csv", "new.csv", ""}) ==
      "::error file=a%2Cb%3Ac%25.csv,title=gpu=a<b%3A 2 findings::n=2: usd 2.000 -> 2.500, +25.0%25 (allowed 1%25)%0A"
      "n=4: status ok -> infeasible (no%0Aroom)%0A\n"
      "::notice title=tokenomics compare::2 of 4 points moved on 1 of 2 curves: furthest gpu=a<b: n=2: usd 2.000 -> 2.500, "
      "+25.0%25 (allowed 1%25)\n");
}

TEST_CASE("Noise inside the intervals is told on the page", "[report]") {
  const auto run = [](const char* mean) {
    return points_from_csv(std::string("n,status,reason,ttft.mean,ttft.ci95\n1,ok,,") + mean + ",3\n", "p.csv", {});
  };
  const std::string page = comparison_table(compare(run("100"), run("102"), {}), kFiles);
  CHECK_THAT(page,
             Catch::StartsWith("no point moved") &&
                 Catch::Contains("1 difference past the tolerance but inside the 95% intervals of both files, counted as"));
}

}  // namespace
}  // namespace tokenomics
