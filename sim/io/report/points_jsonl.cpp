#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"
#include "../scenario/json_text.hpp"
#include "points_table.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

struct JsonCell {
  bool is_number = false;
  double number = 0;
  std::string text;  ///< of a number: as an axis shows it; empty: null
};

/// One object of scalars, its members in order. A whole document a line would be built many times slower.
class FlatObject final : public nlohmann::json_sax<json> {
 public:
  /// Nothing, or what was expected instead.
  std::string read(std::string_view line) {
    count_ = 0;
    depth_ = 0;
    expected_.clear();
    json::sax_parse(line.begin(), line.end(), this);
    if (expected_.empty() && count_ == 0) expected_ = "an object with the values of a point";
    return expected_;
  }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const std::string& name(std::size_t at) const { return names_[at]; }
  [[nodiscard]] const JsonCell& cell(std::size_t at) const { return cells_[at]; }

  bool null() override { return put(false, 0, ""); }
  bool boolean(bool value) override { return put(false, 0, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return put(true, static_cast<double>(value), fmt::format("{}", value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return put(true, static_cast<double>(value), fmt::format("{}", value));
  }
  bool number_float(number_float_t value, const string_t& text) override { return put(true, value, text); }
  bool string(string_t& value) override { return put(false, 0, value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return depth_++ == 0 || fail("no object in " + names_[count_ - 1]); }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return fail(depth_ == 0 ? "an object" : "no list in " + names_[count_ - 1]); }
  bool end_array() override { return true; }
  bool key(string_t& name) override {
    if (count_ == names_.size()) {
      names_.emplace_back();
      cells_.emplace_back();
    }
    names_[count_++] = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    return fail("valid JSON: " + plain_syntax_message(error.what()));
  }

 private:
  bool put(bool is_number, double number, std::string_view text) {
    if (depth_ == 0) return fail("an object");
    JsonCell& cell = cells_[count_ - 1];
    cell.is_number = is_number;
    cell.number = number == 0 ? 0.0 : number;
    cell.text = text;
    return true;
  }
  bool fail(const std::string& expected) {
    expected_ = expected;
    return false;
  }

  std::vector<std::string> names_;
  std::vector<JsonCell> cells_;
  std::size_t count_ = 0;
  int depth_ = 0;
  std::string expected_;
};

/// Complains of the first key that is not that of the header.
bool has_names(const FlatObject& object, PointsTable& table, std::size_t line) {
  const std::vector<std::string>& names = table.names();
  for (std::size_t at = 0; at < std::max(object.size(), names.size()); ++at) {
    const bool has_both = at < object.size() && at < names.size();
    if (has_both && object.name(at) == names[at]) continue;
    table.add_problem(line, at < object.size() ? shown(object.name(at)) : "the line's end",
                      at < names.size() ? shown(names[at]) + ", the next key of line 1" : "no more keys than in line 1");
    return false;
  }
  return true;
}

void put_row(const FlatObject& object, PointsTable& table, std::size_t line) {
  table.begin_row(line);
  for (std::size_t at = 0; at < object.size(); ++at) {
    const JsonCell& cell = object.cell(at);
    if (cell.is_number) table.put_number(at, cell.number, cell.text);
    if (!cell.is_number) table.put_text(at, cell.text);
  }
}

}  // namespace

ResultPoints points_from_jsonl(const std::string& text, const std::string& file, const std::vector<std::string>& axes) {
  FlatObject object;
  std::optional<PointsTable> table;
  std::string_view rest = text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    std::string_view content = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), content.size() + 1));
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string expected = object.read(content);
    if (!expected.empty()) {
      if (!table) throw ScenarioError({fmt::format("{}:{}", file, line), "", "", expected, ""});
      table->add_problem(line, "", expected);
      continue;
    }
    if (!table) {
      std::vector<std::string> names;
      for (std::size_t at = 0; at < object.size(); ++at) names.push_back(object.name(at));
      table.emplace(file, names, axes);
    }
    if (has_names(object, *table, line)) put_row(object, *table, line);
  }
  if (!table) throw ScenarioError({file, "", "", "at least one point", ""});
  return table->finish();
}

}  // namespace tokenomics
