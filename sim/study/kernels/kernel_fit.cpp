#include "tokenomics/study/kernel_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "family_fit.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"

namespace tokenomics {
namespace {

constexpr const char* kAnyNccl = "nccl";
constexpr const char* kAnyDeepEp = "deepep";
constexpr std::array kKernels{KernelFamily::DenseGemm,       KernelFamily::GroupedGemm,      KernelFamily::BatchedGemm,
                              KernelFamily::AttentionDecode, KernelFamily::AttentionPrefill, KernelFamily::Indexer,
                              KernelFamily::Elementwise};
constexpr std::array kLinks{LinkFamily::AllToAllLowLatency, LinkFamily::AllToAllNormal, LinkFamily::AllReduce};

bool of_every_engine(const KernelRow& row) { return row.framework == kAnyNccl || row.framework == kAnyDeepEp; }

/// Rows of one pair with the reason why each is left out.
struct Chosen {
  const KernelRow* row;
  std::string left_out;
};

/// The engine's own rows; collectives that serve every engine where it has none of its own.
std::vector<Chosen> engine_rows(const KernelTables& tables, const GpuAndEngine& pair, const std::string& family) {
  std::vector<Chosen> own, shared;
  for (const KernelRow& row : tables.rows) {
    if (row.gpu != pair.gpu || row.family() != family) continue;
    if (row.framework == pair.framework) own.push_back({&row, row.left_out});
    else if (of_every_engine(row)) shared.push_back({&row, row.left_out});
  }
  return own.empty() ? shared : own;
}

void leave_out_formats(std::vector<Chosen>& rows, const std::vector<std::string>& formats) {
  if (formats.empty()) return;
  for (Chosen& c : rows) {
    const auto& kernel = c.row->kernel;
    const bool gemm = kernel == KernelFamily::DenseGemm || kernel == KernelFamily::GroupedGemm;
    if (!gemm || !c.left_out.empty()) continue;
    if (std::find(formats.begin(), formats.end(), c.row->dtype) == formats.end())
      c.left_out = "not a number format that was asked for";
  }
}

void leave_out_impossible(std::vector<Chosen>& rows, const Gpu& gpu) {
  for (Chosen& c : rows) {
    if (!c.left_out.empty()) continue;
    if (c.row->latency_us * 1e-6 < least_time(*c.row, gpu))
      c.left_out = "faster than the data sheet allows for what is counted: it did less";
  }
}

void leave_out_slower(std::vector<Chosen>& rows) {
  std::map<std::string, double> fastest;
  for (const Chosen& c : rows) {
    if (!c.left_out.empty()) continue;
    const auto [at, is_new] = fastest.try_emplace(c.row->work, c.row->latency_us);
    if (!is_new) at->second = std::min(at->second, c.row->latency_us);
  }
  for (Chosen& c : rows) {
    if (!c.left_out.empty()) continue;
    const auto at = fastest.find(c.row->work);
    if (at == fastest.end() || c.row->latency_us > at->second) c.left_out = "another row of the same work is faster";
    else fastest.erase(at);  // of equal ones the first
  }
}

/// The rows of a family with every rule applied.
std::vector<Chosen> rows_of(const KernelTables& tables, const GpuAndEngine& pair, const std::string& family, const Gpu& gpu,
                            const KernelFitOptions& options) {
  std::vector<Chosen> rows = engine_rows(tables, pair, family);
  leave_out_formats(rows, options.formats);
  leave_out_impossible(rows, gpu);
  leave_out_slower(rows);
  return rows;
}

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

/// "97 rows of ops_gemm.csv and 3 of other.csv (h200, sglang)".
std::string describe(const std::vector<const KernelRow*>& rows, const KernelTables& tables) {
  std::map<std::string, std::size_t> counts;
  for (const KernelRow* row : rows) {
    ++counts[fmt::format("{} ({}, {})", file_name(tables.files[row->file]), row->gpu, row->framework)];
  }
  std::string text;
  for (const auto& [what, count] : counts) text += fmt::format("{}{} rows of {}", text.empty() ? "" : " and ", count, what);
  return text;
}

/// The numbers that rows are predicted with: rows hold the launch that the calibration has elsewhere.
std::vector<double> values_of(const std::vector<FittedNumber>& numbers) {
  std::vector<double> values;
  for (const FittedNumber& n : numbers) values.push_back(n.dropped > 0 ? n.dropped : n.value);
  return values;
}

void add_residuals(KernelFit& fit, const FamilyProblem& problem, const std::vector<Chosen>& rows,
                   const std::vector<double>& values) {
  std::map<std::pair<std::string, std::string>, std::vector<double>> errors;  // (reason, dtype): fitted rows come first
  std::vector<const KernelRow*> all;
  for (const Chosen& c : rows) all.push_back(c.row);
  const std::vector<double> seconds = problem.times(values, all);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    errors[{rows[i].left_out, rows[i].row->dtype}].push_back(std::log(seconds[i] / (rows[i].row->latency_us * 1e-6)));
  }
  for (auto& [key, signed_errors] : errors) {
    std::vector<double> sizes;
    for (const double e : signed_errors) sizes.push_back(std::abs(e));
    fit.residuals.push_back({problem.family, key.second, sizes.size(), key.first, quantile_of(sizes, 0.5),
                             quantile_of(sizes, 0.9), quantile_of(signed_errors, 0.5)});
  }
}

double median_size(const FamilyProblem& problem, const std::vector<double>& values) {
  const std::vector<double> seconds = problem.times(values, problem.rows);
  std::vector<double> sizes;
  for (std::size_t i = 0; i < seconds.size(); ++i)
    sizes.push_back(std::abs(std::log(seconds[i] / (problem.rows[i]->latency_us * 1e-6))));
  return quantile_of(sizes, 0.5);
}

/// Fits one family; false when it has no rows to fit on.
template <typename MakeProblem>
bool fit_one(KernelFit& fit, const KernelTables& tables, const std::vector<Chosen>& rows, const std::string& base,
             const KernelFitOptions& options, const MakeProblem& make_problem) {
  std::vector<const KernelRow*> used;
  for (const Chosen& c : rows) {
    if (c.left_out.empty()) used.push_back(c.row);
  }
  if (used.empty()) return false;
  FamilyProblem problem = make_problem(used);
  problem.rows_of = describe(used, tables);
  problem.base = base;
  const std::vector<FittedNumber> numbers = fit_family(problem, options);
  const std::vector<double> values = values_of(numbers);
  add_residuals(fit, problem, rows, values);
  fit.calibration.fitted_on.push_back(
      fmt::format("{}: {}; median log error {:.3f}", problem.family, problem.rows_of, median_size(problem, values)));
  fit.numbers.insert(fit.numbers.end(), numbers.begin(), numbers.end());
  return true;
}

void count_left_out(KernelFit& fit, const KernelTables& tables, const GpuAndEngine& pair, const Gpu& gpu,
                    const KernelFitOptions& options) {
  std::map<std::pair<std::size_t, std::string>, std::size_t> counts;
  std::map<std::string, std::vector<Chosen>> families;
  for (const KernelRow& row : tables.rows) {
    if (row.gpu != pair.gpu || (row.framework != pair.framework && !of_every_engine(row))) continue;
    if (row.family().empty()) ++counts[{row.file, row.left_out}];
    else families.try_emplace(row.family());
  }
  for (auto& [family, rows] : families) {
    rows = rows_of(tables, pair, family, gpu, options);
    for (const Chosen& c : rows) {
      if (!c.left_out.empty()) ++counts[{c.row->file, c.left_out}];
    }
  }
  for (const auto& [key, count] : counts) fit.left_out.push_back({file_name(tables.files[key.first]), key.second, count});
}

}  // namespace

std::vector<GpuAndEngine> timed_pairs(const KernelTables& tables) {
  std::vector<GpuAndEngine> pairs;
  const auto add = [&](const std::string& gpu, const std::string& framework) {
    const bool known = std::any_of(pairs.begin(), pairs.end(),
                                   [&](const GpuAndEngine& p) { return p.gpu == gpu && p.framework == framework; });
    if (!known) pairs.push_back({gpu, framework});
  };
  for (const KernelRow& row : tables.rows) {
    if (!of_every_engine(row) && !row.family().empty()) add(row.gpu, row.framework);
  }
  for (const KernelRow& row : tables.rows) {
    const bool has = std::any_of(pairs.begin(), pairs.end(), [&](const GpuAndEngine& p) { return p.gpu == row.gpu; });
    if (!has && !row.family().empty()) add(row.gpu, "generic");
  }
  return pairs;
}

KernelFit fit_kernels(const KernelTables& tables, const GpuAndEngine& pair, const Gpu& gpu, const Calibration& base,
                      const KernelFitOptions& options) {
  KernelFit fit;
  fit.calibration = base;
  fit.calibration.name = gpu.name + "-" + pair.framework;
  fit.calibration.gpu = gpu.name;
  fit.calibration.engine = pair.framework;
  fit.calibration.is_family_default = false;
  fit.calibration.fitted_on.clear();
  bool any = false;
  for (const KernelFamily family : kKernels) {
    if (!base.kernels.contains(family)) continue;
    any |= fit_one(fit, tables, rows_of(tables, pair, std::string(name_of(family)), gpu, options), base.name, options,
                   [&](const auto& rows) { return kernel_problem(family, gpu, fit.calibration, rows, options); });
  }
  for (const LinkFamily family : kLinks) {
    any |= fit_one(fit, tables, rows_of(tables, pair, std::string(name_of(family)), gpu, options), base.name, options,
                   [&](const auto& rows) { return link_problem(family, gpu, fit.calibration, rows, options); });
  }
  if (!any) {
    throw ScenarioError(Problem{tables.files.empty() ? "" : tables.files.front(), "", pair.gpu + ", " + pair.framework,
                                "rows of this GPU and engine that a fit can use", ""});
  }
  fit.calibration.fitted_on.push_back("everything else: as in " + base.name);
  count_left_out(fit, tables, pair, gpu, options);
  return fit;
}

}  // namespace tokenomics
