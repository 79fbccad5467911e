#include "number_text.hpp"
#include "sections.hpp"

namespace tokenomics {

namespace {

using nlohmann::json;

double usd_per_hour_text(UsdPerSecond rate) {
  return shortest_decimal(in_usd_per_hour(rate), rate.value(), [](double usd) { return usd_per_hour(usd).value(); });
}

double usd_per_mtok_text(UsdPerToken price) {
  return shortest_decimal(in_usd_per_mtok(price), price.value(), [](double usd) { return usd_per_mtok(usd).value(); });
}

OwnedGpu owned_from(const json& file) {
  OwnedGpu gpu;
  gpu.capex = Usd{file["capex_usd_per_gpu"].get<double>()};
  gpu.cost_of_capital = file.value("cost_of_capital_per_year", gpu.cost_of_capital);
  gpu.life_years = file.value("life_years", gpu.life_years);
  gpu.residual_share = file.value("residual_share", gpu.residual_share);
  gpu.power = Watts{file.value("power_W_per_gpu", 0.0)};
  gpu.pue = file.value("pue", gpu.pue);
  gpu.usd_per_kwh = file.value("usd_per_kWh", gpu.usd_per_kwh);
  gpu.hosting = usd_per_hour(file.value("hosting_usd_per_gpu_hour", 0.0));
  gpu.staff = usd_per_hour(file.value("staff_usd_per_gpu_hour", 0.0));
  gpu.spares_share = file.value("spares_share", gpu.spares_share);
  return gpu;
}

json json_of_owned(const OwnedGpu& gpu) {
  return {{"capex_usd_per_gpu", gpu.capex.value()},
          {"cost_of_capital_per_year", gpu.cost_of_capital},
          {"life_years", gpu.life_years},
          {"residual_share", gpu.residual_share},
          {"power_W_per_gpu", gpu.power.value()},
          {"pue", gpu.pue},
          {"usd_per_kWh", gpu.usd_per_kwh},
          {"hosting_usd_per_gpu_hour", usd_per_hour_text(gpu.hosting)},
          {"staff_usd_per_gpu_hour", usd_per_hour_text(gpu.staff)},
          {"spares_share", gpu.spares_share}};
}

/// The dated rental price that all pools share. A GPU without a price is never free.
std::optional<UsdPerSecond> rental_price(const std::vector<PoolSpec>& pools, const Reporter& report) {
  std::optional<UsdPerSecond> price;
  for (const PoolSpec& pool : pools) {
    const Gpu& gpu = pool.plan.gpu;
    if (!gpu.rental_price) {
      report.add("", "a price of a GPU-hour (missing): no rental price of " + gpu.name + " is known");
      return std::nullopt;
    }
    if (price && *price != *gpu.rental_price) {
      report.add("", "a price of a GPU-hour (missing): the pools' GPUs have different rental prices");
      return std::nullopt;
    }
    price = gpu.rental_price;
  }
  return price;
}

}  // namespace

GpuHourCost cost_from(const json& file, const Reporter& report, const std::vector<PoolSpec>& pools) {
  GpuHourCost cost;
  const bool has_rent = file.contains("usd_per_gpu_hour");
  if (has_rent && file.contains("owned")) {
    report.at("owned").add(shown(file["owned"]), "either usd_per_gpu_hour or owned, not both");
  } else if (has_rent) {
    cost.rent = usd_per_hour(file["usd_per_gpu_hour"].get<double>());
  } else if (file.contains("owned")) {
    cost.owned = owned_from(file["owned"]);
  } else {
    cost.rent = rental_price(pools, report.at("usd_per_gpu_hour"));
  }
  cost.kv_storage = usd_per_hour(file.value("kv_storage_usd_per_gpu_hour", 0.0));
  return cost;
}

json json_of(const GpuHourCost& cost) {
  json file{{"kv_storage_usd_per_gpu_hour", usd_per_hour_text(cost.kv_storage)}};
  if (cost.rent) file["usd_per_gpu_hour"] = usd_per_hour_text(*cost.rent);
  if (cost.owned) file["owned"] = json_of_owned(*cost.owned);
  return file;
}

// Pricing -----------------------------------------------------------------------------------------------------------

TokenPrices prices_from(const json& file) {
  TokenPrices prices{
      .input = usd_per_mtok(file["input"]), .input_cached = std::nullopt, .output = usd_per_mtok(file["output"])};
  if (file.contains("input_cached")) prices.input_cached = usd_per_mtok(file["input_cached"]);
  return prices;
}

namespace {

json json_of_prices(const TokenPrices& prices) {
  json file{{"input", usd_per_mtok_text(prices.input)}, {"output", usd_per_mtok_text(prices.output)}};
  if (prices.input_cached) file["input_cached"] = usd_per_mtok_text(*prices.input_cached);
  return file;
}

RealisedRevenueSpec realised_from(const json& file, const Reporter& report) {
  RealisedRevenueSpec realised;
  realised.free_share = file.value("free_share", 0.0);
  realised.other_model_share = file.value("other_model_share", 0.0);
  if (file.contains("other_model_usd_per_mtok")) realised.other_model_prices = prices_from(file["other_model_usd_per_mtok"]);
  if (realised.other_model_share > 0 && !realised.other_model_prices) {
    report.at("other_model_usd_per_mtok").add("", "the other model's prices (missing)");
  }
  return realised;
}

}  // namespace

PricingSpec pricing_from(const json& file, const Reporter& report) {
  PricingSpec pricing;
  if (file.contains("usd_per_mtok"))
    pricing.card = PriceCard{.standard = prices_from(file["usd_per_mtok"]), .off_peak = std::nullopt};
  if (file.contains("off_peak")) {
    const json& off_peak = file["off_peak"];
    if (!pricing.card) {
      report.at("usd_per_mtok").add("", "the standard prices beside off_peak (missing)");
    } else {
      pricing.card->off_peak = PriceCard::OffPeak{.from_hour = off_peak["from_hour"],
                                                  .to_hour = off_peak["to_hour"],
                                                  .prices = prices_from(off_peak["usd_per_mtok"])};
    }
  }
  pricing.margin_over_revenue = file.value("margin_over_revenue", 0.0);
  if (pricing.card && pricing.margin_over_revenue > 0) {
    report.at("margin_over_revenue")
        .add(file["margin_over_revenue"].dump(),
             "either a margin or a price card, not both: with a card the margin is a result");
  }
  if (file.contains("realised")) pricing.realised = realised_from(file["realised"], report.at("realised"));
  return pricing;
}

json json_of(const PricingSpec& pricing) {
  json file{{"margin_over_revenue", pricing.margin_over_revenue}};
  if (pricing.card) {
    file["usd_per_mtok"] = json_of_prices(pricing.card->standard);
    if (const auto& off_peak = pricing.card->off_peak) {
      file["off_peak"] = {{"from_hour", off_peak->from_hour},
                          {"to_hour", off_peak->to_hour},
                          {"usd_per_mtok", json_of_prices(off_peak->prices)}};
    }
  }
  file["realised"] = {{"free_share", pricing.realised.free_share},
                      {"other_model_share", pricing.realised.other_model_share}};
  if (pricing.realised.other_model_prices)
    file["realised"]["other_model_usd_per_mtok"] = json_of_prices(*pricing.realised.other_model_prices);
  return file;
}

}  // namespace tokenomics
