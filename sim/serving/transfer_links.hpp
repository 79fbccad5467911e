#pragma once

#include <cstddef>
#include <vector>

#include "tokenomics/base/sim_time.hpp"

namespace tokenomics {

/// The links of instances over which KV leaves or comes: as many to an instance as it has data-parallel ranks, each
/// carrying one sequence at a time, first come first served.
class TransferLinks {
 public:
  /// `links[i]` of instance i, at least one.
  explicit TransferLinks(const std::vector<int>& links);

  /// Takes a link of both ends from the first moment >= `earliest` at which each has one free, for `busy`. Returns the end.
  SimTime carry(int sender, int receiver, SimTime earliest, SimTime busy);
  /// The same where the receiver is not known yet.
  SimTime send(int sender, SimTime earliest, SimTime busy);

 private:
  SimTime& soonest_free(int instance);

  std::vector<std::size_t> first_;  ///< of each instance's links, and one past the last
  std::vector<SimTime> free_;
};

}  // namespace tokenomics
