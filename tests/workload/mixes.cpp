#include <set>

#include "helpers.hpp"
#include "support/catch.hpp"
#include "tokenomics/workload/length_statistics.hpp"
#include "unlimited_cache.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

constexpr SimTime kSecond = 1'000'000'000;

WorkloadSpec part(const std::string& name, ArrivalSpec arrivals, double input, std::int32_t priority) {
  WorkloadSpec spec = with_fixed_lengths(std::move(arrivals));
  spec.name = name;
  spec.priority = priority;
  spec.lengths->input = {FixedLaw{input}};
  return spec;
}

WorkloadSpec sessions_part(const std::string& name, std::int64_t users) {
  WorkloadSpec spec;
  spec.name = name;
  spec.arrivals = ClosedLoopArrivals{users, 1};
  spec.sessions = SessionSpec{};
  spec.sessions->system_prompt_tokens = 50;
  spec.sessions->first_prompt = {FixedLaw{300}};
  spec.sessions->calls = {GeometricLaw{0.8}};
  spec.sessions->added = {FixedLaw{60}};
  spec.sessions->output = {FixedLaw{40}};
  return spec;
}

WorkloadSpec mix_of(std::vector<WorkloadSpec> parts) {
  WorkloadSpec spec;
  spec.name = "mix";
  spec.mix = std::move(parts);
  return spec;
}

}  // namespace

TEST_CASE("a mix merges its parts in order, with their priorities, tenants and rates", "[workload]") {
  const WorkloadSpec spec = mix_of({part("chat", PoissonArrivals{3}, 100, 0), part("batch", PoissonArrivals{1}, 1000, 2)});
  CHECK(mean_arrival_rate(spec) == 4.0);
  const auto source = make_request_source(spec, 1, 0);
  CHECK(source->prompts() == nullptr);
  const auto requests = drain(*source, 40'000);
  double batch = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Request& r = requests[i];
    REQUIRE(r.id == i);
    if (i > 0) REQUIRE(r.arrival >= requests[i - 1].arrival);
    const bool is_batch = r.input_tokens == 1000;
    REQUIRE(r.priority == (is_batch ? 2 : 0));
    REQUIRE(r.tenant == (is_batch ? 1 : 0));
    batch += is_batch ? 1 : 0;
  }
  CHECK(batch / 40'000 == Approx(0.25).margin(5 * 0.0022));  // standard error sqrt(0.25 * 0.75 / 40,000)
  CHECK(static_cast<double>(requests.back().arrival) / kSecond == Approx(10'000).epsilon(0.025));
}

TEST_CASE("a part of a mix does not change when another does", "[workload]") {
  const auto chats = [](double batch_rate) {
    const auto source = make_request_source(
        mix_of({part("chat", PoissonArrivals{3}, 100, 0), part("batch", PoissonArrivals{batch_rate}, 1000, 0)}), 1, 0);
    std::vector<SimTime> arrivals;
    for (const Request& r : drain(*source, 5000)) {
      if (r.tenant == 0) arrivals.push_back(r.arrival);
    }
    arrivals.resize(500);
    return arrivals;
  };
  CHECK(chats(1) == chats(5));
}

TEST_CASE("endings go to their own part: two closed loops of sessions and one of single requests keep their users",
          "[workload]") {
  const WorkloadSpec spec =
      mix_of({sessions_part("a", 3), part("single", ClosedLoopArrivals{4, 2}, 100, 1), sessions_part("b", 2)});
  CHECK_FALSE(mean_arrival_rate(spec));
  const auto source = make_request_source(spec, 1, 0);
  std::vector<Request> in_flight;
  std::set<std::int64_t> sessions;
  UnlimitedCache cache(*source->prompts());
  SimTime now = 0;
  for (int i = 0; i < 3000; ++i) {
    while (source->next_arrival() != kNever) in_flight.push_back(source->take());
    REQUIRE(in_flight.size() == 9);
    std::array<int, 3> of{};
    for (const Request& r : in_flight) {
      const auto own = static_cast<std::size_t>(r.tenant % 3);
      ++of[own];
      REQUIRE((r.session < 0 || r.session % 3 == r.tenant % 3));
      REQUIRE((r.segment == kNoSegment) == (own == 1));
      sessions.insert(r.session);
      now = std::max(now, r.arrival);
    }
    REQUIRE(of == std::array<int, 3>{3, 4, 2});
    const auto at = in_flight.begin() + i % 9;
    const Request done = *at;
    in_flight.erase(at);
    source->ended(done, now + kSecond);
  }
  CHECK(sessions.size() > 100);
  CHECK(source->prompts()->live() <= 3U + 2U + 2U + 2U);  // users, system prompts, and for each part one let go a call later
}

TEST_CASE("the law of a mix takes its parts by their rates", "[workload]") {
  const LoadedWorkload workload(
      mix_of({part("chat", PoissonArrivals{3}, 100, 0), part("batch", PoissonArrivals{1}, 1000, 2)}));
  RandomStream random(1, "test");
  const auto law = workload.length_law();
  CHECK(statistics_of(law->representative(4000, random)).mean_input == Approx(325));
  double sum = 0;
  for (int i = 0; i < 40'000; ++i) sum += static_cast<double>(law->draw(random).input);
  CHECK(sum / 40'000 == Approx(325).margin(5 * 900 * 0.0022));
  // A closed loop has no rate: both count the same.
  const LoadedWorkload closed(
      mix_of({part("chat", PoissonArrivals{3}, 100, 0), part("b", ClosedLoopArrivals{1, 0}, 1000, 2)}));
  CHECK(statistics_of(closed.length_law()->representative(4000, random)).mean_input == Approx(550));
}

TEST_CASE("a plain workload may have a priority", "[workload]") {
  const auto source = make_request_source(part("batch", PoissonArrivals{1}, 10, 3), 1, 0);
  CHECK(source->take().priority == 3);
}

TEST_CASE("mixes that contradict themselves are refused", "[workload]") {
  WorkloadSpec spec = mix_of({part("a", PoissonArrivals{-1}, 100, 0), part("a", PoissonArrivals{1}, 100, 0)});
  spec.lengths = IndependentLengths{};
  CHECK(message_of([&] { LoadedWorkload{spec}; }) ==
        "workload \"mix\": /lengths: beside a mix; expected lengths in the parts of the mix\n"
        "workload \"mix\": /mix/0/workload/arrivals/rate_per_s: -1; expected a positive number\n"
        "workload \"mix\": /mix/1/name: \"a\"; expected names that differ");
  const WorkloadSpec nested = mix_of({mix_of({part("a", PoissonArrivals{1}, 1, 0)})});
  CHECK(message_of([&] { LoadedWorkload{nested}; }) ==
        "workload \"mix\": /mix/0/workload/mix; expected a workload that is no mix itself");
}
