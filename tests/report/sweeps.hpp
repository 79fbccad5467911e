#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "support/catalogue.hpp"
#include "tokenomics/report/sweep_folder.hpp"
#include "tokenomics/report/sweep_rows.hpp"

namespace tokenomics::test {

namespace fs = std::filesystem;
using nlohmann::json;

/// A folder that goes when the test ends.
struct Place {
  std::string path;
  Place() {
    std::string name = (fs::temp_directory_path() / "tokenomics-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Place() { fs::remove_all(path); }
  [[nodiscard]] std::string in(const std::string& name) const { return path + "/" + name; }
};

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// A sweep of a service that takes milliseconds.
inline json small(json changes = json::object()) {
  json file{{"name", "small"},
            {"scenario",
             {{"model", "llama-3.3-70b"},
              {"workload", {{"base", "chat-2023"}, {"arrivals", {{"kind", "poisson"}, {"rate_per_s", 2}}}}},
              {"deployment", {{"hardware", "h100-sxm"}, {"parallelism", {{"tp", 4}}}}},
              {"cost", {{"usd_per_gpu_hour", 2}}},
              {"measure", {{"requests", 60}, {"warm_up_requests", 5}}}}},
            {"axes",
             {{{"name", "rate"}, {"pointer", "/workload/arrivals/rate_per_s"}, {"values", {1, 2}}},
              {{"name", "tp"}, {"pointer", "/deployment/parallelism/tp"}, {"values", {1, 4, 3}}}}},
            {"metrics", {"cost.usd_per_mtok.output", "latency.ttft_s.p90", "binding"}},
            {"derived", {{"twice", "2 * cost.usd_per_mtok.output"}}}};
  file.merge_patch(changes);
  return file;
}

/// Rows that begin with their number.
inline const RowBeginning kNumbered = [](std::uint64_t row) { return std::to_string(row) + ","; };
inline const RowBeginning kAny = [](std::uint64_t) { return std::string(); };

inline std::string row_text(std::uint64_t row) { return fmt::format("{},1,1,ok,,1,1,,2\n", row); }

inline SweepSpec spec_of(const json& file) {
  return load_sweep_parts(file.dump(), "small.json", "", "", shipped_catalogue());
}

inline std::vector<SweepFields> rows_of(const SweepSpec& spec, RowFormat format) {
  const SweepPlan plan(spec);
  const SweepRows rows(spec, plan, shipped_catalogue(), format);
  std::vector<SweepFields> all;
  for (std::uint64_t row = 0; row < plan.rows(); ++row)
    all.push_back(fields_of_row(rows.line(row), format, rows.columns().names.size()));
  return all;
}

}  // namespace tokenomics::test
