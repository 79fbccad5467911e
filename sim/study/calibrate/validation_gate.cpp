#include "tokenomics/study/validation_gate.hpp"

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

void check(std::vector<std::string>& found, const std::string& what, double error, double limit) {
  if (error <= limit) return;
  found.push_back(fmt::format("{} is {:.2f}%, {:.2f} above {:g}%", what, 100 * error, 100 * (error - limit), 100 * limit));
}

template <typename T>
bool agrees(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

/// "gpu h200, engine sglang: "; nothing for all points.
std::string name_of(const GroupFilter& where) {
  std::string name;
  const auto add = [&](const char* key, const std::string& value) {
    name += fmt::format("{}{} {}", name.empty() ? "" : ", ", key, value);
  };
  if (where.model) add("model", *where.model);
  if (where.gpu) add("gpu", *where.gpu);
  if (where.engine) add("engine", *where.engine);
  if (where.precision) add("precision", *where.precision);
  if (where.drafts) add("drafts", *where.drafts ? "yes" : "no");
  if (where.disaggregated) add("disaggregated", *where.disaggregated ? "yes" : "no");
  return name.empty() ? "" : name + ": ";
}

}  // namespace

const ErrorStatistics& errors_of(const GroupErrors& errors, const std::string& quantity) {
  TOKENOMICS_CHECK(quantity == "tok_s_per_gpu" || quantity == "tpot" || quantity == "ttft", quantity);
  if (quantity == "tpot") return errors.tpot;
  return quantity == "ttft" ? errors.ttft : errors.tok_s_per_gpu;
}

std::vector<std::string> breaches(const GroupErrors& errors, const std::vector<ErrorLimit>& limits) {
  std::vector<std::string> found;
  for (const ErrorLimit& limit : limits) {
    const ErrorStatistics& s = errors_of(errors, limit.quantity);
    if (s.points == 0) {
      found.push_back(limit.quantity + " was measured at no point");
      continue;
    }
    check(found, "the median error of " + limit.quantity, s.median, limit.median);
    if (limit.p90) check(found, "the 90th percentile error of " + limit.quantity, s.p90, *limit.p90);
  }
  return found;
}

bool GroupFilter::matches(const GroupKey& key) const {
  return agrees(model, key.model) && agrees(gpu, key.gpu) && agrees(engine, key.engine) &&
         agrees(precision, key.precision) && agrees(drafts, key.drafts) && agrees(disaggregated, key.disaggregated);
}

std::vector<std::string> breaches(const BenchmarkSet& set, const Validation& validation,
                                  const std::vector<ErrorGate>& gates) {
  std::vector<std::string> found;
  for (const ErrorGate& gate : gates) {
    std::vector<ValidatedPoint> points;
    for (const ValidatedPoint& v : validation.points)
      if (gate.where.matches(group_of(*set.points()[v.point].measured))) points.push_back(v);
    for (const std::string& sentence : breaches(summed_up(set, std::move(points)).all, gate.limits))
      found.push_back(name_of(gate.where) + sentence);
  }
  return found;
}

}  // namespace tokenomics
