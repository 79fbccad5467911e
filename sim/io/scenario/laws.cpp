#include "laws.hpp"

#include <cmath>

#include "number_text.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

double lognormal_mu(double mean, double sigma) { return std::log(mean) - sigma * sigma / 2; }

UniformLaw uniform_from(const json& file, const Reporter& report) {
  const UniformLaw law{.low = file["low"], .high = file["high"]};
  if (law.low > law.high) report.at("high").add(file["high"].dump(), "at least low, " + file["low"].dump());
  return law;
}

QuantileLaw quantiles_from(const json& file, const Reporter& report) {
  QuantileLaw law{.probability = file["probability"], .value = file["value"]};
  if (law.probability.size() != law.value.size()) {
    report.at("value").add(std::to_string(law.value.size()) + " items",
                           "as many as probability has, " + std::to_string(law.probability.size()));
  }
  for (std::size_t i = 1; i < law.probability.size(); ++i) {
    if (law.probability[i] <= law.probability[i - 1]) {
      report.at("probability").at(std::to_string(i)).add(json(law.probability[i]).dump(), "more than the one before");
    }
  }
  for (std::size_t i = 1; i < law.value.size(); ++i) {
    if (law.value[i] < law.value[i - 1])
      report.at("value").at(std::to_string(i)).add(json(law.value[i]).dump(), "at least the one before");
  }
  return law;
}

MarginalLaw law_from(const json& file, const Reporter& report) {
  const std::string law = file["law"];
  if (law == "uniform") return uniform_from(file, report);
  if (law == "lognormal") return LognormalLaw{.mu = lognormal_mu(file["mean"], file["sigma"]), .sigma = file["sigma"]};
  if (law == "pareto") return ParetoLaw{.scale = file["scale"], .alpha = file["alpha"]};
  if (law == "quantiles") return quantiles_from(file, report);
  if (law == "gamma") return GammaLaw{.shape = file["shape"], .scale = file["scale"]};
  if (law == "geometric") return GeometricLaw{.continue_probability = file["continue_probability"]};
  TOKENOMICS_CHECK(law == "fixed", "law " + law + " passed the schema");
  return FixedLaw{.value = file["value"]};
}

json json_of_law(const FixedLaw& law) { return {{"law", "fixed"}, {"value", law.value}}; }
json json_of_law(const UniformLaw& law) { return {{"law", "uniform"}, {"low", law.low}, {"high", law.high}}; }
json json_of_law(const LognormalLaw& law) {
  const double mean = shortest_decimal(std::exp(law.mu + law.sigma * law.sigma / 2), law.mu,
                                       [&](double candidate) { return lognormal_mu(candidate, law.sigma); });
  return {{"law", "lognormal"}, {"mean", mean}, {"sigma", law.sigma}};
}
json json_of_law(const ParetoLaw& law) { return {{"law", "pareto"}, {"scale", law.scale}, {"alpha", law.alpha}}; }
json json_of_law(const QuantileLaw& law) {
  return {{"law", "quantiles"}, {"probability", law.probability}, {"value", law.value}};
}

json json_of_law(const GammaLaw& law) { return {{"law", "gamma"}, {"shape", law.shape}, {"scale", law.scale}}; }
json json_of_law(const GeometricLaw& law) {
  return {{"law", "geometric"}, {"continue_probability", law.continue_probability}};
}

json json_of_any(const MarginalLaw& marginal) {
  return std::visit([](const auto& law) { return json_of_law(law); }, marginal);
}

}  // namespace

LengthMarginal marginal_from(const json& file, const Reporter& report) {
  LengthMarginal marginal;
  marginal.law = law_from(file, report);
  marginal.min_tokens = file.value("min_tokens", marginal.min_tokens);
  marginal.max_tokens = file.value("max_tokens", marginal.max_tokens);
  if (marginal.min_tokens > marginal.max_tokens) {
    report.at("max_tokens")
        .add(std::to_string(marginal.max_tokens), "at least min_tokens, " + std::to_string(marginal.min_tokens));
  }
  return marginal;
}

TimeMarginal time_from(const json& file, const Reporter& report) {
  return {.law = law_from(file, report), .max_s = file.value("max_s", TimeMarginal{}.max_s)};
}

json json_of_marginal(const LengthMarginal& marginal) {
  json file = json_of_any(marginal.law);
  file["min_tokens"] = marginal.min_tokens;
  file["max_tokens"] = marginal.max_tokens;
  return file;
}

json json_of_time(const TimeMarginal& marginal) {
  json file = json_of_any(marginal.law);
  file["max_s"] = marginal.max_s;
  return file;
}

}  // namespace tokenomics
