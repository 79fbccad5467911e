#include "tokenomics/scenario/variants.hpp"

#include "load_document.hpp"

namespace tokenomics {

ScenarioVariants::ScenarioVariants(const std::string& text, const std::string& file, const Catalogue& catalogue)
    : document_(std::make_shared<const Document>(parse_document(text, file))), catalogue_(&catalogue) {}

Scenario ScenarioVariants::load(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) const {
  return scenario_of(*document_, *catalogue_, sets, seed);
}

QueryVariants::QueryVariants(const std::string& text, const std::string& file, const Catalogue& catalogue)
    : document_(std::make_shared<const Document>(parse_document(text, file))), catalogue_(&catalogue) {}

Query QueryVariants::load(const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) const {
  return query_of(*document_, *catalogue_, sets, seed);
}

}  // namespace tokenomics
