// What autoscaling saves and what it costs the users: the table in sim/README.md, and that it lies between fixed fleets.
#include "shortened.hpp"
#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr const char* kDay = "llama-70b-autoscaled-day";
constexpr const char* kFixed = R"(fleet={"kind": "fixed"})";
/// Azure 2024, code completion on weekdays: peak 2.2 times the mean.
constexpr const char* kCoding =
    "workload.arrivals.hourly_shape=[0.67, 0.70, 0.63, 0.50, 0.42, 0.34, 0.28, 0.25, 0.23, 0.25, 0.26, 0.38, 0.68, 1.22, "
    "1.73, 1.85, 1.70, 1.99, 2.16, 2.21, 2.04, 1.53, 1.15, 0.83]";

struct Row {
  double usd, ttft_p99_s, slow_tok_s;
};

Row day(const std::vector<std::string>& sets) {
  const RunResult run = run_scenario(shipped(kDay, sets));
  return {run.cost.having.value(), seconds_at(run.service.ttft, 0.99), 1 / seconds_at(run.service.tpot, 0.9)};
}

void check(const Row& row, double usd, double ttft_p99_s, double slow_tok_s) {
  CHECK(row.usd == Approx(usd).epsilon(0.005));
  CHECK(row.ttft_p99_s == Approx(ttft_p99_s).epsilon(0.02));
  CHECK(row.slow_tok_s == Approx(slow_tok_s).epsilon(0.01));
}

}  // namespace

TEST_CASE("the README's table of autoscaled days is what the program says", "[scenarios]") {
  check(day({}), 684, 0.548, 27.1);
  check(day({kFixed, "deployment.instances=6"}), 749, 0.521, 27.5);
  check(day({kCoding, "deployment.instances=4"}), 702, 0.573, 26.7);
  check(day({kCoding, kFixed, "deployment.instances=10"}), 1248, 0.492, 27.2);
}

// Four instances are too few by day, nine are always enough.
TEST_CASE("an autoscaled fleet costs less than one for the peak and serves better than one for the trough", "[scenarios]") {
  const std::vector<std::string> six_hours{"measure.duration_s=21600", "workload.arrivals.start_hour=9"};
  const auto with = [&](std::vector<std::string> sets) {
    sets.insert(sets.end(), six_hours.begin(), six_hours.end());
    return day(sets);
  };
  const Row scaled = with({"deployment.instances=4"});
  const Row trough = with({kFixed, "deployment.instances=4"}), peak = with({kFixed, "deployment.instances=9"});
  CHECK(trough.usd < scaled.usd);
  CHECK(scaled.usd < peak.usd);
  CHECK(trough.ttft_p99_s > 10 * scaled.ttft_p99_s);
  CHECK(peak.ttft_p99_s < scaled.ttft_p99_s);
}
