#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document.hpp"
#include "tokenomics/scenario/catalogue.hpp"

namespace tokenomics {

/// Writes "POINTER=VALUE" into a file that has been parsed and belongs to `schema`. The path may lead through a name of the
/// catalogue, which then becomes {"base": name, ...}. A path that no schema knows is reported with the nearest known key;
/// null removes a key. What is written is checked later, together with the file.
void apply_override(Document& file, const std::string& text, const Catalogue& catalogue, std::vector<Problem>& problems,
                    const std::string& schema = "scenario");

/// "/a/b" for "a.b" and for itself.
std::string as_pointer(const std::string& path);

/// What its schema lets a field be.
struct FieldKind {
  bool is_number = false;
  bool is_whole = false;  ///< a number, and only whole ones
};
/// The kind of the field at a path of a file as it stands, without changing anything; nothing when no schema knows the
/// path: then `unknown` says what is known there.
std::optional<FieldKind> field_kind(const Document& file, const std::string& path, const Catalogue& catalogue,
                                    const std::string& schema, Problem& unknown);

}  // namespace tokenomics
