#include <algorithm>

#include <fmt/format.h>

#include "claims.hpp"
#include "commands.hpp"
#include "support.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

using nlohmann::ordered_json;

constexpr int kCheckFailed = 1;
constexpr const char* kShipped = "semianalysis-2025-07-03";

nlohmann::json claims_file(const Options& options, const Catalogue& catalogue) {
  nlohmann::json file = catalogue.raw(CatalogueKind::Claims, options.argument(0).value_or(kShipped));
  std::vector<Problem> problems = catalogue.check("claims", file);
  for (Problem& problem : problems) problem.file = options.argument(0).value_or(kShipped);
  if (!problems.empty()) throw ScenarioError(problems);
  return file;
}

ordered_json number(const std::optional<double>& value) {
  return value ? ordered_json(std::strtod(fmt::format("{:.9g}", *value).c_str(), nullptr)) : ordered_json(nullptr);
}

ordered_json checks_block(const std::vector<CheckOutcome>& checks) {
  ordered_json list = ordered_json::array();
  for (const CheckOutcome& check : checks)
    list.push_back({{"what", check.what},
                    {"ours", number(check.ours)},
                    {"min", number(check.low)},
                    {"max", number(check.high)},
                    {"holds", check.holds}});
  return list;
}

std::string shown(const std::vector<CheckOutcome>& checks) {
  std::string text;
  for (const CheckOutcome& check : checks) {
    text += text.empty() ? "" : "; ";
    text += check.what + (check.what.empty() ? "" : " ") + (check.ours ? fmt::format("{:.3g}", *check.ours) : "no answer");
  }
  return text;
}

const char* verdict(const ClaimOutcome& claim) {
  if (claim.kind == "context") return "not modelled";
  return claim.holds ? "holds" : "FAILS";
}

/// An outcome counts when it holds, and only with its mechanism.
bool is_right(const ClaimOutcome& claim) {
  return claim.kind == "context" || (claim.holds && (claim.removed.empty() || claim.fails_without));
}

int claims(const Options& options) {
  const Format format = format_of(options);
  const ReportOptions report = report_options(options);
  const Catalogue catalogue = open_catalogue(options);
  Claims evaluator(claims_file(options, catalogue), catalogue, jobs_of(options));
  ResultOutput output(options);
  const std::vector<ClaimOutcome> outcomes = [&] {
    Progress progress(options);
    return evaluator.evaluate(progress.listener());
  }();
  if (format == Format::Csv) throw UsageError("claims: --format csv is not made; table or json");
  output.finish(format == Format::Json ? json_text(claims_json(outcomes, report)) : claims_table(outcomes, report));
  return std::all_of(outcomes.begin(), outcomes.end(), is_right) ? 0 : kCheckFailed;
}

}  // namespace

ordered_json claims_json(const std::vector<ClaimOutcome>& claims, const ReportOptions& options) {
  ordered_json rows = ordered_json::array();
  for (const ClaimOutcome& claim : claims) {
    rows.push_back({{"id", claim.id},
                    {"text", claim.text},
                    {"figure", claim.figure},
                    {"source", claim.source},
                    {"kind", claim.kind},
                    {"checks", checks_block(claim.checks)},
                    {"verdict", verdict(claim)},
                    {"mechanism_removed", claim.removed.empty() ? ordered_json(nullptr) : ordered_json(claim.removed)},
                    {"checks_without", checks_block(claim.checks_without)},
                    {"fails_without", claim.removed.empty() ? ordered_json(nullptr) : ordered_json(claim.fails_without)}});
  }
  const auto count = [&](const char* kind, bool only_right) {
    return std::count_if(claims.begin(), claims.end(),
                         [&](const ClaimOutcome& c) { return c.kind == kind && (!only_right || is_right(c)); });
  };
  return {{"schema", "tokenomics.claims/1"},
          {"version", options.version},
          {"outcomes", {{"claims", count("outcome", false)}, {"reproduced", count("outcome", true)}}},
          {"data", {{"claims", count("data", false)}, {"agree", count("data", true)}}},
          {"claims", rows}};
}

std::string claims_table(const std::vector<ClaimOutcome>& claims, const ReportOptions&) {
  std::string text;
  std::size_t outcomes = 0, right = 0;
  for (const ClaimOutcome& claim : claims) {
    outcomes += claim.kind == "outcome" ? 1U : 0U;
    right += claim.kind == "outcome" && is_right(claim) ? 1U : 0U;
    text += fmt::format("{}  {:<8}{:<13}{}\n", claim.id, claim.kind, verdict(claim), claim.text);
    if (!claim.figure.empty()) text += fmt::format("        figure   {}\n", claim.figure);
    if (!claim.checks.empty()) text += fmt::format("        ours     {}\n", shown(claim.checks));
    if (!claim.removed.empty())
      text += fmt::format("        without  {}: {} ({})\n", claim.removed, shown(claim.checks_without),
                          claim.fails_without ? "fails, as it must" : "STILL HOLDS");
  }
  return fmt::format("{} of {} outcomes are reproduced, each only with the mechanism it rests on\n\n", right, outcomes) +
         text;
}

Command claims_command() {
  return {"claims",
          "published claims about the market, checked: figure, ours, verdict, and the same without the mechanism",
          {"tokenomics claims", "tokenomics claims semianalysis-2025-07-03 --format json --out claims.json"},
          {{"CLAIMS", "a name in claims/ (default: semianalysis-2025-07-03)", false}},
          {kCatalogue, kFormat, kOut, kJobs, kColor, kQuiet, kHelp},
          claims};
}

}  // namespace tokenomics::cli
