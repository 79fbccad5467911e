#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/study/validation.hpp"

namespace tokenomics {

/// The most that absolute errors of one quantity may be, as shares.
struct ErrorLimit {
  std::string quantity;  ///< one of kErrorQuantities
  double median = 0;
  std::optional<double> p90;
};

/// Names of what a validation has errors of.
inline const std::vector<std::string> kErrorQuantities{"tok_s_per_gpu", "tpot", "ttft"};

/// Errors of one of kErrorQuantities.
const ErrorStatistics& errors_of(const GroupErrors& errors, const std::string& quantity);

/// What is above a limit and by how much, a sentence each; a quantity that no point has is above any limit.
std::vector<std::string> breaches(const GroupErrors& errors, const std::vector<ErrorLimit>& limits);

/// Points with these keys; what is absent may be anything.
struct GroupFilter {
  std::optional<std::string> model, gpu, engine, precision;
  std::optional<bool> drafts, disaggregated;
  [[nodiscard]] bool matches(const GroupKey& key) const;
};

/// Limits of the errors of some points, pooled.
struct ErrorGate {
  GroupFilter where;
  std::vector<ErrorLimit> limits;
};

/// The same for gates; each sentence begins with the points it is about.
std::vector<std::string> breaches(const BenchmarkSet& set, const Validation& validation,
                                  const std::vector<ErrorGate>& gates);

}  // namespace tokenomics
