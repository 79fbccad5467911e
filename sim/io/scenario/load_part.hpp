#pragma once

#include <optional>
#include <string>
#include <vector>

#include "resolve.hpp"

namespace tokenomics {

/// Throws unless there are no problems. They are told in the order of lines, file by file; several pools may name the
/// same broken file: each of its problems is told once.
void throw_all(const std::vector<Problem>& problems);

/// Standard input, a path, or a file of the working directory.
bool is_file(const std::string& name);

/// A part of the catalogue by name, alias or path. `read` makes the value of a Part that its schema has accepted.
template <typename Value, typename Read>
Value load_part(const PartKind& kind, const std::string& name, const Catalogue& catalogue, Read read) {
  std::vector<Problem> problems;
  const auto known = catalogue.find(kind.kind, name);  // aliases may look like paths: "deepseek-ai/DeepSeek-R1"
  const std::string path = known ? *known : is_file(name) ? name : catalogue.path_of(kind.kind, name);
  const auto part = resolve_file(catalogue, kind, path, problems);
  throw_all(problems);
  Value value = read(*part);
  throw_all(problems);
  return value;
}

}  // namespace tokenomics
