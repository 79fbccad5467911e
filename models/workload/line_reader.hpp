#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// Lines of a plain or gzip file (told apart by the first two bytes), LF or CRLF, the last line with or without an
/// end. A file cut off inside its gzip stream throws: streams would swallow the decoder's exception and end early.
class LineReader {
 public:
  explicit LineReader(std::string path);
  ~LineReader();

  /// The next line without its end, valid until the next call; false after the last. Throws ScenarioError for damaged
  /// gzip data and for a line over 1 MiB, IoError when the file cannot be read.
  bool next(std::string_view& line);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t line_number() const { return line_number_; }  ///< of the line last given, from 1
  /// Throws ScenarioError "path: line N: value; expected ...".
  [[noreturn]] void fail(std::string_view value, const std::string& expected) const;

 private:
  bool fill();

  struct Input;
  std::string path_;
  std::unique_ptr<Input> input_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool at_end_ = false;
  std::uint64_t line_number_ = 0;
};

}  // namespace tokenomics
