#include "transfer_links.hpp"

#include <algorithm>

namespace tokenomics {

TransferLinks::TransferLinks(const std::vector<int>& links) {
  first_.push_back(0);
  for (const int count : links) first_.push_back(first_.back() + static_cast<std::size_t>(count));
  free_.assign(first_.back(), 0);
}

SimTime& TransferLinks::soonest_free(int instance) {
  const auto i = static_cast<std::size_t>(instance);
  const auto from = free_.begin() + static_cast<std::ptrdiff_t>(first_[i]);
  return *std::min_element(from, free_.begin() + static_cast<std::ptrdiff_t>(first_[i + 1]));
}

SimTime TransferLinks::carry(int sender, int receiver, SimTime earliest, SimTime busy) {
  SimTime& out = soonest_free(sender);
  SimTime& in = soonest_free(receiver);
  const SimTime end = std::max({earliest, out, in}) + busy;
  out = in = end;
  return end;
}

SimTime TransferLinks::send(int sender, SimTime earliest, SimTime busy) {
  SimTime& out = soonest_free(sender);
  out = std::max(earliest, out) + busy;
  return out;
}

}  // namespace tokenomics
