#pragma once

#include <vector>

#include "windows.hpp"

namespace tokenomics {

/// Fills the parts of a RunResult from what was simulated. `result.service`, `represents_s` and `scale` are set.
void summarise_pools(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes);
void summarise_fleet(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes);
/// Fleets whose instances come and go: what they held, and what it was for.
void summarise_control(RunResult& result, const BuiltService& service);
/// After the money: what GPUs that serving does not hold are worth.
void summarise_research(RunResult& result);
void summarise_money(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes);
void summarise_windows(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes);
void find_binding_limits(RunResult& result, const BuiltService& service, const std::vector<WindowOutcome>& outcomes);

/// Seconds of the represented time that one simulated second of an outcome stands for.
double scale_of(const WindowOutcome& outcome);
TokenVolume volume_of(const WindowOutcome& outcome);
/// Mean load of a decode step of a pool, from what was measured.
DecodeLoad mean_decode_load(const PoolConfig& pool, const PoolResult& result);

}  // namespace tokenomics
