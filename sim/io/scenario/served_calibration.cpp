#include "tokenomics/scenario/served_calibration.hpp"

#include <charconv>
#include <optional>
#include <tuple>

#include "tokenomics/scenario/load.hpp"

namespace tokenomics {
namespace {

/// Days since year 0 of a date, months taken as 31 days long: only distances matter.
int day_of(const std::string& date, int otherwise) {
  if (date.size() < 10) return otherwise;
  int parts[3] = {0, 0, 0};
  for (int i = 0, at = 0; i < 3; ++i) {
    const int length = i == 0 ? 4 : 2;
    std::from_chars(date.data() + at, date.data() + at + length, parts[i]);
    at += length + 1;
  }
  return (parts[0] * 12 + parts[1]) * 31 + parts[2];
}

constexpr int kBeginning = 0, kEnd = 1 << 20;

/// Days from the run to the days of a version; 0 inside.
int days_away(const CatalogueEntry& entry, const std::string& date) {
  const auto text = [&](const char* key) { return entry.texts.contains(key) ? entry.texts.at(key) : std::string(); };
  const int day = day_of(date, kEnd), from = day_of(text("valid_from"), kBeginning), to = day_of(text("valid_to"), kEnd);
  return day < from ? from - day : day > to ? day - to : 0;
}

std::optional<ServedFit> fit_of(const CatalogueEntry& entry, const Gpu& gpu, const std::string& engine, int away) {
  const auto text = [&](const char* key) { return entry.texts.contains(key) ? entry.texts.at(key) : std::string(); };
  if (text("version").empty()) return std::nullopt;
  const bool same_engine = text("engine") == engine;
  if (text("gpu") == gpu.name && same_engine) {
    return away == 0 && text("version") != "any" ? ServedFit::Version : ServedFit::OtherVersion;
  }
  // "Blackwell Ultra" is of the family Blackwell, CDNA3 and CDNA4 are of CDNA.
  const bool same_family = gpu.architecture.starts_with(text("gpu"));
  if (same_family && same_engine) return ServedFit::Family;
  return same_family ? std::optional(ServedFit::OtherEngine) : std::nullopt;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(ServedFit fit) {
  switch (fit) {
    case ServedFit::Version: return "version";
    case ServedFit::OtherVersion: return "other version";
    case ServedFit::Family: return "family";
    case ServedFit::OtherEngine: return "family under another engine";
    default: return "kernels only";
  }
}

ServedCalibration served_calibration(const Gpu& gpu, const std::string& engine, const std::string& date,
                                     const Catalogue& catalogue) {
  std::optional<std::tuple<ServedFit, int, std::string>> best;
  for (const CatalogueEntry& entry : catalogue.list(CatalogueKind::Calibrations)) {
    const int away = days_away(entry, date);
    const auto fit = fit_of(entry, gpu, engine, away);
    if (!fit) continue;
    std::tuple candidate{*fit, away, entry.name};
    if (!best || candidate < *best) best = std::move(candidate);
  }
  if (best) return {std::get<2>(*best), std::get<0>(*best)};
  return {best_calibration(gpu, engine, catalogue).value_or("generic"), ServedFit::KernelsOnly};
}

}  // namespace tokenomics
