#include "tokenomics/scenario/query.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "load_document.hpp"
#include "load_part.hpp"
#include "overrides.hpp"
#include "parts.hpp"
#include "resolve.hpp"
#include "sections.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "typed_part.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, SolveFor>, 9> kSolveFor{{{"price", SolveFor::Price},
                                                                     {"ttft", SolveFor::Ttft},
                                                                     {"interactivity", SolveFor::Interactivity},
                                                                     {"context", SolveFor::Context},
                                                                     {"service", SolveFor::Service},
                                                                     {"demand", SolveFor::Demand},
                                                                     {"gpu_price", SolveFor::GpuPrice},
                                                                     {"strategy", SolveFor::Strategy},
                                                                     {"scarcity", SolveFor::Scarcity}}};
constexpr std::array kObjectives{Objective::OwnMix, Objective::Blended31, Objective::Output, Objective::PerAnswer};

json object_at(const json& file, const char* key) { return file.contains(key) ? file[key] : json::object(); }

std::optional<Network> read_network(const json& file, const Reporter& report, const Catalogue& catalogue) {
  const auto network = typed_network(file["model"], report, catalogue);
  if (!network) return std::nullopt;
  if (!network->not_modelled.empty())
    report.add(json(network->name).dump(), "a network that is modelled: this one has " + network->not_modelled);
  return *network;
}

void read_workload(Query& query, const json& file, const Reporter& report, const Catalogue& catalogue) {
  const auto workload = typed_workload(file["workload"], report, catalogue);
  if (!workload) return;
  query.workload = *workload;
  if (plays_sessions(query.workload))
    report.add(json(query.workload.name).dump(),
               "a workload of single requests: sessions have no rate of requests of their own (give it lengths)");
  query.workload.arrivals = PoissonArrivals{1.0};
}

/// The price of a chip's GPU-hour: given for it, for all, or from its file.
void price_hardware(HardwareChoice& choice, const json& file, const Reporter& report) {
  const json given = file.value("usd_per_gpu_hour", json());
  choice.price_source = "given";
  if (given.is_number()) {
    choice.price = usd_per_hour(given.get<double>());
  } else if (given.is_object() && given.contains(choice.gpu.name)) {
    choice.price = usd_per_hour(given[choice.gpu.name].get<double>());
  } else if (choice.gpu.rental_price) {
    choice.price = *choice.gpu.rental_price;
    choice.price_source = "rental price of the hardware file";
  } else {
    report.at("usd_per_gpu_hour")
        .add("", "a price of a GPU-hour (missing): no rental price of " + choice.gpu.name + " is known");
  }
}

void read_hardware(Query& query, const json& file, const Reporter& report, const Catalogue& catalogue) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < file["hardware"].size(); ++i) {
    const Reporter at = report.at("hardware").at(std::to_string(i));
    const auto gpu = typed_gpu(file["hardware"][i], at, catalogue);
    if (!gpu) continue;
    HardwareChoice choice;
    choice.gpu = *gpu;
    if (std::find(names.begin(), names.end(), choice.gpu.name) != names.end())
      at.add(shown(file["hardware"][i]), "a chip that stands once: it stands here again");
    names.push_back(choice.gpu.name);
    if (const auto calibration = default_calibration(choice.gpu, query.search.engine, at, catalogue))
      choice.calibration = *calibration;
    price_hardware(choice, file, report);
    query.hardware.push_back(std::move(choice));
  }
  const json given = file.value("usd_per_gpu_hour", json());
  if (!given.is_object()) return;
  for (const auto& [name, usd] : given.items())
    if (std::find(names.begin(), names.end(), name) == names.end())
      report.at("usd_per_gpu_hour").at(name).add(usd.dump(), "one of the query's chips", nearest_name(name, names));
}

void read_mtp(Query& query, const json& file, const Reporter& report) {
  SearchSpace& space = query.search;
  space.draft_tokens = file.value("draft_tokens", space.draft_tokens);
  space.acceptance = file.value("acceptance", space.acceptance);
  const int most = *std::max_element(space.draft_tokens.begin(), space.draft_tokens.end());
  if (most > static_cast<int>(space.acceptance.size()))
    report.at("acceptance").add(json(space.acceptance).dump(), fmt::format("{} acceptances, one a draft token", most));
  if (most > 0 && query.network.mtp_layers.value_or(0) < 1)
    report.at("draft_tokens").add(json(space.draft_tokens).dump(), "[0]: no MTP module of this network is known");
}

void read_lists(SearchSpace& space, const json& file) {
  if (file.contains("pools")) {
    const auto pools = file["pools"].get<std::vector<std::string>>();
    space.mixed = std::find(pools.begin(), pools.end(), "mixed") != pools.end();
    space.disaggregated = std::find(pools.begin(), pools.end(), "disaggregated") != pools.end();
  }
  space.gpus_per_instance = file.value("gpus_per_instance", space.gpus_per_instance);
  space.tokens_per_step = file.value("tokens_per_step", space.tokens_per_step);
  space.sequences_per_rank = file.value("sequences_per_rank", space.sequences_per_rank);
  if (file.contains("policies")) {
    space.policies.clear();
    for (const json& name : file["policies"]) space.policies.push_back(batch_policy_named(name));
  }
  if (file.contains("context_reservation")) {
    space.reservations.clear();
    for (const json& name : file["context_reservation"])
      space.reservations.push_back(name == "full" ? ContextReservation::Full : ContextReservation::None);
  }
  if (!file.contains("waits")) return;
  space.waits.clear();
  for (const json& wait : file["waits"])
    space.waits.push_back({wait.value("until_requests", std::int64_t{1}), wait.value("at_most_s", 0.0)});
}

void read_search(Query& query, const json& file, const Reporter& report, const Catalogue& catalogue) {
  SearchSpace& space = query.search;
  space.engine = file.value("engine", "");
  read_lists(space, file);
  space.precisions = precisions_from(object_at(file, "precision"), query.network);
  const json balance = object_at(file, "balance"), memory = object_at(file, "memory"), overlap = object_at(file, "overlap");
  space.balance.sequences_max_over_mean = balance.value("sequences_max_over_mean", 1.0);
  space.balance.context_max_over_mean = balance.value("context_max_over_mean", 1.0);
  space.hbm_utilization = memory.value("hbm_utilization", space.hbm_utilization);
  space.reserved_per_gpu = Bytes{memory.value("reserved_GB_per_gpu", 0.0) * 1e9};
  space.block_tokens = memory.value("block_tokens", space.block_tokens);
  if (overlap.contains("decode"))
    space.decode_overlap = schedule_from(overlap["decode"], report.at("overlap").at("decode"), catalogue);
  if (overlap.contains("prefill"))
    space.prefill_overlap = schedule_from(overlap["prefill"], report.at("overlap").at("prefill"), catalogue);
  if (file.contains("mtp")) read_mtp(query, file["mtp"], report.at("mtp"));
}

template <typename Value>
std::optional<Value> optional_at(const json& file, const char* key) {
  return file.contains(key) ? std::optional(file[key].get<Value>()) : std::nullopt;
}

void read_numbers(Query& query, const json& file) {
  query.seed = file.value("seed", query.seed);
  query.slo = slo_from(object_at(file, "slo"));
  query.context_tokens = object_at(file, "limits").value("context", query.network.max_context_tokens);
  query.frontier_contexts = file.value("contexts", query.frontier_contexts);
  query.margin_over_revenue = file.value("margin_over_revenue", 0.0);
  query.max_reject = file.value("max_reject", query.max_reject);
  query.fleet_cap_gpus = optional_at<double>(file, "fleet_cap");
  query.demand_requests_per_s = optional_at<double>(file, "demand");
  query.price = optional_at<double>(file, "price");
  query.demand_response = file.value("demand_response", 0.0);
  query.slow_to_tok_s = optional_at<double>(file, "slow_to_tok_s");
  if (file.contains("price_ratios")) query.price_ratios = prices_from(file["price_ratios"]);
  for (const Objective objective : kObjectives)
    if (file.value("objective", "own_mix") == to_string(objective)) query.objective = objective;
  for (const auto& [name, what] : kSolveFor)
    if (file.value("solve_for", "price") == name) query.solve_for = what;
}

/// What the question needs, and what it must not have.
void check_question(const Query& query, const Reporter& report) {
  const std::string what = to_string(query.solve_for);
  const auto needs = [&](bool has, const char* key, const char* text) {
    if (!has) report.at(key).add("", std::string(text) + " (missing): solve_for " + what + " needs it");
  };
  const auto excludes = [&](bool has, const char* key, const char* why) {
    if (has) report.at(key).add("given", "nothing: solve_for " + what + " " + why);
  };
  const bool is_paid = query.solve_for == SolveFor::Ttft || query.solve_for == SolveFor::Interactivity ||
                       query.solve_for == SolveFor::Context || query.solve_for == SolveFor::Strategy;
  if (is_paid) needs(query.price.has_value(), "price", "the price that is paid");
  else excludes(query.price.has_value(), "price", "does not take a price");
  const bool is_fleet = query.solve_for == SolveFor::Service || query.solve_for == SolveFor::Demand ||
                        query.solve_for == SolveFor::Strategy || query.solve_for == SolveFor::Scarcity;
  if (is_fleet) needs(query.fleet_cap_gpus.has_value(), "fleet_cap", "the fleet");
  const bool is_strategy = query.solve_for == SolveFor::Strategy, is_scarcity = query.solve_for == SolveFor::Scarcity;
  if (is_strategy)
    needs(query.slo.ttft_s && query.slo.interactivity_tok_s_user, "slo", "the service at which demand is known");
  if (is_scarcity) needs(query.slo.interactivity_tok_s_user.has_value(), "slo", "the speed before");
  if (is_scarcity) needs(query.slow_to_tok_s.has_value(), "slow_to_tok_s", "the speed after");
  else excludes(query.slow_to_tok_s.has_value(), "slow_to_tok_s", "knows no speed after");
  if (is_scarcity && query.slow_to_tok_s && query.slo.interactivity_tok_s_user &&
      *query.slow_to_tok_s >= query.slo.interactivity_tok_s_user->value)
    report.at("slow_to_tok_s").add(json(*query.slow_to_tok_s).dump(), "a speed below the one before");
  if (query.solve_for == SolveFor::Service || is_strategy)
    needs(query.demand_requests_per_s.has_value(), "demand", "the demand");
  if (query.solve_for == SolveFor::Demand || is_scarcity)
    excludes(query.demand_requests_per_s.has_value(), "demand", "finds the demand");
  if (query.solve_for == SolveFor::GpuPrice && query.hardware.size() < 2)
    report.at("hardware").add("one chip", "two chips or more: solve_for gpu_price compares each with the first");
}

void check_contexts(const Query& query, const json& file, const Reporter& report) {
  const auto check = [&](std::int64_t context, const Reporter& at) {
    if (query.network.max_context_tokens > 0 && context > query.network.max_context_tokens)
      at.add(std::to_string(context), fmt::format("at most the network's {} tokens", query.network.max_context_tokens));
  };
  if (file.contains("limits")) check(query.context_tokens, report.at("limits").at("context"));
  for (std::size_t i = 0; i < query.frontier_contexts.size(); ++i)
    check(query.frontier_contexts[i], report.at("contexts").at(std::to_string(i)));
}

Query query_from(const Document& document, const Catalogue& catalogue, std::vector<Problem>& problems) {
  const json& file = document.value;
  const Reporter report(document, problems);
  Query query;
  query.file = document.file;
  query.catalogue_directories = catalogue.directories();
  query.name = file.value("name", std::filesystem::path(document.file).stem().string());
  query.description = file.value("description", "");
  query.assumptions = file.value("assumptions", std::vector<std::string>{});
  const auto network = read_network(file, report.at("model"), catalogue);
  read_workload(query, file, report.at("workload"), catalogue);
  query.search.engine = object_at(file, "search").value("engine", "");
  read_hardware(query, file, report, catalogue);
  if (!network) return query;
  query.network = *network;
  read_numbers(query, file);
  read_search(query, object_at(file, "search"), report.at("search"), catalogue);
  check_question(query, report);
  check_contexts(query, file, report);
  return query;
}

}  // namespace

Query query_of(Document document, const Catalogue& catalogue, const std::vector<std::string>& sets,
               std::optional<std::uint64_t> seed) {
  std::vector<Problem> problems = document.problems;
  if (document.value.is_null()) throw_all(problems);
  for (const std::string& text : sets) apply_override(document, text, catalogue, problems, "query");
  if (seed && document.value.is_object()) document.value["seed"] = *seed;
  const Reporter report(document, problems);
  report.add_beneath(catalogue.check("query", document.value));
  throw_all(problems);
  Query query = query_from(document, catalogue, problems);
  throw_all(problems);
  return query;
}

const char* to_string(SolveFor what) {
  for (const auto& [name, value] : kSolveFor)
    if (value == what) return name;
  TOKENOMICS_CHECK(false, "unnamed question");
}

Query load_query(const std::string& path_or_name, const Catalogue& catalogue, const std::vector<std::string>& sets,
                 std::optional<std::uint64_t> seed) {
  const std::string path = is_file(path_or_name) ? path_or_name : catalogue.path_of(CatalogueKind::Queries, path_or_name);
  return query_of(read_document(path), catalogue, sets, seed);
}

Query load_query_text(const std::string& text, const std::string& file, const Catalogue& catalogue,
                      const std::vector<std::string>& sets, std::optional<std::uint64_t> seed) {
  return query_of(parse_document(text, file), catalogue, sets, seed);
}

}  // namespace tokenomics
