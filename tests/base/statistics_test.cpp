#include <atomic>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"

#include "tokenomics/base/parallel.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/base/statistics.hpp"

using namespace tokenomics;

TEST_CASE("Student's interval has the textbook width", "[base]") {
  // 1..5: mean 3, s = sqrt 2.5 = 1.5811; t_{0.975, 4} = 2.7764 (any t table); 2.7764 x 1.5811 / sqrt 5 = 1.9632.
  const MeanInterval interval = mean_interval({1, 2, 3, 4, 5});
  CHECK(interval.mean == 3.0);
  REQUIRE(interval.half_width_95);
  CHECK(*interval.half_width_95 == Approx(1.9632).epsilon(1e-4));
  CHECK(*mean_interval({2, 2, 2}).half_width_95 == 0.0);
  CHECK_FALSE(mean_interval({2}).half_width_95);
  CHECK_THROWS_AS(mean_interval({}), std::logic_error);
}

TEST_CASE("the interval covers the true mean 95 times in 100", "[base]") {
  // 4000 intervals of 6 normal values: standard error of the share sqrt(0.95 x 0.05 / 4000) = 0.0034.
  RandomStream stream(9, "coverage");
  int covered = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 6; ++i) values.push_back(stream.normal());
    const MeanInterval interval = mean_interval(values);
    covered += std::abs(interval.mean) <= *interval.half_width_95;
  }
  CHECK(covered / 4000.0 == Approx(0.95).margin(3 * 0.0034));
}

TEST_CASE("batches have equal length and leave over the front of the series", "[base]") {
  // 100 is left over; batches (1, 3), (5, 7), (9, 11).
  CHECK(batch_means({100, 1, 3, 5, 7, 9, 11}, 3) == std::vector<double>{2, 6, 10});
  CHECK(batch_means({4, 8}, 1) == std::vector<double>{6});
  CHECK_THROWS_AS(batch_means({1, 2}, 3), std::logic_error);
  CHECK_THROWS_AS(batch_means({1, 2}, 0), std::logic_error);
}

TEST_CASE("a time average weighs each value by how long it was held", "[base]") {
  TimeAverage average(100, 4);
  average.set(200, 10);  // 4 for 100 ns
  average.add(250, -8);  // 10 for 50 ns, then 2
  CHECK(average.value() == 2);
  CHECK(average.max() == 10);
  CHECK(average.mean(300) == 5.0);  // (400 + 500 + 2 x 50) / 200
  CHECK(average.mean(250) == 6.0);
  CHECK_THROWS_AS(average.mean(249), std::logic_error);
  CHECK_THROWS_AS(average.set(249, 1), std::logic_error);
}

TEST_CASE("a ramp counts with its middle, and a restart forgets the past", "[base]") {
  TimeAverage average(0, 0);
  average.ramp_to(10, 5);
  CHECK(average.mean(10) == 2.5);
  CHECK(average.mean(20) == 3.75);
  average.restart(20);
  CHECK(average.mean(20) == 5.0);
  CHECK(average.mean(1000) == 5.0);
  CHECK(average.max() == 5);
}

TEST_CASE("every index runs once on any number of threads", "[base]") {
  for (const unsigned jobs : {1u, 2u, 7u, 64u}) {
    std::vector<int> runs(50, 0);
    parallel_for(jobs, runs.size(), [&](std::size_t i) { ++runs[i]; });
    CHECK(runs == std::vector<int>(50, 1));
  }
  parallel_for(4, 0, [](std::size_t) { FAIL("nothing to run"); });
  CHECK_THROWS_AS(parallel_for(0, 1, [](std::size_t) {}), std::logic_error);
}

TEST_CASE("of several failures the one with the lowest index is rethrown on any number of threads", "[base]") {
  for (const unsigned jobs : {1u, 2u, 8u}) {
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::string what;
      try {
        parallel_for(jobs, 40, [](std::size_t i) {
          if (i % 5 == 3) throw std::runtime_error(std::to_string(i));
        });
      } catch (const std::runtime_error& error) {
        what = error.what();
      }
      REQUIRE(what == "3");
    }
  }
}

TEST_CASE("quantiles lie linearly between order statistics", "[base]") {
  // Of 1, 2, 4, 8 the median is at place 1.5: 2 + 0.5 x 2 = 3; 90% at place 2.7: 4 + 0.7 x 4 = 6.8.
  CHECK(quantile_of({8, 1, 4, 2}, 0.5) == Approx(3));
  CHECK(quantile_of({8, 1, 4, 2}, 0.9) == Approx(6.8));
  CHECK(quantile_of({8, 1, 4, 2}, 0) == 1);
  CHECK(quantile_of({8, 1, 4, 2}, 1) == 8);
  CHECK(quantile_of({5}, 0.3) == 5);
  CHECK(sorted_quantile({1, 2, 4, 8}, 0.5) == Approx(3));
  CHECK_THROWS_AS(quantile_of({}, 0.5), std::logic_error);
  CHECK_THROWS_AS(quantile_of({1}, 1.1), std::logic_error);
}
