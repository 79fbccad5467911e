// Files that `solve` and `frontier` read.
#include "tokenomics/scenario/query.hpp"

#include <nlohmann/json.hpp>

#include "shipped.hpp"
#include "support/catch.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

/// Five lines; everything else is a default.
const char* const kSmall = R"({
  "model": "llama-3.3-70b",
  "workload": "chat-2023",
  "hardware": ["h100-sxm"]
})";

Query small(const std::vector<std::string>& sets = {}) { return load_query_text(kSmall, "small.json", shipped(), sets); }

/// What is wrong with the small query once these are set, a line each from the pointer on; empty when it loads.
std::vector<std::string> refusals(const std::vector<std::string>& sets) {
  try {
    small(sets);
  } catch (const ScenarioError& error) {
    std::vector<std::string> lines;
    for (const Problem& problem : error.problems()) {
      const std::string line = to_string(problem);
      lines.push_back(line.substr(line.find(": /") + 2));
    }
    return lines;
  }
  return {};
}

using Lines = std::vector<std::string>;

/// Everything that a key of the file can change and that has a default.
json digest(const Query& q) {
  const SearchSpace& s = q.search;
  json waits = json::array(), policies = json::array(), reservations = json::array();
  for (const WaitRule& wait : s.waits) waits.push_back({wait.until_requests, wait.at_most_s});
  for (const BatchPolicy policy : s.policies) policies.push_back(static_cast<int>(policy));
  for (const ContextReservation reservation : s.reservations) reservations.push_back(static_cast<int>(reservation));
  return {{"seed", q.seed},
          {"ttft", q.slo.ttft_s ? json{q.slo.ttft_s->percentile, q.slo.ttft_s->value} : json()},
          {"speed", q.slo.interactivity_tok_s_user ? json{q.slo.interactivity_tok_s_user->percentile} : json()},
          {"margin", q.margin_over_revenue},
          {"max_reject", q.max_reject},
          {"objective", to_string(q.objective)},
          {"solve_for", to_string(q.solve_for)},
          {"pools", {s.mixed, s.disaggregated}},
          {"policies", policies},
          {"tokens_per_step", s.tokens_per_step},
          {"sequences_per_rank", s.sequences_per_rank},
          {"reservations", reservations},
          {"waits", waits},
          {"mtp", {s.draft_tokens, s.acceptance}},
          {"precision",
           {static_cast<int>(s.precisions.kv), static_cast<int>(s.precisions.attention),
            static_cast<int>(s.precisions.combine)}},
          {"balance", {s.balance.sequences_max_over_mean, s.balance.context_max_over_mean}},
          {"memory", {s.hbm_utilization, s.reserved_per_gpu.value(), s.block_tokens}}};
}

/// Calls `visit` with the dotted path and the default of each property that has one; lists are not entered.
void visit_defaults(const json& schema, const json& node, const std::string& path,
                    const std::function<void(const std::string&, const json&)>& visit) {
  if (!node.contains("properties")) return;
  for (const auto& [key, property] : node["properties"].items()) {
    const std::string here = path.empty() ? key : path + "." + key;
    json resolved = property;
    if (property.contains("$ref")) {
      const json& target = schema.at(json::json_pointer(property["$ref"].get<std::string>().substr(1)));
      for (const auto& [name, value] : target.items()) resolved.emplace(name, value);
    }
    if (resolved.contains("default")) visit(here, resolved["default"]);
    visit_defaults(schema, resolved, here, visit);
  }
}

}  // namespace

TEST_CASE("every shipped query loads, and its name is that of its file", "[scenario]") {
  const auto entries = shipped().list(CatalogueKind::Queries);
  CHECK(!entries.empty());
  for (const auto& entry : entries) {
    INFO(entry.name);
    const Query query = load_query(entry.name, shipped());
    CHECK(query.name == entry.name);
    CHECK(!query.hardware.empty());
    CHECK(!query.description.empty());
  }
}

TEST_CASE("five lines are a query: the defaults", "[scenario]") {
  const Query query = small();
  CHECK(query.name == "small");
  CHECK(query.context_tokens == query.network.max_context_tokens);
  CHECK(query.solve_for == SolveFor::Price);
  CHECK(query.objective == Objective::OwnMix);
  CHECK(query.margin_over_revenue == 0);
  CHECK_FALSE(query.slo.ttft_s);
  CHECK_FALSE(query.slo.interactivity_tok_s_user);
  CHECK_FALSE(query.demand_requests_per_s);
  CHECK_FALSE(query.fleet_cap_gpus);
  CHECK(query.hardware.at(0).price_source == "rental price of the hardware file");
  CHECK(query.hardware.at(0).price == *query.hardware.at(0).gpu.rental_price);
}

TEST_CASE("the defaults that the query's schema states are the defaults that are used", "[scenario]") {
  const json schema = json::parse(shipped().schema_text("query"));
  const Lines base{"slo.ttft_s.max=2", "slo.interactivity_tok_s_user.min=20"};
  const json plain = digest(small(base));
  int seen = 0;
  visit_defaults(schema, schema, "", [&](const std::string& path, const json& value) {
    INFO(path);
    Lines sets = base;
    sets.push_back(path + "=" + value.dump());
    CHECK(digest(small(sets)) == plain);
    ++seen;
  });
  CHECK(seen >= 20);
  // The comparison sees a change.
  CHECK(digest(small({base[0], base[1], "search.memory.block_tokens=63"})) != plain);
  CHECK(digest(small({base[0], base[1], "slo.ttft_s.percentile=95"})) != plain);
  CHECK(digest(small({base[0], base[1], "search.waits=[{\"at_most_s\":1}]"})) != plain);
}

TEST_CASE("a price of a GPU-hour is given for all chips, for each, or taken from its file", "[scenario]") {
  const Lines two{R"(hardware=["h100-sxm","h200-sxm"])"};
  const auto prices = [&](const char* set) {
    const Query query = small({two[0], set});
    return std::vector<double>{in_usd_per_hour(query.hardware[0].price), in_usd_per_hour(query.hardware[1].price)};
  };
  CHECK(prices("usd_per_gpu_hour=3")[1] == Approx(3));
  const std::vector<double> one = prices(R"(usd_per_gpu_hour={"h100-sxm":1.5})");
  CHECK(one[0] == Approx(1.5));
  CHECK(one[1] == Approx(in_usd_per_hour(*load_gpu("h200-sxm", shipped()).rental_price)));
}

// clang-format off
TEST_CASE("a question that has no answer names what is missing, what is too much and the nearest name", "[scenario]") {
  CHECK(refusals({R"(hardware=["h100-sxm","h90-sxm"])"}) == Lines{
      R"(/hardware/1: "h90-sxm"; expected the name of a known GPU; did you mean h20-sxm?)"});
  CHECK(refusals({"model=llama-3.3-70c"}) == Lines{
      R"(/model: "llama-3.3-70c"; expected the name of a known network; did you mean llama-3.3-70b?)"});
  CHECK(refusals({"solve_for=ttft"}) == Lines{
      R"(/price; expected the price that is paid (missing): solve_for ttft needs it)"});
  CHECK(refusals({"solve_for=context"}) == Lines{
      R"(/price; expected the price that is paid (missing): solve_for context needs it)"});
  CHECK(refusals({"price=0.5"}) == Lines{
      R"(/price: given; expected nothing: solve_for price does not take a price)"});
  CHECK(refusals({"solve_for=service"}) == Lines{
      R"(/fleet_cap; expected the fleet (missing): solve_for service needs it)",
      R"(/demand; expected the demand (missing): solve_for service needs it)"});
  CHECK(refusals({"solve_for=demand", "demand=3"}) == Lines{
      R"(/fleet_cap; expected the fleet (missing): solve_for demand needs it)",
      R"(/demand: given; expected nothing: solve_for demand finds the demand)"});
  CHECK(refusals({"solve_for=gpu_price"}) == Lines{
      R"(/hardware: one chip; expected two chips or more: solve_for gpu_price compares each with the first)"});
  CHECK(refusals({"limits.context=200000"}) == Lines{
      R"(/limits/context: 200000; expected at most the network's 131072 tokens)"});
  CHECK(refusals({"contexts=[1000,131072,131073]"}) == Lines{
      R"(/contexts/2: 131073; expected at most the network's 131072 tokens)"});
  CHECK(refusals({R"(search.mtp={"draft_tokens":[0,1],"acceptance":[0.8]})"}) == Lines{
      R"(/search/mtp/draft_tokens: [0,1]; expected [0]: no MTP module of this network is known)"});
  CHECK(refusals({"model=deepseek-r1", R"(search.mtp={"draft_tokens":[2],"acceptance":[0.8]})"}) == Lines{
      R"(/search/mtp/acceptance: [0.8]; expected 2 acceptances, one a draft token)"});
  CHECK(refusals({R"(hardware=["h100-sxm","h200-sxm","h100"])"}) == Lines{
      R"(/hardware/2: "h100"; expected a chip that stands once: it stands here again)"});
  CHECK(refusals({R"(usd_per_gpu_hour={"h200-sxm":2})"}) == Lines{
      R"(/usd_per_gpu_hour/h200-sxm: 2; expected one of the query's chips; did you mean h100-sxm?)"});
  CHECK(refusals({R"(hardware=["tpu-v5e"])"}) == Lines{
      R"(/usd_per_gpu_hour; expected a price of a GPU-hour (missing): no rental price of tpu-v5e is known)"});
  CHECK(refusals({"workload=agentic-code"}) == Lines{
      R"(/workload: "agentic-code"; expected a workload of single requests: sessions have no rate of requests of their own (give it lengths))"});
  CHECK(refusals({"slo.ttft_s.percentile=100", "slo.ttft_s.max=0"}) == Lines{
      R"(/slo/ttft_s/max: 0; expected a number above 0 and at most 1e9)",
      R"(/slo/ttft_s/percentile: 100; expected a number above 0 and below 100)"});
}

TEST_CASE("a broken query names every problem with file, line, pointer, value, what was expected and the nearest name", "[scenario]") {
  const auto lines = [](const char* text) {
    try {
      load_query_text(text, "q.json", shipped());
    } catch (const ScenarioError& error) {
      Lines all;
      for (const Problem& problem : error.problems()) all.push_back(to_string(problem));
      return all;
    }
    return Lines{};
  };
  CHECK(lines(R"({
    "model": "llama-3.3-70b", "workload": "chat-2023", "hardware": ["h100-sxm"],
    "objectiv": "output",
    "slo": {"ttft_ms": {"max": 500}},
    "search": {"polices": ["chunked_mixed"], "tokens_per_step": []},
    "margin_over_revenue": 1
  })") == Lines{
      R"(q.json:3: /objectiv: "output"; expected a known key; did you mean objective?)",
      R"(q.json:4: /slo/ttft_ms: {"max":500}; expected a known key (wrong unit?); did you mean ttft_s?)",
      R"(q.json:5: /search/polices: ["chunked_mixed"]; expected a known key; did you mean policies?)",
      R"(q.json:5: /search/tokens_per_step: []; expected a list of at least 1 items and at most 16 items)",
      R"(q.json:6: /margin_over_revenue: 1; expected a number of at least 0 and below 1)"});
  CHECK(lines(R"({"model": "llama-3.3-70b"})") == Lines{
      R"(q.json: /hardware; expected a list of at least 1 items and at most 64 items (missing))",
      R"(q.json: /workload; expected a name in the catalogue, or an object (with "base": a name and what differs) (missing))"});
  CHECK_THROWS_WITH(small({"margin_over_revenu=0.3"}), Catch::Contains("did you mean margin_over_revenue?"));
}
// clang-format on

}  // namespace tokenomics
