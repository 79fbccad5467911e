#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/solve.hpp"

namespace tokenomics {

/// "tokenomics.solution/1": the deployment, its prices, cost and service, what binds, shadow prices, how far the
/// evaluator and the simulation are apart, and the scenario that `run` takes.
nlohmann::ordered_json solution_json(const Solution& solution, const ReportOptions& options = {});
/// One line of names and one of values: its scalars with dotted names, without the scenario and the lists.
std::string solution_csv(const Solution& solution, const ReportOptions& options = {});
/// A page for people: a verdict first.
std::string solution_table(const Solution& solution, const ReportOptions& options = {});

/// "tokenomics.frontier/1": the Pareto set over all chips and that of each chip.
nlohmann::ordered_json frontier_json(const Frontier& frontier, const ReportOptions& options = {});
std::string frontier_table(const Frontier& frontier, const ReportOptions& options = {});
/// One line a point of each chip; `on_front` says which no other chip's point beats. `with_head`: the line of names first.
std::string frontier_csv(const Frontier& frontier, bool with_head = true);

}  // namespace tokenomics
