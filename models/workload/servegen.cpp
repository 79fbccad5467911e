#include "tokenomics/workload/servegen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

void EmpiricalLaw::add(double value, double probability) {
  value_.push_back(value);
  cumulative_.push_back(probability);
}

void EmpiricalLaw::finish() {
  std::vector<std::size_t> order(value_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return value_[a] < value_[b]; });
  std::vector<double> value, cumulative;
  double sum = 0;
  for (const std::size_t i : order) {
    value.push_back(value_[i]);
    cumulative.push_back(sum += cumulative_[i]);
  }
  for (double& share : cumulative) share /= sum;
  value_ = std::move(value);
  cumulative_ = std::move(cumulative);
}

double EmpiricalLaw::quantile(double u) const {
  const auto found = std::lower_bound(cumulative_.begin(), cumulative_.end(), u);
  return value_[static_cast<std::size_t>(std::min(found, cumulative_.end() - 1) - cumulative_.begin())];
}

double ServeGenTrace::expected_requests(const ServeGenTenant& tenant, double from_s, double to_s) {
  double sum = 0;
  for (const ServeGenWindow& window : tenant.windows) {
    const double overlap = std::min(to_s, window.start_s + window_s) - std::max(from_s, window.start_s);
    if (overlap > 0) sum += window.rate_per_s * overlap;
  }
  return sum;
}

std::vector<ServeGenCell> weighted_cells(const ServeGenTrace& trace, double from_s, double to_s) {
  std::vector<ServeGenCell> cells;
  for (const ServeGenTenant& tenant : trace.tenants) {
    for (std::size_t i = 0; i < tenant.lengths.size(); ++i) {
      const double begin = i == 0 ? 0.0 : tenant.lengths[i].start_s;
      const double end = i + 1 < tenant.lengths.size() ? tenant.lengths[i + 1].start_s : trace.end_s;
      const double requests = ServeGenTrace::expected_requests(tenant, std::max(from_s, begin), std::min(to_s, end));
      if (requests > 0) cells.push_back({&tenant.lengths[i], requests});
    }
  }
  return cells;
}

namespace {

/// Requests by value over all cells, in order of value.
std::vector<std::pair<double, double>> pooled(const std::vector<ServeGenCell>& cells, EmpiricalLaw ServeGenLengths::*field) {
  std::vector<std::pair<double, double>> result;
  for (const ServeGenCell& cell : cells) {
    const EmpiricalLaw& law = cell.lengths->*field;
    for (std::size_t i = 0; i < law.values().size(); ++i) {
      const double before = i == 0 ? 0.0 : law.cumulative()[i - 1];
      result.emplace_back(law.values()[i], cell.requests * (law.cumulative()[i] - before));
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

TraceStatistics::Length length(const std::vector<std::pair<double, double>>& weighted) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  if (weighted.empty()) return {unknown, unknown, unknown, unknown, unknown};
  TraceStatistics::Length result;
  double total = 0;
  for (const auto& [value, weight] : weighted) total += weight;
  double sum = 0;
  const auto reach = [&](double q, double before, double value, double& percentile) {
    if (before < q * total && sum >= q * total) percentile = value;
  };
  for (const auto& [value, weight] : weighted) {
    const double before = sum;
    sum += weight;
    result.mean += value * weight / total;
    reach(0.5, before, value, result.p50);
    reach(0.9, before, value, result.p90);
    reach(0.99, before, value, result.p99);
    result.max = value;
  }
  return result;
}

}  // namespace

TraceStatistics statistics_of(const ServeGenTrace& trace) {
  TraceStatistics result;
  double requests = 0;
  for (const ServeGenTenant& tenant : trace.tenants) {
    requests += ServeGenTrace::expected_requests(tenant, 0, trace.end_s);
  }
  result.requests = static_cast<std::uint64_t>(std::llround(requests));
  result.span_s = trace.end_s;
  result.rate_per_s = requests / trace.end_s;
  result.interarrival_cv = std::numeric_limits<double>::quiet_NaN();
  double measured_until_s = 0;
  for (const ServeGenTenant& tenant : trace.tenants) {
    if (tenant.lengths.empty()) continue;
    measured_until_s = std::max(measured_until_s, tenant.lengths.back().start_s + ServeGenTrace::length_window_s);
  }
  const auto cells = weighted_cells(trace, 0, measured_until_s);
  result.input = length(pooled(cells, &ServeGenLengths::input));
  result.output = length(pooled(cells, &ServeGenLengths::output));
  result.groups = trace.tenants.size();
  return result;
}

}  // namespace tokenomics
