#pragma once

#include <functional>
#include <vector>

/// Loads that come back as themselves.
namespace tokenomics {

/// Loads that answer these loads; all >= 0, as many as given.
using LoadMap = std::function<std::vector<double>(const std::vector<double>&)>;

struct FixedPointOptions {
  double tolerance = 1e-10;  ///< of the residual
  int max_iterations = 200;
};

struct Convergence {
  int iterations = 0;   ///< Newton steps and sweeps
  int evaluations = 0;  ///< of the map
  double residual = 0;  ///< largest |F(load) - load| over the sum of F(load)
  bool converged = false;
};

struct FixedPoint {
  std::vector<double> loads;
  Convergence convergence;
};

/// load = F(load) by Newton's method on ln F(load) - ln load (market responses are close to power laws), damped: a step is
/// halved until the Euclidean norm falls. Where no step does, a sweep of nonlinear Gauss-Seidel: each load in turn is solved
/// for with the others held, by bisection between it and its answer.
/// Sweeps alone converge from any start below (or above) the answer when a load's answer falls with itself and rises with
/// the others, as where users flee congestion (Rheinboldt, J. Math. Anal. Appl. 32, 1970: M-functions). Not converging is a
/// result: look at `convergence`. Deterministic.
FixedPoint solve_fixed_point(const LoadMap& map, std::vector<double> start, const FixedPointOptions& options = {});

}  // namespace tokenomics
