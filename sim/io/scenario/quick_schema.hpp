#pragma once

#include <map>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tokenomics {

/// A schema that says quickly what it surely accepts, so that the library need not be asked about sound values: that takes
/// over ten times as long and names what is wrong. It knows the keywords that our schemas use and is unsure of all others.
class QuickSchema {
 public:
  /// `schema` has been compiled by the library: its references lead somewhere.
  explicit QuickSchema(const nlohmann::json& schema);
  ~QuickSchema();
  QuickSchema(QuickSchema&&) noexcept;

  /// True only where CompiledSchema has no complaints. False says nothing.
  [[nodiscard]] bool accepts(const nlohmann::json& value) const;

 private:
  struct Node;
  struct Reader;
  std::map<std::string, std::unique_ptr<Node>> nodes_;  ///< by pointer into the schema
  const Node* root_ = nullptr;
};

}  // namespace tokenomics
