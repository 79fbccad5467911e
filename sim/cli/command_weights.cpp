#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/market/choice_fit.hpp"
#include "tokenomics/scenario/host_counts.hpp"

namespace tokenomics::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kShipped = "markets/openrouter-v3-0324-2025-06-27.csv";
constexpr double kRoutersOwnRule = -2;  ///< inverse square of price: OpenRouter's documentation, Provider Routing

struct Fit {
  std::string name;
  ChoiceFit fit;
};

/// (ratio input + output) / (ratio + 1), USD per million.
double blended(const HostCount& host, double ratio) {
  return (ratio * in_usd_per_mtok(host.prices.input) + in_usd_per_mtok(host.prices.output)) / (ratio + 1);
}

ChoiceCounts counts_of(const std::vector<HostCount>& hosts, double ratio, bool with_service) {
  ChoiceCounts counts;
  for (const HostCount& host : hosts) {
    std::vector<double> features{std::log(blended(host, ratio))};
    if (with_service) {
      features.push_back(std::log1p(host.ttft_p50->value()));
      features.push_back(std::log(host.speed_p50->value()));
      features.push_back(std::log(static_cast<double>(host.context_tokens)));
    }
    counts.features.push_back(std::move(features));
    counts.count.push_back(static_cast<double>(host.requests));
  }
  return counts;
}

std::vector<Fit> fits_of(const std::vector<HostCount>& hosts, double ratio) {
  std::vector<Fit> fits{{"price", fit_choice({counts_of(hosts, ratio, false)}, {"log_price"})}};
  const bool has_service = std::all_of(hosts.begin(), hosts.end(), [](const HostCount& host) {
    return host.ttft_p50.has_value() && host.speed_p50.has_value();
  });
  if (has_service)
    fits.push_back({"price and service",
                    fit_choice({counts_of(hosts, ratio, true)}, {"log_price", "log_ttft", "log_speed", "log_context"})});
  return fits;
}

const char* word_of(Identification identification) {
  switch (identification) {
    case Identification::Identified: return "identified";
    case Identification::Weak: return "not identified";
    case Identification::Collinear: return "collinear";
    case Identification::NoVariation: return "does not vary";
  }
  return "";
}

ordered_json json_of(const std::string& file, const std::vector<Fit>& fits, const ReportOptions& report) {
  ordered_json blocks = ordered_json::array();
  for (const Fit& one : fits) {
    ordered_json weights = ordered_json::array();
    for (std::size_t i = 0; i < one.fit.weights.size(); ++i) {
      const FittedWeight& weight = one.fit.weights[i];
      const auto interval = weight_interval_95(one.fit, i);
      weights.push_back({{"name", weight.name},
                         {"estimate", weight.estimate},
                         {"standard_error", weight.standard_error},
                         {"dispersed_standard_error", weight.dispersed_standard_error},
                         {"low_95", interval ? ordered_json(interval->low) : ordered_json(nullptr)},
                         {"high_95", interval ? ordered_json(interval->high) : ordered_json(nullptr)},
                         {"identification", word_of(weight.identification)}});
    }
    blocks.push_back({{"fit", one.name},
                      {"free_parameters", one.fit.free_parameters},
                      {"degrees_of_freedom", one.fit.degrees_of_freedom},
                      {"requests", one.fit.requests},
                      {"dispersion", one.fit.dispersion},
                      {"pseudo_r2", one.fit.pseudo_r2},
                      {"weights", weights}});
  }
  return {{"schema", "tokenomics.weights/1"}, {"version", report.version}, {"file", file}, {"fits", blocks}};
}

std::string table_of(const std::vector<Fit>& fits) {
  std::string text;
  for (const Fit& one : fits) {
    text += fmt::format("{}: {} free parameters, {} degrees of freedom, dispersion {:.0f}, pseudo R2 {:.2f}\n", one.name,
                        one.fit.free_parameters, one.fit.degrees_of_freedom, one.fit.dispersion, one.fit.pseudo_r2);
    text +=
        fmt::format("  {:<14}{:>10}{:>14}{:>18}{:>20}\n", "", "weight", "plain error", "dispersed error", "95% interval");
    for (std::size_t i = 0; i < one.fit.weights.size(); ++i) {
      const FittedWeight& weight = one.fit.weights[i];
      const auto interval = weight_interval_95(one.fit, i);
      text += fmt::format("  {:<14}{:>10.2f}{:>14.3f}{:>18.2f}{:>20}  {}\n", weight.name, weight.estimate,
                          weight.standard_error, weight.dispersed_standard_error,
                          interval ? fmt::format("{:.1f} to {:.1f}", interval->low, interval->high) : "-",
                          word_of(weight.identification));
    }
    text += "\n";
  }
  return text +
         fmt::format(
             "Hosts, not requests, are the sample: the dispersed errors count. A router that spreads requests by the\n"
             "inverse square of price has a weight of {:.0f} whatever its users want.\n",
             kRoutersOwnRule);
}

int weights(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  if (format == Format::Csv) throw UsageError("weights: --format csv is not made; table or json");
  const double ratio = options.positive("input-per-output").value_or(3);
  const Catalogue catalogue = open_catalogue(options);
  const std::string file = options.argument(0).value_or(catalogue.directories().front() + "/" + kShipped);
  const std::vector<Fit> fits = fits_of(read_host_counts(file), ratio);
  ResultOutput output(options);
  const std::string name = std::filesystem::path(file).filename().string();
  output.finish(format == Format::Json ? json_text(json_of(name, fits, report)) : table_of(fits));
  return 0;
}

}  // namespace

Command weights_command() {
  return {"weights",
          "weights of price and service in users' choice, estimated from a router's request counts",
          {"tokenomics weights", "tokenomics weights my-hosts.csv --input-per-output 10 --format json"},
          {{"HOSTS", "a CSV of hosts and requests (default: OpenRouter's hosts of V3-0324 on 2025-06-27)", false}},
          {{"input-per-output", "R", "input tokens an output token in the price that is compared (default 3)"},
           kCatalogue,
           kFormat,
           kOut,
           kColor,
           kQuiet,
           kHelp},
          weights};
}

}  // namespace tokenomics::cli
