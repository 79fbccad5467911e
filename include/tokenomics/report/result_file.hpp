#pragma once

#include <string>
#include <vector>

#include "tokenomics/study/result_points.hpp"

namespace tokenomics {

enum class ResultFormat { Csv, Jsonl, Json };
/// "csv", "jsonl", "json".
const char* to_string(ResultFormat format);

/// Results as they lie in a file.
struct ResultFile {
  std::string path;       ///< of the file itself: a directory's points.csv; "-" for standard input
  std::string directory;  ///< that it was found in; empty when the file itself was named
  std::string manifest;   ///< path of the directory's manifest.json; empty when there is none
  ResultFormat format = ResultFormat::Csv;
  std::string text;  ///< all of it
  ResultPoints points;
};

/// Reads points of a sweep (a CSV or JSON-lines file, or a directory with points.csv or points.jsonl), or the JSON of
/// `run`, `solve`, `frontier` or `validate`, told apart by content. `axes` names the axes of a table; without it they
/// are the columns before `status` but for `point`. Throws ScenarioError with every problem of a broken file, and for a
/// directory whose manifest.json says that its sweep is not finished.
ResultFile read_result_file(const std::string& path, const std::vector<std::string>& axes = {});

/// Throws ScenarioError unless both files hold results of one kind with the same axes.
void check_comparable(const ResultFile& base, const ResultFile& now);

}  // namespace tokenomics
