#pragma once

#include <memory>
#include <vector>

#include "confirm.hpp"
#include "load_search.hpp"

namespace tokenomics {

/// All candidates of a query at one context limit, with what has been found out about them.
class Solver {
 public:
  /// Throws Infeasible when no request of the workload fits the context.
  Solver(const Query& query, const LengthLaw& lengths, unsigned jobs);

  /// What a search found: the cheapest candidate and the fleet it runs, or why there is none.
  struct Found {
    std::optional<std::size_t> candidate;
    Fleet fleet;
    std::optional<SimulatedPoint> simulated;
    std::size_t evaluated = 0, simulations = 0;
  };
  /// The cheapest of the candidates `among` (all when empty). `confirm`: by simulation.
  Found cheapest(const std::vector<std::size_t>& among, bool confirm);

  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] const PoolOptions& options() const { return options_; }
  [[nodiscard]] const UnitEvaluator& evaluator() const { return *evaluator_; }
  [[nodiscard]] const Pricer& pricer() const { return *pricer_; }
  [[nodiscard]] std::vector<std::size_t> of_hardware(std::size_t hardware) const;

  /// Highest loads of a candidate's instances: within the speed only, and within all bounds; negative: none.
  struct Loads {
    int prefill = 0;
    int decode = -1;
    [[nodiscard]] bool any() const { return prefill >= 0 && decode >= 0; }
  };
  Loads fast(const Candidate& candidate);
  Loads good(const Candidate& candidate);
  [[nodiscard]] Fleet fleet_at(const Candidate& candidate, const Loads& loads) const;

  /// What holds a fleet back from the next heavier load.
  [[nodiscard]] std::pair<Constraint, std::string> binding(const Candidate& candidate, const Fleet& fleet);
  /// Why nothing is feasible, with the best that could be had.
  [[nodiscard]] std::string why_none();

 private:
  double price(std::size_t candidate, int level);
  double confirmed_price(std::size_t candidate);
  PrefillTable& table(const PoolOption* option) { return *tables_.at(option); }

  const Query& query_;
  unsigned jobs_;
  PoolOptions options_;
  WorkloadSample workload_;
  std::unique_ptr<UnitEvaluator> evaluator_;
  std::unique_ptr<Pricer> pricer_;
  std::vector<Candidate> candidates_;
  std::map<const PoolOption*, std::unique_ptr<PrefillTable>> tables_;
  std::map<const PoolOption*, int> fast_decode_;  ///< filled before the search, read only in it
  std::map<const PoolOption*, int> prefill_limit_;
  std::vector<Loads> good_;  ///< by candidate, once known
  std::vector<std::optional<std::pair<Fleet, SimulatedPoint>>> confirmed_;
  std::vector<std::size_t> simulations_;
};

}  // namespace tokenomics
