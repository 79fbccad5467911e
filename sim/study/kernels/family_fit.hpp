#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tokenomics/base/least_squares.hpp"
#include "tokenomics/study/kernel_fit.hpp"

namespace tokenomics {

/// Shares of a row's time under the prior: what it is decided by.
struct RowShares {
  double compute = 0;  ///< or the NIC
  double memory = 0;   ///< or the scale-up link
  double fixed = 0;
};

/// One number of a family on its way through the fit.
struct FamilyNumber {
  std::string name;
  SourcedNumber* number = nullptr;  ///< in the calibration that is being made
  double prior_sd = 0;
  double low = 0, high = 0;
  std::string kept;           ///< why it is not fitted; empty: it is
  double nuisance_start = 0;  ///< above 0: fitted from here in place of the base's 0, and dropped
};

/// A family's numbers and the rows that they are fitted on.
struct FamilyProblem {
  std::string family;
  std::vector<FamilyNumber> numbers;
  std::vector<const KernelRow*> rows;
  std::string rows_of;  ///< "97 rows of ops_gemm.csv (h200, sglang)"
  std::string base;     ///< name of the prior's calibration
  /// Seconds of each row with the given values of all `numbers`.
  std::function<std::vector<double>(const std::vector<double>& values, const std::vector<const KernelRow*>& rows)> times;
};

/// Solves it, writes the numbers with their sources, and returns what became of each.
std::vector<FittedNumber> fit_family(FamilyProblem& problem, const KernelFitOptions& options);

/// Whether enough rows of `shares` are decided by something.
bool decided(const std::vector<RowShares>& shares, double RowShares::*what, double least_share, std::size_t least_rows);

/// The families of launches and of messages. `rows`: those that are fitted on. `calibration` starts as the base.
FamilyProblem kernel_problem(KernelFamily family, const Gpu& gpu, Calibration& calibration,
                             const std::vector<const KernelRow*>& rows, const KernelFitOptions& options);
FamilyProblem link_problem(LinkFamily family, const Gpu& gpu, Calibration& calibration,
                           const std::vector<const KernelRow*>& rows, const KernelFitOptions& options);

/// Seconds of a row at the data sheet's peaks, without any overhead.
double least_time(const KernelRow& row, const Gpu& gpu);

}  // namespace tokenomics
