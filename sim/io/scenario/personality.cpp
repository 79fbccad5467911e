#include "personality.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "resolve.hpp"
#include "serving_rules.hpp"
#include "typed_part.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

bool says(const json& object, std::initializer_list<const char*> keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return object.contains(key); });
}

/// Data-parallel ranks of a pool as written.
std::int64_t ranks_of(const json& pool) {
  const json parallelism = pool.value("parallelism", json::object());
  for (const json* object : {&parallelism, &pool}) {
    for (const char* key : {"attention_dp", "dp"}) {
      if (object->contains(key)) return (*object)[key].get<std::int64_t>();
    }
  }
  return 1;
}

class Personalities {
 public:
  Personalities(Document& scenario, const Catalogue& catalogue, std::vector<Problem>& problems)
      : file_(scenario.value), catalogue_(catalogue), report_(scenario, problems), unheard_(scenario, ignored_) {}

  /// Whether anything was laid.
  bool lay() {
    json& deployment = file_["deployment"];
    const Reporter at = report_.at("deployment");
    if (!deployment.contains("pools")) return lay_beneath(deployment, deployment, at);
    bool laid = false;
    for (std::size_t i = 0; i < deployment["pools"].size(); ++i) {
      json& pool = deployment["pools"][i];
      const Reporter at_pool = at.at("pools").at(std::to_string(i));
      laid |=
          lay_beneath(pool, pool.contains("personality") ? pool : deployment, pool.contains("personality") ? at_pool : at);
    }
    if (deployment.contains("personality")) lay_transfer(deployment, at);
    return laid;
  }

 private:
  std::optional<Part> engine_of(const json& named, const Reporter& report) {
    return resolve(catalogue_, kEnginePart, named["personality"], report.at("personality"));
  }

  /// `named` says which engine: the pool or its deployment.
  bool lay_beneath(json& pool, const json& named, const Reporter& report) {
    if (!named.contains("personality")) return false;
    const auto engine = engine_of(named, report);
    if (engine) {
      json settings = settings_for(pool, *engine->value);
      merge_into(settings, pool);
      pool = std::move(settings);
    }
    pool.erase("personality");
    return engine.has_value();
  }

  /// The engine's settings for a pool of this role and GPU, without those that it cannot take.
  json settings_for(const json& pool, const json& engine) {
    json settings = engine["pool"];
    const double memory_GB = hbm_GB(pool);
    for (const json& one : engine.value("by_hbm_GB", json::array())) {
      if (memory_GB >= one["from"].get<double>()) merge_into(settings, one["pool"]);
    }
    const std::string role = pool.value("role", "mixed");
    const json by_role = engine.value("by_role", json::object());
    if (by_role.contains(role)) merge_into(settings, by_role[role]);
    if (says(pool, {"parallelism", "tp", "dp", "ep", "pp"})) settings.erase("parallelism");
    leave_out_cache(settings, pool, engine["name"], role);
    if (engine.value("limits_per_rank", false)) multiply_limits(settings, pool);
    return settings;
  }

  /// The scenario's limits are those of an instance.
  static void multiply_limits(json& settings, const json& pool) {
    const std::int64_t ranks = ranks_of(settings.contains("parallelism") ? settings : pool);
    if (!settings.contains("batching")) return;
    for (const char* key : {"max_sequences", "max_tokens_per_step"}) {
      if (settings["batching"].contains(key))
        settings["batching"][key] = settings["batching"][key].get<std::int64_t>() * ranks;
    }
  }

  void leave_out_cache(json& settings, const json& pool, const std::string& engine, const std::string& role) {
    if (!settings.contains("prefix_cache") || pool.contains("prefix_cache")) return;
    const bool can_be = tells_prompts();
    if (role != "decode" && can_be) return;
    settings.erase("prefix_cache");
    if (!can_be)
      note("the prefix cache of the engine " + engine +
           " is left out: the workload does not tell which prompts begin alike");
  }

  /// Only where something is transferred.
  void lay_transfer(json& deployment, const Reporter& report) {
    const auto& pools = deployment["pools"];
    const bool is_split =
        std::any_of(pools.begin(), pools.end(), [](const json& pool) { return pool.value("role", "mixed") != "mixed"; });
    const auto engine = engine_of(deployment, report);
    if (engine && is_split && engine->value->contains("kv_transfer")) {
      json transfer = (*engine->value)["kv_transfer"];
      merge_into(transfer, deployment.value("kv_transfer", json::object()));
      deployment["kv_transfer"] = transfer;
    }
    deployment.erase("personality");
  }

  [[nodiscard]] bool tells_prompts() {
    const auto workload = typed_workload(file_["workload"], unheard_.at("workload"), catalogue_);
    return workload && marks_of(*workload).tells_prompts;
  }

  [[nodiscard]] double hbm_GB(const json& pool) {
    const auto gpu = typed_gpu(pool["hardware"], unheard_.at("hardware"), catalogue_);
    return gpu && gpu->hbm_capacity ? gpu->hbm_capacity->value() * 1e-9 : 0;
  }

  void note(const std::string& line) {
    json& lines = file_["assumptions"];
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  }

  json& file_;
  const Catalogue& catalogue_;
  Reporter report_;
  std::vector<Problem> ignored_;  ///< told where the part itself is read
  Reporter unheard_;
};

bool names_an_engine(const json& deployment) {
  if (deployment.contains("personality")) return true;
  const json& pools = deployment.contains("pools") ? deployment["pools"] : json::array();
  return std::any_of(pools.begin(), pools.end(), [](const json& pool) { return pool.contains("personality"); });
}

}  // namespace

void lay_personalities(Document& scenario, const Catalogue& catalogue, std::vector<Problem>& problems) {
  const json& file = scenario.value;
  if (!file.contains("deployment") || !file.contains("workload")) return;
  const Reporter report(scenario, problems);
  const bool is_sound = report.at("deployment").clean() && report.at("workload").clean() && report.at("assumptions").clean();
  if (!is_sound || !names_an_engine(file["deployment"])) return;
  if (Personalities(scenario, catalogue, problems).lay()) report.add_beneath(catalogue.check("scenario", scenario.value));
}

}  // namespace tokenomics
