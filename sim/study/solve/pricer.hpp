#pragma once

#include "tokenomics/study/solve.hpp"
#include "unit.hpp"

namespace tokenomics {

/// A mixed pool, or a prefill pool that feeds a decode pool.
struct Candidate {
  const PoolOption* prefill = nullptr;  ///< null: `decode` is mixed
  const PoolOption* decode = nullptr;

  [[nodiscard]] bool is_mixed() const { return prefill == nullptr; }
  [[nodiscard]] std::size_t hardware() const { return decode->hardware; }
};

/// Instances of a candidate's pools, and the requests per second that all of them take together.
struct Fleet {
  int prefill = 0;
  int decode = 1;
  double rate_per_s = 0;
};

/// Turns loads into fleets and fleets into operating points and prices.
class Pricer {
 public:
  Pricer(const Query& query, const UnitEvaluator& evaluator) : query_(query), evaluator_(evaluator) {}

  /// The smallest fleet for the query's demand, or the best small unit without one, when an instance of each pool takes
  /// at most these loads.
  [[nodiscard]] Fleet fleet(const Candidate& candidate, double prefill_load, double decode_load) const;
  [[nodiscard]] double gpus(const Candidate& candidate, const Fleet& fleet) const;
  [[nodiscard]] bool within_cap(const Candidate& candidate, const Fleet& fleet) const;

  /// Evaluates the whole fleet. `with_first_tokens` false: TTFT stays 0 (cheap).
  [[nodiscard]] OperatingPoint point(const Candidate& candidate, const Fleet& fleet, bool with_first_tokens) const;
  /// The query's objective, in USD per token (per_answer: USD).
  [[nodiscard]] double objective(const OperatingPoint& point) const;
  /// The objective that no fleet of these loads can undercut, whatever its whole numbers.
  [[nodiscard]] double bound(const Candidate& candidate, double prefill_load, double decode_load) const;

  /// From the end of prefill to the first token in the user's hands: KV transfer and half a decode step in the mean.
  [[nodiscard]] double hand_over_s(const Candidate& candidate, const UnitPoint& decode) const;

  /// "8x h200-sxm tp8 ..."; of a pair both pools.
  [[nodiscard]] std::string priced_name(const Candidate& candidate) const;
  [[nodiscard]] PricedDeployment priced(const Candidate& candidate, const Fleet& fleet) const;

 private:
  const Query& query_;
  const UnitEvaluator& evaluator_;
};

/// True when every class costs in proportion to the whole, so that a lower cost per request is a lower price.
bool follows_cost(const Query& query);

}  // namespace tokenomics
