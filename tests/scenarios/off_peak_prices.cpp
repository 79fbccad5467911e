// Off-peak prices in runs that have a clock and no windows.
#include <cmath>

#include "shortened.hpp"
#include "support/catch.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr double kStart = 7.5, kEnd = 8.5;  // hours: of the run and of the cheap prices

/// What users pay, request by request: off-peak until half past eight, all of it half the price.
struct Bills final : Observer {
  double off_peak = 0, all = 0;
  void request_ended(const RequestRecord& r) override {
    const double end_s = static_cast<double>(r.end) * 1e-9;
    if (r.outcome != Outcome::Completed || end_s < 600 || end_s >= 6600) return;
    all += static_cast<double>(r.request.output_tokens);
    if (end_s < (kEnd - kStart) * 3600) off_peak += static_cast<double>(r.request.output_tokens);
  }
};

/// Only output has a price.
std::vector<std::string> two_hours() {
  return {
      R"(fleet={"kind": "fixed"})", "workload.arrivals.start_hour=7.5", "measure.warm_up_s=600", "measure.duration_s=6000",
      R"(pricing={"usd_per_mtok": {"input": 0, "input_cached": 0, "output": 2}, "off_peak": {"from_hour": 0.5, "to_hour": 8.5,
             "usd_per_mtok": {"input": 0, "input_cached": 0, "output": 1}}, "realised": {"free_share": 0.25}})"};
}

}  // namespace

TEST_CASE("a run over a clock bills each request at the hour of its end", "[scenarios]") {
  Bills bills;
  RunOptions options;
  options.observer = &bills;
  const RunResult run = run_scenario(shipped("llama-70b-autoscaled-day", two_hours()), options);
  const double list = 2e-6 * run.volume.output, cheap_share = bills.off_peak / bills.all;
  REQUIRE(cheap_share > 0.3);
  REQUIRE(cheap_share < 0.7);
  CHECK(run.price.revenue_list->value() == Approx(list).epsilon(1e-9));
  CHECK(run.price.revenue->value() == Approx(list * (1 - cheap_share / 2)).epsilon(1e-9));
  CHECK(run.price.revenue_realised->value() == Approx(0.75 * run.price.revenue->value()).epsilon(1e-9));
}

TEST_CASE("without a clock all is sold at standard prices, and a note says so", "[scenarios]") {
  std::vector<std::string> sets = two_hours();
  sets[1] = R"(workload.arrivals={"kind": "poisson", "rate_per_s": 20})";
  sets[3] = "measure.duration_s=60";
  const RunResult run = run_scenario(shipped("llama-70b-autoscaled-day", sets));
  CHECK(run.price.revenue->value() == run.price.revenue_list->value());
  CHECK(std::any_of(run.notes.begin(), run.notes.end(),
                    [](const std::string& note) { return note.starts_with("off-peak prices need the time of day"); }));
}
