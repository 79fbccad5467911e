#include "money_blocks.hpp"

#include <fmt/format.h>

#include "figures.hpp"
#include "number_format.hpp"

namespace tokenomics {
namespace {

using OptionalPrice = std::optional<UsdPerToken>;

std::string mtok(const OptionalPrice& price) { return price ? significant(in_usd_per_mtok(*price)) : "-"; }
std::string usd(const std::optional<Usd>& money) { return money ? significant(money->value()) : "-"; }

std::string margin_of(const OptionalPrice& price, const OptionalPrice& cost) {
  if (!price || !cost || !(price->value() > 0)) return "-";
  return percent(1.0 - cost->value() / price->value());
}

void per_token_table(TextPage& page, const RunResult& result) {
  const PerToken& cost = result.cost.per_token;
  OptionalPrice input, cached, output, blended, own_mix;
  if (const auto& prices = result.price.prices) {
    input = prices->input;
    cached = prices->input_cached.value_or(prices->input);
    output = prices->output;
    blended = blended_3_1(*prices);
  }
  if (result.price.own_mix_usd_per_token) own_mix = UsdPerToken{*result.price.own_mix_usd_per_token};
  const double input_tokens = result.volume.input_computed + result.volume.input_cached;
  const auto row = [](const char* name, double tokens, const OptionalPrice& cost_of, const OptionalPrice& price) {
    return std::vector<std::string>{name, tokens > 0 ? significant(tokens * 1e-6) : "-", mtok(cost_of), mtok(price),
                                    margin_of(price, cost_of)};
  };
  TextTable table{{{"", Align::Left}, {"tokens, M"}, {"cost, USD/M"}, {"price, USD/M"}, {"margin, % of price"}}, {}};
  table.rows = {row("input, computed", result.volume.input_computed, cost.input_computed, input),
                row("input, from cache", result.volume.input_cached, cost.input_cached, cached),
                row("input, both", input_tokens, cost.input, std::nullopt),
                row("output", result.volume.output, cost.output, output),
                row("blended 3:1", 0, cost.blended_3_1, blended),
                row("own mix", input_tokens + result.volume.output, cost.own_mix, own_mix)};
  page.heading("A token");
  page.table(table);
}

void totals_table(TextPage& page, const RunResult& result) {
  const PriceSummary& price = result.price;
  const Usd cost = result.cost.having;
  TextTable table{{{"", Align::Left}, {"USD"}, {"margin, % of cost"}, {"margin, % of revenue"}}, {}};
  const auto revenue_row = [&](const char* name, const std::optional<Usd>& money) {
    if (!money) return;
    table.rows.push_back(
        {name, usd(money), percent(margin_over_cost(*money, cost)), percent(margin_over_revenue(*money, cost))});
  };
  table.rows.push_back({"cost of having the fleet", usd(cost), "", ""});
  table.rows.push_back({"  of it in use", usd(result.cost.in_use), "", ""});
  if (const auto& research = result.fleet.research) {
    table.rows.push_back({"all owned GPUs, lent ones too", usd(research->owned), "", ""});
    table.rows.push_back({"  less their worth to research", usd(research->value), "", ""});
    table.rows.push_back({"  what serving has to earn", usd(research->net), "", ""});
  }
  revenue_row(price.from_card ? "revenue by the price card" : "revenue at cost and margin", price.revenue);
  revenue_row("  all at standard prices", price.revenue_list);
  revenue_row("  realised", price.revenue_realised);
  const bool is_day = result.represents_s == kSecondsPerDay;
  page.heading(is_day ? "A day" : fmt::format("{} s of service", significant(result.represents_s)));
  page.table(table);
}

std::string gpu_sentence(const RunResult& result) {
  std::string text =
      fmt::format("{} GPUs on average, {} at most", mean_count(result.fleet.gpus_mean), mean_count(result.fleet.gpus_peak));
  if (result.cost.per_gpu)
    text += fmt::format(", at {} USD per GPU-hour", significant(in_usd_per_hour(*result.cost.per_gpu)));
  if (result.fleet.gpu_hours_released > 0)
    text += fmt::format("; {} of {} GPU-hours given back", significant(result.fleet.gpu_hours_released),
                        significant(result.fleet.gpu_hours + result.fleet.gpu_hours_released));
  return text + ".";
}

std::string answer_sentence(const RunResult& result) {
  const AnswerFigures answer = answer_figures(result);
  if (!answer.tokens) return "";
  std::string text = fmt::format("A mean answer has {} tokens", significant(answer.tokens));
  if (answer.seconds) text += fmt::format(", takes {} s", significant(*answer.seconds));
  if (result.cost.per_answer) text += fmt::format(", costs {} USD", significant(result.cost.per_answer->value()));
  if (answer.usd) text += fmt::format(", is sold for {} USD", significant(*answer.usd));
  if (result.energy && result.energy->joule_per_output_token) {
    text += fmt::format("; energy {} J per output token", significant(*result.energy->joule_per_output_token));
  }
  return text + ".";
}

}  // namespace

void money_section(TextPage& page, const RunResult& result) {
  per_token_table(page, result);
  totals_table(page, result);
  page.paragraph(gpu_sentence(result), 2);
  if (const std::string answer = answer_sentence(result); !answer.empty()) page.paragraph(answer, 2);
}

}  // namespace tokenomics
