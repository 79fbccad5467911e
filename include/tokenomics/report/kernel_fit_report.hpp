#pragma once

#include <string>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/kernel_fit.hpp"

namespace tokenomics {

/// A page for people: the fitted numbers with standard errors and priors, errors by family and number format, and which rows
/// were left out and why.
std::string kernel_fit_table(const KernelFit& fit, const ReportOptions& options = {});

}  // namespace tokenomics
