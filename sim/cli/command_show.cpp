#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "kinds.hpp"
#include "support.hpp"
#include "tokenomics/report/catalogue_report.hpp"
#include "tokenomics/scenario/load.hpp"
#include "tokenomics/scenario/market_spec.hpp"
#include "tokenomics/scenario/provider.hpp"
#include "tokenomics/scenario/query.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics::cli {
namespace {

using nlohmann::ordered_json;

/// Everything that is known of an entry. Loading it first finds the problems of a broken file.
ordered_json shown(CatalogueKind kind, const std::string& name, const Options& options, const Catalogue& catalogue) {
  switch (kind) {
    case CatalogueKind::Models: {
      ordered_json figures = network_figures(load_network(name, catalogue));
      figures["file"] = catalogue.raw(kind, name);
      return figures;
    }
    case CatalogueKind::Services: return resolved_json(load_scenario(name, catalogue, options.texts("set")));
    case CatalogueKind::Hardware: load_gpu(name, catalogue); break;
    case CatalogueKind::Calibrations: load_calibration(name, catalogue); break;
    case CatalogueKind::Workloads: load_workload(name, catalogue); break;
    case CatalogueKind::Overlaps: load_overlap(name, catalogue); break;
    case CatalogueKind::Engines: check_engine(name, catalogue); break;
    case CatalogueKind::Providers: load_provider(name, catalogue); break;
    case CatalogueKind::Queries: load_query(name, catalogue); break;
    case CatalogueKind::Sweeps: load_sweep(name, catalogue); break;
    case CatalogueKind::Claims: break;
    case CatalogueKind::Markets: load_market(name, catalogue); break;
  }
  return catalogue.raw(kind, name);
}

int show(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  const CatalogueKind kind = kind_named(*options.argument(0));
  const std::string name = *options.argument(1);
  if (options.has("set") && kind != CatalogueKind::Services) throw UsageError("show: --set is for scenarios");
  const Catalogue catalogue = open_catalogue(options);
  const ordered_json document = shown(kind, name, options, catalogue);
  ResultOutput output(options);
  output.finish(format == Format::Json  ? json_text(document)
                : format == Format::Csv ? document_csv(document)
                                        : document_table(name, document, report));
  return 0;
}

}  // namespace

Command show_command() {
  return {"show",
          "everything known of one entry of the catalogue, with sources; of a scenario, every default",
          {"tokenomics show model deepseek-v3", "tokenomics show hardware h800",
           "tokenomics show scenario deepseek-production-2025-02 --format json"},
          {{"KIND", kKindHelp}, {"NAME", "name or alias; of a scenario also a file, or \"-\" for standard input"}},
          {kSet, kCatalogue, kFormat, kOut, kColor, kQuiet, kHelp},
          show};
}

}  // namespace tokenomics::cli
