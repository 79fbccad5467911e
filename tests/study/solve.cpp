// Laws of the solver, on the shipped question and on small ones.
#include "tokenomics/study/solve.hpp"

#include <rapidcheck/catch.h>
#include <nlohmann/json.hpp>

#include "../../sim/study/solve/solver.hpp"
#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/market/pareto.hpp"
#include "tokenomics/study/run.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

const SolveOptions kEvaluated{1, false, false};
const SolveOptions kConfirmed{1, true, false};

/// DeepSeek-R1 for chat users, on two chips in instances of eight.
Query question(std::vector<std::string> sets = {}) {
  sets.insert(sets.begin(), {R"(hardware=["h200-sxm","mi300x"])", "search.gpus_per_instance=[8]"});
  return load_query("r1-interactive", shipped_catalogue(), sets);
}

/// One deployment: Llama on four H100.
Query one_deployment(std::vector<std::string> sets = {}) {
  constexpr const char* kText = R"({"model": "llama-3.3-70b", "workload": "chat-2023", "hardware": ["h100-sxm"],
      "usd_per_gpu_hour": 2, "limits": {"context": 32768},
      "slo": {"ttft_s": {"max": 2}, "interactivity_tok_s_user": {"min": 25}},
      "search": {"gpus_per_instance": [4], "policies": ["chunked_mixed"], "tokens_per_step": [8192]}})";
  return load_query_text(kText, "one.json", shipped_catalogue(), sets);
}

double price_of(const Query& query, const SolveOptions& options = kEvaluated) {
  const Solution solution = solve(query, options);
  INFO(solution.infeasible_reason);
  REQUIRE(solution.best);
  return solution.best->objective;
}

/// Infinite when there is none.
double price_or_none(const Query& query, const SolveOptions& options = kEvaluated) {
  const Solution solution = solve(query, options);
  return solution.best ? solution.best->objective : std::numeric_limits<double>::infinity();
}

std::string reason(const Query& query) {
  const Solution solution = solve(query, kEvaluated);
  CHECK_FALSE(solution.best);
  return solution.infeasible_reason;
}

/// Every deployment at every load, judged one by one.
double brute_force_price(const Query& query) {
  const LoadedWorkload workload(query.workload);
  const auto lengths = workload.length_law();
  const PoolOptions options = pool_options(query, query.context_tokens, 1);
  const WorkloadSample sample = sample_workload(*lengths, query.context_tokens, query.seed);
  const UnitEvaluator evaluator(sample, bounds_of(query.slo));
  const Pricer pricer(query, evaluator);
  double lowest = std::numeric_limits<double>::infinity();
  for (const PoolOption& option : options.mixed) {
    for (int k = 0; k <= kLoads; ++k) {
      if (evaluator.decode(option, load_at(k)).refused != LoadLimit::None) continue;
      if (evaluator.decode(option, load_at(k)).speed < query.slo.interactivity_tok_s_user->value) continue;
      const UnitPoint point = evaluator.whole(option, load_at(k));
      if (point.refused != LoadLimit::None || point.ttft_s > query.slo.ttft_s->value) continue;
      lowest = std::min(lowest, pricer.objective(pricer.point({nullptr, &option}, {0, 1, load_at(k)}, false)));
    }
  }
  return lowest;
}

}  // namespace

TEST_CASE("The solver finds what trying every deployment at every load finds", "[study]") {
  const auto query_of = [](const char* set) {
    return one_deployment({set, "search.gpus_per_instance=[2,4,8]", R"(search.policies=["prefill_first","chunked_mixed"])"});
  };
  for (const char* set : {"objective=own_mix", "objective=output"}) {
    INFO(set);
    CHECK(price_of(query_of(set)) == Approx(brute_force_price(query_of(set))).epsilon(1e-9));
  }
  // Where TTFT binds: evaluated TTFT wavers by a percent as the load rises, and bisection finds one of the crossings.
  const Query by_ttft = query_of(R"(slo={"ttft_s":{"max":0.3},"interactivity_tok_s_user":{"min":5}})");
  const double lowest = brute_force_price(by_ttft);
  CHECK(price_of(by_ttft) >= lowest * (1 - 1e-9));
  CHECK(price_of(by_ttft) <= lowest * std::pow(kLoadRatio, 3));
}

TEST_CASE("No fleet undercuts the bound that the search begins with, whatever its whole numbers", "[study]") {
  for (const char* objective : {"objective=own_mix", "objective=per_answer", "objective=output"}) {
    for (const char* demand : {"demand=0.7", "demand=30", ""}) {
      std::vector<std::string> sets{R"(search.pools=["mixed","disaggregated"])", R"(hardware=["h200-sxm"])",
                                    "search.tokens_per_step=[16384]", objective};
      if (*demand != '\0') sets.push_back(demand);
      const Query query = question(sets);
      const LoadedWorkload workload(query.workload);
      const auto lengths = workload.length_law();
      Solver solver(query, *lengths, 1);
      const Pricer& pricer = solver.pricer();
      for (std::size_t c = 0; c < solver.candidates().size(); c += 5) {
        const Candidate& candidate = solver.candidates()[c];
        const Solver::Loads most = solver.fast(candidate);
        if (!most.any()) continue;
        const double prefill = load_at(most.prefill), decode = load_at(most.decode);
        const double price = pricer.objective(pricer.point(candidate, pricer.fleet(candidate, prefill, decode), false));
        CHECK(pricer.bound(candidate, prefill, decode) <= price);
      }
    }
  }
}

TEST_CASE("A looser TTFT, speed, context or fleet never raises the price", "[study]") {
  rc::prop("by the evaluator", [] {
    const auto pick = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
    Query tight = one_deployment({"search.gpus_per_instance=[4,8]", R"(search.policies=["prefill_first","chunked_mixed"])"});
    tight.slo.ttft_s->value = pick(10, 300) * 0.01;
    tight.slo.interactivity_tok_s_user->value = pick(5, 100);
    tight.context_tokens = 16384 + pick(0, 110'000);  // no request of the workload is longer than 16K
    tight.fleet_cap_gpus = pick(1, 60);
    if (pick(0, 1) == 1) tight.demand_requests_per_s = pick(1, 300) * 0.1;
    Query loose = tight;
    switch (pick(0, 3)) {
      case 0: loose.slo.ttft_s->value *= pick(100, 400) * 0.01; break;
      case 1: loose.slo.interactivity_tok_s_user->value *= pick(20, 100) * 0.01; break;
      case 2: loose.context_tokens = std::max<std::int64_t>(16384, loose.context_tokens * pick(20, 100) / 100); break;
      default: *loose.fleet_cap_gpus += pick(0, 64);
    }
    RC_ASSERT(price_or_none(loose) <= price_or_none(tight) * (1 + 1e-9));
  });
}

TEST_CASE("A looser TTFT or speed never raises the confirmed price", "[study]") {
  for (const double speed : {20.0, 40.0}) {
    double before = 0;
    for (const double ttft_s : {3.0, 1.0, 0.4}) {
      Query query = question({"search.tokens_per_step=[8192]"});
      query.slo.interactivity_tok_s_user->value = speed;
      query.slo.ttft_s->value = ttft_s;
      const double price = price_or_none(query, kConfirmed);
      CHECK(price >= before * (1 - 1e-9));
      before = price;
    }
  }
  Query slow = question(), quick = question();
  slow.slo.interactivity_tok_s_user->value = 20;
  CHECK(price_of(slow, kConfirmed) <= price_of(quick, kConfirmed));
}

TEST_CASE("The price is proportional to that of a GPU-hour, and one dearer chip never lowers it", "[study]") {
  const double price = price_of(question());
  Query dearer = question();
  for (HardwareChoice& hardware : dearer.hardware) hardware.price *= 1.7;
  CHECK(price_of(dearer) == Approx(1.7 * price).epsilon(1e-12));
  for (std::size_t chip = 0; chip < 2; ++chip) {
    Query one = question();
    one.hardware[chip].price *= 1.7;
    CHECK(price_of(one) >= price * (1 - 1e-12));
    CHECK(price_of(one) <= 1.7 * price * (1 + 1e-12));
  }
}

TEST_CASE("A margin m raises the price by exactly 1 / (1 - m)", "[study]") {
  const double at_cost = price_of(question({"margin_over_revenue=0"}));
  CHECK(price_of(question({"margin_over_revenue=0.3"})) == Approx(at_cost / 0.7).epsilon(1e-12));
  CHECK(price_of(question({"margin_over_revenue=0.845"})) == Approx(at_cost / 0.155).epsilon(1e-12));
}

// 3.6 USD an hour on 4 GPUs are 0.004 USD/s.
TEST_CASE("The prices of a solution pay its GPUs", "[study]") {
  const Solution solution = solve(one_deployment({"usd_per_gpu_hour=3.6", "margin_over_revenue=0.5"}), kEvaluated);
  const OperatingPoint& point = solution.best->point;
  CHECK(point.cost_rate.value() == Approx(0.004).epsilon(1e-12));
  const double earned = point.requests_per_s * revenue(solution.best->prices, point.per_request).value();
  CHECK(earned == Approx(0.008).epsilon(1e-9));
}

TEST_CASE("A solution does not depend on the number of threads", "[study]") {
  for (const bool disaggregated : {false, true}) {
    const Query query = disaggregated ? question({R"(search.pools=["mixed","disaggregated"])",
                                                  "search.tokens_per_step=[16384]", R"(hardware=["h200-sxm"])"})
                                      : question();
    const SolveOptions one{1, true, !disaggregated}, two{2, true, !disaggregated};
    const Solution a = solve(query, one), b = solve(query, two);
    REQUIRE(a.best);
    CHECK(a.best->name == b.best->name);
    CHECK(a.best->objective == b.best->objective);
    CHECK(a.simulated->ttft_s == b.simulated->ttft_s);
    CHECK(a.simulated->objective == b.simulated->objective);
    CHECK(a.evaluated == b.evaluated);
    CHECK(a.simulations == b.simulations);
    CHECK(a.shadow.one_tok_s_less == b.shadow.one_tok_s_less);
  }
}

TEST_CASE("The confirmed price is not below the evaluator's, and the simulation holds what was asked", "[study]") {
  for (const double speed : {30.0, 60.0}) {
    Query query = question();
    query.slo.interactivity_tok_s_user->value = speed;
    const Solution solution = solve(query, kConfirmed);
    REQUIRE(solution.simulated);
    CHECK(solution.best->objective >= price_of(query) * (1 - 1e-12));
    CHECK(solution.best->objective <= price_of(query) * 1.1);
    CHECK(solution.simulated->holds);
    CHECK(solution.simulated->ttft_s <= 2);
    CHECK(solution.simulated->interactivity >= speed);
    CHECK(solution.simulated->objective == Approx(solution.best->objective).epsilon(0.05));
  }
}

TEST_CASE("What no deployment holds is said with its numbers", "[study]") {
  using Catch::Contains;
  CHECK_THAT(reason(question({"slo.interactivity_tok_s_user.min=5000"})),
             Contains("interactivity: 5000.0 tok/s/user are asked for; the fastest of") && Contains("when nearly idle"));
  CHECK_THAT(reason(question({"slo.ttft_s.max=0.001"})),
             Contains("ttft: 0.001 s are asked for; the soonest of") && Contains("s when nearly idle"));
  CHECK_THAT(reason(question({"fleet_cap=7"})),
             Contains("fleet: the cap is 7 GPUs; the smallest fleet that holds the service has 8"));
  CHECK_THAT(reason(question({"limits.context=1000"})),
             Contains("context: ") &&
                 Contains("of requests have a prompt that leaves no room for an answer in 1000 tokens") &&
                 Contains("0.10% may be rejected"));
  CHECK_THAT(reason(question({R"(hardware=["h100-sxm"])", "search.gpus_per_instance=[4]"})), Contains("hbm_capacity: "));
  CHECK_THAT(reason(one_deployment({"search.memory.hbm_utilization=0.53", "limits.context=131072"})),
             Contains("hbm_capacity: no rank of 1 plans can hold one sequence of 131072 tokens"));
  CHECK_THAT(reason(one_deployment({"solve_for=service", "fleet_cap=8", "demand=1000"})),
             Contains("fleet: 8 GPUs cannot keep up with 1000 requests/s"));
  CHECK_THAT(reason(one_deployment({"solve_for=ttft", "price=0.001"})), Contains("price: 0.001 does not pay"));
}

TEST_CASE("A chip without known links between nodes is tried in mixed pools only", "[study]") {
  const std::vector<std::string> sets{"search.gpus_per_instance=[4]", R"(search.pools=["mixed","disaggregated"])"};
  const Query both = one_deployment({sets[0], sets[1]});
  Query unlinked = both;
  unlinked.hardware[0].gpu.scale_out_bandwidth.reset();
  CHECK(solve(both, kEvaluated).deployments == 2);
  CHECK(solve(unlinked, kEvaluated).deployments == 1);
  CHECK(solve(unlinked, kEvaluated).best->deployment.pools.size() == 1);
}

TEST_CASE("A binding constraint is one whose loosening lowers the price", "[study]") {
  const Query by_speed = question();
  const Solution solution = solve(by_speed, {1, false, true});
  CHECK(solution.best->binding == Constraint::Interactivity);
  CHECK(solution.shadow.one_tok_s_less.value() < 0);
  CHECK(solution.shadow.ttft_one_second_more.value() == 0);
  CHECK(solution.shadow.gpus_10_percent_cheaper.value() == Approx(-0.1 * solution.best->objective).epsilon(1e-9));
  const Solution by_ttft = solve(question({"slo.interactivity_tok_s_user.min=1", "slo.ttft_s.max=0.3"}), {1, false, true});
  CHECK(by_ttft.best->binding == Constraint::Ttft);
  CHECK(by_ttft.shadow.ttft_one_second_more.value() < 0);
}

TEST_CASE("The first token, speed and context that the lowest price pays for are those asked for, or better", "[study]") {
  const double price = 1e6 * price_of(question());
  const auto answer = [&](const char* what) {
    Query query = question({std::string("solve_for=") + what, "price=1"});
    query.price = price * (1 + 1e-6);
    const Solution solution = solve(query, kEvaluated);
    INFO(what << " " << solution.infeasible_reason);
    REQUIRE(solution.answer);
    CHECK(1e6 * solution.best->objective <= price * (1 + 1e-6));
    return *solution.answer;
  };
  CHECK(answer("ttft") <= 2);
  CHECK(answer("interactivity") >= 30);
  CHECK(answer("context") >= 65'536);
}

TEST_CASE("The largest demand of a fleet has a price, and five percent more has none", "[study]") {
  const Solution most = solve(question({"solve_for=demand", "fleet_cap=64"}), kEvaluated);
  REQUIRE(most.answer);
  Query query = question({"fleet_cap=64"});
  query.demand_requests_per_s = *most.answer * (1 - 1e-6);
  CHECK(solve(query, kEvaluated).best);
  query.demand_requests_per_s = *most.answer * 1.05;
  CHECK_THAT(reason(query), Catch::Contains("fleet: the cap is 64 GPUs"));
}

TEST_CASE("More demand on a capped fleet fills its batches: first tokens come later and speed falls", "[study]") {
  OperatingPoint before;
  before.interactivity = Tokens{1e9} / Seconds{1};
  for (const char* demand : {"demand=2", "demand=6", "demand=10", "demand=14"}) {
    const Solution solution = solve(one_deployment({"solve_for=service", "fleet_cap=8", demand}), kEvaluated);
    INFO(demand << " " << solution.infeasible_reason);
    REQUIRE(solution.best);
    const OperatingPoint& point = solution.best->point;
    CHECK(point.gpus == 8);
    CHECK(point.batch_per_instance > before.batch_per_instance);
    CHECK(point.ttft > before.ttft);
    CHECK(point.interactivity < before.interactivity);
    before = point;
  }
}

TEST_CASE("At its break-even price of a GPU-hour a chip is as cheap as the first", "[study]") {
  const Solution solution = solve(question({"solve_for=gpu_price"}), kEvaluated);
  REQUIRE(solution.break_even.size() == 2);
  CHECK(*solution.break_even[0].usd_per_gpu_hour == Approx(solution.break_even[0].listed_usd_per_gpu_hour).epsilon(1e-12));
  Query other = question();
  other.hardware.erase(other.hardware.begin());
  other.hardware[0].price = usd_per_hour(*solution.break_even[1].usd_per_gpu_hour);
  CHECK(price_of(other) == Approx(solution.break_even[0].own_objective).epsilon(1e-9));
}

TEST_CASE("A whole fleet serves a demand: as few instances as hold it", "[study]") {
  const double load = solve(one_deployment(), kEvaluated).best->point.requests_per_s;
  Query query = one_deployment();
  query.demand_requests_per_s = 2.5 * load;
  const Solution solution = solve(query, kEvaluated);
  CHECK(solution.best->point.gpus == 12);
  CHECK(solution.best->deployment.pools.at(0).instances == 3);
  CHECK(solution.best->point.requests_per_s == Approx(2.5 * load).epsilon(1e-12));
}

TEST_CASE("The scenario of a solution loads again and serves as the confirmed point does", "[study]") {
  for (const char* pools : {R"(search.pools=["mixed"])", R"(search.pools=["disaggregated"])"}) {
    INFO(pools);
    const Solution solution =
        solve(question({pools, R"(hardware=["h200-sxm"])", "search.tokens_per_step=[16384]"}), kConfirmed);
    REQUIRE(solution.scenario);
    const std::string text = resolved_json(*solution.scenario).dump();
    const RunResult run = run_scenario(load_scenario_text(text, "solution.json", shipped_catalogue()), {});
    CHECK(run.scenario.limits.context_tokens == 65'536);
    CHECK(run.scenario.pricing.margin_over_revenue == 0.3);
    CHECK(run.service.ttft.histogram().quantile(0.9) * 1e-9 == Approx(solution.simulated->ttft_s).epsilon(0.1));
    CHECK(1e9 / run.service.tpot.histogram().quantile(0.9) == Approx(solution.simulated->interactivity).epsilon(0.1));
  }
}

TEST_CASE("No point of a frontier beats another, its cheapest is the solver's, and chips' own fronts hold the whole",
          "[study]") {
  const Query query = question({"contexts=[32768,65536]"});
  const Frontier front = frontier(query, kEvaluated, 8);
  REQUIRE(front.points.size() > 3);
  const auto qualities = [](const PricedDeployment& d) {
    return Qualities{d.objective, d.point.ttft.value(), d.point.interactivity.value(),
                     static_cast<double>(d.context_tokens)};
  };
  for (const PricedDeployment& a : front.points)
    for (const PricedDeployment& b : front.points) CHECK_FALSE(dominates(qualities(a), qualities(b)));
  for (const PricedDeployment& own : front.per_hardware)
    CHECK(std::any_of(front.points.begin(), front.points.end(), [&](const PricedDeployment& best) {
      return !dominates(qualities(own), qualities(best)) &&
             (dominates(qualities(best), qualities(own)) || best.name == own.name);
    }));
  CHECK(front.points.front().objective == Approx(price_of(query)).epsilon(1e-9));
  for (const PricedDeployment& d : front.points) {
    CHECK(d.point.ttft.value() <= 2);
    CHECK(d.point.interactivity.value() >= 30);
  }
}
