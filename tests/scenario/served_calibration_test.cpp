#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "support/catch.hpp"
#include "tokenomics/scenario/served_calibration.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;

/// The shipped catalogue and a folder of calibrations beside it, which are Hopper's kernels under other names.
class Calibrations {
 public:
  Calibrations() : folder_(fs::temp_directory_path() / ("tokenomics_served_calibrations_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "calibrations");
    fs::create_directories(folder_ / "hardware");
    nlohmann::json gpu = shipped().raw(CatalogueKind::Hardware, "h200-sxm");
    gpu["name"] = "test-gpu";  // that no shipped calibration is of
    gpu["aliases"] = nlohmann::json::array();
    gpu["architecture"] = "Imaginary 2";
    std::ofstream(folder_ / "hardware" / "test-gpu.json") << gpu;
  }
  ~Calibrations() { fs::remove_all(folder_); }
  Calibrations(const Calibrations&) = delete;
  Calibrations& operator=(const Calibrations&) = delete;

  void add(const std::string& name, const std::string& gpu, const std::string& engine, const std::string& from,
           const std::string& to, const std::string& version = "1.0") {
    nlohmann::json file = shipped().raw(CatalogueKind::Calibrations, "hopper");
    file["name"] = name;
    file["gpu"] = gpu;
    file["engine"] = engine;
    file["version"] = version;
    file["family_default"] = false;
    if (!from.empty()) file["valid_from"] = from;
    if (!to.empty()) file["valid_to"] = to;
    std::ofstream(folder_ / "calibrations" / (name + ".json")) << file;
  }
  /// "name (how near)".
  [[nodiscard]] std::string chosen(const std::string& gpu, const std::string& engine, const std::string& date) const {
    const Catalogue catalogue({TOKENOMICS_CATALOGUE, folder_.string()});
    const ServedCalibration best = served_calibration(load_gpu(gpu, catalogue), engine, date, catalogue);
    return best.name + " (" + std::string(name_of(best.fit)) + ")";
  }

 private:
  fs::path folder_;
};

}  // namespace

TEST_CASE("a run takes the calibration of its software version, else of the nearest date", "[scenario]") {
  Calibrations files;
  files.add("test-old", "test-gpu", "sglang", "2025-10-01", "2025-12-31");
  files.add("test-new", "test-gpu", "sglang", "2026-03-01", "2026-04-30");
  CHECK(files.chosen("test-gpu", "sglang", "2025-10-01") == "test-old (version)");
  CHECK(files.chosen("test-gpu", "sglang", "2026-04-30") == "test-new (version)");
  CHECK(files.chosen("test-gpu", "sglang", "2026-01-02") == "test-old (other version)");
  CHECK(files.chosen("test-gpu", "sglang", "2026-02-27") == "test-new (other version)");
  CHECK(files.chosen("test-gpu", "sglang", "2026-07-01") == "test-new (other version)");
}

TEST_CASE("without a date a run is taken as one of the newest software", "[scenario]") {
  Calibrations files;
  files.add("test-old", "test-gpu", "sglang", "2025-10-01", "2025-12-31");
  files.add("test-new", "test-gpu", "sglang", "2026-03-01", "");
  CHECK(files.chosen("test-gpu", "sglang", "") == "test-new (version)");
}

TEST_CASE("a GPU that nobody measured takes its family's, then its family's of another engine", "[scenario]") {
  Calibrations files;
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "generic (kernels only)");
  files.add("test-other", "Imaginary", "trtllm", "", "");
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "test-other (family under another engine)");
  files.add("test-family", "Imaginary", "sglang", "", "");
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "test-family (family)");
  files.add("test-other-engine", "test-gpu", "trtllm", "", "");  // of this GPU, but another engine: no better
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "test-family (family)");
  files.add("test-own", "test-gpu", "sglang", "", "");
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "test-own (version)");
}

TEST_CASE("numbers of all versions together stand before a version of other days", "[scenario]") {
  Calibrations files;
  files.add("test-old", "test-gpu", "sglang", "2025-10-01", "2025-12-31");
  files.add("any", "test-gpu", "sglang", "", "", "any");
  CHECK(files.chosen("test-gpu", "sglang", "2025-11-01") == "test-old (version)");
  CHECK(files.chosen("test-gpu", "sglang", "2026-03-03") == "any (other version)");
}

}  // namespace tokenomics
