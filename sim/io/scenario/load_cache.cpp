#include "load_cache.hpp"

namespace tokenomics {

std::shared_ptr<const Document> cached_document(const std::string& path, const Catalogue& catalogue) {
  BoundedCache<Document>& known = load_cache(catalogue).documents;
  if (auto document = known.find(path)) return document;
  auto document = std::make_shared<const Document>(read_document(path));
  if (path != kStandardInput && document->problems.empty()) known.put(path, document);
  return document;
}

std::shared_ptr<const Document> sound_document(const std::string& path, const Catalogue& catalogue) {
  auto document = cached_document(path, catalogue);
  if (!document->problems.empty()) throw ScenarioError(document->problems);
  return document;
}

}  // namespace tokenomics
