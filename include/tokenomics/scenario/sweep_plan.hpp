#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/base/low_discrepancy.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {

/// One row of a sweep: a design point (a choice on every axis) and, with uncertain numbers, one draw of them.
struct SweepPoint {
  std::uint64_t row = 0;
  std::uint64_t design = 0;
  std::optional<std::uint64_t> sample;  ///< absent where nothing is uncertain
  std::vector<std::string> shown;       ///< JSON scalars of the axes' columns; "null" where an axis does not apply
  std::vector<std::string> drawn;       ///< JSON numbers of the uncertain inputs; "null" where one does not apply
  std::vector<std::string> sets;        ///< "POINTER=VALUE", in the order in which they are applied
  std::optional<std::uint64_t> seed;
};

/// The rows of a sweep without storing them: any row is found from its number, in time that does not grow with the
/// number of rows, so that shards need nothing of each other.
///
/// Rows are ordered like digits: the last axis varies fastest, draws of the uncertain numbers inside a design point
/// fastest of all. An axis that does not apply counts as one option. How many rows lie under a choice depends on later
/// axes' conditions only through the axes that these name, so counts are remembered by those.
class SweepPlan {
 public:
  static constexpr std::uint64_t kMostRows = 1'000'000'000;

  /// Throws ScenarioError when there are more than kMostRows rows. Refers to `spec`, which must outlive it.
  explicit SweepPlan(const SweepSpec& spec);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t designs() const { return designs_; }
  [[nodiscard]] bool is_uncertain() const { return !spec_->inputs.empty(); }
  /// row < rows(). Safe from several threads.
  [[nodiscard]] SweepPoint at(std::uint64_t row) const;

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Count {
    std::uint64_t rows = 0, designs = 0;
  };
  struct Choice {
    std::vector<std::uint64_t> options;  ///< one a decided axis; kNone: does not apply
    bool is_uncertain = false;
  };

  /// Rows and designs under a choice; tally() works them out and remembers, count() looks up.
  Count tally(const Choice& choice);
  [[nodiscard]] Count count(const Choice& choice) const;
  [[nodiscard]] std::vector<std::uint64_t> key(const Choice& choice) const;
  [[nodiscard]] bool applies(std::size_t axis, const Choice& choice) const;
  [[nodiscard]] Choice with(const Choice& choice, std::uint64_t option) const;
  /// Equally many rows under each option of the axis.
  [[nodiscard]] bool is_alike(std::size_t axis) const;
  [[nodiscard]] std::uint64_t choose(SweepPoint& point, const Choice& choice, std::uint64_t& rest) const;
  void add_option(SweepPoint& point, std::size_t axis, std::uint64_t option) const;
  void add_draws(SweepPoint& point, const Choice& choice) const;

  const SweepSpec* spec_;
  std::uint64_t rows_ = 0, designs_ = 0;
  std::unique_ptr<SobolPoints> uncertain_;
  std::vector<std::unique_ptr<SobolPoints>> boxes_;  ///< one an axis; null unless Sobol
  std::map<std::vector<std::uint64_t>, Count> counts_;
  std::vector<std::vector<std::size_t>> later_;  ///< by axis: earlier axes that it or a later one names
};

}  // namespace tokenomics
