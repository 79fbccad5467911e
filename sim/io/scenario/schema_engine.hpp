#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace tokenomics {

/// One complaint of the schema library.
struct SchemaComplaint {
  enum class Kind { MissingKey, UnknownKey, Value };
  Kind kind = Kind::Value;
  std::string pointer;  ///< of the object for the first two kinds, of the value otherwise
  std::string key;      ///< missing, or one of the unknown ones
};

/// A compiled JSON Schema (draft 7).
class CompiledSchema {
 public:
  /// Throws std::runtime_error when the schema itself is broken or refers to another file.
  explicit CompiledSchema(const nlohmann::json& schema);
  ~CompiledSchema();
  CompiledSchema(CompiledSchema&&) noexcept;

  /// Every cause; not the ancestors that fail because something beneath them does.
  [[nodiscard]] std::vector<SchemaComplaint> complaints(const nlohmann::json& document) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenomics
