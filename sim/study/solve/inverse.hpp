#pragma once

#include "solver.hpp"

namespace tokenomics {

/// Answers every question but the lowest price.
void solve_inverse(Solution& solution, Solver& solver, const LengthLaw& lengths, const SolveOptions& options);

}  // namespace tokenomics
