#include "json_text.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

std::string text_of_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream || !std::filesystem::is_regular_file(path)) throw IoError("cannot read " + path);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) throw IoError("cannot read " + path);
  return text;
}

std::string plain_syntax_message(const std::string& what) {
  const std::size_t bracket = what.find("] ");
  return bracket == std::string::npos ? what : what.substr(bracket + 2);
}

}  // namespace tokenomics
