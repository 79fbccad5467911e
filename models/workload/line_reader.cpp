#include "line_reader.hpp"

#include <fmt/format.h>

#include <boost/iostreams/chain.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <cstring>
#include <fstream>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace io = boost::iostreams;

namespace {

constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::size_t kChunk = 1 << 16;
constexpr std::size_t kLongestQuote = 80;

/// Printable and short: error messages quote what they found.
std::string quoted(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kLongestQuote)) result += (c >= ' ' && c < 127) ? c : '?';
  return text.size() > kLongestQuote ? result + "..." : result;
}

}  // namespace

struct LineReader::Input {
  std::ifstream file;
  io::filtering_streambuf<io::input> decoded;
};

LineReader::LineReader(std::string path) : path_(std::move(path)), input_(std::make_unique<Input>()), buffer_(kChunk) {
  input_->file.open(path_, std::ios::binary);
  if (!input_->file) throw IoError(path_ + ": cannot be read");
  char magic[2] = {};
  input_->file.read(magic, 2);
  if (input_->file.bad()) throw IoError(path_ + ": cannot be read (is it a folder?)");
  const bool gzip = input_->file.gcount() == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
  input_->file.clear();
  input_->file.seekg(0);
  if (gzip) input_->decoded.push(io::gzip_decompressor());
  input_->decoded.push(input_->file);
}

LineReader::~LineReader() = default;

void LineReader::fail(std::string_view value, const std::string& expected) const {
  throw ScenarioError(Problem{path_, fmt::format("line {}", line_number_), quoted(value), expected, ""});
}

/// Moves the unfinished line to the front and reads behind it; false when nothing more came.
bool LineReader::fill() {
  if (at_end_) return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < end_ + kChunk) buffer_.resize(end_ + kChunk);
  try {
    const std::streamsize got = input_->decoded.sgetn(buffer_.data() + end_, static_cast<std::streamsize>(kChunk));
    at_end_ = got < static_cast<std::streamsize>(kChunk);
    end_ += static_cast<std::size_t>(got);
    return got > 0;
  } catch (const io::gzip_error&) {
    ++line_number_;
    fail("gzip data that end early or are damaged", "a complete gzip file");
  }
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = begin_;
  const char* newline = nullptr;
  for (;;) {
    newline = static_cast<const char*>(std::memchr(buffer_.data() + searched, '\n', end_ - searched));
    if (newline != nullptr) break;
    if (end_ - begin_ > kLongestLine) break;
    const std::size_t seen = end_ - begin_;
    if (!fill()) break;
    searched = begin_ + seen;
  }
  const std::size_t stop = newline != nullptr ? static_cast<std::size_t>(newline - buffer_.data()) : end_;
  if (newline == nullptr && stop == begin_) return false;
  ++line_number_;
  line = std::string_view(buffer_.data() + begin_, stop - begin_);
  if (line.size() > kLongestLine) fail(line, "lines of at most 1 MiB");
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  begin_ = newline != nullptr ? stop + 1 : stop;
  return true;
}

}  // namespace tokenomics
