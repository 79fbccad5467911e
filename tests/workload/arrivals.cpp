#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include <algorithm>

#include "helpers.hpp"
#include "tokenomics/workload/workload.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

std::vector<Request> open_arrivals(const ArrivalSpec& arrivals, std::size_t most, std::uint64_t seed = 1, double scale = 1) {
  const auto source = make_request_source(with_fixed_lengths(arrivals), seed, 0, scale);
  return drain(*source, most);
}

std::vector<double> flat_day() { return std::vector<double>(24, 1.0); }

/// Counts per window of `width_s` over [0, windows * width_s).
std::vector<double> counts(const std::vector<Request>& requests, double width_s, std::size_t windows) {
  std::vector<double> result(windows, 0.0);
  for (const Request& request : requests) {
    const auto place = static_cast<std::size_t>(static_cast<double>(request.arrival) * 1e-9 / width_s);
    if (place < windows) result[place] += 1;
  }
  return result;
}

}  // namespace

TEST_CASE("arrival times never decrease and ids count 0, 1, 2 ...", "[workload]") {
  rc::prop("open kinds, any seed and rate", [] {
    const double rate = std::pow(10.0, *rc::gen::inRange(-3, 5));
    std::vector<double> shape = flat_day();
    for (double& hour : shape) hour = *rc::gen::inRange(0, 5);
    shape[*rc::gen::inRange<std::size_t>(0, 24)] = 1;
    std::vector<ArrivalSpec> kinds(4);
    kinds[0] = PoissonArrivals{rate};
    kinds[1] = GammaArrivals{rate, 0.1 * *rc::gen::inRange(1, 100)};
    kinds[2] = DayNightArrivals{rate, shape, *rc::gen::inRange(0, 240) * 0.1};
    kinds[3] = AllAtOnceArrivals{300};
    for (const ArrivalSpec& kind : kinds) {
      const auto requests = open_arrivals(kind, 300, *rc::gen::arbitrary<std::uint64_t>());
      RC_ASSERT(requests.size() == 300U);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        RC_ASSERT(requests[i].id == i);
        RC_ASSERT(requests[i].arrival >= (i == 0 ? 0 : requests[i - 1].arrival));
      }
    }
  });
}

TEST_CASE("peeking does not change what is taken", "[workload]") {
  const auto source = make_request_source(with_fixed_lengths(PoissonArrivals{3}), 1, 0);
  for (int i = 0; i < 100; ++i) {
    const SimTime peeked = source->next_arrival();
    REQUIRE(source->next_arrival() == peeked);
    REQUIRE(source->take().arrival == peeked);
  }
}

TEST_CASE("mean rate and coefficient of variation are those asked for, within 5 standard errors", "[workload]") {
  const double rate = 4;
  for (const double cv : {0.5, 1.0, 1.1, 3.0}) {
    const auto requests = open_arrivals(GammaArrivals{rate, cv}, 200'001, 7);
    const Moments gaps = moments(gaps_s(requests));
    CHECK(std::abs(gaps.mean - 1 / rate) < 5 * gaps.standard_error());
    // Relative standard error of a gamma sample's CV: sqrt((1 + 2 cv^2) / (2 n)) (its kurtosis is 3 + 6 cv^2, and the
    // mean's error enters with opposite sign; taken here without that help).
    const double error = cv * std::sqrt((2 + 6 * cv * cv) / (4 * static_cast<double>(gaps.n)));
    CHECK(std::abs(gaps.sd / gaps.mean - cv) < 5 * error);
  }
  const Moments gaps = moments(gaps_s(open_arrivals(PoissonArrivals{rate}, 200'001, 8)));
  CHECK(std::abs(gaps.mean - 1 / rate) < 5 * gaps.standard_error());
  CHECK(gaps.sd / gaps.mean == Approx(1).epsilon(0.012));
}

TEST_CASE("Poisson counts have an index of dispersion of 1, gamma counts of CV^2", "[workload]") {
  // Windows of 100 mean gaps; n windows give the index of Poisson counts a standard error of sqrt(2 / n).
  const std::size_t windows = 20'000;
  const auto index = [&](const ArrivalSpec& kind) {
    const Moments m = moments(counts(open_arrivals(kind, 2'100'000, 3), 10, windows));
    return m.sd * m.sd / m.mean;
  };
  CHECK(std::abs(index(PoissonArrivals{10}) - 1) < 5 * std::sqrt(2.0 / windows));
  // Asymptotically CV^2; at 100 mean gaps still about 1% to 2% off.
  CHECK(index(GammaArrivals{10, 2}) == Approx(4).epsilon(0.08));
}

TEST_CASE("bursty gamma arrivals have their rate from the first second on", "[workload]") {
  // CV 5: a process that began with a fresh gap would bring (25 - 1) / 2 = 12 requests too many. Here 100 are expected
  // in the first 10 s; over 2,000 replications the mean has a standard error of about 50 / sqrt 2000 = 1.1.
  std::vector<double> first;
  const LoadedWorkload workload(with_fixed_lengths(GammaArrivals{10, 5}));
  for (std::uint64_t replication = 0; replication < 2000; ++replication) {
    const auto source = workload.source(1, replication);
    double count = 0;
    for (; source->next_arrival() < 10'000'000'000; ++count) source->take();
    first.push_back(count);
  }
  const Moments m = moments(first);
  CHECK(std::abs(m.mean - 100) < 5 * m.standard_error());
  CHECK(m.standard_error() < 2);
}

TEST_CASE("day and night follow the hours, the mean rate and the start hour", "[workload]") {
  // Mean rate 2/s with weight only in hours 6 (1 part) and 23 (3 parts): 12/s and 36/s for an hour each = 48 parts of
  // 3,600 = 172,800 a day. Starting at 22.5, hour 23 runs from 0.5 h to 1.5 h, hour 6 from 7.5 h to 8.5 h.
  std::vector<double> shape(24, 0.0);
  shape[6] = 1;
  shape[23] = 3;
  const auto requests = open_arrivals(DayNightArrivals{2, shape, 22.5}, 400'000);
  const auto half_hours = counts(requests, 1800, 96);
  double total = 0;
  for (std::size_t i = 0; i < 96; ++i) {
    const std::size_t of_day = i % 48;
    const double expected = of_day == 1 || of_day == 2 ? 64'800 : of_day == 15 || of_day == 16 ? 21'600 : 0;
    CHECK(std::abs(half_hours[i] - expected) <= 5 * std::sqrt(expected));
    total += half_hours[i];
  }
  CHECK(std::abs(total - 2 * 172'800) < 5 * std::sqrt(2 * 172'800.0));
}

TEST_CASE("a flat day is the Poisson process with the same random numbers", "[workload]") {
  const auto day = open_arrivals(DayNightArrivals{0.01, flat_day(), 3.25}, 1000);
  const auto poisson = open_arrivals(PoissonArrivals{0.01}, 1000);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(std::abs(day[i].arrival - poisson[i].arrival) < 10'000);
}

TEST_CASE("twice the rate scale halves every arrival time of an open process", "[workload]") {
  std::vector<ArrivalSpec> kinds(2);
  kinds[0] = PoissonArrivals{0.5};
  kinds[1] = GammaArrivals{0.5, 2};
  for (const ArrivalSpec& kind : kinds) {
    const auto once = open_arrivals(kind, 1000, 4, 1), twice = open_arrivals(kind, 1000, 4, 2);
    for (std::size_t i = 0; i < 1000; ++i) REQUIRE(std::abs(once[i].arrival - 2 * twice[i].arrival) <= 2000);
  }
}

TEST_CASE("same seed, same requests; other seed or replication, other requests", "[workload]") {
  WorkloadSpec spec = with_fixed_lengths(GammaArrivals{2, 2});
  spec.lengths->input.law = LognormalLaw{7, 1};
  const auto times = [&](std::uint64_t seed, std::uint64_t replication) {
    const auto source = make_request_source(spec, seed, replication);
    std::vector<std::int64_t> result;
    for (const Request& r : drain(*source, 100)) result.insert(result.end(), {r.arrival, r.input_tokens});
    return result;
  };
  CHECK(times(1, 0) == times(1, 0));
  CHECK(times(1, 0) != times(2, 0));
  CHECK(times(1, 0) != times(1, 1));
}

TEST_CASE("changing the lengths leaves the arrivals alone, and the other way round", "[workload]") {
  WorkloadSpec spec = with_fixed_lengths(PoissonArrivals{2});
  spec.lengths->input.law = LognormalLaw{7, 1};
  WorkloadSpec other_lengths = spec, other_arrivals = spec;
  other_lengths.lengths->input.law = FixedLaw{5};
  other_arrivals.arrivals = GammaArrivals{9, 3};
  const auto base = make_request_source(spec, 1, 0), a = make_request_source(other_lengths, 1, 0),
             b = make_request_source(other_arrivals, 1, 0);
  for (int i = 0; i < 500; ++i) {
    const Request request = base->take();
    REQUIRE(a->take().arrival == request.arrival);
    REQUIRE(b->take().input_tokens == request.input_tokens);
  }
}

TEST_CASE("a closed loop keeps its concurrency and thinks before it asks again", "[workload]") {
  const auto source = make_request_source(with_fixed_lengths(ClosedLoopArrivals{3, 0.5}), 1, 0);
  std::vector<Request> first;
  for (int i = 0; i < 3; ++i) first.push_back(source->take());
  for (const Request& request : first) CHECK(request.arrival == 0);
  CHECK(source->next_arrival() == kNever);
  // Answers at 2 s and, told later, at 1 s: the next arrivals are at 1.5 s and 2.5 s.
  source->ended(first[0], 2'000'000'000);
  source->ended(first[1], 1'000'000'000);
  CHECK(source->take().arrival == 1'500'000'000);
  const Request last = source->take();
  CHECK(last.arrival == 2'500'000'000);
  CHECK(last.id == 4);
  CHECK(source->next_arrival() == kNever);
}

TEST_CASE("all at once brings every request at time 0 and then no more", "[workload]") {
  const auto requests = open_arrivals(AllAtOnceArrivals{5}, 100);
  REQUIRE(requests.size() == 5);
  for (const Request& request : requests) CHECK(request.arrival == 0);
}

TEST_CASE("mean arrival rates are those of the specification", "[workload]") {
  CHECK(mean_arrival_rate(with_fixed_lengths(PoissonArrivals{3})) == 3.0);
  CHECK(mean_arrival_rate(with_fixed_lengths(GammaArrivals{4, 2})) == 4.0);
  CHECK(mean_arrival_rate(with_fixed_lengths(DayNightArrivals{5, flat_day(), 0})) == 5.0);
  CHECK_FALSE(mean_arrival_rate(with_fixed_lengths(ClosedLoopArrivals{3, 0})));
  CHECK_FALSE(mean_arrival_rate(with_fixed_lengths(AllAtOnceArrivals{3})));
}

TEST_CASE("every problem of a specification is reported at once, with its place", "[workload]") {
  WorkloadSpec spec = with_fixed_lengths(GammaArrivals{-1, 0});
  spec.cache_hit_ratio = 1.5;
  CHECK(message_of([&] { make_request_source(spec, 1, 0); }) ==
        "workload \"test\": /arrivals/rate_per_s: -1; expected a positive number\n"
        "workload \"test\": /arrivals/cv: 0; expected a number from 0.001 to 100\n"
        "workload \"test\": /cache_hit_ratio: 1.5; expected a number from 0 to 1");
  const auto refusal = [](const ArrivalSpec& kind) {
    return message_of([&] { make_request_source(with_fixed_lengths(kind), 1, 0); });
  };
  CHECK(refusal(ClosedLoopArrivals{0, -1}) ==
        "workload \"test\": /arrivals/concurrency: 0; expected a whole number from 1 to 100000000\n"
        "workload \"test\": /arrivals/think_s: -1; expected a number that is at least 0");
  CHECK(refusal(DayNightArrivals{1, {1, 2}, 24}) ==
        "workload \"test\": /arrivals/hourly_shape: [1,2]; expected 24 numbers that are at least 0, not all 0\n"
        "workload \"test\": /arrivals/start_hour: 24; expected a number from 0 to below 24");
  CHECK(refusal(TraceArrivals{}) == "workload \"test\": /trace; expected a trace, which arrivals of kind \"trace\" replay");
  WorkloadSpec bare;
  bare.name = "test";
  bare.arrivals = PoissonArrivals{1};
  CHECK(message_of([&] { LoadedWorkload{bare}; }) ==
        "workload \"test\": /lengths; expected lengths, or a trace to take them from");
}
