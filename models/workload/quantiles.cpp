#include "tokenomics/workload/quantiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tokenomics/workload/normal_table.hpp"

namespace tokenomics {

namespace {

double interpolate(const std::vector<double>& probability, const std::vector<double>& log_value, double u) {
  if (u <= probability.front()) return std::exp(log_value.front());
  if (u >= probability.back()) return std::exp(log_value.back());
  const auto above = std::upper_bound(probability.begin(), probability.end(), u);
  const auto i = static_cast<std::size_t>(above - probability.begin());
  const double share = (u - probability[i - 1]) / (probability[i] - probability[i - 1]);
  return std::exp(log_value[i - 1] + share * (log_value[i] - log_value[i - 1]));
}

std::vector<double> logs(const std::vector<double>& values) {
  std::vector<double> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [](double v) { return std::log(v); });
  return result;
}

struct ValueAt {
  double u;
  const std::vector<double>* log_value;
  const UnitGammaQuantile* gamma;
  double operator()(const FixedLaw& law) const { return law.value; }
  double operator()(const UniformLaw& law) const { return law.low + (law.high - law.low) * u; }
  double operator()(const LognormalLaw& law) const { return std::exp(law.mu + law.sigma * NormalTable::instance()(u)); }
  double operator()(const ParetoLaw& law) const { return law.scale * std::pow(1.0 - u, -1.0 / law.alpha); }
  double operator()(const QuantileLaw& law) const { return interpolate(law.probability, *log_value, u); }
  double operator()(const GammaLaw& law) const { return law.scale * law.shape * (*gamma)(u); }
  double operator()(const GeometricLaw& law) const {
    if (law.continue_probability <= 0) return 1.0;
    return 1.0 + std::floor(std::log1p(-u) / std::log(law.continue_probability));
  }
};

std::shared_ptr<const UnitGammaQuantile> gamma_of(const MarginalLaw& law) {
  const auto* gamma = std::get_if<GammaLaw>(&law);
  return gamma != nullptr ? std::make_shared<const UnitGammaQuantile>(gamma->shape) : nullptr;
}

std::vector<double> table_of(const MarginalLaw& law) {
  const auto* table = std::get_if<QuantileLaw>(&law);
  return table != nullptr ? logs(table->value) : std::vector<double>{};
}

/// Collects problems under one pointer.
struct Complaints {
  const std::string& file;
  const std::string& pointer;
  std::vector<Problem> list;

  void positive(const char* key, double value) {
    if (!(std::isfinite(value) && value > 0)) add(key, value, "a positive number");
  }
  void not_negative(const char* key, double value) {
    if (!(std::isfinite(value) && value >= 0)) add(key, value, "a number that is at least 0");
  }
  void add(const char* key, double value, std::string expected) {
    list.push_back({file, pointer + "/" + key, fmt::format("{}", value), std::move(expected), ""});
  }

  void operator()(const FixedLaw& law) { positive("value", law.value); }
  void operator()(const UniformLaw& law) {
    positive("low", law.low);
    if (!(std::isfinite(law.high) && law.high >= law.low)) add("high", law.high, fmt::format("at least low, {}", law.low));
  }
  void operator()(const LognormalLaw& law) {
    if (!std::isfinite(law.mu)) add("mean", std::exp(law.mu), "a positive number");
    not_negative("sigma", law.sigma);
  }
  void operator()(const ParetoLaw& law) {
    positive("scale", law.scale);
    positive("alpha", law.alpha);
  }
  void operator()(const GammaLaw& law) {
    if (!(law.shape >= 1e-4 && law.shape <= 1e8)) add("shape", law.shape, "a number from 0.0001 to 1e8");
    positive("scale", law.scale);
  }
  void operator()(const GeometricLaw& law) {
    if (!(law.continue_probability >= 0 && law.continue_probability < 1)) {
      add("continue_probability", law.continue_probability, "a number from 0 to below 1");
    }
  }
  void operator()(const QuantileLaw& law) {
    if (law.value.empty() || law.value.size() != law.probability.size()) {
      return add("value", static_cast<double>(law.value.size()),
                 fmt::format("one value for each of the {} probabilities, at least one", law.probability.size()));
    }
    for (std::size_t i = 0; i < law.value.size(); ++i) {
      const double p = law.probability[i];
      if (!(p >= 0 && p <= 1) || (i > 0 && p <= law.probability[i - 1])) {
        return add("probability", p, "probabilities in [0, 1] that increase strictly");
      }
      const double v = law.value[i];
      if (!(std::isfinite(v) && v > 0) || (i > 0 && v < law.value[i - 1])) {
        return add("value", v, "positive values that do not decrease");
      }
    }
  }
};

}  // namespace

double quantile(const MarginalLaw& law, double u) {
  const std::vector<double> log_value = table_of(law);
  return std::visit(ValueAt{u, &log_value, gamma_of(law).get()}, law);
}

LognormalLaw lognormal_with_mean(double mean, double sigma) { return {std::log(mean) - 0.5 * sigma * sigma, sigma}; }

MarginalSampler::MarginalSampler(const LengthMarginal& marginal)
    : marginal_(marginal), log_value_(table_of(marginal.law)), gamma_(gamma_of(marginal.law)) {}

double MarginalSampler::value(double u) const { return std::visit(ValueAt{u, &log_value_, gamma_.get()}, marginal_.law); }

std::int64_t MarginalSampler::tokens(double u) const {
  const double clamped =
      std::clamp(value(u), static_cast<double>(marginal_.min_tokens), static_cast<double>(marginal_.max_tokens));
  return static_cast<std::int64_t>(clamped + 0.5);  // values are at least 1
}

double MarginalSampler::mean_tokens() const {
  constexpr int kSlices = 16384;
  double sum = 0;
  for (int i = 0; i < kSlices; ++i) sum += static_cast<double>(tokens((i + 0.5) / kSlices));
  return sum / kSlices;
}

std::vector<Problem> problems_of(const TimeMarginal& marginal, const std::string& file, const std::string& pointer) {
  Complaints complaints{file, pointer, {}};
  std::visit(complaints, marginal.law);
  complaints.positive("max_s", marginal.max_s);
  return complaints.list;
}

std::vector<Problem> problems_of(const LengthMarginal& marginal, const std::string& file, const std::string& pointer) {
  Complaints complaints{file, pointer, {}};
  std::visit(complaints, marginal.law);
  if (marginal.min_tokens < 1) {
    complaints.add("min_tokens", static_cast<double>(marginal.min_tokens), "at least 1");
  }
  if (marginal.max_tokens < marginal.min_tokens) {
    complaints.add("max_tokens", static_cast<double>(marginal.max_tokens),
                   fmt::format("at least min_tokens, {}", marginal.min_tokens));
  }
  return complaints.list;
}

}  // namespace tokenomics
