#include "document.hpp"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <mutex>

#include "json_text.hpp"
#include "pointer.hpp"

namespace tokenomics {
namespace {

constexpr std::size_t kMaxDepth = 64;  // far beyond any file of ours; keeps recursive code safe
constexpr std::size_t kMaxShown = 80;
constexpr char kNonFiniteMark = '\x01';  // cannot stand raw in a JSON string

/// Where the lexer is; shared by all copies of the iterator.
struct Position {
  int line = 1;
  char last = 0;
};

/// Counts lines under nlohmann's lexer, which keeps no positions of values.
struct CountingIterator {
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  using iterator_category = std::input_iterator_tag;

  const char* at = nullptr;
  Position* position = nullptr;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    if (*at == '\n') ++position->line;
    position->last = *at;
    ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

bool is_token_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.' || c == '_';
}

bool is_non_finite(const std::string& token) {
  std::string lower;
  for (const char c : token) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::string bare = lower[0] == '-' || lower[0] == '+' ? lower.substr(1) : lower;
  if (bare == "nan" || bare == "inf" || bare == "infinity") return true;
  char* end = nullptr;
  const double number = std::strtod(lower.c_str(), &end);
  return std::isdigit(static_cast<unsigned char>(bare[0])) != 0 && *end == '\0' && std::isinf(number);
}

/// Replaces NaN, Infinity and overflowing numbers by marked strings, so that the parser goes on behind them.
std::string mark_non_finite(const std::string& text) {
  std::string marked;
  marked.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string || !is_token_char(c)) {
      if (c == '"') in_string = !in_string;
      marked += c;
      ++i;
      if (in_string && c == '\\' && i < text.size()) marked += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_token_char(text[end])) ++end;
    const std::string token = text.substr(i, end - i);
    marked += is_non_finite(token) ? "\"\\u0001" + token + "\"" : token;
    i = end;
  }
  return marked;
}

/// Builds the value; with `lines`, notes where everything stands instead of complaining.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(Document& document, const Position& position, std::map<std::string, int>* lines = nullptr)
      : document_(document), position_(position), lines_(lines) {}

  bool null() override { return place(nullptr); }
  bool boolean(bool value) override { return place(value); }
  bool number_integer(number_integer_t value) override { return place(value, true); }
  bool number_unsigned(number_unsigned_t value) override { return place(value, true); }
  bool number_float(number_float_t value, const string_t&) override {
    const bool whole = std::abs(value) < 0x1.0p53 && std::trunc(value) == value;
    return whole ? place(static_cast<std::int64_t>(value), true) : place(value, true);
  }
  bool string(string_t& value) override {
    if (value.empty() || value[0] != kNonFiniteMark) return place(value);
    complain(value.substr(1), "a finite number");
    return place(nullptr);
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(nlohmann::json::object()); }
  bool start_array(std::size_t) override { return open(nlohmann::json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    stack_.back().key = name;
    if (stack_.back().node->contains(name)) complain("", "a key that stands once: it stands here again");
    if (lines_ != nullptr) (*lines_)[pointer()] = position_.line;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    return fail(plain_syntax_message(error.what()));
  }

 private:
  struct Level {
    nlohmann::json* node;
    std::string key;
  };

  [[nodiscard]] std::string pointer() const {
    std::string result;
    for (std::size_t depth = 0; depth < stack_.size(); ++depth) {
      const Level& level = stack_[depth];
      const bool is_innermost = depth + 1 == stack_.size();  // its element is not in it yet
      const std::size_t index = level.node->size() - (is_innermost ? 0 : 1);
      result = pointer_append(result, level.node->is_array() ? std::to_string(index) : level.key);
    }
    return result;
  }
  /// Elements of lists have no key event; a number's lexer has already looked one character ahead.
  void note_line(bool looked_ahead) {
    if (lines_ == nullptr || stack_.empty() || !stack_.back().node->is_array()) return;
    (*lines_)[pointer()] = position_.line - (looked_ahead && position_.last == '\n' ? 1 : 0);
  }
  nlohmann::json* put(nlohmann::json value) {
    if (stack_.empty()) {
      document_.value = std::move(value);
      return &document_.value;
    }
    nlohmann::json& parent = *stack_.back().node;
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[stack_.back().key] = std::move(value));
  }
  bool place(nlohmann::json value, bool looked_ahead = false) {
    note_line(looked_ahead);
    put(std::move(value));
    return true;
  }
  bool open(nlohmann::json container) {
    if (stack_.size() >= kMaxDepth) return fail("objects and lists nested deeper than " + std::to_string(kMaxDepth));
    note_line(false);
    stack_.push_back({put(std::move(container)), ""});
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }
  void complain(const std::string& value, const std::string& expected) {
    if (lines_ != nullptr) return;
    document_.problems.push_back({document_.file + ":" + std::to_string(position_.line), pointer(), value, expected, ""});
  }
  bool fail(const std::string& message) {
    if (lines_ == nullptr) {
      document_.problems.push_back(
          {document_.file, "line " + std::to_string(position_.line), "", "valid JSON: " + message, ""});
    }
    stack_.clear();
    document_.value = nullptr;
    return false;
  }

  Document& document_;
  const Position& position_;
  std::map<std::string, int>* lines_;
  std::vector<Level> stack_;
};

void read_text(Document& document, const std::string& text, std::map<std::string, int>* lines) {
  const std::string marked = mark_non_finite(text);
  Position position;
  Builder builder(document, position, lines);
  const CountingIterator begin{marked.data(), &position};
  const CountingIterator end{marked.data() + marked.size(), &position};
  nlohmann::json::sax_parse(begin, end, &builder);
}

}  // namespace

std::string Document::location(const std::string& pointer) const {
  for (const std::string& written : overrides) {
    if (is_within(pointer, written)) return "--set";
  }
  static std::mutex mutex;  // files of the catalogue are shared by threads; only problems come here
  const std::lock_guard<std::mutex> lock(mutex);
  if (lines_.empty()) {
    Document again;
    read_text(again, text, &lines_);
  }
  for (std::string place = pointer; !place.empty(); place.erase(place.rfind('/'))) {
    const auto line = lines_.find(place);
    if (line != lines_.end()) return file + ":" + std::to_string(line->second);
  }
  return file;
}

Document parse_document(const std::string& text, const std::string& file) {
  Document document;
  document.file = file;
  document.text = text;
  read_text(document, text, nullptr);
  return document;
}

Document read_document(const std::string& path) {
  if (path == kStandardInput) return parse_document(std::string(std::istreambuf_iterator<char>(std::cin), {}), path);
  return parse_document(text_of_file(path), path);
}

std::string shown(const nlohmann::json& value) {
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= kMaxShown ? text : text.substr(0, kMaxShown) + "...";
}

}  // namespace tokenomics
