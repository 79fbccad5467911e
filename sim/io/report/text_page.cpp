#include "text_page.hpp"

#include <algorithm>
#include <utility>

namespace tokenomics {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kIndent = 2;
/// A wrapped last column gets at least this, or is not worth wrapping.
constexpr std::size_t kNarrowest = 24;

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// Bytes of the first `count` characters.
std::size_t prefix_bytes(std::string_view text, std::size_t count) {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && seen++ == count) return at;
  }
  return text.size();
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::string blanks(width - std::min(width, shown_width(cell)), ' ');
  return align == Align::Left ? cell + blanks : blanks + cell;
}

std::vector<std::size_t> widths_of(const TextTable& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::size_t width = shown_width(table.columns[c].title);
    for (const auto& row : table.rows) width = std::max(width, shown_width(row[c]));
    widths.push_back(width);
  }
  if (widths.empty() || table.columns.back().align != Align::Left) return widths;
  std::size_t before = kIndent;
  for (std::size_t c = 0; c + 1 < widths.size(); ++c) before += widths[c] + kGap;
  const std::size_t room = TextPage::kWidth - std::min(TextPage::kWidth, before);
  widths.back() = std::min(widths.back(), std::max(room, kNarrowest));
  return widths;
}

std::string joined(const std::vector<std::string>& cells, const std::vector<TableColumn>& columns,
                   const std::vector<std::size_t>& widths) {
  std::string line(kIndent, ' ');
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (c > 0) line.append(kGap, ' ');
    line += padded(cells[c], widths[c], columns[c].align);
  }
  return line;
}

}  // namespace

std::size_t shown_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  const auto put = [&](std::string_view word) {
    const bool fits = line.empty() || shown_width(line) + 1 + shown_width(word) <= width;
    if (!fits) lines.push_back(std::exchange(line, {}));
    if (!line.empty()) line += ' ';
    line += word;
  };
  while (!text.empty()) {
    const std::size_t start = std::min(text.find_first_not_of(" \n\t"), text.size());
    text.remove_prefix(start);
    std::string_view word = text.substr(0, text.find_first_of(" \n\t"));
    text.remove_prefix(word.size());
    while (shown_width(word) > width) {
      const std::size_t cut = prefix_bytes(word, width);
      put(word.substr(0, cut));
      word.remove_prefix(cut);
    }
    if (!word.empty()) put(word);
  }
  if (!line.empty() || lines.empty()) lines.push_back(line);
  return lines;
}

void TextPage::line(std::string_view content) {
  const std::size_t end = content.find_last_not_of(' ');
  text_ += content.substr(0, end == std::string_view::npos ? 0 : end + 1);
  text_ += '\n';
}

std::string TextPage::bold(std::string_view content) const {
  return color_ ? "\x1b[1m" + std::string(content) + "\x1b[0m" : std::string(content);
}

void TextPage::verdict(std::string_view text) {
  for (const std::string& part : wrapped(text, kWidth)) line(bold(part));
}

void TextPage::heading(std::string_view title) {
  line("");
  line(bold(title));
}

void TextPage::paragraph(std::string_view text, std::size_t indent) {
  for (const std::string& part : wrapped(text, kWidth - indent)) line(std::string(indent, ' ') + part);
}

void TextPage::point(std::string_view text) {
  std::string mark = "  - ";
  for (const std::string& part : wrapped(text, kWidth - mark.size())) {
    line(mark + part);
    mark = "    ";
  }
}

void TextPage::table(const TextTable& table) {
  const std::vector<std::size_t> widths = widths_of(table);
  std::vector<std::string> titles;
  bool has_titles = false;
  for (const TableColumn& column : table.columns) {
    titles.push_back(column.title);
    has_titles = has_titles || !column.title.empty();
  }
  if (has_titles) line(joined(titles, table.columns, widths));
  for (std::vector<std::string> cells : table.rows) {
    for (const std::string& part : wrapped(cells.back(), std::max<std::size_t>(widths.back(), 1))) {
      cells.back() = part;
      line(joined(cells, table.columns, widths));
      for (std::string& cell : cells) cell.clear();
    }
  }
}

}  // namespace tokenomics
