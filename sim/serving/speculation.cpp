#include "speculation.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/sim/service.hpp"

namespace tokenomics {
namespace {
constexpr std::int64_t kPlayedOut = 32;
}

Speculation::Speculation(const MtpSpec& mtp) : mtp_(&mtp), drafts_(mtp.draft_tokens) {
  TOKENOMICS_CHECK(drafts_ >= 0 && static_cast<int>(mtp.acceptance.size()) >= drafts_,
                   fmt::format("{} drafts, {} acceptances", drafts_, mtp.acceptance.size()));
  double survives = 1, second_moment = 1;  // E[X] = sum P(X >= k), E[X^2] = sum (2k - 1) P(X >= k)
  for (int draft = 0; draft < drafts_; ++draft) {
    survives *= mtp.acceptance[static_cast<std::size_t>(draft)];
    mean_ += survives;
    second_moment += (2.0 * (draft + 2) - 1) * survives;
  }
  variance_ = std::max(0.0, second_moment - mean_ * mean_);
}

double Speculation::mean_steps(double tokens) const {
  if (!active() || tokens <= 0) return std::max(0.0, tokens);
  const double overshoot = ((variance_ + mean_ * mean_) / mean_ - 1) / 2;
  return std::max(tokens / queries(), (tokens + overshoot) / mean_);
}

int Speculation::draw(RandomStream& random) const {
  int tokens = 1;
  for (int draft = 0; draft < drafts_; ++draft, ++tokens) {
    if (random.uniform() >= mtp_->acceptance[static_cast<std::size_t>(draft)]) break;
  }
  return tokens;
}

std::int64_t Speculation::draw_steps(std::int64_t tokens, RandomStream& random) const {
  if (!active()) return tokens;
  if (tokens <= kPlayedOut) {
    std::int64_t steps = 0;
    for (std::int64_t left = tokens; left > 0; ++steps) left -= draw(random);
    return steps;
  }
  const double n = static_cast<double>(tokens);
  const double deviation = std::sqrt(n * variance_ / (mean_ * mean_ * mean_));
  const double steps = std::round(mean_steps(n) + deviation * random.normal());
  return static_cast<std::int64_t>(std::clamp(steps, std::ceil(n / queries()), n));
}

double mean_steps(const MtpSpec& mtp, double tokens) { return Speculation(mtp).mean_steps(tokens); }

}  // namespace tokenomics
