#include <algorithm>
#include <cmath>
#include <numeric>

#include "loaded_workload.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics {

Lengths lengths_of(std::int64_t input, std::int64_t output, double cached_share, double reasoning_share) {
  const auto part = [](double share, std::int64_t whole) {
    return std::min(static_cast<std::int64_t>(share * static_cast<double>(whole)), whole - 1);  // rounded down
  };
  return {input, part(cached_share, input), output, part(reasoning_share, output)};
}

Request request_of(std::uint64_t id, SimTime arrival, const Lengths& lengths, std::int32_t tenant) {
  return {id, arrival, lengths.input, lengths.cached, lengths.output, lengths.reasoning, tenant};
}

namespace {

class IndependentLaw final : public LengthLaw {
 public:
  explicit IndependentLaw(const WorkloadSpec& spec)
      : input_(spec.lengths->input),
        output_(spec.lengths->output),
        cached_share_(spec.cache_hit_ratio),
        reasoning_share_(spec.reasoning_share) {}

  Lengths draw(RandomStream& random) const override {
    const double u = random.uniform();
    return at(u, random.uniform());
  }

  /// Each marginal at the middles of equal slices, so that its means are exact to the slices. Slice i of the output is
  /// paired with slice (i g + shift) mod n of the input, g next to n / golden ratio: a rank-1 lattice, which spreads the
  /// pairs evenly over the square. (Pairs by chance would leave E[in out] of heavy-tailed laws a 2% error at n = 16384.)
  [[nodiscard]] std::vector<Lengths> representative(std::size_t count, RandomStream& random) const override {
    constexpr double kGoldenRatio = 1.6180339887498949;
    auto step = static_cast<std::size_t>(static_cast<double>(count) / kGoldenRatio);
    while (std::gcd(step, count) != 1) ++step;
    std::size_t slice = random.below(count);
    const auto middle = [&](std::size_t i) { return (static_cast<double>(i) + 0.5) / static_cast<double>(count); };
    std::vector<Lengths> sample(count);
    for (std::size_t i = 0; i < count; ++i) {
      sample[i] = at(middle(slice), middle(i));
      slice = (slice + step) % count;
    }
    return sample;
  }

 private:
  [[nodiscard]] Lengths at(double u, double v) const {
    return lengths_of(input_.tokens(u), output_.tokens(v), cached_share_, reasoning_share_);
  }

  MarginalSampler input_, output_;
  double cached_share_, reasoning_share_;
};

/// Whole rows of a trace, equally likely, so that input, output and prefix hits stay together.
class RowLaw final : public LengthLaw {
 public:
  explicit RowLaw(std::vector<Lengths> rows) : rows_(std::move(rows)) {}
  Lengths draw(RandomStream& random) const override { return rows_[random.below(rows_.size())]; }
  [[nodiscard]] std::vector<Lengths> representative(std::size_t, RandomStream&) const override { return rows_; }

 private:
  std::vector<Lengths> rows_;
};

/// A tenant's length window with a probability proportional to its requests, then its independent marginals.
class TenantLaw final : public LengthLaw {
 public:
  explicit TenantLaw(const LoadedWorkload::Data& data) : spec_(data.spec) {
    double total = 0;
    for (const ServeGenCell& cell : weighted_cells(data.tenants, data.from_s, data.to_s)) {
      cells_.push_back(*cell.lengths);
      cumulative_.push_back(total += cell.requests);
    }
    TOKENOMICS_CHECK(!cells_.empty(), "tenants without lengths");
  }

  Lengths draw(RandomStream& random) const override {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), random.uniform() * cumulative_.back());
    const auto place = std::min(found, cumulative_.end() - 1) - cumulative_.begin();
    return draw_tenant_lengths(cells_[static_cast<std::size_t>(place)], spec_, random);
  }

 private:
  WorkloadSpec spec_;
  std::vector<ServeGenLengths> cells_;
  std::vector<double> cumulative_;
};

}  // namespace

Lengths draw_tenant_lengths(const ServeGenLengths& cell, const WorkloadSpec& spec, RandomStream& random) {
  const auto whole = [](double value) { return std::max<std::int64_t>(1, std::llround(value)); };
  const std::int64_t input = whole(cell.input.quantile(random.uniform()));
  const std::int64_t output = whole(cell.output.quantile(random.uniform()));
  const double u = random.uniform();  // drawn in any case: the same numbers whether or not the data have the field
  const double reasoning = cell.reasoning_share.empty() ? spec.reasoning_share : cell.reasoning_share.quantile(u);
  return lengths_of(input, output, spec.cache_hit_ratio, reasoning);
}

std::unique_ptr<LengthLaw> make_independent_law(const WorkloadSpec& spec) { return std::make_unique<IndependentLaw>(spec); }
std::unique_ptr<LengthLaw> make_row_law(std::vector<Lengths> rows) { return std::make_unique<RowLaw>(std::move(rows)); }
std::unique_ptr<LengthLaw> make_tenant_law(const LoadedWorkload::Data& data) { return std::make_unique<TenantLaw>(data); }

}  // namespace tokenomics
