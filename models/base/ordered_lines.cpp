#include "tokenomics/base/ordered_lines.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tokenomics/base/error.hpp"

namespace tokenomics {
namespace {

class Conveyor {
 public:
  explicit Conveyor(OrderedLines& work) : work_(work), next_(work.first), due_(work.first) {
    hand_over();
    next_ = due_;  // lines that were there already have gone
  }

  void work() {
    try {
      while (const auto number = take()) finish(*number, work_.make(*number));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      moved_.notify_all();
    }
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::optional<std::uint64_t> take() {
    std::unique_lock lock(mutex_);
    while (next_ < work_.last && work_.made.contains(next_)) ++next_;
    moved_.wait(lock, [&] { return failure_ || next_ >= work_.last || next_ - due_ < work_.window; });
    if (failure_ || next_ >= work_.last) return std::nullopt;
    const std::uint64_t number = next_++;
    while (next_ < work_.last && work_.made.contains(next_)) ++next_;
    return number;
  }

  void finish(std::uint64_t number, std::string line) {
    const std::lock_guard lock(mutex_);
    if (number != due_ && work_.early) work_.early(number, line);
    work_.made.emplace(number, std::move(line));
    hand_over();
    moved_.notify_all();
  }

  /// With the lock held.
  void hand_over() {
    while (!work_.made.empty() && work_.made.begin()->first == due_) {
      const auto line = work_.made.extract(work_.made.begin());
      work_.due(due_, line.mapped());
      ++due_;
    }
  }

  OrderedLines& work_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t next_, due_;
  std::exception_ptr failure_;
};

}  // namespace

void OrderedLines::run() {
  TOKENOMICS_CHECK(jobs >= 1 && window >= 1, "jobs and window are at least 1");
  Conveyor conveyor(*this);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 1; i < std::min<std::uint64_t>(jobs, last - first); ++i)
      threads.emplace_back([&] { conveyor.work(); });
    conveyor.work();
  }
  conveyor.rethrow();
}

}  // namespace tokenomics
