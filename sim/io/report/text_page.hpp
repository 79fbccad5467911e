#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// Characters that a terminal shows for UTF-8 text (code points; wide glyphs are not known).
std::size_t shown_width(std::string_view text);
/// Words of `text` in lines of at most `width`; a longer word stands alone, cut into pieces.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

enum class Align { Left, Right };

struct TableColumn {
  std::string title;
  Align align = Align::Right;
};

/// Rows of aligned cells. A last column that is aligned to the left is wrapped where the page ends.
struct TextTable {
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

/// A printed page of headings, tables and paragraphs, at most kWidth characters wide.
class TextPage {
 public:
  static constexpr std::size_t kWidth = 100;

  explicit TextPage(bool color) : color_(color) {}

  void verdict(std::string_view text);
  /// Opens a block after an empty line.
  void heading(std::string_view title);
  void paragraph(std::string_view text, std::size_t indent = 0);
  /// One wrapped point of a list.
  void point(std::string_view text);
  void table(const TextTable& table);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(std::string_view content);
  [[nodiscard]] std::string bold(std::string_view content) const;

  bool color_;
  std::string text_;
};

}  // namespace tokenomics
