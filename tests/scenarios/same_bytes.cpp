// Same seed, same bytes: whatever the threads, and from one run to the next.
#include <nlohmann/json.hpp>

#include "shortened.hpp"
#include "support/catch.hpp"
#include "tokenomics/report/run_report.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

std::string bytes(const std::string& service, const std::vector<std::string>& sets, unsigned jobs) {
  RunOptions options;
  options.jobs = jobs;
  return result_json(run_shortened(service, sets, options)).dump();
}

}  // namespace

TEST_CASE("one thread and two give the same bytes: windows of a day", "[scenarios]") {
  const std::vector<std::string> sets{"/measure/windows_per_day=4", "/measure/window_s=5"};
  CHECK(bytes("deepseek-production-2025-02", sets, 1) == bytes("deepseek-production-2025-02", sets, 2));
}

TEST_CASE("one thread and two give the same bytes: replications", "[scenarios]") {
  const std::vector<std::string> sets{"/measure/replications=5"};
  const std::string once = bytes("gpt-oss-120b-h100", sets, 1);
  CHECK(once == bytes("gpt-oss-120b-h100", sets, 2));
  CHECK(once == bytes("gpt-oss-120b-h100", sets, 1));
}

TEST_CASE("another seed gives other bytes", "[scenarios]") {
  CHECK(bytes("llama-70b-h100", {"/seed=1"}, 1) != bytes("llama-70b-h100", {"/seed=2"}, 1));
}
