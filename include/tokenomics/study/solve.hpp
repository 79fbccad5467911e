#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/market/operating_point.hpp"
#include "tokenomics/market/strategy.hpp"
#include "tokenomics/scenario/query.hpp"

namespace tokenomics {

/// A deployment at a load, with what it costs and what its users get.
struct PricedDeployment {
  std::string name;  ///< "8x h200-sxm tp8, chunked_mixed 8192"
  std::string hardware;
  DeploymentSpec deployment;  ///< instances as many as serve the demand, or the smallest whole unit
  std::int64_t context_tokens = 0;
  OperatingPoint point;  ///< of the whole deployment, by the steady-state evaluator
  TokenPrices prices;
  double objective = 0;  ///< USD per token (per_answer: USD)
  Constraint binding = Constraint::None;
  std::string binding_detail;
};

/// The same operating point, simulated.
struct SimulatedPoint {
  double ttft_s = 0, ttft_mean_s = 0;
  double interactivity = 0, interactivity_mean = 0;
  double requests_per_s = 0;
  double objective = 0;
  std::uint64_t requests = 0;  ///< measured
  double rejected_share = 0;
  bool holds = false;  ///< the SLO
};

/// By how much the objective changes when a constraint is loosened by one step; absent where it cannot be.
struct ShadowPrices {
  std::optional<double> ttft_one_second_more;
  std::optional<double> one_tok_s_less;
  std::optional<double> context_10k_less;
  std::optional<double> gpus_10_percent_cheaper;
};

struct BreakEven {
  std::string hardware;
  double own_objective = 0;                ///< at its own price of a GPU-hour
  std::optional<double> usd_per_gpu_hour;  ///< at which it is as cheap as the reference
  double listed_usd_per_gpu_hour = 0;
  std::string infeasible_reason;
};

/// What each objective does with the fleet, and what it is worth.
struct StrategyAnswer {
  struct Choice {
    ProviderObjective objective = ProviderObjective::MaxMargin;
    std::string deployment;
    OperatingChoice operating;
    double batch_per_instance = 0;
  };
  std::vector<Choice> choices;  ///< max_margin, max_share, max_research; fewer when one has none
  StrategyChange to_research;   ///< from max_margin to max_research
  ResearchBreakEven worth;      ///< of a GPU-hour of research from which max_research is better than max_margin
};

/// A fixed fleet before and after its load has grown.
struct ScarcityAnswer {
  OperatingPoint before, after;
  double gpus_at_old_speed = 0;  ///< that the load after would need at the speed before
};

struct Solution {
  Query query;
  std::string infeasible_reason;  ///< empty: solved
  std::optional<PricedDeployment> best;
  std::optional<SimulatedPoint> simulated;
  std::optional<Scenario> scenario;  ///< of `best`: what `run` takes
  ShadowPrices shadow;
  std::optional<double> answer;       ///< solve_for other than price: seconds, tok/s/user, tokens, requests/s
  std::vector<BreakEven> break_even;  ///< solve_for gpu_price
  std::optional<StrategyAnswer> strategy;
  std::optional<ScarcityAnswer> scarcity;
  std::vector<PricedDeployment> runners_up;  ///< cheapest of each other chip
  std::size_t deployments = 0, evaluated = 0, simulations = 0;
  std::vector<std::string> notes;
};

struct SolveOptions {
  unsigned jobs = 1;    ///< the result does not depend on it
  bool confirm = true;  ///< let the event simulation confirm; a load that it finds to miss the SLO is lowered
  bool shadow = true;
};

/// Answers a query. Throws ScenarioError when the workload's trace is broken; no solution is a result.
Solution solve(const Query& query, const SolveOptions& options = {});

/// One chip's or all chips' Pareto set.
struct Frontier {
  Query query;
  std::vector<PricedDeployment> points;        ///< no other point is better in all of price, TTFT, speed and context
  std::vector<PricedDeployment> per_hardware;  ///< the same among the deployments of each chip, chip by chip
  std::size_t deployments = 0, evaluated = 0;
  std::string infeasible_reason;
};
/// `loads`: operating points tried for each deployment.
Frontier frontier(const Query& query, const SolveOptions& options = {}, int loads = 24);

}  // namespace tokenomics
