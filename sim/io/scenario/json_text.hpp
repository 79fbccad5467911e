#pragma once

#include <string>

namespace tokenomics {

/// The whole file; throws IoError when it cannot be read.
std::string text_of_file(const std::string& path);

/// nlohmann's "[json.exception.parse_error.101] parse error at line 3, column 5: ..." without its first part.
std::string plain_syntax_message(const std::string& what);

}  // namespace tokenomics
