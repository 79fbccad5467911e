#include "tokenomics/study/compare.hpp"

#include <array>
#include <limits>

#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

constexpr double kNull = std::numeric_limits<double>::quiet_NaN();
using Texts = std::vector<std::string>;
using Numbers = std::vector<double>;

/// Points named by axes, all ok.
ResultPoints points(Texts axes, std::vector<Texts> axis_values, std::vector<ResultColumn> metrics) {
  ResultPoints made;
  made.axes = std::move(axes);
  made.axis_values = std::move(axis_values);
  made.metrics = std::move(metrics);
  made.status.assign(made.metrics.front().numbers.size(), "ok");
  made.reason.assign(made.status.size(), "");
  return made;
}
ResultColumn column(const char* name, Numbers numbers) { return {name, std::move(numbers), {}}; }

/// One metric along concurrency 1, 2, 4 ...
ResultPoints along(const char* metric, const Numbers& numbers) {
  Texts x;
  for (std::size_t i = 0; i < numbers.size(); ++i) x.push_back(std::to_string(1U << i));
  return points({"concurrency"}, {x}, {column(metric, numbers)});
}
/// The same at one point, without axes.
ResultPoints single(const char* metric, double value) { return points({}, {}, {column(metric, {value})}); }

std::vector<FindingKind> kinds(const Comparison& comparison) {
  std::vector<FindingKind> all;
  for (const Finding& finding : comparison.findings) all.push_back(finding.kind);
  return all;
}
using Kinds = std::vector<FindingKind>;

CompareRules tolerating(double relative, double absolute = 0) {
  CompareRules rules;
  rules.otherwise = {relative, absolute};
  return rules;
}
MetricTolerance for_metric(const char* pattern, double relative) { return {{pattern, "--tolerance"}, {relative, 0}}; }

/// Points of one frontier curve: price, TTFT, interactivity, context.
ResultPoints front(const std::vector<std::array<double, 4>>& rows) {
  ResultPoints made = points({"model", "hardware"}, {Texts(rows.size(), "m"), Texts(rows.size(), "h")},
                             {column("price.usd_per_mtok.own_mix", {}), column("service.ttft_s", {}),
                              column("service.interactivity_tok_s_user", {}), column("service.context", {})});
  made.kind = ResultKind::Frontier;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) made.metrics[i].numbers.push_back(row[i]);
  made.status.assign(rows.size(), "ok");
  made.reason.assign(rows.size(), "");
  return made;
}

TEST_CASE("A result has not moved against itself", "[study]") {
  const ResultPoints same = along("usd", {3, 2, 1});
  const Comparison comparison = compare(same, same, {});
  CHECK(comparison.findings.empty());
  CHECK(comparison.curves.size() == 1);
  CHECK(comparison.curves[0].points == 3);
}

TEST_CASE("A metric moves past absolute + relative |base| and not at it", "[study]") {
  // 1% of 200 is 2; with 0.5 besides, 2.5.
  CHECK(compare(single("usd", 200), single("usd", 202), {}).findings.empty());
  CHECK(kinds(compare(single("usd", 200), single("usd", 202.01), {})) == Kinds{FindingKind::Moved});
  CHECK(kinds(compare(single("usd", 200), single("usd", 197.99), {})) == Kinds{FindingKind::Moved});
  CHECK(compare(single("usd", 200), single("usd", 202.5), tolerating(0.01, 0.5)).findings.empty());
  CHECK(compare(single("usd", 200), single("usd", 202.6), tolerating(0.01, 0.5)).findings.size() == 1);
  // The share is of the size of the base, also below zero.
  CHECK(compare(single("bias", -200), single("bias", -202), {}).findings.empty());
  // In binary 2.2 - 2 is more than 0.2.
  CHECK(compare(single("usd", 2), single("usd", 2.2), tolerating(0, 0.2)).findings.empty());
  CHECK(compare(single("usd", 2e9), single("usd", 2.2e9), tolerating(0.1)).findings.empty());
  // Zero is zero: what may differ there has to be said in absolute terms.
  CHECK(compare(single("usd", 0), single("usd", 1e-12), {}).findings.size() == 1);
  CHECK(compare(single("usd", 0), single("usd", 1e-12), tolerating(0.01, 1e-9)).findings.empty());
}

TEST_CASE("A mean's difference inside the joint 95% interval is noise, and counted", "[study]") {
  const auto with_intervals = [](double mean, double ci95, double p90) {
    return points({}, {}, {column("ttft_s.mean", {mean}), column("ttft_s.ci95", {ci95}), column("ttft_s.p90", {p90})});
  };
  // sqrt(3^2 + 4^2) = 5.
  const Comparison inside = compare(with_intervals(100, 4, 1), with_intervals(105, 3, 1), {});
  CHECK(inside.findings.empty());
  CHECK(inside.within_noise == 1);
  CHECK(inside.metrics[0].within_noise == 1);
  const Comparison outside = compare(with_intervals(100, 4, 1), with_intervals(105.1, 3, 1), {});
  CHECK(kinds(outside) == Kinds{FindingKind::Moved});
  CHECK(outside.within_noise == 0);
  // Inside the tolerance it is no matter of noise; the interval is that of the mean, not of the percentile; the
  // half-widths themselves are not compared.
  CHECK(compare(with_intervals(100, 3, 1), with_intervals(100.5, 9, 1), {}).within_noise == 0);
  CHECK(kinds(compare(with_intervals(100, 3, 1), with_intervals(100, 3, 2), {})) == Kinds{FindingKind::Moved});
  // One interval alone says nothing of the other file.
  CHECK(compare(with_intervals(100, kNull, 1), with_intervals(105, 40, 1), {}).findings.size() == 1);
}

TEST_CASE("A result that has become noisier does not hide its move behind that", "[study]") {
  const auto with_interval = [](double mean, double ci95) {
    return points({}, {}, {column("ttft_s.mean", {mean}), column("ttft_s.ci95", {ci95})});
  };
  // The base's 3 counts on both sides: sqrt(18) = 4.24.
  CHECK(compare(with_interval(100, 3), with_interval(104, 1000), {}).findings.empty());
  CHECK(compare(with_interval(100, 3), with_interval(105, 1000), {}).findings.size() == 1);
  CHECK(compare(with_interval(100, -9), with_interval(105, -9), {}).findings.size() == 1);
}

TEST_CASE("Tiny numbers move as large ones do", "[study]") {
  CHECK(is_moved({0.01, 0}, 1e-12, 1.9e-12));
  CHECK(is_moved({0.01, 0}, 0, 1e-13));
  CHECK_FALSE(is_moved({0, 0.2}, 2, 2.2));  // 2.2 - 2 is 0.2000000000000002
}

TEST_CASE("Missing and extra points are found on their curve and are not moves", "[study]") {
  ResultPoints now = along("usd", {3, 2, 1});
  now.axis_values[0] = {"1", "2", "8"};
  const Comparison comparison = compare(along("usd", {3, 2, 1}), now, {});
  CHECK(kinds(comparison) == Kinds{FindingKind::MissingPoint, FindingKind::ExtraPoint});
  CHECK(comparison.findings[0].base_point == 2);
  CHECK(comparison.findings[1].new_point == 2);
  CHECK(comparison.curves[0].points == 2);
  CHECK(comparison.curves[0].moved == 0);
}

TEST_CASE("Axes are compared as numbers where they are numbers, in any order of points and axes", "[study]") {
  const ResultPoints base = points({"gpu", "n"}, {{"h100", "h100"}, {"4", "0.5"}}, {column("usd", {1, 2})});
  const ResultPoints now = points({"n", "gpu"}, {{"5e-1", "4.0"}, {"h100", "h100"}}, {column("usd", {2, 1})});
  CHECK(compare(base, now, {}).findings.empty());
  CHECK(canonical("4") == canonical("4e0"));
  CHECK(canonical("-0") == canonical("0"));
  CHECK(canonical("nan") == "nan");
  CHECK(canonical("4 GPUs") == "4 GPUs");
}

TEST_CASE("Axes that differ in the last digits only are the same", "[study]") {
  CHECK(canonical("1545.2932281397182") == canonical("1545.2932281397184"));
  CHECK(canonical("1545.29322813") != canonical("1545.29322814"));
}

TEST_CASE("Points that are alike are matched in order of occurrence", "[study]") {
  ResultPoints base = along("usd", {1, 2, 3}), now = along("usd", {1, 5, 3});
  base.axis_values[0] = now.axis_values[0] = {"1", "1", "2"};
  const Comparison comparison = compare(base, now, {});
  REQUIRE(kinds(comparison) == Kinds{FindingKind::Moved});
  CHECK(comparison.findings[0].base_point == 1);
  CHECK(comparison.findings[0].new_point == 1);
}

TEST_CASE("A curve runs along the last axis of numbers that varies; samples are no such axis", "[study]") {
  const auto x_of = [](Texts axes, std::vector<Texts> values) {
    const ResultPoints same = points(std::move(axes), std::move(values), {column("usd", {1, 2})});
    const Comparison comparison = compare(same, same, {});
    return std::make_pair(comparison.x_axis ? same.axes[*comparison.x_axis] : "", comparison.curves.size());
  };
  CHECK(x_of({"a", "b"}, {{"1", "2"}, {"3", "4"}}) == std::make_pair(std::string("b"), std::size_t{2}));
  CHECK(x_of({"a", "b"}, {{"1", "2"}, {"3", "3.0"}}) == std::make_pair(std::string("a"), std::size_t{1}));
  CHECK(x_of({"a", "b"}, {{"1", "2"}, {"3", "x"}}) == std::make_pair(std::string("a"), std::size_t{2}));
  CHECK(x_of({"a", "sample"}, {{"1", "2"}, {"0", "1"}}) == std::make_pair(std::string("a"), std::size_t{2}));
  CHECK(x_of({"sample"}, {{"0", "1"}}) == std::make_pair(std::string("sample"), std::size_t{1}));
  CHECK(x_of({"gpu"}, {{"h100", "h200"}}) == std::make_pair(std::string(), std::size_t{2}));
}

TEST_CASE("Moves are counted by point and by curve, and the worst is furthest past its tolerance", "[study]") {
  const auto curves = [](double a_usd, double a_ttft, double b_usd) {
    return points({"gpu", "n"}, {{"a", "a", "b", "b"}, {"1", "2", "1", "2"}},
                  {column("usd", {10, a_usd, 10, b_usd}), column("ttft", {1, a_ttft, 1, 1})});
  };
  CompareRules rules;
  rules.metrics = {for_metric("ttft", 0.5)};
  // At a, 2: usd +10% of 1% allowed, severity 10; ttft +100% of 50%, severity 2.
  const Comparison comparison = compare(curves(10, 1, 10), curves(11, 2, 10), rules);
  REQUIRE(comparison.curves.size() == 2);
  CHECK(comparison.curves[0].moved == 1);
  CHECK(comparison.curves[0].findings == 2);
  CHECK(comparison.curves[1].moved == 0);
  REQUIRE(comparison.curves[0].worst);
  CHECK(comparison.metrics[comparison.findings[*comparison.curves[0].worst].metric].name == "usd");
  CHECK(severity(comparison, comparison.findings[1]) == Approx(2));
}

TEST_CASE("Changes of status, of texts, and between a value and nothing are found", "[study]") {
  const ResultPoints base = single("usd", 1);
  ResultPoints now = single("usd", kNull);
  CHECK(kinds(compare(base, now, {})) == Kinds{FindingKind::ValueVanished});
  CHECK(kinds(compare(now, base, {})) == Kinds{FindingKind::ValueAppeared});
  CHECK(compare(now, now, {}).findings.empty());
  now.status = {"infeasible"};  // that its metrics are gone is not said again
  CHECK(kinds(compare(base, now, {})) == Kinds{FindingKind::StatusChanged});
  ResultPoints bound = single("binding", kNull), other = bound;
  bound.metrics[0].texts[0] = "ttft";
  other.metrics[0].texts[0] = "context";
  CHECK(compare(bound, bound, {}).findings.empty());
  CHECK(kinds(compare(bound, other, {})) == Kinds{FindingKind::TextChanged});
  CHECK(kinds(compare(bound, single("binding", 3), {})) == Kinds{FindingKind::TextChanged});
}

TEST_CASE("Missing and extra metrics are found once, before all curves", "[study]") {
  const ResultPoints base = points({}, {}, {column("usd", {1}), column("old", {1}), column("usd.ci95", {1})});
  const ResultPoints now = points({}, {}, {column("usd", {2}), column("fresh", {1})});
  const Comparison comparison = compare(base, now, {});
  CHECK(kinds(comparison) == Kinds{FindingKind::MissingMetric, FindingKind::ExtraMetric, FindingKind::Moved});
  CHECK(comparison.findings[0].curve == Finding::kNone);
  CHECK(comparison.curves[0].findings == 1);
}

TEST_CASE("A pattern's stars stand for any characters, also none", "[study]") {
  CHECK(matches("latency.*.p90", "latency.ttft_s.p90"));
  CHECK(matches("*", ""));
  CHECK(matches("a*b*c", "abxbc"));
  CHECK(matches("a**", "a"));
  CHECK_FALSE(matches("latency.*.p90", "latency.ttft_s.p99"));
  CHECK_FALSE(matches("ttft", "ttft_s"));
  CHECK_FALSE(matches("a*b", "abc"));
}

TEST_CASE("The most specific tolerance wins, then the later one", "[study]") {
  CompareRules rules = tolerating(0.5);
  rules.metrics = {for_metric("latency.ttft*", 0.1), for_metric("latency.*", 0.2), for_metric("*tpot*", 0.3)};
  CHECK(tolerance_of(rules, "latency.ttft_s").relative == 0.1);
  CHECK(tolerance_of(rules, "latency.e2e_s").relative == 0.2);
  CHECK(tolerance_of(rules, "latency.tpot_ms").relative == 0.2);
  CHECK(tolerance_of(rules, "usd").relative == 0.5);
  rules.metrics.push_back(for_metric("latency.ttft*", 0.05));
  CHECK(tolerance_of(rules, "latency.ttft_s").relative == 0.05);
}

TEST_CASE("Ignored metrics are not compared, and a pattern without a metric is refused", "[study]") {
  CompareRules rules;
  rules.ignore = {{"us*", "--ignore"}};
  CHECK(compare(single("usd", 1), single("usd", 2), rules).findings.empty());
  rules.ignore = {{"udd", "--ignore"}};
  rules.metrics = {for_metric("ttft*", 0.1)};
  CHECK_THROWS_WITH(compare(single("usd", 1), single("usd", 2), rules),
                    "--tolerance: \"ttft*\"; expected a metric that is compared, or a pattern of some\n"
                    "--ignore: \"udd\"; expected a metric that is compared, or a pattern of some; did you mean usd?");
}

TEST_CASE("Which way is better is known from a metric's name", "[study]") {
  CHECK(better_of("service.ttft_percentile") == Better::Unknown);  // a promise, not a time
  for (const char* name :
       {"cost.usd_per_mtok.own_mix", "price.usd_per_mtok.output", "latency.ttft_s.p90", "latency.tpot_ms.mean",
        "latency.itl_ms.p99", "latency.e2e_s.p50", "latency.queue_wait_s.p90", "latency.service_s.mean", "energy.kWh",
        "energy.joule_per_output_token", "tok_s_per_gpu.mdape", "ttft.p90ape", "answer.usd"}) {
    INFO(name);
    CHECK(better_of(name) == Better::Lower);
  }
  for (const char* name : {"interactivity_tok_s_user.p10", "throughput.requests_s", "throughput.output_tok_s_per_gpu",
                           "goodput", "price.margin_over_revenue", "slo.attainment.ttft"}) {
    INFO(name);
    CHECK(better_of(name) == Better::Higher);
  }
  CHECK(better_of("tok_s_per_gpu.bias") == Better::NearZero);
  for (const char* name : {"requests.arrived", "fleet.gpus_mean", "price.revenue_usd", "shadow_prices.ttft_s"}) {
    INFO(name);
    CHECK(better_of(name) == Better::Unknown);
  }
}

TEST_CASE("Direction worse lets pass what is cheaper or faster, and counts it", "[study]") {
  CompareRules rules;
  rules.only_worse = true;
  const auto found = [&](const char* metric, double base, double now) {
    const Comparison comparison = compare(single(metric, base), single(metric, now), rules);
    CHECK(comparison.findings.size() + comparison.better == 1);
    return comparison.findings.size() == 1;
  };
  CHECK(found("usd", 1, 2));
  CHECK_FALSE(found("usd", 2, 1));
  CHECK(found("throughput", 2, 1));
  CHECK_FALSE(found("throughput", 1, 2));
  CHECK(found("bias", 1, -2));
  CHECK_FALSE(found("bias", -2, 1));
  CHECK(found("requests.arrived", 2, 1));
  CHECK(found("requests.arrived", 1, 2));
  ResultPoints infeasible = single("usd", 1);
  infeasible.status = {"infeasible"};
  CHECK(compare(infeasible, single("usd", 1), rules).findings.empty());
  CHECK(compare(single("usd", 1), infeasible, rules).findings.size() == 1);
}

TEST_CASE("A frontier is compared by what it reaches, not by the number of a point", "[study]") {
  // price, TTFT, interactivity, context.
  const ResultPoints base = front({{1, 0.5, 20, 1000}, {2, 0.5, 40, 1000}});
  CHECK(compare(base, base, {}).findings.empty());
  // A neighbour 0.5% slower and a tenth cheaper fits the relaxed bounds; still no curve is cheaper than itself.
  const ResultPoints dense = front({{1, 0.5, 39.8, 1000}, {1.1, 0.5, 40, 1000}});
  CHECK(compare(dense, dense, {}).findings.empty());
  // The same promises from other points: 41 tok/s at the price of 40 is newly reached, not a move.
  CHECK(kinds(compare(base, front({{2, 0.5, 41, 1000}, {1, 0.5, 20, 2000}}), {})) ==
        Kinds{FindingKind::NewlyReached, FindingKind::NewlyReached});
  // 0.5% slower is within the tolerance of 1%; 2% is not.
  CHECK(compare(base, front({{1, 0.5, 19.9, 1000}, {2, 0.5, 39.8, 1000}}), {}).findings.empty());
  CHECK(kinds(compare(base, front({{1, 0.5, 20, 1000}, {2, 0.5, 39.2, 1000}}), {})) == Kinds{FindingKind::NoLongerReached});
  // Less context, and a later first token, do not serve either.
  CHECK(kinds(compare(base, front({{1, 0.5, 20, 1000}, {2, 0.5, 40, 999}}), {})) == Kinds{FindingKind::NoLongerReached});
  CHECK(kinds(compare(base, front({{1, 0.5, 20, 1000}, {2, 0.51, 40, 1000}}), {})) == Kinds{FindingKind::NoLongerReached});
}

TEST_CASE("A frontier is dearer where the other asks more for the same, and cheaper the other way round", "[study]") {
  const ResultPoints base = front({{1, 0.5, 20, 1000}, {2, 0.5, 40, 1000}});
  // The first point is gone: its users now take the second and pay 2 for what was 1.
  const Comparison dearer = compare(base, front({{2, 0.5, 40, 1000}}), {});
  REQUIRE(kinds(dearer) == Kinds{FindingKind::Moved});
  CHECK(dearer.findings[0].base_point == 0);
  CHECK(dearer.findings[0].new_point == 0);
  const Comparison cheaper = compare(base, front({{1, 0.5, 20, 1000}, {1.8, 0.5, 40, 1000}}), {});
  REQUIRE(kinds(cheaper) == Kinds{FindingKind::Moved});
  CHECK(cheaper.findings[0].base_point == 1);
  CHECK(cheaper.findings[0].new_point == 1);
  CompareRules worse;
  worse.only_worse = true;
  const Comparison passed = compare(base, front({{1, 0.5, 20, 1000}, {1.8, 0.5, 45, 1000}}), worse);
  CHECK(passed.findings.empty());
  CHECK(passed.better == 1);  // 45 tok/s were not to be had
  // An ignored TTFT asks for nothing.
  CompareRules no_ttft;
  no_ttft.ignore = {{"service.ttft_s", "--ignore"}};
  CHECK(compare(base, front({{1, 9, 20, 1000}, {2, 9, 40, 1000}}), no_ttft).findings.empty());
}

}  // namespace
}  // namespace tokenomics
