#include "tokenomics/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

struct Shared {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;  ///< guards the two below
  std::size_t failed_index = 0;
  std::exception_ptr failure;

  void fail(std::size_t index, std::exception_ptr exception) {
    const std::lock_guard lock(mutex);
    if (!failure || index < failed_index) {
      failure = std::move(exception);
      failed_index = index;
    }
    failed = true;
  }
};

// An index is run even if a failure was noted after it was taken: a lower index than the failed one must have its say.
void work(Shared& shared, std::size_t count, const std::function<void(std::size_t)>& body) {
  while (!shared.failed) {
    const std::size_t index = shared.next++;
    if (index >= count) return;
    try {
      body(index);
    } catch (...) {
      shared.fail(index, std::current_exception());
    }
  }
}

}  // namespace

void parallel_for(unsigned jobs, std::size_t count, const std::function<void(std::size_t)>& body) {
  TOKENOMICS_CHECK(jobs >= 1, "jobs = 0");
  Shared shared;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min<std::size_t>(jobs, count); ++i) {
      threads.emplace_back([&] { work(shared, count, body); });
    }
    work(shared, count, body);
  }
  if (shared.failure) std::rethrow_exception(shared.failure);
}

}  // namespace tokenomics
