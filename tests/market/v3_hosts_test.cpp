#include "market/v3_hosts.hpp"

#include <cmath>

#include "support/catch.hpp"

#include "tokenomics/market/choice_fit.hpp"

using namespace tokenomics;

namespace {

double blend(const V3Host& h, double input_per_output) {
  return (input_per_output * h.input_usd_per_mtok + h.output_usd_per_mtok) / (input_per_output + 1.0);
}

ChoiceCounts by_price(double input_per_output) {
  ChoiceCounts s;
  for (const V3Host& h : kV3Hosts) {
    s.features.push_back({std::log(blend(h, input_per_output))});
    s.count.push_back(h.requests);
  }
  return s;
}

ChoiceCounts by_everything() {
  ChoiceCounts s = by_price(3);
  for (std::size_t j = 0; j < kV3Hosts.size(); ++j) {
    const V3Host& h = kV3Hosts[j];
    s.features[j].insert(s.features[j].end(), {std::log1p(h.ttft_s), std::log(h.tok_s), std::log(h.context_tokens)});
  }
  return s;
}

}  // namespace

TEST_CASE("V3-0324 hosts: price alone is identified, and its interval holds the router's inverse square", "[market]") {
  const ChoiceFit fit = fit_choice({by_price(3)}, {"log_price"});
  CHECK(fit.free_parameters == 1);
  CHECK(fit.requests == 80331);
  CHECK(fit.weights[0].estimate == Approx(-3.381).epsilon(1e-3));
  CHECK(fit.weights[0].standard_error == Approx(0.0163).epsilon(1e-2));
  CHECK(fit.weights[0].dispersed_standard_error == Approx(1.403).epsilon(1e-3));
  CHECK(fit.weights[0].identification == Identification::Identified);
  CHECK(fit.pseudo_r2 == Approx(0.156).epsilon(1e-2));
  // Two hosts of 17 take two thirds of the requests: the counts spread 7,451 times wider than independent users would.
  CHECK(fit.dispersion == Approx(7451).epsilon(1e-3));
  // OpenRouter spreads requests by the inverse square of price unless told otherwise (its documentation, Provider Routing):
  // -2 is inside the dispersed interval, and 85 plain standard errors away.
  const WeightInterval interval = *weight_interval_95(fit, 0);
  CHECK(interval.low == Approx(-6.37).epsilon(1e-2));
  CHECK(interval.high == Approx(-0.39).epsilon(1e-1));
  CHECK((interval.low < -2 && -2 < interval.high));
  CHECK(jackknife_errors(by_price(3), {"log_price"})[0] == Approx(1.408).epsilon(1e-3));
  CHECK(choice_log_likelihood({by_price(3)}, {-2}) == Approx(-196341.6));
}

TEST_CASE("V3-0324 hosts: the weight of price depends on the mix that is priced", "[market]") {
  // Input only, 10 : 1, 3 : 1, output only. By input price the estimate is the router's own rule to 0.2%.
  const auto weight = [](double mix) { return fit_choice({by_price(mix)}, {"log_price"}).weights[0]; };
  CHECK(weight(1e9).estimate == Approx(-2.0035).epsilon(1e-3));
  CHECK(weight(1e9).dispersed_standard_error == Approx(0.832).epsilon(1e-2));
  CHECK(weight(10).estimate == Approx(-2.519).epsilon(1e-3));
  CHECK(weight(10).dispersed_standard_error == Approx(1.024).epsilon(1e-2));
  CHECK(weight(0).estimate == Approx(-1.384).epsilon(1e-2));
  CHECK(weight(0).dispersed_standard_error == Approx(1.831).epsilon(1e-2));
  CHECK(weight(0).identification == Identification::Weak);
  CHECK(jackknife_errors(by_price(1e9), {"log_price"})[0] == Approx(0.649).epsilon(1e-2));
  CHECK(jackknife_errors(by_price(10), {"log_price"})[0] == Approx(0.871).epsilon(1e-2));
  CHECK(jackknife_errors(by_price(0), {"log_price"})[0] == Approx(2.267).epsilon(1e-2));
}

TEST_CASE("V3-0324 hosts: with service beside the price no weight is identified", "[market]") {
  const std::vector<std::string> names = {"log_price", "log_ttft", "log_speed", "log_context"};
  const ChoiceFit fit = fit_choice({by_everything()}, names);
  const std::vector<double> jackknife = jackknife_errors(by_everything(), names);
  CHECK(fit.free_parameters == 4);
  CHECK(fit.degrees_of_freedom == 12);
  const double estimate[] = {-2.229, -1.338, -0.680, -0.152};
  const double dispersed[] = {1.904, 2.426, 0.971, 3.024};
  const double left_out[] = {1.068, 4.342, 1.015, 3.998};
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(fit.weights[k].estimate == Approx(estimate[k]).epsilon(2e-3));
    CHECK(fit.weights[k].dispersed_standard_error == Approx(dispersed[k]).epsilon(2e-3));
    CHECK(jackknife[k] == Approx(left_out[k]).epsilon(2e-3));
    CHECK(fit.weights[k].identification == Identification::Weak);
  }
  CHECK(fit.pseudo_r2 == Approx(0.185).epsilon(1e-2));
  CHECK(fit.correlation[1][3] == Approx(0.88).epsilon(1e-2));  // the short contexts are the slow starters
}
