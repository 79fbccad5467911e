#include "tokenomics/base/expression.hpp"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <string_view>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

namespace {

constexpr const char* kNameCharacters = "0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct Function {
  const char* name;
  double (*of)(double);
};

constexpr Function kFunctions[] = {
    {"abs", [](double x) { return std::abs(x); }},     {"sqrt", [](double x) { return std::sqrt(x); }},
    {"exp", [](double x) { return std::exp(x); }},     {"log", [](double x) { return std::log(x); }},
    {"log10", [](double x) { return std::log10(x); }}, {"log2", [](double x) { return std::log2(x); }},
    {"round", [](double x) { return std::round(x); }}, {"floor", [](double x) { return std::floor(x); }},
    {"ceil", [](double x) { return std::ceil(x); }}};

double least(const double* values, int count) { return *std::min_element(values, values + count); }
double greatest(const double* values, int count) { return *std::max_element(values, values + count); }
double power(double base, double exponent) { return std::pow(base, exponent); }

/// muParser with our functions in place of its own, and without its constants. It computes as written: its optimizer
/// would regroup sums and so change their rounding.
mu::Parser bare_parser() {
  mu::Parser parser;
  parser.EnableOptimizer(false);
  parser.ClearFun();
  parser.ClearConst();
  parser.DefineNameChars(kNameCharacters);
  for (const Function& function : kFunctions) parser.DefineFun(function.name, function.of);
  parser.DefineFun("min", least);
  parser.DefineFun("max", greatest);
  parser.DefineFun("pow", power);
  return parser;
}

/// muParser's assignment; the signs == <= >= != are not it.
std::size_t assignment_in(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=' && (i + 1 == text.size() || text[i + 1] != '=')) return i;
    if (i + 1 < text.size() && text[i + 1] == '=' && std::string_view("=<>!").find(text[i]) != std::string_view::npos) ++i;
  }
  return std::string::npos;
}

ExpressionError error_at(const std::string& text, std::size_t place, const std::string& what) {
  return ExpressionError(fmt::format("\"{}\", column {}: {}", text, std::min(place, text.size()) + 1, what));
}

/// The sign or name that begins at a place; muParser's own token runs on to the end of the text.
std::string found_at(const std::string& text, std::size_t place) {
  if (place >= text.size()) return "end";
  const std::size_t end = std::min(text.find_first_not_of(kNameCharacters, place), text.size());
  if (end > place) return text.substr(place, end - place);
  // A whole character, of several bytes in UTF-8.
  std::size_t length = 1;
  while (place + length < text.size() && (static_cast<unsigned char>(text[place + length]) & 0xC0U) == 0x80U) ++length;
  return text.substr(place, length);
}

std::string unknown(const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::string> known = names;
  known.insert(known.end(), Expression::function_names().begin(), Expression::function_names().end());
  const bool function =
      std::find(known.begin() + static_cast<std::ptrdiff_t>(names.size()), known.end(), name) != known.end();
  if (function) return fmt::format("{} needs arguments in parentheses", name);
  const std::string nearest = nearest_name(name, known);
  return fmt::format("unknown name {}{}", name, nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

bool begins_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

ExpressionError told(const mu::ParserError& error, const std::string& text, const std::vector<std::string>& names) {
  // Positions count from 0; those of the whole text are -1.
  const auto place = static_cast<std::size_t>(std::max(0, static_cast<int>(error.GetPos())));
  const std::string found = found_at(text, place);
  switch (error.GetCode()) {
    case mu::ecUNASSIGNABLE_TOKEN:
      return error_at(text, place, begins_name(found[0]) ? unknown(found, names) : "unexpected " + found);
    case mu::ecEMPTY_EXPRESSION: return error_at(text, 0, "nothing to compute");
    case mu::ecUNEXPECTED_EOF: return error_at(text, text.size(), "ends too early");
    case mu::ecMISSING_PARENS: return error_at(text, text.size(), "a parenthesis is not closed");
    case mu::ecMISSING_ELSE_CLAUSE: return error_at(text, text.size(), "? without :");
    case mu::ecMISPLACED_COLON: return error_at(text, place, ": without ?");
    case mu::ecTOO_MANY_PARAMS: return error_at(text, place, "too many arguments of " + error.GetToken());
    case mu::ecTOO_FEW_PARAMS: return error_at(text, place, "too few arguments of " + error.GetToken());
    case mu::ecEXPRESSION_TOO_LONG:
    case mu::ecIDENTIFIER_TOO_LONG: return error_at(text, 0, "the text or a name is too long");
    default: return error_at(text, place, "unexpected " + found);
  }
}

}  // namespace

/// muParser binds a name to the address of its number, so that the numbers live here beside it and neither moves.
struct Expression::Parsed {
  std::string text;
  std::vector<double> values;
  mu::Parser parser = bare_parser();
  std::vector<std::size_t> used;
  std::mutex mutex;  ///< guards values and the parser's stack

  Parsed(std::string of, const std::vector<std::string>& names) : text(std::move(of)), values(names.size(), 1.0) {
    if (const std::size_t place = assignment_in(text); place != std::string::npos)
      throw error_at(text, place, "unexpected =; equality is ==");
    try {
      bind(names);
      parse();
    } catch (const mu::ParserError& error) {
      throw told(error, text, names);
    }
  }

  void bind(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& functions = function_names();
      const bool fit = !names[i].empty() && begins_name(names[i][0]) &&
                       names[i].find_first_not_of(kNameCharacters) == std::string::npos &&
                       std::find(functions.begin(), functions.end(), names[i]) == functions.end();
      TOKENOMICS_CHECK(fit, "name \"" + names[i] + "\"");
      parser.DefineVar(names[i], &values[i]);
    }
  }

  void parse() {
    parser.SetExpr(text);
    parser.Eval();
    if (parser.GetNumResults() > 1) throw error_at(text, text.find(','), "unexpected ,; one value is computed");
    for (const auto& [name, address] : parser.GetUsedVar())
      used.push_back(static_cast<std::size_t>(address - values.data()));
    std::sort(used.begin(), used.end());
  }
};

Expression::Expression(std::string text, const std::vector<std::string>& names)
    : parsed_(std::make_shared<Parsed>(std::move(text), names)) {}

double Expression::evaluate(const std::vector<double>& values) const {
  TOKENOMICS_CHECK(values.size() == parsed_->values.size(), fmt::format("{} values", values.size()));
  // Comparisons with NaN are false, and would make a number of what is not known.
  for (const std::size_t i : parsed_->used)
    if (std::isnan(values[i])) return std::numeric_limits<double>::quiet_NaN();
  const std::lock_guard lock(parsed_->mutex);
  std::copy(values.begin(), values.end(), parsed_->values.begin());
  return parsed_->parser.Eval();
}

const std::vector<std::size_t>& Expression::used() const { return parsed_->used; }

const std::string& Expression::text() const { return parsed_->text; }

const std::vector<std::string>& Expression::function_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"min", "max", "pow"};
    for (const Function& function : kFunctions) all.emplace_back(function.name);
    return all;
  }();
  return names;
}

}  // namespace tokenomics
