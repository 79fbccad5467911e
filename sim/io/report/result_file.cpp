#include "tokenomics/report/result_file.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"
#include "../scenario/json_text.hpp"
#include "points_table.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const std::string& file, const std::string& value, const std::string& expected) {
  throw ScenarioError({file, "", value, expected, ""});
}

/// The manifest beside the points of a sweep's folder, whether the folder or the file was named. Without one the points are
/// taken as they are.
std::string manifest_beside(const ResultFile& file) {
  const fs::path place(file.path);
  const std::string name = place.filename().string();
  const std::string path = (place.parent_path() / "manifest.json").string();
  return (name == "points.csv" || name == "points.jsonl") && fs::exists(path) ? path : "";
}

/// Half a sweep must not pass for the whole.
void check_whole(const ResultFile& file) {
  const std::string directory = fs::path(file.path).parent_path().string();
  const Document manifest = read_document(file.manifest);
  if (!manifest.problems.empty()) throw ScenarioError(manifest.problems);
  const json value = manifest.value.is_object() ? manifest.value : json::object();
  const json state = value.value("state", json()), rows = value.value("rows", json());
  if (state != "complete")
    refuse(file.manifest, "\"state\": " + shown(state),
           fmt::format("\"complete\": the sweep in {0} is not finished: tokenomics sweep resume {0}", directory));
  if (rows.is_number() && rows != file.points.size())
    refuse(file.path, fmt::format("{} rows", file.points.size()),
           fmt::format("{} rows, as {} says", rows.dump(), file.manifest));
}

std::string points_in(const std::string& directory) {
  const fs::path csv = fs::path(directory) / "points.csv", jsonl = fs::path(directory) / "points.jsonl";
  const bool has_csv = fs::exists(csv), has_jsonl = fs::exists(jsonl);
  if (!has_csv && !has_jsonl) refuse(directory, "", "a directory with points.csv or points.jsonl");
  if (has_csv && has_jsonl) refuse(directory, "both points.csv and points.jsonl", "one of them: name it itself");
  return (has_csv ? csv : jsonl).string();
}

/// Whole objects, one a line. A single one could be a document too: points have a status and no schema.
bool is_jsonl(const std::string& text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  const std::size_t end = std::min(text.find('\n', start), text.size());
  const json first = json::parse(text.begin() + static_cast<std::ptrdiff_t>(start),
                                 text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
  if (first.is_discarded() || !first.is_object()) return false;
  const bool is_only_line = text.find_first_not_of(" \t\r\n", end) == std::string::npos;
  return !first.contains("schema") && (!is_only_line || first.contains("status"));
}

ResultFormat format_of(const std::string& text, const std::string& path) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) refuse(path, "an empty file", "results");
  if (text[start] != '{' && text[start] != '[') return ResultFormat::Csv;
  return path.ends_with(".jsonl") || is_jsonl(text) ? ResultFormat::Jsonl : ResultFormat::Json;
}

/// A comparison of nothing would find nothing.
void check_numbers(const ResultFile& file) {
  for (const ResultColumn& metric : file.points.metrics)
    for (std::size_t point = 0; point < file.points.size(); ++point)
      if (metric.number(point)) return;
  refuse(file.path, "", "results: no metric has a number in any of its points");
}

std::string read_standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

const char* to_string(ResultFormat format) {
  return format == ResultFormat::Csv ? "csv" : format == ResultFormat::Jsonl ? "jsonl" : "json";
}

ResultFile read_result_file(const std::string& path, const std::vector<std::string>& axes) {
  ResultFile file;
  file.path = path;
  if (path != "-" && !fs::exists(path)) refuse(path, "", "a file or a directory of results: there is none");
  if (path != "-" && fs::is_directory(path)) {
    file.directory = path;
    file.path = points_in(path);
  }
  file.text = path == "-" ? read_standard_input() : text_of_file(file.path);
  file.format = format_of(file.text, file.path);
  if (file.format != ResultFormat::Json && !file.text.ends_with('\n'))
    refuse(file.path, "a last line without its end", "whole lines: the file has been cut off");
  if (file.format == ResultFormat::Json && !axes.empty())
    refuse("--axes", fmt::format("{}", fmt::join(axes, ",")), "a table of points: " + file.path + " has axes of its own");
  file.points = file.format == ResultFormat::Csv     ? points_from_csv(file.text, file.path, axes)
                : file.format == ResultFormat::Jsonl ? points_from_jsonl(file.text, file.path, axes)
                                                     : points_from_json(file.text, file.path);
  file.manifest = manifest_beside(file);
  if (!file.manifest.empty()) check_whole(file);
  check_numbers(file);
  return file;
}

void check_comparable(const ResultFile& base, const ResultFile& now) {
  const ResultPoints &a = base.points, &b = now.points;
  if (a.kind != b.kind) refuse(now.path, to_string(b.kind), fmt::format("{} as in {}", to_string(a.kind), base.path));
  if (sorted(a.axes) != sorted(b.axes))
    refuse(now.path, fmt::format("the axes {}", fmt::join(b.axes, ", ")),
           fmt::format("those of {}: {}", base.path, fmt::join(a.axes, ", ")));
}

}  // namespace tokenomics
