#include "tokenomics/study/system_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "fit_places.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

constexpr double kNoise = 0.05;  ///< log error of a repeated run and of the model's form, beforehand
/// A disaggregated run with a longer first token waits in front of a full prefill pool: its latencies are the queue's.
constexpr double kSaturatedTtft = 2.0;
/// Where no kernel of a GPU was timed, the fixed time of each: 200 us a layer (prototype on MI300X) over a dozen kernels.
constexpr double kUnknownLaunchUs = 18;

/// Fixed time of a GEMM in 16 bit over that of all formats together: nothing is quantized or scaled before it.
/// AIConfigurator's tables of GEMMs at 4 rows leave 3.7-4.9 us beyond the weights' reading in BF16, where the families'
/// launch is 6.9-9.5.
constexpr double kBf16Launch = 0.5;

/// What end-to-end fits start from. Tables of grouped GEMMs differ by 2.5 times between the kernels that an engine may have
/// used, so their law is the same for all: a norm of p = 2 and no tiles; its two efficiencies are fitted.
Calibration served_base(Calibration base) {
  KernelEfficiency& grouped = base.kernels[KernelFamily::GroupedGemm];
  grouped.tile_m = {1, "assumed", "no tiles: which kernel served is not known"};
  grouped.sharpness = {2, "assumed", "as between the kernels that may have served"};
  base.formats[Precision::Bf16].launch = {kBf16Launch, "measured",
                                          "tables of GEMMs with 4 rows, B200, GB200, H100 and H200"};
  const bool is_untimed =
      std::all_of(base.kernels.begin(), base.kernels.end(), [](const auto& one) { return one.second.launch_us.value == 0; });
  if (!is_untimed) return base;
  for (auto& [family, kernel] : base.kernels) {
    kernel.launch_us = {kUnknownLaunchUs, "assumed", "no kernel of this family of GPUs was timed"};
  }
  base.layer_overhead_us = {0, "assumed", "in the kernels' fixed times"};
  return base;
}

std::vector<FitParameter> fit_parameters(const Calibration* prior, double spread) {
  std::vector<FitParameter> all;
  for (const SystemParameter& p : system_parameters()) {
    const double value = prior != nullptr ? p.value(*prior) : p.guess;
    all.push_back({p.name, value, p.low, p.high, value, p.spread * spread, true});
  }
  return all;
}

double log_ratio(double predicted, const std::optional<double>& measured) {
  return measured && *measured > 0 ? std::log(predicted / *measured) : 0;
}

/// Throughput, speed and first token of one point.
void add_residuals(std::vector<double>& out, const MeasuredPoint& m, const std::optional<Prediction>& p,
                   double ttft_weight) {
  if (!p) {
    out.insert(out.end(), 3, 0.0);
    return;
  }
  out.push_back(m.throughput == ThroughputKind::Measured ? log_ratio(p->tok_s_per_gpu, m.tok_s_per_gpu) : 0);
  out.push_back(log_ratio(m.tpot_is_mean ? p->tpot_ms_mean : p->tpot_ms_median, m.tpot_ms));
  out.push_back(ttft_weight * log_ratio(m.ttft_is_mean ? p->ttft_s_mean : p->ttft_s_median, m.ttft_s));
}

std::pair<std::string, std::string> dates_of(const BenchmarkSet& set, const std::vector<std::size_t>& points) {
  std::string first, last;
  for (const std::size_t i : points) {
    const std::string& date = set.points()[i].measured->date;
    if (date.empty()) continue;
    if (first.empty() || date < first) first = date;
    if (date > last) last = date;
  }
  return {first, last};
}

std::string slug(std::string text) {
  for (char& c : text) {
    if (c == ' ' || c == '.') c = '-';
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

template <typename Key>
std::map<std::string, std::vector<std::size_t>> grouped(const std::vector<std::size_t>& points, Key key) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (const std::size_t i : points) {
    if (const std::string& k = key(i); !k.empty()) groups[k].push_back(i);
  }
  return groups;
}

}  // namespace

std::string_view name_of(FitLevel level) {
  switch (level) {
    case FitLevel::Family: return "family";
    case FitLevel::Gpu: return "gpu x engine";
    case FitLevel::Version: return "version";
    default: return "few points";
  }
}

const SystemFit* HierarchyFit::nearest(const BenchmarkPoint& point) const {
  if (point.pools.empty()) return nullptr;
  const FitPlace place = fit_places({point}).front();
  const SystemFit* best = nullptr;
  for (const SystemFit& fit : fits) {
    const std::string& date = point.measured->date;
    const bool is_version = fit.level == FitLevel::Version && fit.key.starts_with(place.gpu + " ") &&
                            fit.calibration.valid_from <= date && date <= fit.calibration.valid_to;
    const bool is_gpu = fit.level == FitLevel::Gpu && fit.key == place.gpu;
    const bool is_family = fit.level == FitLevel::Family && fit.key == place.family;
    if (!is_version && !is_gpu && !is_family) continue;
    if (best == nullptr || fit.level > best->level) best = &fit;
  }
  return best;
}

SystemFitter::SystemFitter(const BenchmarkSet& set, const Catalogue& catalogue, FitSettings settings)
    : set_(set), catalogue_(catalogue), settings_(std::move(settings)), places_(fit_places(set.points())) {}

std::vector<std::size_t> SystemFitter::usable() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < set_.points().size(); ++i) {
    const BenchmarkPoint& p = set_.points()[i];
    if (!p.cannot_run.empty()) continue;
    const bool is_saturated = p.measured->disaggregated() && p.measured->ttft_s.value_or(0) > kSaturatedTtft;
    if (!is_saturated) all.push_back(i);
  }
  return all;
}

std::vector<std::size_t> SystemFitter::thinned(const std::vector<std::size_t>& points) const {
  std::set<std::string> seen;
  std::vector<std::size_t> different;
  for (const std::size_t i : points) {
    if (seen.insert(set_.signature(i)).second) different.push_back(i);
  }
  if (different.size() <= settings_.most_points) return points;
  std::set<std::string> kept;
  for (std::size_t k = 0; k < settings_.most_points; ++k) {
    kept.insert(set_.signature(different[k * different.size() / settings_.most_points]));
  }
  std::vector<std::size_t> result;
  for (const std::size_t i : points) {
    if (kept.contains(set_.signature(i))) result.push_back(i);
  }
  return result;
}

SystemFit SystemFitter::fit_one(FitLevel level, const std::string& key, const std::vector<std::size_t>& points,
                                const Calibration& base, const Prior& prior) const {
  if (settings_.progress) settings_.progress(key);
  SystemFit fit;
  fit.level = level;
  fit.key = key;
  fit.points = points;
  const std::vector<std::size_t> used = thinned(points);
  const auto residuals = [&](const std::vector<std::vector<double>>& places) {
    std::vector<Calibration> calibrations;
    for (const auto& values : places) calibrations.push_back(with_parameters(base, values));
    std::vector<BenchmarkSet::Task> tasks;
    for (const Calibration& calibration : calibrations) {
      for (const std::size_t i : used) tasks.push_back({i, &calibration});
    }
    const auto answers = set_.predict(tasks, settings_.jobs);
    std::vector<std::vector<double>> out(places.size());
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      add_residuals(out[t / used.size()], *set_.points()[tasks[t].point].measured, answers[t].prediction,
                    settings_.ttft_weight);
    }
    return out;
  };
  FitOptions options;
  options.soft = settings_.soft;
  options.tolerance = 1e-2;
  options.step = 0.02;
  options.max_iterations = settings_.most_iterations;
  options.noise = kNoise;
  options.noise_rows = prior.noise_rows;
  fit.numbers = least_squares(fit_parameters(prior.calibration, prior.spread), residuals, options);
  fit.calibration = with_parameters(base, fit.numbers.values);
  const auto& all = system_parameters();
  for (std::size_t p = 0; p < all.size(); ++p) {
    const double value = fit.numbers.values[p];
    const double error = std::isfinite(fit.numbers.standard_errors[p]) ? value * fit.numbers.standard_errors[p] : 0;
    all[p].set(fit.calibration, {value, "fitted",
                                 fmt::format("{}: {} points, end to end{}", key, points.size(),
                                             fit.numbers.at_bound[p] ? "; at its bound" : ""),
                                 error});
  }
  const auto [first, last] = dates_of(set_, points);
  fit.calibration.name = "served-" + slug(key);
  fit.calibration.fitted_on = {fmt::format("{} end-to-end points, {} to {}", points.size(), first, last)};
  std::vector<ValidatedPoint> validated;
  std::vector<BenchmarkSet::Task> tasks;
  for (const std::size_t i : points) tasks.push_back({i, &fit.calibration});
  const auto answers = set_.predict(tasks, settings_.jobs);
  for (std::size_t t = 0; t < tasks.size(); ++t) validated.push_back(compared(set_, tasks[t].point, answers[t], ""));
  const GroupErrors sums = summed_up(set_, std::move(validated)).all;
  fit.tok_s_per_gpu = sums.tok_s_per_gpu;
  fit.tpot = sums.tpot;
  fit.ttft = sums.ttft;
  return fit;
}

HierarchyFit SystemFitter::fit(const std::vector<std::size_t>& points) const {
  HierarchyFit hierarchy;
  std::map<std::string, SystemFit> families, gpus;
  const auto gpu_of = [&](std::size_t i) -> const Gpu& { return set_.points()[i].pools.front().plan.gpu; };
  const auto engine_of_point = [&](std::size_t i) { return set_.points()[i].measured->engine(); };
  for (const auto& [key, members] : grouped(points, [&](std::size_t i) { return places_[i].family; })) {
    const std::string architecture = key.substr(0, key.find(' '));
    Gpu any_of_it;
    any_of_it.architecture = gpu_of(members.front()).architecture;
    const auto own = best_calibration(any_of_it, "", catalogue_);
    SystemFit fit =
        fit_one(FitLevel::Family, key, members, served_base(load_calibration(own.value_or("generic"), catalogue_)), {});
    fit.calibration.gpu = architecture;
    fit.calibration.engine = engine_of_point(members.front());
    fit.calibration.version = "any";
    fit.calibration.is_family_default = true;
    families[key] = std::move(fit);
  }
  for (const auto& [key, members] : grouped(points, [&](std::size_t i) { return places_[i].gpu; })) {
    const Gpu& gpu = gpu_of(members.front());
    const std::string engine = engine_of_point(members.front());
    const auto base =
        served_base(load_calibration(best_calibration(gpu, engine, catalogue_).value_or("generic"), catalogue_));
    const SystemFit& family = families.at(places_[members.front()].family);
    SystemFit fit = fit_one(FitLevel::Gpu, key, members, base, {&family.calibration, settings_.gpu_spread});
    fit.calibration.gpu = gpu.name;
    fit.calibration.engine = engine;
    fit.calibration.version = "any";
    fit.calibration.is_family_default = false;
    gpus[key] = std::move(fit);
  }
  for (const auto& [key, members] : grouped(points, [&](std::size_t i) { return places_[i].version; })) {
    const SystemFit& parent = gpus.at(places_[members.front()].gpu);
    SystemFit fit =
        fit_one(FitLevel::Version, key, members, parent.calibration, {&parent.calibration, settings_.version_spread});
    std::tie(fit.calibration.valid_from, fit.calibration.valid_to) = dates_of(set_, members);
    fit.calibration.gpu = parent.calibration.gpu;
    fit.calibration.engine = parent.calibration.engine;
    fit.calibration.version = fmt::format("of {} to {}", fit.calibration.valid_from, fit.calibration.valid_to);
    fit.calibration.is_family_default = false;
    hierarchy.fits.push_back(std::move(fit));
  }
  for (auto& [key, fit] : families) hierarchy.fits.push_back(std::move(fit));
  for (auto& [key, fit] : gpus) hierarchy.fits.push_back(std::move(fit));
  return hierarchy;
}

SystemFit SystemFitter::fit_few(const std::vector<std::size_t>& points) const {
  TOKENOMICS_CHECK(!points.empty(), "no points");
  const BenchmarkPoint& first = set_.points()[points.front()];
  Calibration base = load_calibration(first.calibration.name, catalogue_);
  if (first.calibration.fit == ServedFit::KernelsOnly) base = served_base(std::move(base));
  SystemFit fit = fit_one(FitLevel::Few, places_[points.front()].gpu, points, base,
                          {&base, settings_.gpu_spread, std::numeric_limits<double>::infinity()});
  std::tie(fit.calibration.valid_from, fit.calibration.valid_to) = dates_of(set_, points);
  fit.calibration.gpu = first.hardware;
  fit.calibration.engine = first.measured->engine();
  fit.calibration.version = fmt::format("of {} points", points.size());
  fit.calibration.is_family_default = false;
  return fit;
}

}  // namespace tokenomics
