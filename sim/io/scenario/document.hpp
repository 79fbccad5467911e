#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

/// A JSON text with what is needed to point at any place of it.
struct Document {
  std::string file;  ///< as given; "-" for standard input
  nlohmann::json value;
  std::vector<std::string> overrides;  ///< pointers that a --set wrote
  std::vector<Problem> problems;       ///< found while reading the text
  std::string text;

  /// "file:line" of the place or of its nearest ancestor that is written; "--set" beneath an override. Safe to ask from
  /// several threads.
  [[nodiscard]] std::string location(const std::string& pointer) const;

 private:
  /// JSON pointer -> line of its key (or of the element). Found only when there is something to complain about: it costs
  /// more than reading the file.
  mutable std::map<std::string, int> lines_;
};

/// Parses JSON text. Syntax errors (line and column), duplicate keys, NaN, Infinity and numbers beyond double are
/// put into `problems`; after a syntax error `value` is null. Whole numbers written as 1e6 or 4.0 become integers,
/// which is what JSON Schema's "integer" means.
Document parse_document(const std::string& text, const std::string& file);

inline constexpr const char* kStandardInput = "-";

/// Reads and parses a file, or standard input for "-". Throws IoError when it cannot be read.
Document read_document(const std::string& path);

/// The top level of a file without the rest: texts, and lists of texts. Much cheaper than reading all of it.
struct DocumentHead {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::string>> lists;
  std::set<std::string> keys;
  std::string problem;  ///< the syntax error, if there is one
};
DocumentHead read_document_head(const std::string& path);

/// The value as JSON text, shortened for a message.
std::string shown(const nlohmann::json& value);

}  // namespace tokenomics
