#include <fmt/format.h>

#include "points_table.hpp"

namespace tokenomics {
namespace {

/// Records of RFC 4180: fields may be quoted, quoted ones may hold commas, line ends and doubled quotes.
class CsvText {
 public:
  explicit CsvText(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  /// The next record; false after the last. `problem()` says what is wrong with it, if anything is.
  bool next(std::vector<std::string>& fields) {
    if (text_.empty()) return false;
    line_ = next_line_;
    problem_ = nullptr;
    std::size_t count = 0;
    do {
      if (count == fields.size()) fields.emplace_back();
      take_field(fields[count++]);
    } while (take(','));
    fields.resize(count);
    take_line_end();
    return true;
  }
  [[nodiscard]] std::size_t line() const { return line_; }
  [[nodiscard]] const char* problem() const { return problem_; }

 private:
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void take_field(std::string& field) {
    field.clear();
    if (take('"')) return take_quoted(field);
    const std::size_t end = std::min(text_.find_first_of(",\r\n"), text_.size());
    field = text_.substr(0, end);
    if (field.find('"') != std::string::npos) problem_ = "a field with a quote to be quoted";
    text_.remove_prefix(end);
  }
  void take_quoted(std::string& field) {
    while (true) {
      const std::size_t quote = text_.find('"');
      const std::string_view part = text_.substr(0, quote);
      field += part;
      for (const char c : part) next_line_ += c == '\n' ? 1 : 0;
      if (quote == std::string_view::npos) {
        text_ = {};
        problem_ = "a closing quote";
        return;
      }
      text_.remove_prefix(quote + 1);
      if (!take('"')) break;
      field += '"';
    }
    if (!text_.empty() && text_.find_first_of(",\r\n") != 0) {
      problem_ = "a comma or a line's end after a closing quote";
      text_.remove_prefix(std::min(text_.find_first_of(",\r\n"), text_.size()));
    }
  }
  void take_line_end() {
    take('\r');
    take('\n');
    ++next_line_;
  }

  std::string_view text_;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
  const char* problem_ = nullptr;
};

}  // namespace

ResultPoints points_from_csv(const std::string& text, const std::string& file, const std::vector<std::string>& axes) {
  CsvText csv(text);
  std::vector<std::string> fields;
  csv.next(fields);
  if (csv.problem() != nullptr) throw ScenarioError({file + ":1", "", "", csv.problem(), ""});
  PointsTable table(file, fields, axes);
  const std::size_t width = fields.size();
  while (csv.next(fields)) {
    if (csv.problem() != nullptr) {
      table.add_problem(csv.line(), fields.front(), csv.problem());
    } else if (fields.size() != width) {
      table.add_problem(csv.line(), fmt::format("{} fields", fields.size()), fmt::format("{} as in the header", width));
    } else {
      table.begin_row(csv.line());
      for (std::size_t column = 0; column < width; ++column) table.put_field(column, fields[column]);
    }
  }
  return table.finish();
}

}  // namespace tokenomics
