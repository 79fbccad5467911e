#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/scenario/scenario.hpp"

namespace tokenomics {

struct Document;

/// A scenario file of which many variants are loaded. Its text is parsed once; the files that it names are read and checked
/// once by the catalogue, which must outlive it. Safe to use from several threads.
class ScenarioVariants {
 public:
  /// `file` names the text in messages and is where relative paths start. Does not throw: load() tells what is wrong.
  ScenarioVariants(const std::string& text, const std::string& file, const Catalogue& catalogue);
  /// What load_scenario_text() returns or throws for the same text, `sets` and `seed`.
  [[nodiscard]] Scenario load(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed = std::nullopt) const;

 private:
  std::shared_ptr<const Document> document_;
  const Catalogue* catalogue_;
};

/// The same of a query file, as load_query_text().
class QueryVariants {
 public:
  QueryVariants(const std::string& text, const std::string& file, const Catalogue& catalogue);
  [[nodiscard]] Query load(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed = std::nullopt) const;

 private:
  std::shared_ptr<const Document> document_;
  const Catalogue* catalogue_;
};

}  // namespace tokenomics
