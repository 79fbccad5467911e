#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/provider.hpp"
#include "tokenomics/scenario/query.hpp"

namespace tokenomics {

struct OfferQueryOptions {
  std::string workload;               ///< of the catalogue; empty: usual_workload()
  std::vector<std::string> hardware;  ///< empty: the provider's candidates
  std::vector<std::string> sets;      ///< "POINTER=VALUE" over the query, as in load_query()
};

/// Whose deployments an offer may be one of.
struct OfferQuery {
  std::optional<Query> query;
  std::string why_none;            ///< when there is no query: network unknown or not modelled, no chip with a price
  std::vector<std::string> notes;  ///< chips left out, context shortened to the network's
};

/// The workload that is assumed for a network when nobody says otherwise: lengths of R1's API for networks that reason
/// before they answer, of Azure chat for others.
std::string usual_workload(const std::string& network);

/// A query over mixed pools (of a first party's own network also over prefill and decode pools): the offer's network,
/// context and number format, each chip at the provider's own price of a GPU-hour or else at the rental price of its file;
/// with and without one MTP draft where the network has a module. Throws ScenarioError for a workload or chip that the
/// catalogue does not have.
OfferQuery offer_query(const ProviderSpec& provider, const OfferSpec& offer, const OfferQueryOptions& options,
                       const Catalogue& catalogue);

}  // namespace tokenomics
