#pragma once

#include "text_page.hpp"
#include "tokenomics/study/run_result.hpp"

namespace tokenomics {

/// Instances that came, went and failed, and how many there were over time; nothing where they stay.
void fleet_section(TextPage& page, const RunResult& result);

}  // namespace tokenomics
