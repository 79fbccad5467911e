#pragma once

#include "text_page.hpp"
#include "tokenomics/study/run_result.hpp"

namespace tokenomics {

/// Blocks of the page on cost, price and margin.
void money_section(TextPage& page, const RunResult& result);

}  // namespace tokenomics
