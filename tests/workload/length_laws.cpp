#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <iterator>

#include "helpers.hpp"
#include "tokenomics/workload/gamma_quantile.hpp"
#include "tokenomics/workload/length_statistics.hpp"
#include "tokenomics/workload/normal_table.hpp"
#include "tokenomics/workload/quantiles.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

double any_u() { return *rc::gen::inRange(1, 1'000'000) * 1e-6; }

WorkloadSpec spec_of(LengthMarginal input, LengthMarginal output) {
  WorkloadSpec spec = with_fixed_lengths(PoissonArrivals{1});
  spec.lengths = IndependentLengths{std::move(input), std::move(output)};
  return spec;
}

}  // namespace

TEST_CASE("quantiles of each law are those worked by hand", "[workload]") {
  CHECK(quantile(FixedLaw{7}, 0.3) == 7);
  CHECK(quantile(UniformLaw{10, 30}, 0.25) == Approx(15));
  // Lognormal: the median is exp(mu); one sigma above it, u = Phi(1) = 0.8413447.
  CHECK(quantile(LognormalLaw{std::log(1000.0), 0.5}, 0.5) == Approx(1000));
  CHECK(quantile(LognormalLaw{0, 2}, 0.841344746068543) == Approx(7.38905609893065).epsilon(1e-8));
  // Pareto, alpha 2: P(X > 3 scale) = 1/9, so at u = 8/9 the value is 3 scale.
  CHECK(quantile(ParetoLaw{100, 2}, 8.0 / 9.0) == Approx(300));
  // Between (0.5, 100) and (0.9, 10,000) half-way in probability is half-way in log: 1,000. Flat outside.
  const QuantileLaw table{{0.5, 0.9}, {100, 10'000}};
  CHECK(quantile(table, 0.7) == Approx(1000));
  CHECK(quantile(table, 0.01) == Approx(100));
  CHECK(quantile(table, 0.99) == Approx(10'000));
}

TEST_CASE("a lognormal law given by its mean has that mean", "[workload]") {
  // mean 999, sigma 1.006: mu = log 999 - 0.506018 = 6.400736.
  CHECK(lognormal_with_mean(999, 1.006).mu == Approx(6.400737).epsilon(1e-6));
}

TEST_CASE("inverse transforms invert: the share of values below the quantile at u is u", "[workload]") {
  rc::prop("uniform, lognormal and Pareto", [] {
    const double u = any_u();
    const double a = *rc::gen::inRange(1, 1000) * 0.01;
    RC_ASSERT(std::abs((quantile(UniformLaw{a, a + 5}, u) - a) / 5 - u) < 1e-12);
    const double z = (std::log(quantile(LognormalLaw{2, a}, u)) - 2) / a;
    RC_ASSERT(std::abs(0.5 * std::erfc(-z / std::sqrt(2.0)) - u) < 1e-9);
    RC_ASSERT(std::abs(1 - std::pow(quantile(ParetoLaw{3, a}, u) / 3, -a) - u) < 1e-9);
  });
  rc::prop("tabulated gamma, to 1e-4 of u and of 1 - u", [] {
    const double u = any_u();
    const double shape = std::pow(10.0, *rc::gen::inRange(-100, 400) * 0.01);
    const double x = UnitGammaQuantile(shape)(u) * shape;
    RC_ASSERT(std::abs(boost::math::gamma_p(shape, x) / u - 1) < 1e-4 * std::max(1.0, shape));
    RC_ASSERT(std::abs(boost::math::gamma_q(shape, x) / (1 - u) - 1) < 1e-4 * std::max(1.0, shape));
  });
  rc::prop("tabulated gamma within 2e-4 of the exact inverse, or both next to nothing", [] {
    const double u = any_u();
    const double shape = std::pow(10.0, *rc::gen::inRange(-200, 600) * 0.01);
    const double exact = boost::math::gamma_p_inv(shape, u) / shape;
    const double ours = UnitGammaQuantile(shape)(u);
    RC_ASSERT(std::abs(ours - exact) < 2e-4 * exact + 1e-12);
  });
}

TEST_CASE("the table of normal quantiles is within 1e-9 of the exact ones", "[workload]") {
  const NormalTable& table = NormalTable::instance();
  rc::prop("from the middle to the last tails", [&] {
    const double u = std::pow(2.0, -*rc::gen::inRange(1, 54) - *rc::gen::inRange(0, 1'000'000) * 1e-6);
    RC_ASSERT(std::abs(table(u) - normal_quantile(u)) < 1e-9);
    RC_ASSERT(std::abs(table(1 - u) - normal_quantile(1 - u)) < 1e-9 || u < 0x1.0p-52);
  });
  for (const double u : {0x1.0p-54, 0.25, 0.4999999, 0.5, 0.75, 1 - 0x1.0p-53}) {
    CHECK(std::abs(table(u) - normal_quantile(u)) < 1e-9);
  }
}

TEST_CASE("quantile functions never decrease", "[workload]") {
  rc::prop("all laws", [] {
    double u = any_u(), v = any_u();
    if (u > v) std::swap(u, v);
    const QuantileLaw table{{0, 0.2, 0.7, 1}, {1, 5, 5, 900}};
    for (const MarginalLaw& law : {MarginalLaw{UniformLaw{1, 9}}, MarginalLaw{LognormalLaw{5, 1}},
                                   MarginalLaw{ParetoLaw{1, 1}}, MarginalLaw{table}}) {
      RC_ASSERT(quantile(law, u) <= quantile(law, v));
    }
    const UnitGammaQuantile gamma(std::pow(10.0, *rc::gen::inRange(-200, 300) * 0.01));
    RC_ASSERT(gamma(u) <= gamma(v));
  });
}

TEST_CASE("the tabulated gamma law has mean 1 and its coefficient of variation within 0.5%", "[workload]") {
  // Mean and variance by the middles of a million slices; the last slices carry the tail of bursty laws, so the CV of
  // shape 0.04 (CV 5) is checked to 0.5% and not closer.
  for (const double cv : {0.2, 1.0, 2.0, 5.0}) {
    const UnitGammaQuantile gamma(1 / (cv * cv));
    double sum = 0, squares = 0;
    const int n = 1'000'000;
    for (int i = 0; i < n; ++i) {
      const double x = gamma((i + 0.5) / n);
      sum += x / n;
      squares += x * x / n;
    }
    CHECK(sum == Approx(1).epsilon(0.0005));
    CHECK(std::sqrt(squares - sum * sum) == Approx(cv).epsilon(0.005));
  }
}

TEST_CASE("gamma of shape 1 is the exponential law, also at the ends of the uniform's range", "[workload]") {
  const UnitGammaQuantile gamma(1);
  for (const double u : {0x1.0p-54, 1e-9, 0.3, 0.999, 1 - 0x1.0p-53}) {
    CHECK(gamma(u) == Approx(-std::log1p(-u)).epsilon(2e-4));
  }
  CHECK(UnitGammaQuantile(0.01)(0x1.0p-54) >= 0);
  CHECK(std::isfinite(UnitGammaQuantile(0.01)(1 - 0x1.0p-53)));
}

TEST_CASE("what is left of a gap found at a random time has mean (1 + CV^2) / 2", "[workload]") {
  // Gamma of shape 1/4: CV 2, mean residual 2.5. Weibull of shape 1/2: E X^2 = Gamma(5) = 24, E X = 2, so
  // E X^2 / (2 (E X)^2) = 3.
  RandomStream random(5, "residual");
  std::vector<double> gamma, weibull;
  for (int i = 0; i < 200'000; ++i) {
    const double u = random.uniform();
    const double v = random.uniform();
    gamma.push_back(stationary_first_gamma_gap(0.25, u, v));
    weibull.push_back(stationary_first_weibull_gap(0.5, u, v));
  }
  CHECK(std::abs(moments(gamma).mean - 2.5) < 5 * moments(gamma).standard_error());
  CHECK(std::abs(moments(weibull).mean - 3.0) < 5 * moments(weibull).standard_error());
}

TEST_CASE("draws are clamped, rounded and keep cached below input and reasoning below output", "[workload]") {
  rc::prop("any shares and bounds", [] {
    LengthMarginal input{LognormalLaw{*rc::gen::inRange(0, 10) * 1.0, 2}};
    input.min_tokens = *rc::gen::inRange(1, 50);
    input.max_tokens = input.min_tokens + *rc::gen::inRange(0, 1000);
    WorkloadSpec spec = spec_of(input, {ParetoLaw{1, 0.7}, 1, 32768});
    spec.cache_hit_ratio = *rc::gen::inRange(0, 101) * 0.01;
    spec.reasoning_share = *rc::gen::inRange(0, 101) * 0.01;
    const auto law = make_length_law(spec);
    RandomStream random(*rc::gen::arbitrary<std::uint64_t>(), "lengths");
    for (int i = 0; i < 100; ++i) {
      const Lengths drawn = law->draw(random);
      RC_ASSERT(drawn.input >= input.min_tokens && drawn.input <= input.max_tokens);
      RC_ASSERT(drawn.output >= 1 && drawn.output <= 32768);
      RC_ASSERT(drawn.cached >= 0 && drawn.cached < drawn.input);
      RC_ASSERT(drawn.reasoning >= 0 && drawn.reasoning < drawn.output);
      RC_ASSERT(static_cast<double>(drawn.cached) <= spec.cache_hit_ratio * static_cast<double>(drawn.input));
    }
  });
}

TEST_CASE("cached and reasoning tokens are rounded down", "[workload]") {
  // 0.56 x 99 = 55.44; 0.5 x 7 = 3.5; a full hit still computes the last token.
  WorkloadSpec spec = spec_of({FixedLaw{99}}, {FixedLaw{7}});
  spec.cache_hit_ratio = 0.56;
  spec.reasoning_share = 0.5;
  RandomStream random(1, "lengths");
  Lengths drawn = make_length_law(spec)->draw(random);
  CHECK(drawn.cached == 55);
  CHECK(drawn.reasoning == 3);
  spec.cache_hit_ratio = 1;
  drawn = make_length_law(spec)->draw(random);
  CHECK(drawn.cached == 98);
}

TEST_CASE("input and output lengths are drawn independently", "[workload]") {
  const auto law = make_length_law(spec_of({LognormalLaw{7, 0.5}}, {LognormalLaw{7, 0.5}}));
  RandomStream random(3, "lengths");
  std::vector<double> in, out, product;
  for (int i = 0; i < 100'000; ++i) {
    const Lengths drawn = law->draw(random);
    in.push_back(std::log(static_cast<double>(drawn.input)));
    out.push_back(std::log(static_cast<double>(drawn.output)));
    product.push_back((in.back() - 7) * (out.back() - 7));
  }
  CHECK(std::abs(moments(product).mean) < 5 * moments(product).standard_error());
  CHECK(std::abs(moments(in).mean - 7) < 5 * moments(in).standard_error());
  CHECK(moments(in).sd == Approx(0.5).epsilon(0.02));
}

TEST_CASE("statistics of a sample are those worked by hand", "[workload]") {
  // Outputs 1 and 3 with inputs 10 and 20: KV = (1 (10 + 0.5) + 3 (20 + 1.5)) / 4 = (10.5 + 64.5) / 4 = 18.75.
  const LengthStatistics s = statistics_of({{10, 4, 1, 0}, {20, 8, 3, 2}});
  CHECK(s.mean_input == 15);
  CHECK(s.mean_cached == 6);
  CHECK(s.mean_output == 2);
  CHECK(s.mean_reasoning == 1);
  CHECK(s.kv_per_output_token == Approx(18.75));
}

TEST_CASE("independent lognormals have the closed-form mean KV per output token", "[workload]") {
  // E[in] + E[out^2] / (2 E[out]) = 2,000 + 500 exp(0.25) = 2,642.0 for mean output 1,000 and sigma 0.5.
  const auto law = make_length_law(spec_of({lognormal_with_mean(2000, 0.8)}, {lognormal_with_mean(1000, 0.5)}));
  const LengthStatistics s = LengthBiasedSampler(*law, RandomStream(1, "sample")).statistics();
  CHECK(s.mean_input == Approx(2000).epsilon(0.002));
  CHECK(s.mean_output == Approx(1000).epsilon(0.002));
  CHECK(s.kv_per_output_token == Approx(2642.0).epsilon(0.003));
}

TEST_CASE("length-biased draws weigh a request by its output", "[workload]") {
  // Outputs 100 and 300, equally likely: a batch holds the long one three times out of four.
  const TemporaryFile file(
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:00:00,1,100\n2023-11-16 18:00:01,2,300\n");
  const auto law = make_length_law(replay_of(file.path(), TraceFormat::Azure));
  const LengthBiasedSampler sampler(*law, RandomStream(1, "sample"));
  RandomStream random(2, "draws");
  std::vector<double> is_long;
  for (int i = 0; i < 100'000; ++i) is_long.push_back(sampler.draw(random).input == 2 ? 1 : 0);
  CHECK(std::abs(moments(is_long).mean - 0.75) < 5 * moments(is_long).standard_error());
  CHECK(sampler.statistics().mean_output == 200);
}

TEST_CASE("every law that cannot be is refused with its place", "[workload]") {
  const auto refusal = [](const MarginalLaw& law) {
    return message_of([&] { make_length_law(spec_of({law}, {FixedLaw{1}})); });
  };
  CHECK(refusal(FixedLaw{0}) == "workload \"test\": /lengths/input/value: 0; expected a positive number");
  CHECK(refusal(UniformLaw{5, 4}) == "workload \"test\": /lengths/input/high: 4; expected at least low, 5");
  CHECK(refusal(LognormalLaw{5, -1}) == "workload \"test\": /lengths/input/sigma: -1; expected a number that is at least 0");
  CHECK(refusal(ParetoLaw{std::nan(""), 1}) == "workload \"test\": /lengths/input/scale: nan; expected a positive number");
  CHECK(refusal(QuantileLaw{{0.5, 0.5}, {1, 2}}) ==
        "workload \"test\": /lengths/input/probability: 0.5; expected probabilities in [0, 1] that increase strictly");
  CHECK(refusal(QuantileLaw{{0.1, 0.5}, {2, 1}}) ==
        "workload \"test\": /lengths/input/value: 1; expected positive values that do not decrease");
}
