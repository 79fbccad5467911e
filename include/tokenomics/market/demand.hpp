#pragma once

#include <limits>
#include <string>
#include <vector>

#include "tokenomics/cost/price_card.hpp"
#include "tokenomics/market/choice.hpp"
#include "tokenomics/market/response_surface.hpp"

/// Who asks: segments of users, what each meets at a provider, and the load that their choices make.
namespace tokenomics {

/// Users of finite patience. Nobody leaves up to the limit; beyond it patience is exponential with the limit as its mean
/// (Palm's law, as in Erlang-A queues: Garnett, Mandelbaum and Reiman 2002), in a share of the users; the others wait.
struct Patience {
  Seconds limit{0};          ///< ttft; > 0 when anybody leaves
  double share_leaving = 0;  ///< in [0, 1]: of the users, in the limit of an endless wait
};

/// share_leaving (1 - exp(-(ttft - limit) / limit)) beyond the limit, else 0. Leavers send nothing.
double leaving_share(const Patience& patience, Seconds ttft);

/// One kind of user.
struct Segment {
  std::string name;
  PerSecond requests{0};  ///< in the reference period
  TokenVolume tokens;     ///< mean of an answer
  ChoiceWeights weights;
  double outside_utility = -std::numeric_limits<double>::infinity();  ///< of not asking: see ChoiceSet
  double dissimilarity = 1;                                           ///< of nests, see ChoiceSet
  QuantileLaw context_need;  ///< input and output of a request together; empty: everything fits everywhere
  Patience patience;
  double elasticity = 0;       ///< of total demand: see elastic_demand
  double switching_share = 1;  ///< users who reconsider in a period, in [0, 1]; the others stay with their last choice
  bool free = false;           ///< pays nothing, and does not look at prices
  double growth = 0;           ///< per period: 0.1 is 10% more requests each period; > -1
};

/// What a provider offers to everybody: its price card, and its service at its present load.
struct ProviderTerms {
  TokenPrices prices;
  ServicePoint service;
  double context_tokens = 0;
  int nest = -1;  ///< see Offer
};

/// What this segment meets there; `brand` is the segment's utility of the provider beside all that is counted.
Offer offer_to(const Segment& segment, const ProviderTerms& terms, double brand);

/// Tokens in which a provider counts its load: how much work a token of each class is. Output tokens by default. With the
/// costs of DeepSeek's day (0.138 and 0.300 USD per million) computed input would be 0.46.
struct WorkWeights {
  double input_computed = 0;
  double input_cached = 0;
  double output = 1;
};

/// Work of a volume.
Tokens work(const WorkWeights& weights, const TokenVolume& volume);

/// Requests of one segment in a period, per provider: sent = arrived + left, arrived = served + refused.
struct SegmentFlow {
  PerSecond demand{0};             ///< total; the sum of `sent` and `outside`
  PerSecond outside{0};            ///< not asked, or fitting no context
  std::vector<PerSecond> sent;     ///< chosen
  std::vector<PerSecond> left;     ///< gave up waiting
  std::vector<PerSecond> refused;  ///< above capacity
  std::vector<PerSecond> served;
  double inclusive_value = 0;  ///< of the choice (inclusive_value() of choice.hpp)
};

/// Shares of the requests: `previous` (per provider; their sum below 1 when some have no last choice, as new users do)
/// keeps 1 - switching of each, and all others follow the logit. Providers and outside add up to 1; outside is last.
std::vector<double> sticky_shares(const ChoiceShares& logit, const std::vector<double>& previous, double switching_share);

/// Flow of one segment when the providers have these terms. `previous`: shares of the last period, empty for none.
/// `reference_inclusive`: inclusive value at which demand is the segment's reference.
SegmentFlow segment_flow(const Segment& segment, const std::vector<ProviderTerms>& terms, const std::vector<double>& brands,
                         const std::vector<double>& previous, double reference_inclusive);

/// Work that arrives at a provider (refused requests too), from the flows of all segments.
TokensPerSecond load_of(const std::vector<Segment>& segments, const std::vector<SegmentFlow>& flows,
                        const WorkWeights& weights, std::size_t provider);

}  // namespace tokenomics
