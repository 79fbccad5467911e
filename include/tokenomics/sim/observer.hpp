#pragma once

#include <cstdint>

#include "tokenomics/base/sim_time.hpp"
#include "tokenomics/workload/request.hpp"

namespace tokenomics {

enum class Outcome { Completed, RejectedContextLimit, RejectedQueueFull, RejectedAdmission, LostToFailure };

/// One request as it ended. Times are kNever when they were not reached.
struct RequestRecord {
  Request request;
  Outcome outcome = Outcome::Completed;
  SimTime scheduled = kNever;    ///< its first prompt token entered a step
  SimTime first_token = kNever;  ///< the user got it
  SimTime end = kNever;
  int instance = -1;  ///< where it decoded
  int preemptions = 0;
  bool measured = false;  ///< arrived inside the measured window
  int retries = 0;        ///< after failures of instances
};

/// A run of steps of one instance during which nobody joined or left.
struct RunRecord {
  int pool = 0;
  int instance = 0;  ///< inside its pool
  SimTime start = 0;
  SimTime end = 0;
  std::int64_t steps = 0;
  std::int64_t sequences = 0;
  double prompt_tokens = 0;
};

/// Sees what happens; must not change it.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void request_ended(const RequestRecord&) {}
  virtual void run_ended(const RunRecord&) {}
};

}  // namespace tokenomics
