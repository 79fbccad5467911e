#include <algorithm>

#include <fmt/format.h>

#include "inference_parts.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/inference_report.hpp"

namespace tokenomics {
namespace {

template <typename Value>
std::string shown(const std::optional<Value>& value) {
  return value ? significant(value->value()) : "-";
}

std::string offer_name(const InferredOffer& row) {
  std::string name = row.provider + " " + row.offer.model;
  if (!row.offer.flavour.empty()) name += " " + row.offer.flavour;
  return name;
}

std::string dollars(const TokenPrices& prices) {
  return fmt::format("{}/{}", significant(in_usd_per_mtok(prices.input)), significant(in_usd_per_mtok(prices.output)));
}

std::string span_text(const InferredRange& range, const Span& span, double factor) {
  if (range.consistent == 0) return "-";
  const std::string low = significant(factor * span.min, 2), high = significant(factor * span.max, 2);
  return low == high ? low : low + " to " + high;
}

/// Verdicts in the words of people.
const char* in_words(InferenceVerdict verdict) {
  switch (verdict) {
    case InferenceVerdict::Explained: return "explained";
    case InferenceVerdict::BelowCost: return "below cost";
    case InferenceVerdict::TooFast: return "too fast for any";
    case InferenceVerdict::LateFirstToken: return "first token too soon for any";
    case InferenceVerdict::SlowerThanFull: return "slower than when full";
    case InferenceVerdict::DoesNotFit: return "does not fit";
    case InferenceVerdict::NotEnoughObserved: return "not enough observed";
    case InferenceVerdict::NotModelled: return "not modelled";
  }
  return "";
}

bool is_seen(const InferredOffer& row) { return row.offer.speed_p50.has_value(); }

std::vector<std::string> summary_row(const InferredOffer& row) {
  const auto& fitting = row.inference.consistent;
  const auto of_cheapest = [&](double InferredDeployment::*figure, double factor) {
    return fitting.empty() ? std::string("-") : significant(factor * (fitting.front().*figure), 2);
  };
  return {offer_name(row),
          dollars(row.offer.prices),
          shown(row.offer.speed_p50),
          shown(row.offer.ttft_p50),
          fitting.empty() ? "-" : fitting.front().at_load.hardware,
          of_cheapest(&InferredDeployment::batch_per_gpu, 1),
          of_cheapest(&InferredDeployment::utilization, 100),
          of_cheapest(&InferredDeployment::margin_over_revenue, 100),
          in_words(row.inference.verdict)};
}

void summary(TextPage& page, const InferenceReport& report) {
  TextTable table{{{"offer", Align::Left},
                   {"USD/M"},
                   {"tok/s"},
                   {"TTFT, s"},
                   {"chip"},
                   {"batch/GPU"},
                   {"load, %"},
                   {"margin, %"},
                   {"verdict", Align::Left}},
                  {}};
  for (const InferredOffer& row : report.offers)
    if (is_seen(row)) table.rows.push_back(summary_row(row));
  if (table.rows.empty()) return;
  page.heading("The cheapest of the deployments that would be seen as observed");
  page.table(table);
}

void verdicts(TextPage& page, const InferenceReport& report) {
  page.heading("Verdicts");
  std::string unseen;
  for (const InferredOffer& row : report.offers) {
    if (is_seen(row)) page.point(offer_name(row) + ": " + row.inference.explanation);
    else
      unseen += (unseen.empty() ? "" : ", ") + offer_name(row) + (row.offer.via.empty() ? "" : " (" + row.offer.via + ")");
  }
  if (!unseen.empty()) page.point("no speed is observed, so nothing is inferred: " + unseen);
}

void deployment_section(TextPage& page, const char* title, const InferredDeployment& d) {
  const OperatingPoint& point = d.at_load.point;
  page.heading(title);
  page.paragraph(d.at_load.name, 2);
  page.paragraph(
      fmt::format("batch {} ({} a GPU), {}% of the highest load it takes, KV memory {}% full; {} tok/s, TTFT {} s",
                  significant(point.batch_per_instance), significant(d.batch_per_gpu), percent(d.utilization),
                  percent(point.kv_occupancy), significant(point.interactivity.value()), significant(point.ttft.value())),
      2);
  page.paragraph(fmt::format("costs {} USD/M of its own mix at {} USD a GPU-hour, earns {}: margin {}% of revenue",
                             significant(1e6 * d.cost_own_mix), significant(in_usd_per_hour(point.cost_rate) / point.gpus),
                             significant(1e6 * d.price_own_mix), percent(d.margin_over_revenue)),
                 2);
  if (d.unexplained_ttft_s && *d.unexplained_ttft_s >= 0)
    page.paragraph(fmt::format("{} s of the observed first token are not its own: network, router, queue",
                               significant(*d.unexplained_ttft_s)),
                   2);
}

void ranges_section(TextPage& page, const InferredOffer& row) {
  TextTable table{{{"chip", Align::Left}, {"consistent"}, {"batch/GPU"}, {"load, %"}, {"margin, %"}}, {}};
  for (const InferredRange& range : row.inference.per_hardware)
    table.rows.push_back({range.hardware, fmt::format("{} of {}", range.consistent, range.tried),
                          span_text(range, range.batch_per_gpu, 1), span_text(range, range.utilization, 100),
                          span_text(range, range.margin_over_revenue, 100)});
  page.heading("By chip");
  page.table(table);
}

void notes_section(TextPage& page, const InferredOffer& row) {
  page.heading("Notes");
  page.point(fmt::format("observed: {} USD/M, {} tok/s, TTFT {} s ({})", dollars(row.offer.prices),
                         shown(row.offer.speed_p50), shown(row.offer.ttft_p50), row.offer.source));
  for (const HardwareChoice& choice : row.query->hardware)
    page.point(fmt::format("{}: {} USD a GPU-hour ({})", choice.gpu.name, significant(in_usd_per_hour(choice.price)),
                           price_source_of(choice)));
  for (const std::string& text : row.query->assumptions) page.point("assumed: " + text);
  for (const std::string& note : row.notes) page.point(note);
}

void one_offer(TextPage& page, const InferredOffer& row) {
  const HostInference& host = row.inference;
  page.verdict(fmt::format("{}: {}", offer_name(row), host.explanation));
  if (!host.consistent.empty()) deployment_section(page, "The cheapest deployment that fits", host.consistent.front());
  if (host.nearest) deployment_section(page, "The nearest deployment", *host.nearest);
  if (!host.per_hardware.empty()) ranges_section(page, row);
  if (row.query) notes_section(page, row);
}

void closed_section(TextPage& page, const ProviderSpec& provider) {
  page.paragraph(fmt::format("{}: {}.", provider.name, statement_of(provider)));
  for (const OfferSpec& offer : provider.offers)
    page.point(fmt::format("{}: {} USD/M, {} tok/s, TTFT {} s", offer.model, dollars(offer.prices), shown(offer.speed_p50),
                           shown(offer.ttft_p50)));
  for (const AnswerLength& length : provider.tokens_per_answer) {
    const char* more = length.is_lower_bound ? "more than " : "";
    page.point(length.tokens ? fmt::format("{}: {}{} tokens an answer", length.model, more, significant(*length.tokens))
                             : fmt::format("{}: {}{} times the tokens of {}", length.model, more,
                                           significant(length.relative), length.relative_to));
  }
}

std::size_t count_of(const InferenceReport& report, bool explained) {
  return static_cast<std::size_t>(std::count_if(report.offers.begin(), report.offers.end(), [&](const InferredOffer& row) {
    return explained ? !row.inference.consistent.empty() : is_seen(row);
  }));
}

}  // namespace

std::string date_text(const std::optional<UtcTime>& date) {
  if (!date) return "";
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(*date)};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

std::string price_source_of(const HardwareChoice& choice) {
  return choice.price_source == "given" ? "the provider's own" : choice.price_source;
}

const char* statement_of(const ProviderSpec& provider) {
  switch (provider.kind) {
    case ProviderKind::Closed:
      return "only price, speed, time to first token and tokens per answer are modelled, as observed: its networks are not "
             "published, so that batch, utilization and cost cannot be inferred";
    case ProviderKind::Router: return "passes requests on and runs no network: nothing to infer";
    case ProviderKind::Application: return "buys tokens and runs no network: nothing to infer";
    default: return "neither price nor service of any offer is known";
  }
}

std::string inference_table(const InferenceReport& report, const ReportOptions& options) {
  TextPage page(options.color);
  if (report.offers.size() == 1) {
    one_offer(page, report.offers.front());
  } else if (!report.offers.empty()) {
    page.verdict(fmt::format("{} of {} offers with an observed speed are those of some deployment", count_of(report, true),
                             count_of(report, false)));
    summary(page, report);
    verdicts(page, report);
  }
  if (!report.not_inferred.empty()) page.heading("Not inferred");
  for (const ProviderSpec& provider : report.not_inferred) closed_section(page, provider);
  return page.text();
}

}  // namespace tokenomics
