#pragma once

#include <string>
#include <vector>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

/// A comma-separated table without quotes. Lines that start with '#' and empty lines are skipped.
struct PlainTable {
  std::string file;
  std::vector<std::string> columns;
  struct Line {
    int number = 0;
    std::vector<std::string> cells;  ///< as many as columns
  };
  std::vector<Line> lines;
};

/// Throws IoError when it cannot be read, ScenarioError when it has no header or when lines have more or fewer cells.
PlainTable read_csv(const std::string& path);

/// The problems that are worth printing: the first few, and how many more there are.
std::vector<Problem> first_problems(std::vector<Problem> problems);

}  // namespace tokenomics
