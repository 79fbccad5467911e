#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tokenomics {

/// (x, y), both above 0: say tok/s/user and USD per million tokens.
using CurvePoints = std::vector<std::pair<double, double>>;

/// Rising in x with the lowest y of each: who has the choice takes the cheapest. Points may come in any order.
CurvePoints lower_envelope(CurvePoints points);

/// Cost against load or speed. Between its points it is a power law, a straight line in log x and log y; beyond them it
/// is not known. Points in any order are taken as their lower_envelope.
struct CostCurve {
  std::string name;
  CurvePoints points;
};

/// Where the order of two curves changes.
struct Crossing {
  double x = 0;
  double y = 0;
  bool below_after = false;  ///< the first of the two curves is the cheaper one beyond x
};

/// All changes of order over the x that both curves cover, rising in x. Each is told once, also where it falls on points of
/// the curves; where the curves run together for a while, at the end of that. Curves that touch and part again as they
/// came, or that are the same but for rounding (1e-12), do not cross.
std::vector<Crossing> crossings(const CostCurve& a, const CostCurve& b);

/// The price of another kind of GPU-hour at which its cost is the reference's.
struct CurveBreakEven {
  double x_low = 0, x_high = 0;  ///< the range that both curves cover
  CurvePoints price;             ///< (x, price) at the x of either curve in that range
  double low = 0, high = 0;      ///< over those x
  double median = 0;             ///< over those x, each counted once
};

/// price(x) = other_price y_ref(x) / y_other(x), in the unit of `other_price`, the price (above 0) that the other curve was
/// computed at: valid where its cost is that of its GPU-hours alone and so proportional to their price. Nothing where the
/// two ranges of x do not overlap.
std::optional<CurveBreakEven> break_even(const CostCurve& reference, const CostCurve& other, double other_price);

}  // namespace tokenomics
