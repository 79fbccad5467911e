#include <algorithm>

#include "family_fit.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/collectives.hpp"

namespace tokenomics {
namespace {

LinkEfficiency& numbers_of(LinkFamily family, Calibration& calibration) {
  switch (family) {
    case LinkFamily::AllToAllLowLatency: return calibration.all_to_all_low_latency;
    case LinkFamily::AllToAllNormal: return calibration.all_to_all_normal;
    case LinkFamily::AllReduce: return calibration.all_reduce;
  }
  TOKENOMICS_CHECK(false, "unknown link family");
}

double message_time(const TimedMessage& m, const Link& link) {
  switch (m.family) {
    case LinkFamily::AllToAllLowLatency:
      return low_latency_all_to_all(link, m.ranks, m.tokens, m.moe.experts_per_token, Bytes{m.bytes}).value();
    case LinkFamily::AllToAllNormal: return normal_all_to_all(link, m.moe, m.ranks, m.tokens, Bytes{m.bytes}).value();
    case LinkFamily::AllReduce: return all_reduce(link, m.ranks, Bytes{m.bytes}).value();
  }
  TOKENOMICS_CHECK(false, "unknown link family");
}

double row_time(const KernelRow& row, const Gpu& gpu, const LinkEfficiency& efficiency) {
  return message_time(*row.message, link_of(gpu, efficiency, row.message->ranks));
}

/// What a row's time follows: how much shorter it gets when one of the three is made (almost) free.
RowShares shares_of(const KernelRow& row, const Gpu& gpu, const LinkEfficiency& efficiency) {
  constexpr double kFree = 1e6;
  const Link link = link_of(gpu, efficiency, row.message->ranks);
  const double all = message_time(*row.message, link);
  if (!(all > 0)) return {};
  const auto without = [&](auto change) {
    Link other = link;
    change(other);
    return 1 - message_time(*row.message, other) / all;
  };
  return {without([](Link& l) { l.out = l.out * kFree; }), without([](Link& l) { l.up = l.up * kFree; }),
          without([](Link& l) { l.latency = Seconds{0}; })};
}

}  // namespace

FamilyProblem link_problem(LinkFamily family, const Gpu& gpu, Calibration& calibration,
                           const std::vector<const KernelRow*>& rows, const KernelFitOptions& options) {
  LinkEfficiency& e = numbers_of(family, calibration);
  std::vector<RowShares> shares;
  for (const KernelRow* row : rows) shares.push_back(shares_of(*row, gpu, e));
  const bool latency = decided(shares, &RowShares::fixed, 0.25, options.least_rows) && e.latency_us.value > 0;
  const bool up = decided(shares, &RowShares::memory, 0.25, options.least_rows) && e.scale_up.value > 0;
  const bool out = decided(shares, &RowShares::compute, 0.25, options.least_rows) && e.scale_out.value > 0;
  const KernelPriors& priors = options.priors;
  FamilyProblem problem;
  problem.family = std::string(name_of(family));
  problem.numbers = {
      {"latency_us", &e.latency_us, priors.latency, 0.1, 1000, latency ? "" : "too few rows are short enough to show it", 0},
      {"scale_up", &e.scale_up, priors.bandwidth, 0.01, 1, up ? "" : "too few rows are bound by the scale-up link", 0},
      {"scale_out", &e.scale_out, priors.bandwidth, 0.01, 1, out ? "" : "too few rows are bound by the NIC", 0},
      {"sm_hold_us", &e.sm_hold_us, 0, 0, 0, "not seen in the time of a transfer", 0}};
  problem.rows = rows;
  problem.times = [gpu, held = e](const std::vector<double>& v, const std::vector<const KernelRow*>& some) {
    LinkEfficiency trial = held;
    trial.latency_us.value = v[0];
    trial.scale_up.value = v[1];
    trial.scale_out.value = v[2];
    std::vector<double> seconds;
    for (const KernelRow* row : some) seconds.push_back(row_time(*row, gpu, trial));
    return seconds;
  };
  return problem;
}

double least_time(const KernelRow& row, const Gpu& gpu) {
  if (row.message) {
    const SourcedNumber one{1, "", ""}, zero{0, "", ""};
    return row_time(row, gpu, {zero, one, one, zero});
  }
  double sum = 0;
  for (const TimedLaunch& launch : row.launches) {
    const double flops = launch.flops_per_row * launch.rows * launch.groups;
    const double compute = flops > 0 ? flops / gpu.require_peak(launch.arithmetic).value() : 0;
    sum += std::max(compute, launch.bytes / gpu.require_hbm_bandwidth().value());
  }
  return sum;
}

}  // namespace tokenomics
