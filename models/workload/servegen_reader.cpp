#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "csv_reader.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/servegen.hpp"

namespace tokenomics {

namespace {

ServeGenWindow::Family family_of(const CsvReader& csv, std::size_t column) {
  const std::string_view name = csv.text(column);
  if (name.empty()) return ServeGenWindow::Family::Exponential;
  if (name == "Gamma") return ServeGenWindow::Family::Gamma;
  if (name == "Weibull") return ServeGenWindow::Family::Weibull;
  csv.fail(column, "Gamma, Weibull or nothing");
}

using Tenants = std::map<std::int64_t, ServeGenTenant>;

void read_rates(const std::string& path, Tenants& tenants) {
  enum Column { kClient, kTime, kRate, kFamily, kShape };
  constexpr double kLeastShape = 1e-3, kMostShape = 1e6;
  CsvReader csv(path, {"client", "t_s", "rate_rps", "family", "shape"});
  while (csv.next()) {
    ServeGenTenant& tenant = tenants[csv.count(kClient)];
    ServeGenWindow window;
    window.start_s = csv.number(kTime);
    window.rate_per_s = csv.number(kRate);
    window.family = family_of(csv, kFamily);
    if (window.family != ServeGenWindow::Family::Exponential) window.shape = csv.number(kShape);
    if (window.shape < kLeastShape || window.shape > kMostShape) csv.fail(kShape, "a number from 0.001 to 1e6");
    const bool late = tenant.windows.empty() || window.start_s >= tenant.windows.back().start_s + ServeGenTrace::window_s;
    if (!late) csv.fail(kTime, "windows of 600 s that do not overlap, in order of time");
    tenant.windows.push_back(window);
  }
  csv.finish();
}

EmpiricalLaw& field_of(const CsvReader& csv, std::size_t column, ServeGenLengths& lengths) {
  const std::string_view field = csv.text(column);
  if (field == "input_tokens") return lengths.input;
  if (field == "output_tokens") return lengths.output;
  if (field == "reason_ratio") return lengths.reasoning_share;
  csv.fail(column, "input_tokens, output_tokens or reason_ratio");
}

void read_lengths(const std::string& path, Tenants& tenants) {
  enum Column { kClient, kStart, kField, kValue, kProbability };
  CsvReader csv(path, {"client", "window_start_s", "field", "value", "prob"});
  while (csv.next()) {
    const auto tenant = tenants.find(csv.count(kClient));
    if (tenant == tenants.end()) csv.fail(kClient, "a client of the file of rates");
    auto& windows = tenant->second.lengths;
    const double start = csv.number(kStart);
    if (windows.empty() || windows.back().start_s != start) {
      if (!windows.empty() && start < windows.back().start_s) csv.fail(kStart, "windows in order of time");
      windows.push_back({start, {}, {}, {}});
    }
    EmpiricalLaw& law = field_of(csv, kField, windows.back());
    const double value = csv.number(kValue);
    if (&law == &windows.back().reasoning_share && value > 1) csv.fail(kValue, "a share from 0 to 1");
    if (value > static_cast<double>(kMostTokens)) csv.fail(kValue, fmt::format("at most {}", kMostTokens));
    law.add(value, csv.number(kProbability));
  }
  csv.finish();
}

void finish(const std::string& path, const ServeGenTenant& tenant, const char* field, EmpiricalLaw& law) {
  const double sum = law.empty() ? 0.0 : std::accumulate(law.cumulative().begin(), law.cumulative().end(), 0.0);
  if (std::abs(sum - 1.0) > 1e-3) {
    throw ScenarioError(Problem{path, fmt::format("client {}", tenant.id),
                                fmt::format("probabilities of {} that sum to {}", field, sum), "a sum of 1", ""});
  }
  law.finish();
}

void finish_lengths(const std::string& path, ServeGenTenant& tenant) {
  for (ServeGenLengths& lengths : tenant.lengths) {
    finish(path, tenant, "input_tokens", lengths.input);
    finish(path, tenant, "output_tokens", lengths.output);
    if (!lengths.reasoning_share.empty()) finish(path, tenant, "reason_ratio", lengths.reasoning_share);
  }
}

}  // namespace

ServeGenTrace read_servegen(const std::string& rates_file, const std::string& lengths_file) {
  Tenants tenants;
  read_rates(rates_file, tenants);
  if (!lengths_file.empty()) read_lengths(lengths_file, tenants);
  ServeGenTrace trace;
  for (auto& [id, tenant] : tenants) {
    tenant.id = static_cast<std::int32_t>(id);
    finish_lengths(lengths_file, tenant);
    trace.end_s = std::max(trace.end_s, tenant.windows.back().start_s + ServeGenTrace::window_s);
    trace.tenants.push_back(std::move(tenant));
  }
  return trace;
}

}  // namespace tokenomics
