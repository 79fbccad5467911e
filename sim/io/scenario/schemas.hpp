#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "document.hpp"
#include "quick_schema.hpp"
#include "schema_engine.hpp"

namespace tokenomics {

/// The schema files of a folder, read and compiled when first asked for. Safe to use from several threads, which do not
/// wait for each other while values are checked.
class Schemas {
 public:
  explicit Schemas(std::string folder) : folder_(std::move(folder)) {}

  /// Path of the schema file `name`.schema.json.
  [[nodiscard]] std::string path(const std::string& name) const;
  [[nodiscard]] const nlohmann::json& schema(const std::string& name);

  /// Everything in `value` that the schema refuses, in the order of pointers; pointers start at `value`, the file is
  /// left empty. Null members are refused like any wrong type.
  [[nodiscard]] std::vector<Problem> check(const std::string& name, const nlohmann::json& value);

 private:
  struct Entry {
    nlohmann::json schema;
    CompiledSchema compiled;
    QuickSchema quick;
  };
  const Entry& entry(const std::string& name);

  std::string folder_;
  std::mutex mutex_;  ///< guards the map; entries stay where they are and do not change
  std::map<std::string, Entry> entries_;
};

}  // namespace tokenomics
