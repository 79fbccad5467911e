#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/report/inference_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/scenario/offer_query.hpp"
#include "tokenomics/study/infer.hpp"

namespace tokenomics::cli {
namespace {

/// Whether the networks behind the offers are published, so that a deployment can be looked for.
bool serves_open_networks(ProviderKind kind) {
  return kind == ProviderKind::Host || kind == ProviderKind::FirstParty || kind == ProviderKind::ExportControlled;
}

std::vector<ProviderSpec> providers_named(const std::string& name, const Catalogue& catalogue) {
  if (name != "all") return {load_provider(name, catalogue)};
  std::vector<ProviderSpec> all;
  for (const CatalogueEntry& entry : catalogue.list(CatalogueKind::Providers))
    all.push_back(load_provider(entry.name, catalogue));
  return all;
}

/// "a,b" -> a, b.
std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    if (comma > from) parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

struct Wanted {
  std::vector<std::string> models;  ///< names of the catalogue; empty: all that can be asked about
  OfferQueryOptions query;
  InferOptions infer;
};

Wanted wanted_of(const Options& options, const Catalogue& catalogue) {
  Wanted wanted;
  for (const std::string& model : options.texts("model")) wanted.models.push_back(load_network(model, catalogue).name);
  wanted.query.workload = options.text("workload").value_or("");
  if (!wanted.query.workload.empty()) load_workload(wanted.query.workload, catalogue);
  wanted.query.hardware = split_at_commas(options.text("hardware").value_or(""));
  for (const std::string& chip : wanted.query.hardware) load_gpu(chip, catalogue);
  wanted.query.sets = options.texts("set");
  wanted.infer.jobs = jobs_of(options);
  return wanted;
}

bool is_wanted(const Wanted& wanted, const OfferSpec& offer) {
  return wanted.models.empty() || std::find(wanted.models.begin(), wanted.models.end(), offer.model) != wanted.models.end();
}

void infer_offer(const ProviderSpec& provider, const OfferSpec& offer, const Wanted& wanted, const Catalogue& catalogue,
                 InferenceReport& report) {
  OfferQuery asked = offer_query(provider, offer, wanted.query, catalogue);
  const bool can_be_asked = asked.query.has_value();
  InferredOffer row{provider.name, offer, std::move(asked.query), {}, std::move(asked.notes)};
  if (can_be_asked) {
    row.inference = infer_host(*row.query, {offer.prices, offer.ttft_p50, offer.speed_p50}, wanted.infer);
  } else {
    row.inference.verdict = InferenceVerdict::NotModelled;
    row.inference.explanation = asked.why_none;
  }
  report.offers.push_back(std::move(row));
}

int infer(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions how = report_options(options);
  const Catalogue catalogue = open_catalogue(options);
  const Wanted wanted = wanted_of(options, catalogue);
  const std::vector<ProviderSpec> providers = providers_named(*options.argument(0), catalogue);
  ResultOutput output(options);
  Progress progress(options);
  const auto listener = progress.listener();
  InferenceReport report;
  double done = 0;
  for (const ProviderSpec& provider : providers) {
    if (listener) listener(done++ / static_cast<double>(providers.size()));
    if (!serves_open_networks(provider.kind) || provider.offers.empty()) {
      if (wanted.models.empty()) report.not_inferred.push_back(provider);
      continue;
    }
    for (const OfferSpec& offer : provider.offers)
      if (is_wanted(wanted, offer)) infer_offer(provider, offer, wanted, catalogue, report);
  }
  output.finish(format == Format::Json  ? json_text(inference_json(report, how))
                : format == Format::Csv ? inference_csv(report)
                                        : inference_table(report, how));
  return 0;
}

}  // namespace

Command infer_command() {
  return {"infer",
          "what a host's price, speed and first token imply: batch, utilization, margin; or that nothing explains them",
          {"tokenomics infer lambda --model deepseek-r1-0528",
           "tokenomics infer all --model deepseek-r1 --model deepseek-r1-0528",
           "tokenomics infer deepinfra --workload inferencex-1k1k --hardware h200-sxm,b200-sxm --format json",
           "tokenomics infer together --model llama-3.3-70b --set search.precision.weights=fp8"},
          {{"PROVIDER", "a name (tokenomics list providers), or \"all\""}},
          {{"model", "NAME", "only offers of this network; may be repeated", true},
           {"workload", "NAME", "tokens of the host's requests (default: r1-api for networks that reason, else chat-2023)"},
           {"hardware", "CHIPS", "candidate chips, separated by commas (default: the provider's)"},
           kSet,
           kCatalogue,
           kFormat,
           kOut,
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          infer};
}

}  // namespace tokenomics::cli
