#include "provider_checks.hpp"

#include <fmt/format.h>

#include "resolve.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

void check_names(const std::vector<std::string>& names, const PartKind& kind, const Reporter& report,
                 const Catalogue& catalogue) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (catalogue.find(kind.kind, names[i])) continue;
    report.at(std::to_string(i))
        .add(json(names[i]).dump(), fmt::format("the name of a known {}", kind.one),
             nearest_name(names[i], catalogue.names(kind.kind)));
  }
}

bool overlap(const PricePeriod& a, const PricePeriod& b) { return (!a.to || *a.to > b.from) && (!b.to || *b.to > a.from); }

/// Periods end after they begin, and an API name has one list price at a time.
void check_history(const std::vector<PricePeriod>& history, const json& file, const Reporter& report) {
  std::vector<std::size_t> sound;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const Reporter at = report.at(std::to_string(i));
    if (!at.clean()) continue;
    if (history[i].to && *history[i].to <= history[i].from) {
      at.at("to").add(file[i]["to"].dump(), fmt::format("a time after from, {}", file[i]["from"].dump()));
      continue;
    }
    for (const std::size_t before : sound) {
      if (history[before].api_name != history[i].api_name || !overlap(history[before], history[i])) continue;
      at.at("from").add(file[i]["from"].dump(),
                        fmt::format("a period of {} that does not overlap the one at {}", history[i].api_name,
                                    report.at(std::to_string(before)).pointer()));
    }
    sound.push_back(i);
  }
}

void check_answer_length(const AnswerLength& length, const Reporter& report) {
  const bool is_relative = length.relative.has_value() && !length.relative_to.empty();
  const bool is_half = length.relative.has_value() != !length.relative_to.empty();
  if (is_half || is_relative == length.tokens.has_value())
    report.add(json(length.model).dump(), "either tokens, or relative and relative_to");
}

}  // namespace

void check_provider(const ProviderSpec& provider, const json& file, const Reporter& report, const Catalogue& catalogue) {
  if (file.contains("price_history"))
    check_history(provider.price_history, file["price_history"], report.at("price_history"));
  check_names(provider.strategy.models, kModelPart, report.at("strategy").at("models"), catalogue);
  check_names(provider.strategy.hardware, kHardwarePart, report.at("strategy").at("hardware"), catalogue);
  check_names(provider.buys_from, kProviderPart, report.at("buys_from"), catalogue);
  for (std::size_t i = 0; i < provider.tokens_per_answer.size(); ++i)
    check_answer_length(provider.tokens_per_answer[i], report.at("tokens_per_answer").at(std::to_string(i)));
}

}  // namespace tokenomics
