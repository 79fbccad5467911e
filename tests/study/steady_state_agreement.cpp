// The steady-state evaluator against the event simulation on 200 operating points: 40 deployments at five loads each.
#include "tokenomics/study/steady_state.hpp"

#include <cstdio>
#include <numeric>

#include "../../sim/study/solve/solver.hpp"
#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/study/build_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

constexpr double kLoads[] = {0.30, 0.50, 0.70, 0.85, 0.95};  // of the highest load that is not refused
constexpr std::uint64_t kRequests = 6000;

struct Deployment {
  const char *model, *hardware, *parallelism, *workload, *policy;
  int max_sequences, max_tokens_per_step;
  const char* mtp = "";
};

constexpr const char* kChat = "chat-2023";        // Azure's chat: short prompts, short answers
constexpr const char* kLong = "long-chat";        // Mooncake: prompts of 12K
constexpr const char* kEven = "inferencex-1k1k";  // uniform lengths around 1K / 1K
constexpr const char* kWide = "inferencex-8k1k";  // 8K / 1K
constexpr const char* kReason =
    R"({"name": "reason", "lengths": {"input": {"law": "lognormal", "mean": 1400, "sigma": 1.5, "max_tokens": 30000},
       "output": {"law": "lognormal", "mean": 1700, "sigma": 1.0, "max_tokens": 20000}}, "cache_hit_ratio": 0.3,
       "arrivals": {"kind": "poisson", "rate_per_s": 1}})";
constexpr const char* kFiles =
    R"({"name": "files", "lengths": {"input": {"law": "lognormal", "mean": 9000, "sigma": 0.8, "max_tokens": 30000},
       "output": {"law": "lognormal", "mean": 300, "sigma": 0.9, "max_tokens": 2000}}, "cache_hit_ratio": 0.5,
       "arrivals": {"kind": "poisson", "rate_per_s": 1}})";
constexpr const char* kTp1 = R"({"tp": 1})";
constexpr const char* kTp2 = R"({"tp": 2})";
constexpr const char* kTp4 = R"({"tp": 4})";
constexpr const char* kTp8 = R"({"tp": 8})";
constexpr const char* kEp8 = R"({"dp": 8, "ep": 8})";
constexpr const char* kOneDraft = R"(, "mtp": {"draft_tokens": 1, "acceptance": [0.85]})";
constexpr const char* kChunked = "chunked_mixed";
constexpr const char* kFirst = "prefill_first";

const Deployment kDeployments[] = {
    // Dense.
    {"llama-3.3-70b", "h100-sxm", kTp4, kChat, kChunked, 256, 8192},
    {"llama-3.3-70b", "h100-sxm", kTp4, kEven, kChunked, 512, 2048},
    {"llama-3.3-70b", "h100-sxm", kTp8, kChat, kFirst, 256, 8192},
    {"llama-3.3-70b", "h200-sxm", kTp2, kReason, kFirst, 256, 16384},
    {"llama-3.3-70b", "h200-sxm", kTp8, kLong, kChunked, 256, 8192},
    {"llama-3.3-70b", "mi300x", kTp1, kEven, kFirst, 256, 8192},
    {"llama-3.3-70b", "b200-sxm", kTp4, kFiles, kChunked, 512, 8192},
    {"llama-3.1-405b", "b200-sxm", kTp8, kReason, kChunked, 256, 8192},
    // Experts, grouped queries.
    {"gpt-oss-120b", "h100-sxm", kTp1, kChat, kChunked, 256, 8192},
    {"gpt-oss-120b", "b200-sxm", kTp2, kReason, kFirst, 512, 8192},
    {"gpt-oss-120b", "mi300x", kTp4, kEven, kChunked, 1024, 8192},
    {"gpt-oss-20b", "h100-sxm", kTp1, kWide, kChunked, 256, 16384},
    {"qwen3-235b-a22b", "h200-sxm", kTp8, kEven, kFirst, 512, 8192},
    {"qwen3-235b-a22b", "h200-sxm", kTp8, kLong, kChunked, 512, 8192},
    {"qwen3-235b-a22b", "b200-sxm", kTp8, kChat, kFirst, 1024, 16384},
    {"qwen3-30b-a3b", "h100-sxm", kTp1, kFiles, kChunked, 256, 8192},
    {"qwen3-30b-a3b", "mi300x", kTp1, kWide, kFirst, 512, 16384},
    {"qwen3-30b-a3b", "h200-sxm", kTp2, kReason, kChunked, 512, 2048},
    {"glm-4.5", "h200-sxm", kTp8, kEven, kChunked, 512, 8192},
    {"mixtral-8x7b", "h100-sxm", kTp2, kChat, kFirst, 256, 4096},
    // Experts, latent attention.
    {"deepseek-r1", "h200-sxm", kTp8, kChat, kFirst, 512, 16384},
    {"deepseek-r1", "h200-sxm", kTp8, kChat, kChunked, 512, 8192},
    {"deepseek-r1", "h200-sxm", kTp8, kWide, kFirst, 512, 16384},
    {"deepseek-r1", "h200-sxm", kTp8, kWide, kChunked, 512, 8192},
    {"deepseek-r1", "h200-sxm", kTp8, kEven, kChunked, 1024, 16384},
    {"deepseek-r1", "h200-sxm", kEp8, kEven, kFirst, 1024, 65536},
    {"deepseek-r1", "h200-sxm", kEp8, kChat, kChunked, 1024, 65536},
    {"deepseek-r1", "b200-sxm", kEp8, kReason, kChunked, 2048, 65536},
    {"deepseek-r1", "b200-sxm", kTp8, kReason, kFirst, 1024, 16384},
    {"deepseek-r1", "b200-sxm", kTp8, kFiles, kChunked, 512, 8192},
    {"deepseek-r1", "b200-sxm", kEp8, kEven, kChunked, 2048, 65536, kOneDraft},
    {"deepseek-r1", "mi300x", kTp8, kEven, kChunked, 512, 8192},
    {"deepseek-r1", "mi300x", kTp8, kReason, kFirst, 512, 8192},
    {"deepseek-r1", "mi300x", kEp8, kWide, kFirst, 512, 65536},
    {"deepseek-r1", "h200-sxm", kTp8, kReason, kChunked, 512, 8192, kOneDraft},
    {"deepseek-r1", "h200-sxm", kTp8, kChat, kFirst, 512, 16384, kOneDraft},
    {"kimi-k2", "b200-sxm", kTp8, kChat, kChunked, 512, 8192},
    {"kimi-k2", "b200-sxm", kEp8, kReason, kFirst, 1024, 65536},
};

/// Prefill and decode apart, as the solver pairs them.
const char* const kPairs[] = {
    R"({"model": "llama-3.3-70b", "workload": "inferencex-1k1k", "hardware": ["h100-sxm"], "usd_per_gpu_hour": 2,
        "search": {"pools": ["disaggregated"], "gpus_per_instance": [4], "tokens_per_step": [8192]}})",
    R"({"model": "deepseek-r1", "workload": "r1-api", "hardware": ["h200-sxm"], "usd_per_gpu_hour": 2,
        "search": {"pools": ["disaggregated"], "gpus_per_instance": [8], "tokens_per_step": [16384]}})"};

struct Errors {
  std::vector<double> price, output_price, throughput, tpot, ttft;
};

double deviation(double evaluated, double simulated) { return evaluated / simulated - 1; }

void print(const char* what, std::vector<double> errors) {
  for (double& e : errors) e = std::abs(e);
  std::sort(errors.begin(), errors.end());
  const std::size_t n = errors.size();
  std::printf("  %-12s median %5.2f%%  p90 %5.2f%%  largest %5.2f%%\n", what, 100 * errors[n / 2], 100 * errors[n * 9 / 10],
              100 * errors.back());
}

double median(std::vector<double> errors) {
  for (double& e : errors) e = std::abs(e);
  std::sort(errors.begin(), errors.end());
  return errors[errors.size() / 2];
}

/// USD per token of all and of the output, of one second or of a window that served `volume`.
std::pair<double, double> prices(const BuiltPool& pool, double provisioned_s, double busy_s, double prefill_s,
                                 double decode_s, const TokenVolume& volume, double answers) {
  const double gpus = pool.gpus_per_instance();
  const CostBreakdown cost = cost_breakdown({{usd_per_hour(2), UsdPerSecond{0}, Seconds{gpus * provisioned_s},
                                              Seconds{gpus * busy_s}, Seconds{prefill_s}, Seconds{decode_s}}},
                                            volume, answers);
  return {cost.per_token.own_mix->value(), cost.per_token.output->value()};
}

/// The highest load that neither the batch, nor memory, nor prompts refuse.
double highest_load_of(const PoolConfig& pool, const WorkloadSample& workload) {
  const auto holds = [&](double rate) {
    const DecodeState state = decode_state(pool, workload, rate);
    return state.refused == LoadLimit::None && rate * state.prompt_s <= 0.9;
  };
  double low = 1e-4, high = 1e-4;
  while (holds(high)) low = high, high *= 2;
  for (int i = 0; i < 20; ++i) (holds((low + high) / 2) ? low : high) = (low + high) / 2;
  return low;
}

void compare_mixed(const Deployment& d, Errors& errors) {
  const std::string workload = d.workload[0] == '{' ? std::string(d.workload)
                                                    : std::string("{\"base\": \"") + d.workload +
                                                          "\", \"arrivals\": {\"kind\": \"poisson\", \"rate_per_s\": 1}}";
  const std::string text = std::string("{\"model\": \"") + d.model + "\", \"workload\": " + workload +
                           ", \"cost\": {\"usd_per_gpu_hour\": 2}, \"deployment\": {\"hardware\": \"" + d.hardware +
                           "\", \"parallelism\": " + d.parallelism +
                           ", \"precision\": {\"kv\": \"fp8\"}, \"batching\": {\"policy\": \"" + d.policy +
                           "\", \"max_sequences\": " + std::to_string(d.max_sequences) +
                           ", \"max_tokens_per_step\": " + std::to_string(d.max_tokens_per_step) + "}" + d.mtp + "}}";
  Scenario scenario = load_scenario_text(text, "agreement.json", shipped_catalogue());
  BuiltService service = build_service(scenario);
  const BuiltPool& pool = service.pools.front();
  const WorkloadSample sample = sample_workload(*service.lengths, sequence_limit(service.config), 1);
  const double most = highest_load_of(pool.config, sample);
  REQUIRE(most > 2e-4);
  for (const double load : kLoads) {
    const double rate = load * most;
    const DecodeState state = decode_state(pool.config, sample, rate);
    const FirstTokens first = first_tokens(pool.config, sample, rate, &state);
    scenario.workload.arrivals = PoissonArrivals{rate / (1 - sample.rejected_share)};  // the evaluator's are those accepted
    ServiceConfig config = service.config;
    config.stationary = StationaryStart{service.lengths.get(), rate};
    config.measure = {};
    config.measure.warm_up_requests = 500 + static_cast<std::uint64_t>(1.5 * state.sequences);
    config.measure.requests = kRequests;
    const auto source = make_request_source(scenario.workload, 1, 0);
    const ServiceResult seen = simulate(config, *source);
    const PoolResult& r = seen.pools.front();
    const double answers = static_cast<double>(seen.answers);
    const auto [price, output] = prices(pool, 1, 1, state.prompt_share, 1 - state.prompt_share,
                                        {rate * (sample.mean.mean_input - sample.mean.mean_cached),
                                         rate * sample.mean.mean_cached, rate * sample.mean.mean_output},
                                        rate);
    const auto [price_seen, output_seen] =
        prices(pool, r.provisioned_s, r.busy_s, r.prefill_s, r.decode_s,
               {seen.input_computed_tokens, seen.input_cached_tokens, seen.output_tokens}, answers);
    errors.price.push_back(deviation(price, price_seen));
    errors.output_price.push_back(deviation(output, output_seen));
    errors.throughput.push_back(deviation(rate * sample.mean.mean_output, seen.output_tokens / seen.measured_s));
    errors.tpot.push_back(deviation(state.tpot_s, seen.tpot.histogram().mean() * 1e-9));
    errors.ttft.push_back(deviation(first.quantile_s(0.9), seen.ttft.histogram().quantile(0.9) * 1e-9));
  }
}

void compare_pair(const char* text, Errors& errors) {
  const Query query = load_query_text(text, "agreement.json", shipped_catalogue());
  const LoadedWorkload workload(query.workload);
  const auto lengths = workload.length_law();
  Solver solver(query, *lengths, 1);
  REQUIRE(!solver.candidates().empty());
  const Candidate& candidate = solver.candidates().front();
  REQUIRE_FALSE(candidate.is_mixed());
  const Fleet most = solver.fleet_at(candidate, solver.fast(candidate));
  for (const double load : kLoads) {
    Fleet fleet = most;
    fleet.rate_per_s *= load;
    const OperatingPoint point = solver.pricer().point(candidate, fleet, true);
    const SimulatedPoint seen = simulate_fleet(query, candidate, fleet, solver.evaluator().bounds(), solver.pricer());
    errors.price.push_back(deviation(solver.pricer().objective(point), seen.objective));
    // Simulated is the smallest fleet of the same proportion.
    const double slices = std::gcd(fleet.prefill, fleet.decode);
    errors.throughput.push_back(deviation(fleet.rate_per_s / slices, seen.requests_per_s));
    errors.tpot.push_back(deviation(seen.interactivity_mean, point.interactivity_mean.value()));
    errors.ttft.push_back(deviation(point.ttft.value(), seen.ttft_s));
  }
}

}  // namespace

TEST_CASE("The steady-state evaluator agrees with the simulation: medians of price, throughput and TPOT to 5%, TTFT to 15%",
          "[study]") {
  Errors errors;
  for (const Deployment& d : kDeployments) compare_mixed(d, errors);
  for (const char* pair : kPairs) compare_pair(pair, errors);
  REQUIRE(errors.tpot.size() == 200);
  std::printf("steady state against simulation, %zu operating points:\n", errors.tpot.size());
  print("price", errors.price);
  print("output price", errors.output_price);
  print("throughput", errors.throughput);
  print("TPOT, mean", errors.tpot);
  print("TTFT, p90", errors.ttft);
  CHECK(median(errors.price) < 0.05);
  CHECK(median(errors.output_price) < 0.05);
  CHECK(median(errors.throughput) < 0.05);
  CHECK(median(errors.tpot) < 0.05);
  CHECK(median(errors.ttft) < 0.15);
}
