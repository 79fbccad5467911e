#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

/// Values with probabilities, drawn by inversion.
class EmpiricalLaw {
 public:
  void add(double value, double probability);
  /// Sorts by value and makes the shares cumulative; call once, before the others.
  void finish();
  [[nodiscard]] bool empty() const { return value_.empty(); }
  [[nodiscard]] double quantile(double u) const;
  [[nodiscard]] const std::vector<double>& values() const { return value_; }
  [[nodiscard]] const std::vector<double>& cumulative() const { return cumulative_; }  ///< ends in exactly 1

 private:
  std::vector<double> value_;
  std::vector<double> cumulative_;
};

/// Lengths of one tenant from `start_s` on, until its next window: marginals, drawn independently. (The generator that
/// ships with the data takes one random number for all fields; measured chat shows next to no rank correlation.)
struct ServeGenLengths {
  double start_s = 0;
  EmpiricalLaw input, output;
  EmpiricalLaw reasoning_share;  ///< of the output; empty where the data have none
};

/// Arrivals of one tenant during one window of ServeGenTrace::window_s.
struct ServeGenWindow {
  enum class Family { Exponential, Gamma, Weibull };
  double start_s = 0;
  double rate_per_s = 0;
  Family family = Family::Exponential;  ///< where the file names none (too few requests)
  double shape = 1;
};

struct ServeGenTenant {
  std::int32_t id = 0;
  std::vector<ServeGenWindow> windows;   ///< by start; windows without requests are absent
  std::vector<ServeGenLengths> lengths;  ///< by start; may be empty
};

/// Tenants' rates and lengths. A tenant is a renewal process in operational time (the integral of its rate): gaps have
/// mean 1 and the family and shape of the window they start in. The file's scale is not used: in bursty windows
/// shape times scale is the gap inside bursts, while the rate counts what really came, idle time included.
struct ServeGenTrace {
  static constexpr double window_s = 600;
  static constexpr double length_window_s = 21600;
  std::vector<ServeGenTenant> tenants;  ///< by id
  double end_s = 0;                     ///< end of the last window with requests

  /// Expected requests of a tenant in [from_s, to_s).
  static double expected_requests(const ServeGenTenant& tenant, double from_s, double to_s);
};

/// Reads `client, t_s, rate_rps, family, shape` and, where a file is named, `client, window_start_s, field, value,
/// prob`. Probabilities of a field must sum to 1 within 1e-3.
ServeGenTrace read_servegen(const std::string& rates_file, const std::string& lengths_file);

/// Lengths are weighted by the requests of the windows they were measured in; times after the last are left out.
TraceStatistics statistics_of(const ServeGenTrace& trace);

/// Tenants' length windows with the expected requests of each, within [from_s, to_s): what a draw over all tenants,
/// weighted by requests, chooses from. A tenant's first and last length windows
/// stand for the time before and after them.
struct ServeGenCell {
  const ServeGenLengths* lengths;
  double requests;
};
std::vector<ServeGenCell> weighted_cells(const ServeGenTrace& trace, double from_s, double to_s);

}  // namespace tokenomics
