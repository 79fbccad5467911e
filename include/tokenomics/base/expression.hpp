#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace tokenomics {

/// An expression that cannot be read. The text tells where (column from 1), what was found and, for an unknown name, the
/// nearest known one.
class ExpressionError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Arithmetic over named numbers, such as "cost.usd_per_mtok * users > 3 ? 1 : 0", read by muParser. It knows + - * / ^
/// (from the right, before the sign: -2^2 = -4), comparisons with && and || (1 or 0), c ? a : b, parentheses, and
/// min max (one number or more) abs sqrt exp log (natural) log10 log2 pow round (halves away from 0) floor ceil. No
/// assignment, no text, no state; a decimal point whatever the locale.
class Expression {
 public:
  /// `names` are letters, digits, '_' and '.', with a letter or '_' first, and are not those of functions. Throws
  /// ExpressionError.
  Expression(std::string text, const std::vector<std::string>& names);

  /// Value at `values`, one per name and in their order; NaN when one that is used is NaN, in whatever branch. Division by
  /// 0 and functions outside their domain give infinity or NaN, as in C++. May be called from several threads: copies
  /// share one parser, which a lock guards (an evaluation takes much less time than any run whose numbers it reads).
  [[nodiscard]] double evaluate(const std::vector<double>& values) const;

  /// Places in `names` of those that the text uses, rising.
  [[nodiscard]] const std::vector<std::size_t>& used() const;
  [[nodiscard]] const std::string& text() const;

  /// Names that stand for functions and so for nothing else.
  static const std::vector<std::string>& function_names();

 private:
  struct Parsed;
  std::shared_ptr<Parsed> parsed_;
};

}  // namespace tokenomics
