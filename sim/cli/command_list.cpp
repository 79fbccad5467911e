#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "kinds.hpp"
#include "support.hpp"
#include "tokenomics/report/catalogue_report.hpp"

namespace tokenomics::cli {
namespace {

int list(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  std::vector<CatalogueKind> kinds = catalogue_kinds();
  if (const auto word = options.argument(0)) kinds = {kind_named(*word)};
  const Catalogue catalogue = open_catalogue(options);
  ResultOutput output(options);
  Listing listing;
  for (const CatalogueKind kind : kinds) {
    for (CatalogueEntry& entry : catalogue.list(kind)) listing.emplace_back(kind, std::move(entry));
  }
  output.finish(format == Format::Json  ? json_text(listing_json(listing))
                : format == Format::Csv ? listing_csv(listing)
                                        : listing_table(listing, report));
  return 0;
}

}  // namespace

Command list_command() {
  return {"list",
          "what the catalogue holds",
          {"tokenomics list", "tokenomics list scenarios", "tokenomics list models --catalogue my-models --format csv"},
          {{"KIND", kKindHelp, false}},
          {kCatalogue, kFormat, kOut, kColor, kQuiet, kHelp},
          list};
}

}  // namespace tokenomics::cli
