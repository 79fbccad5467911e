#pragma once

#include "solver.hpp"

namespace tokenomics {

/// SolveFor::Strategy. Demand is D (s_0 / s)^response, s the seconds of a mean answer and s_0 those of the SLO; every
/// candidate at every load of a coarse grid is one way to serve it, with as many instances as that demand asks for.
void answer_strategy(Solution& solution, Solver& solver, unsigned jobs);

/// SolveFor::Scarcity. The deployment is the one that takes most at the speed before; it stays when the load grows.
void answer_scarcity(Solution& solution, Solver& solver, unsigned jobs);

}  // namespace tokenomics
