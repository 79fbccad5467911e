#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tokenomics/report/run_report.hpp"
#include "tokenomics/study/market_run.hpp"

namespace tokenomics {

/// "tokenomics.market/1": measures with their intervals, then every period: providers, segments, money.
nlohmann::ordered_json market_json(const MarketResult& result, const ReportOptions& options = {});
/// A page for people: what became of it in a line, the measures over the calendar, the last period.
std::string market_table(const MarketResult& result, const ReportOptions& options = {});
/// One line a period, provider and segment.
std::string market_csv(const MarketResult& result);

}  // namespace tokenomics
