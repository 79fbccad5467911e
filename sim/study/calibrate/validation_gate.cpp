#include "tokenomics/study/validation_gate.hpp"

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

void check(std::vector<std::string>& found, const std::string& what, double error, double limit) {
  if (error <= limit) return;
  found.push_back(fmt::format("{} is {:.2f}%, {:.2f} above {:g}%", what, 100 * error, 100 * (error - limit), 100 * limit));
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

}  // namespace tokenomics
