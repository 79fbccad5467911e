#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/scenario/provider.hpp"
#include "tokenomics/study/infer.hpp"

namespace tokenomics {

/// One offer and what it implies.
struct InferredOffer {
  std::string provider;
  OfferSpec offer;
  std::optional<Query> query;  ///< absent: nothing can be asked, and `inference` says why
  HostInference inference;
  std::vector<std::string> notes;
};

struct InferenceReport {
  std::vector<InferredOffer> offers;
  std::vector<ProviderSpec> not_inferred;  ///< closed providers, routers, applications: told as observed
};

/// "tokenomics.inference/1": each offer with its verdict, the cheapest consistent deployment, ranges by chip, what was
/// assumed; and what is observed of providers whose networks are not published.
nlohmann::ordered_json inference_json(const InferenceReport& report, const ReportOptions& options = {});
/// One line an offer.
std::string inference_csv(const InferenceReport& report);
/// A page for people: one offer gets a page of its own, several a table and their verdicts.
std::string inference_table(const InferenceReport& report, const ReportOptions& options = {});

}  // namespace tokenomics
