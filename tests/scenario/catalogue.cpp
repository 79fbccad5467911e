#include "support/catch.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "../../sim/io/scenario/resolve.hpp"
#include "shipped.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;

/// A catalogue directory of a user, gone at the end.
class OwnCatalogue {
 public:
  OwnCatalogue() : path_(fs::temp_directory_path() / ("tokenomics-catalogue-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~OwnCatalogue() { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  [[nodiscard]] Catalogue open() const { return Catalogue({TOKENOMICS_CATALOGUE, path_.string()}); }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

const char* const kOwnGpu = R"({"name": "own-gpu", "aliases": ["Own GPU 1"], "vendor": "Own", "architecture": "Hopper",
  "dense_peak_TFLOPS": {"bf16": 100}, "hbm_capacity_GB": 80, "hbm_bandwidth_TBps": 2,
  "scale_up": {"domain_gpus": 8, "bandwidth_GBps_per_gpu": 200}, "scale_out_Gbps_per_gpu": 400,
  "rental": [{"usd_per_gpu_hour": 0.5}]})";

}  // namespace

TEST_CASE("every shipped file is accepted by its schema and loads", "[scenario]") {
  for (const PartKind& kind : {kModelPart, kHardwarePart, kCalibrationPart, kWorkloadPart, kOverlapPart, kEnginePart}) {
    const auto entries = shipped().list(kind.kind);
    CHECK_FALSE(entries.empty());
    for (const CatalogueEntry& entry : entries) {
      INFO(entry.path);
      CHECK_FALSE(entry.description.empty());
      CHECK(fs::path(entry.path).stem() == entry.name);
      switch (kind.kind) {
        case CatalogueKind::Models: CHECK_NOTHROW(load_network(entry.name, shipped())); break;
        case CatalogueKind::Hardware: CHECK_NOTHROW(load_gpu(entry.name, shipped())); break;
        case CatalogueKind::Calibrations: CHECK_NOTHROW(load_calibration(entry.name, shipped())); break;
        case CatalogueKind::Workloads: CHECK_NOTHROW(load_workload(entry.name, shipped())); break;
        case CatalogueKind::Engines: CHECK_NOTHROW(check_engine(entry.name, shipped())); break;
        default: CHECK_NOTHROW(load_overlap(entry.name, shipped()));
      }
    }
  }
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Services)) {
    INFO(entry.path);
    CHECK(complaints(entry.path).empty());
  }
}

TEST_CASE("a name or alias belongs to one shipped file", "[scenario]") {
  for (const CatalogueKind kind : catalogue_kinds()) {
    std::map<std::string, std::set<std::string>> files;
    for (const std::string& name : shipped().names(kind)) files[*shipped().find(kind, name)].insert(name);
    for (const CatalogueEntry& entry : shipped().list(kind)) {
      INFO(entry.path);
      for (const auto& alias : shipped().raw(kind, entry.name).value("aliases", std::vector<std::string>{})) {
        CHECK(shipped().find(kind, alias) == entry.path);
      }
    }
  }
}

TEST_CASE("a calibration belongs to a known GPU or architecture", "[scenario]") {
  std::set<std::string> known{"any"};
  for (const CatalogueEntry& gpu : shipped().list(CatalogueKind::Hardware))
    known.insert({gpu.name, gpu.texts.at("architecture")});
  for (const CatalogueEntry& entry : shipped().list(CatalogueKind::Calibrations)) {
    INFO(entry.path);
    // "CDNA" is the family of CDNA3 and CDNA4.
    const std::string& of = entry.texts.at("gpu");
    CHECK(std::any_of(known.begin(), known.end(), [&](const std::string& one) { return one.starts_with(of); }));
  }
}

TEST_CASE("names and aliases are found without regard to case", "[scenario]") {
  CHECK(load_gpu("h800", shipped()).name == "h800-sxm");
  CHECK(load_gpu("H800-SXM", shipped()).name == "h800-sxm");
  CHECK(load_network("DeepSeek-R1", shipped()).name == "deepseek-r1");
  CHECK(load_network("deepseek-ai/deepseek-v3.2-exp", shipped()).name == "deepseek-v3.2-exp");
  CHECK_FALSE(shipped().find(CatalogueKind::Models, "../hardware/h800-sxm"));
  CHECK_THROWS_WITH(shipped().path_of(CatalogueKind::Hardware, "h80"), Catch::Contains("did you mean"));
}

TEST_CASE("a user's catalogue adds entries and hides shipped ones, in folders or as plain files", "[scenario]") {
  const OwnCatalogue own;
  own.write("hardware/own-gpu.json", kOwnGpu);
  own.write("h100.json", R"({"name": "h100-sxm", "vendor": "Own", "architecture": "Hopper", "hbm_capacity_GB": 1})");
  const Catalogue catalogue = own.open();
  CHECK(load_gpu("own gpu 1", catalogue).rental_price.has_value());
  CHECK(load_gpu("h100-sxm", catalogue).vendor == "Own");
  CHECK(load_gpu("h200-sxm", catalogue).vendor == "NVIDIA");
  std::size_t h100s = 0;
  for (const CatalogueEntry& entry : catalogue.list(CatalogueKind::Hardware)) h100s += entry.name == "h100-sxm" ? 1 : 0;
  CHECK(h100s == 1);
  const Scenario scenario = load_scenario_text(
      R"({"model": "llama-3.3-70b", "deployment": {"hardware": "own-gpu", "tp": 8}, "workload": "chat-2023"})", "x.json",
      catalogue);
  CHECK(in_usd_per_hour(*scenario.cost.rent) == Approx(0.5));
  // No kernel rows of this GPU: the default of its architecture, and the calibration says so.
  CHECK(scenario.deployment.pools[0].calibration.gpu == "Hopper");
  CHECK(scenario.deployment.pools[0].calibration.is_family_default);
}

TEST_CASE("a broken file of a user's catalogue is named itself, with all of its problems", "[scenario]") {
  const OwnCatalogue own;
  own.write("hardware/own-gpu.json",
            "{\"name\": \"own-gpu\", \"vendor\": \"Own\", \"architecture\": \"Hopper\",\n\"hbm_capacity_GiB\": "
            "80,\n\"hbm_bandwidth_TBps\": -2}");
  const std::string file = own.path() + "/hardware/own-gpu.json";
  CHECK_THROWS_WITH(
      load_scenario_text(
          R"({"model": "llama-3.3-70b", "deployment": {"hardware": "own-gpu", "tp": 8}, "workload": "chat-2023"})", "x.json",
          own.open()),
      file + ":2: /hbm_capacity_GiB: 80; expected a known key (wrong unit?); did you mean hbm_capacity_GB?\n" + file +
          ":3: /hbm_bandwidth_TBps: -2; expected a number above 0 and at most 1e9");
}

TEST_CASE("the best calibration is of the GPU and engine, else the family's default", "[scenario]") {
  const Gpu h200 = load_gpu("h200-sxm", shipped());
  CHECK(best_calibration(h200, "trtllm", shipped()) == "h200-sxm-trtllm");
  CHECK(best_calibration(h200, "", shipped()) == "h200-sxm-sglang");
  CHECK(best_calibration(h200, "unheard-of", shipped()) == "hopper");
  CHECK(best_calibration(load_gpu("h20", shipped()), "", shipped()) == "hopper");
  CHECK(best_calibration(load_gpu("tpu-v5e", shipped()), "", shipped()) == "generic");
}

}  // namespace tokenomics
