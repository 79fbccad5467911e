#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

/// Several sources in order of arrival, of equal times the one named first. Of n parts the i-th has the tenants
/// i, i + n, i + 2n ... and such sessions, so that a request's own part and its numbers there can be told from it.
class MixSource final : public RequestSource {
 public:
  MixSource(std::vector<std::unique_ptr<RequestSource>> parts, PromptsPtr prompts)
      : parts_(std::move(parts)), prompts_(std::move(prompts)) {
    for (const auto& part : parts_) has_prompts_ = has_prompts_ || part->prompts() != nullptr;
  }

  [[nodiscard]] SimTime next_arrival() const override { return parts_[earliest()]->next_arrival(); }

  Request take() override {
    const std::size_t part = earliest();
    Request request = parts_[part]->take();
    const auto own = static_cast<std::int64_t>(part);
    const std::int64_t tenant = request.tenant * count() + own;
    TOKENOMICS_CHECK(tenant <= std::numeric_limits<std::int32_t>::max(), fmt::format("{} tenants", tenant));
    request.tenant = static_cast<std::int32_t>(tenant);
    if (request.session >= 0) request.session = request.session * count() + own;
    request.id = id_++;
    return request;
  }

  void ended(const Request& request, SimTime now) override {
    Request own = request;
    own.tenant = static_cast<std::int32_t>(request.tenant / count());
    if (own.session >= 0) own.session /= count();
    parts_[static_cast<std::size_t>(request.tenant % count())]->ended(own, now);
  }

  [[nodiscard]] PromptTree* prompts() override { return has_prompts_ ? prompts_.get() : nullptr; }

 private:
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(parts_.size()); }
  [[nodiscard]] std::size_t earliest() const {
    const auto first = std::min_element(parts_.begin(), parts_.end(),
                                        [](const auto& a, const auto& b) { return a->next_arrival() < b->next_arrival(); });
    return static_cast<std::size_t>(first - parts_.begin());
  }

  std::vector<std::unique_ptr<RequestSource>> parts_;
  PromptsPtr prompts_;
  bool has_prompts_ = false;
  std::uint64_t id_ = 0;
};

/// A part with a probability proportional to its weight, then its own law.
class MixLaw final : public LengthLaw {
 public:
  MixLaw(std::vector<std::shared_ptr<const LengthLaw>> laws, const std::vector<double>& weights) : laws_(std::move(laws)) {
    for (const double weight : weights) cumulative_.push_back((cumulative_.empty() ? 0 : cumulative_.back()) + weight);
  }

  Lengths draw(RandomStream& random) const override {
    const double u = random.uniform() * cumulative_.back();
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), u);
    return laws_[static_cast<std::size_t>(std::min(found, cumulative_.end() - 1) - cumulative_.begin())]->draw(random);
  }

  /// Of each part's representatives as many as are due to it, evenly spaced (some twice where it has too few).
  [[nodiscard]] std::vector<Lengths> representative(std::size_t count, RandomStream& random) const override {
    std::vector<Lengths> sample;
    double before = 0;
    for (std::size_t i = 0; i < laws_.size(); ++i) {
      const double share = (cumulative_[i] - before) / cumulative_.back();
      before = cumulative_[i];
      const auto due = static_cast<std::size_t>(share * static_cast<double>(count) + 0.5);
      if (due == 0) continue;
      const std::vector<Lengths> own = laws_[i]->representative(due, random);
      for (std::size_t k = 0; k < due; ++k) sample.push_back(own[k * own.size() / due]);
    }
    return sample;
  }

 private:
  std::vector<std::shared_ptr<const LengthLaw>> laws_;
  std::vector<double> cumulative_;
};

}  // namespace

std::unique_ptr<RequestSource> make_mix_source(std::vector<std::unique_ptr<RequestSource>> parts, PromptsPtr prompts) {
  return std::make_unique<MixSource>(std::move(parts), std::move(prompts));
}

std::unique_ptr<LengthLaw> make_mix_law(std::vector<std::shared_ptr<const LengthLaw>> laws,
                                        const std::vector<double>& weights) {
  return std::make_unique<MixLaw>(std::move(laws), weights);
}

}  // namespace tokenomics
