#pragma once

#include <string>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/study/compare.hpp"

namespace tokenomics {

/// What was compared, for reports.
struct ComparedFiles {
  std::string base, now;
  std::string tolerances;  ///< the file of tolerances, empty when there is none
};

/// Reads tolerances.json: {"default": {"relative", "absolute"}, "metrics": {pattern: {...}}, "ignore": [pattern]}, each
/// optional; a number that is left out is that of Tolerance. Throws ScenarioError with every problem.
CompareRules read_tolerances(const std::string& path, const Catalogue& catalogue);

/// The verdict in one line: what moved and how far at worst.
std::string comparison_verdict(const Comparison& comparison);

/// A page for people: verdict, curves that moved, the first findings, what was allowed.
std::string comparison_table(const Comparison& comparison, const ComparedFiles& files, const ReportOptions& options = {});
/// "tokenomics.comparison/1" as text; a finding a line, since there may be millions.
std::string comparison_json(const Comparison& comparison, const ComparedFiles& files, const ReportOptions& options = {});
/// One line a finding.
std::string comparison_csv(const Comparison& comparison);
/// JUnit XML: one suite, a test case for each curve, and one for the columns when they differ.
std::string comparison_junit(const Comparison& comparison, const ComparedFiles& files);
/// GitHub's workflow commands: an error for each curve with findings, a notice that sums up.
std::string comparison_github(const Comparison& comparison, const ComparedFiles& files);

}  // namespace tokenomics
