#pragma once

#include <cstddef>
#include <functional>

namespace tokenomics {

/// Calls body(0) .. body(count - 1) on up to `jobs` threads (jobs >= 1; with 1, in order on the calling thread) and
/// returns when all have ended. Let each call write only its own place of a result, and nothing depends on `jobs`.
/// When calls throw, no new index is started and the exception of the lowest index that threw is rethrown: indices are
/// handed out in rising order, so that is the same one on any number of threads.
void parallel_for(unsigned jobs, std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace tokenomics
