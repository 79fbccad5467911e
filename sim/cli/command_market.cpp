#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/report/market_report.hpp"
#include "tokenomics/scenario/market_spec.hpp"
#include "tokenomics/study/market_run.hpp"

namespace tokenomics::cli {
namespace {

int market(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  MarketOptions how;
  how.jobs = jobs_of(options);
  if (const auto samples = options.whole("samples", 0, 100'000)) how.samples = static_cast<int>(*samples);
  const Catalogue catalogue = open_catalogue(options);
  const MarketSpec spec = load_market(*options.argument(0), catalogue, options.texts("set"), seed_of(options));
  ResultOutput output(options);
  const MarketResult result = [&] {
    Progress progress(options);
    how.progress = progress.listener();
    return run_market_spec(spec, how);
  }();
  output.finish(format == Format::Json  ? json_text(market_json(result, report))
                : format == Format::Csv ? market_csv(result)
                                        : market_table(result, report));
  return 0;
}

}  // namespace

Command market_command() {
  return {"market",
          "providers, users and dated events: shares, loads, prices and service over the calendar",
          {"tokenomics market deepseek-2025", "tokenomics market deepseek-2025 --set weights.service_factor=0",
           "tokenomics market my-market.json --samples 500 --format json --out market.json"},
          {{"MARKET", "a file, \"-\" for standard input, or a name (tokenomics list markets)"}},
          {kSet,
           kSeed,
           {"samples", "N", "draws of the uncertain numbers, instead of the file's; 0: none"},
           kCatalogue,
           kFormat,
           kOut,
           kJobs,
           kColor,
           kQuiet,
           kHelp},
          market};
}

}  // namespace tokenomics::cli
