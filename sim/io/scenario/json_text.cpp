#include "json_text.hpp"

#include <fstream>
#include <sstream>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

std::string text_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf())) throw IoError("cannot read " + path);
  return text.str();
}

std::string plain_syntax_message(const std::string& what) {
  const std::size_t bracket = what.find("] ");
  return bracket == std::string::npos ? what : what.substr(bracket + 2);
}

}  // namespace tokenomics
