#pragma once

#include <vector>

#include "tokenomics/llm/network.hpp"
#include "tokenomics/roofline/plan.hpp"

namespace tokenomics {

/// Probability that expert e is among a token's k, in the network's order where that is known (a histogram), else hottest
/// first: min(1, c w_e) with c such that they sum to k, since a token cannot choose an expert twice.
///
///     zipf        w_r = r^-s
///     power law   w_r = quantile (E - r + 1/2) / E of the density x^-alpha on [1, ratio]:
///                 ((ratio^(1-alpha) - 1) u + 1)^(1/(1-alpha)), ratio^u for alpha = 1
///
/// The power law is the shape of synthetic routing in AIConfigurator's measured tables of MoE kernels, which name it by
/// alpha: 1.01 is the one of its tables of DeepSeek-V3's experts in SGLang beside uniform routing (ai-dynamo/aiconfigurator
/// @095f58a5, wideep_generation_moe_perf, power_law_1.01). There loads reach from 1 to 0.8 times the tokens of a batch; 205
/// is that for 256 tokens, the decode batch of a GPU in LMSYS's large-scale EP.
std::vector<double> expert_popularity(const MoeFfn& moe, const ExpertRouting& routing);

/// Popularity of every expert slot, rank after rank, at moments that stand for the time between two refreshes: the first
/// right after one. A copy of an expert with c copies has 1/c of its popularity.
///
/// EPLB (redundant experts, or eplb): every redundant slot to the expert with the highest load per copy, then slots
/// heaviest first onto the lightest rank that has room. Without: experts in the network's order for a histogram, else in
/// one that has nothing to do with popularity.
///
/// Drift: t after the refresh each expert has kept its popularity with probability exp(-t / tau); the others have
/// exchanged theirs at random among each other, so the law of popularity stays. One moment where there is no drift.
/// Precondition: `ep` divides experts + redundant experts.
std::vector<std::vector<double>> expert_slots(const MoeFfn& moe, const ExpertRouting& routing, int ep);

}  // namespace tokenomics
