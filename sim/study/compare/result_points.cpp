#include "tokenomics/study/result_points.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace tokenomics {

const char* to_string(ResultKind kind) {
  switch (kind) {
    case ResultKind::Points: return "sweep points";
    case ResultKind::Run: return "a run";
    case ResultKind::Solution: return "a solution";
    case ResultKind::Frontier: return "frontiers";
    case ResultKind::Validation: return "a validation";
  }
  return "";
}

std::optional<double> ResultColumn::number(std::size_t point) const {
  const double value = numbers[point];
  return std::isnan(value) ? std::nullopt : std::optional<double>(value);
}

const std::string* ResultColumn::text(std::size_t point) const {
  if (texts.empty()) return nullptr;
  const auto found = texts.find(point);
  return found == texts.end() ? nullptr : &found->second;
}

std::optional<std::size_t> ResultPoints::find(std::string_view metric) const {
  for (std::size_t at = 0; at < metrics.size(); ++at) {
    if (metrics[at].name == metric) return at;
  }
  return std::nullopt;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value == 0 ? 0.0 : value;  // no minus zero
}

std::string canonical(std::string_view axis_value) {
  const auto number = number_in(axis_value);
  return number ? fmt::format("{:.12g}", *number) : std::string(axis_value);
}

}  // namespace tokenomics
