#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/cost/gpu_hour.hpp"

using namespace tokenomics;

TEST_CASE("rent is the cost, and storage comes on top", "[cost]") {
  GpuHourCost cost;
  cost.rent = usd_per_hour(2.0);
  cost.kv_storage = usd_per_hour(0.05);
  CHECK(in_usd_per_hour(cost.gpu()) == Approx(2.0));
  CHECK(in_usd_per_hour(cost.total()) == Approx(2.05));
}

TEST_CASE("a GPU is either rented or owned", "[cost]") {
  GpuHourCost cost;
  CHECK_THROWS_AS(cost.total(), std::logic_error);
  cost.rent = usd_per_hour(2.0);
  cost.owned = OwnedGpu{};
  CHECK_THROWS_AS(cost.total(), std::logic_error);
}

TEST_CASE("capital is paid back as an annuity over the life", "[cost]") {
  OwnedGpu gpu;
  gpu.capex = Usd{35040};
  gpu.life_years = 4;
  SECTION("free capital: 35,040 / (4 x 8,760 h) = 1 USD/h") {
    CHECK(in_usd_per_hour(capital_rate(gpu)) == Approx(1.0));
    gpu.residual_share = 0.25;
    CHECK(in_usd_per_hour(capital_rate(gpu)) == Approx(0.75));
  }
  SECTION("10% a year: (1.1^-4 = 0.683013), recovery 0.1 / 0.316987 = 0.315471 of 35,040 = 11,054.10 a year") {
    gpu.cost_of_capital = 0.10;
    CHECK(in_usd_per_hour(capital_rate(gpu)) == Approx(11054.10 / 8760).epsilon(1e-6));
    // A residual of 25% = 8,760 is worth 5,983.20 today: (35,040 - 5,983.20) x 0.315471 = 9,166.57 a year.
    gpu.residual_share = 0.25;
    CHECK(in_usd_per_hour(capital_rate(gpu)) == Approx(9166.57 / 8760).epsilon(1e-6));
  }
  SECTION("a vanishing cost of capital joins the straight line") {
    gpu.cost_of_capital = 1e-12;
    CHECK(in_usd_per_hour(capital_rate(gpu)) == Approx(1.0).epsilon(1e-9));
  }
  gpu.life_years = 0;
  CHECK_THROWS_AS(capital_rate(gpu), std::logic_error);
}

TEST_CASE("an owned GPU costs capital, power, hosting and staff, for its spares too", "[cost]") {
  // Capital 1.00; power 1 kW x 1.3 x 0.08 USD/kWh = 0.104; hosting 0.15; staff 0.05: 1.304; with 5% spares 1.3692
  // USD/h.
  OwnedGpu gpu;
  gpu.capex = Usd{35040};
  gpu.power = Watts{1000};
  gpu.pue = 1.3;
  gpu.usd_per_kwh = 0.08;
  gpu.hosting = usd_per_hour(0.15);
  gpu.staff = usd_per_hour(0.05);
  gpu.spares_share = 0.05;
  CHECK(in_usd_per_hour(ownership_rate(gpu)) == Approx(1.3692));
  GpuHourCost cost;
  cost.owned = gpu;
  CHECK(in_usd_per_hour(cost.total()) == Approx(1.3692));
}

TEST_CASE("the discounted payments are worth the capital", "[cost]") {
  rc::prop("annuity", [] {
    OwnedGpu gpu;
    gpu.capex = Usd{static_cast<double>(*rc::gen::inRange(1, 100'000))};
    gpu.cost_of_capital = *rc::gen::inRange(0, 300) / 1000.0;
    gpu.residual_share = *rc::gen::inRange(0, 1001) / 1000.0;
    const int years = *rc::gen::inRange(1, 12);
    gpu.life_years = years;
    const double payment = in_usd_per_hour(capital_rate(gpu)) * 8760;
    double owed = gpu.capex.value();
    for (int year = 0; year < years; ++year) owed = owed * (1.0 + gpu.cost_of_capital) - payment;
    RC_ASSERT(owed == Approx(gpu.residual_share * gpu.capex.value()).epsilon(1e-12).margin(1e-9 * gpu.capex.value()));
  });
}

TEST_CASE("break-even utilization is the cost of having over the revenue when full", "[cost]") {
  CHECK(*break_even_utilization(Usd{87072}, Usd{562027}) == Approx(0.15493).epsilon(1e-4));
  CHECK(*break_even_utilization(Usd{10}, Usd{5}) == 2.0);
  CHECK_FALSE(break_even_utilization(Usd{10}, Usd{0}));
}

TEST_CASE("at its break-even price a GPU earns exactly its cost", "[cost]") {
  // 360 USD from 100 GPU-hours with 0.10 USD/h of storage: 3.50 USD/h are left for the GPU.
  const Seconds hours{100 * 3600.0};
  CHECK(in_usd_per_hour(break_even_gpu_price(Usd{360}, hours, usd_per_hour(0.10))) == Approx(3.5));
  CHECK(break_even_gpu_price(Usd{5}, hours, usd_per_hour(0.10)) < UsdPerSecond{0});
  CHECK_THROWS_AS(break_even_gpu_price(Usd{5}, Seconds{0}, usd_per_hour(0.10)), std::logic_error);
}
