#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/roofline/step_model.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/measured_points.hpp"
#include "tokenomics/scenario/served_calibration.hpp"
#include "tokenomics/sim/service.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {

/// One kind of server of a benchmark, before it has a step timer.
struct BenchmarkPool {
  InstancePlan plan;
  PoolConfig config;  ///< without timer
  std::string key;    ///< the same for pools whose plans are the same
};

/// A measured point as the benchmark ran it: ready for the event engine but for the calibration.
struct BenchmarkPoint {
  const MeasuredPoint* measured = nullptr;
  std::vector<BenchmarkPool> pools;  ///< one mixed, or prefill and decode
  ServedCalibration calibration;     ///< the catalogue's best for it
  std::string hardware;              ///< name in the catalogue
  std::string network;
  KvTransfer kv_transfer;
  RouterPolicy router = RouterPolicy::RoundRobin;
  std::string cannot_run;  ///< why it has no prediction; empty: it has one
};

/// Settings of each engine where its launch script is silent, and of the load generator.
struct BenchmarkRules {
  int prompts_per_user = 10;  ///< measured, after warm-ups that end before the clock starts
  std::vector<double> acceptance{0.6, 0.58, 0.58, 0.58, 0.58};  ///< of each draft, given the ones before, on random text
};

/// Resolves names of the point's GPU, network and engine in the catalogue and sets the engine up as its flags and its
/// version say. A name that nobody knows or a plan that contradicts itself gives `cannot_run`.
BenchmarkPoint benchmark_point(const MeasuredPoint& measured, const Catalogue& catalogue, const BenchmarkRules& rules);

/// What a point should have measured. Medians and means over all requests; throughput over the whole run, the ramp at
/// both ends included, as load generators count it.
struct Prediction {
  double tok_s_per_gpu = 0;
  double tpot_ms_median = 0, tpot_ms_mean = 0;
  double ttft_s_median = 0, ttft_s_mean = 0;
};

/// Simulates the benchmark with given timers, one a pool.
Prediction predict(const BenchmarkPoint& point, const std::vector<const StepTimer*>& timers, const Calibration& calibration,
                   const BenchmarkRules& rules);

}  // namespace tokenomics
