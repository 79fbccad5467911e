#pragma once

#include <string>
#include <vector>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

/// Throws unless there are no problems. They are told in the order of lines, file by file; several pools may name the
/// same broken file: each of its problems is told once.
void throw_all(const std::vector<Problem>& problems);

/// Whether what the user named is a file ("-" too), not an entry of the catalogue.
bool is_file(const std::string& name);

}  // namespace tokenomics
