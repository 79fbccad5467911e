#include <algorithm>
#include <mutex>

#include "loaded_workload.hpp"
#include "session_script.hpp"

namespace tokenomics {

namespace {

constexpr double kCalls = 400'000;  // simulated, so that means over sessions of 70 calls are good to some 1%
constexpr double kKept = 65'536;    // of them, evenly spaced
constexpr double kFewest = 256;     // sessions, however long they are
constexpr std::uint64_t kSeed = 1;  // the law is the same for all runs

/// Calls of sessions simulated without a service (their lengths do not depend on one), equally likely. Simulated when
/// first asked for: sources do not need it.
class SessionLaw final : public LengthLaw {
 public:
  explicit SessionLaw(std::shared_ptr<const SessionScript> script) : script_(std::move(script)) {}

  Lengths draw(RandomStream& random) const override {
    const auto& rows = calls();
    return rows[random.below(rows.size())];
  }
  [[nodiscard]] std::vector<Lengths> representative(std::size_t, RandomStream&) const override { return calls(); }

 private:
  const std::vector<Lengths>& calls() const {
    std::call_once(once_, [&] { simulate(); });
    return calls_;
  }

  void simulate() const {
    const double mean = script_->mean_calls();
    const auto sessions = static_cast<std::uint64_t>(std::clamp(kCalls / mean, kFewest, kCalls));
    every_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(sessions) * mean / kKept));
    RandomStream random(kSeed, "session lengths");
    for (std::uint64_t i = 0; i < sessions; ++i) play(script_->begin(RandomStream(random.bits(), "session"), true));
  }

  void play(AgentState agent) const {
    for (;;) {
      if (seen_++ % every_ == 0) calls_.push_back(agent.call);
      if (agent.calls_left == 1) return;
      const NextCall next = script_->advance(agent);
      for (std::int64_t i = 0; i < next.sub_agents; ++i) {
        play(script_->begin(RandomStream(agent.random.bits(), "sub-agent"), false));
      }
    }
  }

  std::shared_ptr<const SessionScript> script_;
  mutable std::once_flag once_;
  mutable std::vector<Lengths> calls_;
  mutable std::uint64_t seen_ = 0;
  mutable std::uint64_t every_ = 1;
};

}  // namespace

std::unique_ptr<LengthLaw> make_session_law(std::shared_ptr<const SessionScript> script) {
  return std::make_unique<SessionLaw>(std::move(script));
}

}  // namespace tokenomics
