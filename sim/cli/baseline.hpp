#pragma once

#include <string>

#include "tokenomics/report/result_file.hpp"

namespace tokenomics::cli {

/// Where --update-baseline writes: the points or the document, and a directory's manifest.
struct BaselinePlan {
  std::string directory;  ///< to be made; empty when there is none to make
  std::string path;
  std::string manifest;  ///< empty: none is written
};

/// `base` is null when BASE does not exist. Throws UsageError where formats differ, since nothing is converted.
BaselinePlan plan_baseline(const std::string& base_argument, const ResultFile* base, const ResultFile& now);

/// Writes NEW over BASE, each file complete or not at all; returns a sentence that names what was written.
std::string write_baseline(const BaselinePlan& plan, const ResultFile& now);

}  // namespace tokenomics::cli
