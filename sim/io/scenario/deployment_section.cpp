#include <array>

#include "number_text.hpp"
#include "parts.hpp"
#include "resolve.hpp"
#include "sections.hpp"
#include "serving_rules.hpp"
#include "tokenomics/scenario/load.hpp"
#include "typed_part.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr double kGiga = 1e9;

constexpr std::array<std::pair<const char*, PoolRole>, 3> kRoles{
    {{"mixed", PoolRole::Mixed}, {"prefill", PoolRole::Prefill}, {"decode", PoolRole::Decode}}};
constexpr std::array<std::pair<const char*, BatchPolicy>, 2> kPolicies{
    {{"chunked_mixed", BatchPolicy::ChunkedMixed}, {"prefill_first", BatchPolicy::PrefillFirst}}};
constexpr std::array<std::pair<const char*, PromptBudget>, 2> kPromptBudgets{
    {{"tokens", PromptBudget::TokenCount}, {"even_work", PromptBudget::EvenWork}}};
constexpr std::array<std::pair<const char*, AllToAll>, 2> kAllToAll{
    {{"low_latency", AllToAll::LowLatency}, {"normal", AllToAll::Normal}}};
constexpr std::array<std::pair<const char*, Precision Precisions::*>, 7> kPrecisions{
    {{"weights", &Precisions::weights},
     {"experts", &Precisions::experts},
     {"activations", &Precisions::activations},
     {"kv", &Precisions::kv},
     {"attention", &Precisions::attention},
     {"dispatch", &Precisions::dispatch},
     {"combine", &Precisions::combine}}};

constexpr std::array<std::pair<const char*, PopularityLaw::Kind>, 3> kPopularityLaws{
    {{"zipf", PopularityLaw::Kind::Zipf},
     {"power_law", PopularityLaw::Kind::PowerLaw},
     {"histogram", PopularityLaw::Kind::Histogram}}};
constexpr std::array<std::pair<const char*, RankDispatch>, 3> kDispatches{{{"random", RankDispatch::Random},
                                                                           {"least_sequences", RankDispatch::LeastSequences},
                                                                           {"least_kv", RankDispatch::LeastKv}}};

template <typename Value, std::size_t N>
Value named_value(const std::array<std::pair<const char*, Value>, N>& table, const std::string& name) {
  for (const auto& [known, value] : table) {
    if (name == known) return value;
  }
  TOKENOMICS_CHECK(false, name + " passed the schema");
}

template <typename Value, std::size_t N>
const char* name_in(const std::array<std::pair<const char*, Value>, N>& table, Value value) {
  for (const auto& [name, known] : table) {
    if (value == known) return name;
  }
  TOKENOMICS_CHECK(false, "unnamed value");
}

// Parallelism and precision -----------------------------------------------------------------------------------------

/// A long key, or its short form, in the parallelism object or (shorthand) beside the pool's keys.
int size_at(const json& pool, const Reporter& report, const char* long_name, const char* short_name) {
  const json& object = pool.contains("parallelism") ? pool["parallelism"] : json::object();
  std::optional<int> size;
  const auto take = [&](const json& from, const char* key, const Reporter& where) {
    if (!from.contains(key)) return;
    if (size) where.at(key).add(from[key].dump(), std::string("one of ") + long_name + " and its short forms, not two");
    size = from[key].get<int>();
  };
  take(object, long_name, report.at("parallelism"));
  if (std::string_view(short_name) != long_name) take(object, short_name, report.at("parallelism"));
  take(pool, short_name, report);
  return size.value_or(1);
}

Parallelism parallelism_from(const json& pool, const Reporter& report, bool is_moe) {
  Parallelism p;
  p.attention_tp = size_at(pool, report, "attention_tp", "tp");
  p.attention_dp = size_at(pool, report, "attention_dp", "dp");
  p.ep = size_at(pool, report, "ep", "ep");
  p.pp = size_at(pool, report, "pp", "pp");
  if (pool.contains("parallelism")) p.cp = pool["parallelism"].value("cp", p.cp);
  const int stage_gpus = p.stage_gpus();
  p.moe_tp = is_moe && stage_gpus % p.ep == 0 ? stage_gpus / p.ep : 1;
  if (pool.contains("parallelism")) p.moe_tp = pool["parallelism"].value("moe_tp", p.moe_tp);
  return p;
}

}  // namespace

Precisions precisions_from(const json& file, const Network& network) {
  const auto given = [&](const char* key, Precision& field) {
    if (file.contains(key)) field = precision_named(file[key].get<std::string>()).value();
  };
  Network as_chosen = network;
  given("weights", as_chosen.native_weights);
  given("experts", as_chosen.native_experts);
  Precisions precisions = default_precisions(as_chosen);
  given("activations", precisions.activations);
  precisions.dispatch = precisions.activations == Precision::Fp8 ? Precision::Fp8 : Precision::Bf16;
  for (const auto& [key, member] : kPrecisions) given(key, precisions.*member);
  return precisions;
}

// Overlap and calibration -------------------------------------------------------------------------------------------

OverlapSchedule schedule_from(const json& reference, const Reporter& report, const Catalogue& catalogue) {
  if (reference == "none" && !catalogue.find(CatalogueKind::Overlaps, "none")) return {};
  const auto schedule = typed_overlap(reference, report, catalogue);
  return schedule ? *schedule : OverlapSchedule{};
}

namespace {

void read_overlap(InstancePlan& plan, const json& file, const Reporter& report, const Catalogue& catalogue) {
  const bool is_one = file.is_string() || file.contains("stages") || file.contains("base");
  if (is_one) {
    plan.decode_schedule = plan.prefill_schedule = schedule_from(file, report, catalogue);
    return;
  }
  if (file.contains("decode")) plan.decode_schedule = schedule_from(file["decode"], report.at("decode"), catalogue);
  if (file.contains("prefill")) plan.prefill_schedule = schedule_from(file["prefill"], report.at("prefill"), catalogue);
}

std::optional<Calibration> resolved_calibration(const json& reference, const Reporter& report, const Catalogue& catalogue) {
  const auto calibration = typed_calibration(reference, report, catalogue);
  return calibration ? std::optional(*calibration) : std::nullopt;
}

}  // namespace

std::optional<Calibration> default_calibration(const Gpu& gpu, const std::string& engine, const Reporter& report,
                                               const Catalogue& catalogue) {
  const auto best = best_calibration(gpu, engine, catalogue);
  if (!best) {
    report.add("", "a calibration (missing): none is known for " + gpu.name + " or its architecture " + gpu.architecture);
    return std::nullopt;
  }
  auto calibration = resolved_calibration(*best, report, catalogue);
  if (!calibration) return std::nullopt;
  const bool is_exact = calibration->gpu == gpu.name && (engine.empty() || calibration->engine == engine);
  calibration->is_family_default = calibration->is_family_default || !is_exact;
  return calibration;
}

namespace {

Calibration pool_calibration(const json& pool, const Reporter& report, const Gpu& gpu, const DeploymentContext& context) {
  const Catalogue& catalogue = *context.catalogue;
  if (pool.contains("calibration"))
    return resolved_calibration(pool["calibration"], report.at("calibration"), catalogue).value_or(Calibration{});
  if (context.calibration != nullptr) {
    return resolved_calibration(*context.calibration, *context.calibration_report, catalogue).value_or(Calibration{});
  }
  const auto found = default_calibration(gpu, pool.value("engine", ""), report.at("calibration"), catalogue);
  return found.value_or(Calibration{});
}

// Pool --------------------------------------------------------------------------------------------------------------

}  // namespace

BatchPolicy batch_policy_named(const std::string& name) { return named_value(kPolicies, name); }

namespace {

BatchingSpec batching_from(const json& file) {
  BatchingSpec batching;
  batching.policy = named_value(kPolicies, file.value("policy", "chunked_mixed"));
  batching.max_sequences = file.value("max_sequences", batching.max_sequences);
  batching.max_tokens_per_step = file.value("max_tokens_per_step", batching.max_tokens_per_step);
  batching.prompt_budget = named_value(kPromptBudgets, file.value("prompt_budget", "tokens"));
  batching.chunked_prefill = file.value("chunked_prefill", batching.chunked_prefill);
  batching.schedules_ahead = file.value("schedules_ahead", batching.schedules_ahead);
  const json wait = file.value("wait", json::object());
  batching.wait.until_requests = wait.value("until_requests", batching.wait.until_requests);
  batching.wait.at_most_s = wait.value("at_most_s", batching.wait.at_most_s);
  read_queue(batching, file);
  read_start_waits(batching, file);
  return batching;
}

ExpertRouting routing_from(const json& file) {
  ExpertRouting routing;
  routing.zipf_exponent = file.value("zipf_exponent", 0.0);
  routing.redundant_experts = file.value("redundant_experts", 0);
  routing.force_balance = file.value("force_balance", false);
  if (file.contains("popularity")) {
    const json& law = file["popularity"];
    routing.popularity.kind = named_value(kPopularityLaws, law["law"].get<std::string>());
    routing.popularity.alpha = law.value("alpha", routing.popularity.alpha);
    routing.popularity.ratio = law.value("ratio", routing.popularity.ratio);
    routing.popularity.values = law.value("values", std::vector<double>{});
    routing.zipf_exponent = law.value("exponent", routing.zipf_exponent);
  }
  if (file.contains("eplb")) {
    routing.eplb = true;
    routing.redundant_experts = file["eplb"].value("redundant_experts", routing.redundant_experts);
    routing.refresh_s = file["eplb"].value("refresh_s", 0.0);
  }
  if (file.contains("drift")) routing.drift_time_const_s = file["drift"]["time_constant_s"].get<double>();
  return routing;
}

/// Numbers that were not typed in beside a dispatch policy are left to it.
RankBalance balance_from(const json& file) {
  RankBalance balance;
  if (file.contains("dispatch")) balance.dispatch = named_value(kDispatches, file["dispatch"].get<std::string>());
  const double absent = balance.dispatch ? 0.0 : 1.0;
  balance.sequences_max_over_mean = file.value("sequences_max_over_mean", absent);
  balance.context_max_over_mean = file.value("context_max_over_mean", absent);
  if (file.contains("context_cv")) balance.context_cv = file["context_cv"].get<double>();
  return balance;
}

void read_plan_numbers(PoolSpec& pool, const json& file) {
  InstancePlan& plan = pool.plan;
  plan.routing = routing_from(file.value("routing", json::object()));
  plan.balance = balance_from(file.value("balance", json::object()));
  const json memory = file.value("memory", json::object());
  plan.hbm_utilization = memory.value("hbm_utilization", 0.9);
  plan.reserved_per_gpu = Bytes{memory.value("reserved_GB_per_gpu", 0.0) * kGiga};
  pool.block_tokens = memory.value("block_tokens", pool.block_tokens);
  const json mtp = file.value("mtp", json::object());
  pool.mtp = {.draft_tokens = mtp.value("draft_tokens", 0), .acceptance = mtp.value("acceptance", std::vector<double>{})};
  plan.draft_tokens = pool.mtp.draft_tokens;
  if (mtp.contains("weights")) plan.draft_module.weights = precision_named(mtp["weights"].get<std::string>());
  plan.draft_module.overhead_us = mtp.value("draft_overhead_us", 0.0);
}

/// One pool. Parts that cannot be resolved are reported and stay empty; the scenario is refused in the end.
PoolSpec pool_from(const json& file, const Reporter& report, const DeploymentContext& context) {
  PoolSpec pool;
  pool.role = named_value(kRoles, file.value("role", "mixed"));
  pool.name = file.value("name", name_in(kRoles, pool.role));
  pool.instances = file.value("instances", 1);
  pool.gpus_per_node = file.value("gpus_per_node", 8);
  pool.batching = batching_from(file.value("batching", json::object()));
  if (file.contains("prefix_cache")) pool.prefix_cache = prefix_cache_from(file["prefix_cache"], report.at("prefix_cache"));
  pool.preemption = preemption_from(file.value("preemption", json::object()), report.at("preemption"));
  read_plan_numbers(pool, file);
  read_launch(pool, file.value("batching", json::object()));
  const AllToAll usual = pool.role == PoolRole::Prefill ? AllToAll::Normal : AllToAll::LowLatency;
  pool.plan.all_to_all = file.contains("all_to_all") ? named_value(kAllToAll, file["all_to_all"].get<std::string>()) : usual;
  if (file.contains("overlap")) read_overlap(pool.plan, file["overlap"], report.at("overlap"), *context.catalogue);
  if (const auto gpu = typed_gpu(file["hardware"], report.at("hardware"), *context.catalogue)) {
    pool.plan.gpu = *gpu;
    pool.calibration = pool_calibration(file, report, pool.plan.gpu, context);
  }
  if (context.network == nullptr) return pool;
  pool.plan.network = *context.network;
  pool.plan.parallelism = parallelism_from(file, report, context.network->moe() != nullptr);
  pool.plan.precisions = precisions_from(file.value("precision", json::object()), *context.network);
  check_pool(pool, file, report);
  if (!file.contains("batching")) return pool;
  check_queue(pool.batching, file["batching"], report.at("batching"));
  check_launch(pool, file["batching"], report.at("batching"));
  check_start_waits(pool, file["batching"], report.at("batching"));
  return pool;
}

KvTransferSpec kv_transfer_from(const json& file) {
  KvTransferSpec transfer;
  if (file.contains("bandwidth_GBps_per_gpu"))
    transfer.bandwidth_GBps_per_gpu = file["bandwidth_GBps_per_gpu"].get<double>();
  transfer.latency_s = file.value("latency_s", transfer.latency_s);
  transfer.layerwise_overlap = file.value("layerwise_overlap", transfer.layerwise_overlap);
  transfer.waits_for_place = file.value("start", "after_prefill") == "on_decode_place";
  return transfer;
}

// Writing -----------------------------------------------------------------------------------------------------------

json json_of_parallelism(const Parallelism& p) {
  json sizes = {
      {"attention_tp", p.attention_tp}, {"attention_dp", p.attention_dp}, {"ep", p.ep}, {"moe_tp", p.moe_tp}, {"pp", p.pp}};
  if (p.cp != 1) sizes["cp"] = p.cp;
  return sizes;
}

json json_of_batching(const BatchingSpec& batching) {
  json file{{"policy", name_in(kPolicies, batching.policy)},
            {"max_sequences", batching.max_sequences},
            {"max_tokens_per_step", batching.max_tokens_per_step},
            {"prompt_budget", name_in(kPromptBudgets, batching.prompt_budget)},
            {"chunked_prefill", batching.chunked_prefill},
            {"wait", {{"until_requests", batching.wait.until_requests}, {"at_most_s", batching.wait.at_most_s}}}};
  write_queue(file, batching);
  write_start_waits(file, batching);
  if (batching.schedules_ahead) file["schedules_ahead"] = true;
  return file;
}

json json_of_routing(const ExpertRouting& routing) {
  json file = {{"zipf_exponent", routing.zipf_exponent},
               {"redundant_experts", routing.redundant_experts},
               {"force_balance", routing.force_balance}};
  const PopularityLaw& law = routing.popularity;
  if (law.kind != PopularityLaw::Kind::Zipf) file["popularity"] = {{"law", name_in(kPopularityLaws, law.kind)}};
  if (law.kind == PopularityLaw::Kind::PowerLaw) file["popularity"].update({{"alpha", law.alpha}, {"ratio", law.ratio}});
  if (law.kind == PopularityLaw::Kind::Histogram) file["popularity"]["values"] = law.values;
  if (routing.eplb) file["eplb"] = {{"redundant_experts", routing.redundant_experts}};
  if (routing.refresh_s > 0) file["eplb"]["refresh_s"] = routing.refresh_s;
  if (routing.drift_time_const_s > 0) file["drift"] = {{"time_constant_s", routing.drift_time_const_s}};
  return file;
}

json json_of_balance(const RankBalance& balance) {
  json file = json::object();
  if (balance.sequences_max_over_mean > 0) file["sequences_max_over_mean"] = balance.sequences_max_over_mean;
  if (balance.context_max_over_mean > 0) file["context_max_over_mean"] = balance.context_max_over_mean;
  if (balance.dispatch) file["dispatch"] = name_in(kDispatches, *balance.dispatch);
  if (balance.context_cv) file["context_cv"] = *balance.context_cv;
  return file;
}

/// Written only where given, as what a scenario without them resolves to.
json json_of_mtp(const PoolSpec& pool) {
  json mtp = {{"draft_tokens", pool.mtp.draft_tokens}, {"acceptance", pool.mtp.acceptance}};
  const DraftModule& module = pool.plan.draft_module;
  if (module.weights) mtp["weights"] = name_of(*module.weights);
  if (module.overhead_us != 0) mtp["draft_overhead_us"] = module.overhead_us;
  return mtp;
}

json json_of_plain_pool(const PoolSpec& pool) {
  const InstancePlan& plan = pool.plan;
  json precision = json::object();
  for (const auto& [key, member] : kPrecisions) precision[key] = name_of(plan.precisions.*member);
  return {{"name", pool.name},
          {"role", name_in(kRoles, pool.role)},
          {"hardware", json_of(plan.gpu)},
          {"instances", pool.instances},
          {"gpus_per_node", pool.gpus_per_node},
          {"calibration", json_of(pool.calibration)},
          {"parallelism", json_of_parallelism(plan.parallelism)},
          {"precision", precision},
          {"all_to_all", name_in(kAllToAll, plan.all_to_all)},
          {"overlap", {{"decode", json_of(plan.decode_schedule)}, {"prefill", json_of(plan.prefill_schedule)}}},
          {"routing", json_of_routing(plan.routing)},
          {"balance", json_of_balance(plan.balance)},
          {"batching", json_of_batching(pool.batching)},
          {"mtp", json_of_mtp(pool)},
          {"memory",
           {{"hbm_utilization", plan.hbm_utilization},
            {"reserved_GB_per_gpu", in_file_unit(plan.reserved_per_gpu.value(), kGiga)},
            {"block_tokens", pool.block_tokens}}}};
}

json json_of_pool(const PoolSpec& pool) {
  json file = json_of_plain_pool(pool);
  write_launch(file["batching"], pool);
  if (pool.prefix_cache) file["prefix_cache"] = json_of(*pool.prefix_cache);
  file["preemption"] = json_of(pool.preemption);
  return file;
}

}  // namespace

Precisions default_precisions(const Network& network) {
  Precisions precisions;
  precisions.weights = network.native_weights;
  precisions.experts = network.native_experts;
  precisions.activations = network.native_weights == Precision::Fp8 ? Precision::Fp8 : Precision::Bf16;
  precisions.kv = Precision::Bf16;
  precisions.attention = Precision::Bf16;
  precisions.dispatch = precisions.activations;
  precisions.combine = Precision::Bf16;
  return precisions;
}

namespace {

/// A pool that its schema refused is not read further, but an unknown GPU in it is told in the same go.
void add_pool(DeploymentSpec& deployment, const json& file, const Reporter& report, const DeploymentContext& context) {
  if (report.clean()) {
    deployment.pools.push_back(pool_from(file, report, context));
  } else if (file.is_object() && file.contains("hardware") && report.at("hardware").clean()) {
    resolve(*context.catalogue, kHardwarePart, file["hardware"], report.at("hardware"));
  }
}

}  // namespace

DeploymentSpec deployment_from(const json& file, const Reporter& report, const DeploymentContext& context) {
  DeploymentSpec deployment;
  if (report.clean()) {
    read_router(deployment, file);
    deployment.kv_transfer = kv_transfer_from(file.value("kv_transfer", json::object()));
    deployment.request_latency_s = file.value("request_latency_s", 0.0);
    deployment.request_latency_s_per_ktoken = file.value("request_latency_s_per_ktoken", 0.0);
  }
  if (!file.contains("pools")) {
    add_pool(deployment, file, report, context);
    if (report.clean()) check_router(deployment, file, report);
    return deployment;
  }
  if (!file["pools"].is_array()) return deployment;
  const Reporter pools = report.at("pools");
  for (std::size_t i = 0; i < file["pools"].size(); ++i)
    add_pool(deployment, file["pools"][i], pools.at(std::to_string(i)), context);
  if (deployment.pools.size() == file["pools"].size()) {
    check_topology(deployment.pools, pools);
    if (report.clean()) check_router(deployment, file, report);
  }
  return deployment;
}

json json_of(const DeploymentSpec& deployment) {
  json pools = json::array();
  for (const PoolSpec& pool : deployment.pools) pools.push_back(json_of_pool(pool));
  json transfer{{"latency_s", deployment.kv_transfer.latency_s},
                {"layerwise_overlap", deployment.kv_transfer.layerwise_overlap},
                {"start", deployment.kv_transfer.waits_for_place ? "on_decode_place" : "after_prefill"}};
  if (deployment.kv_transfer.bandwidth_GBps_per_gpu)
    transfer["bandwidth_GBps_per_gpu"] = *deployment.kv_transfer.bandwidth_GBps_per_gpu;
  json file{{"pools", pools}, {"kv_transfer", transfer}};
  write_router(file, deployment);
  if (deployment.request_latency_s > 0) file["request_latency_s"] = deployment.request_latency_s;
  if (deployment.request_latency_s_per_ktoken > 0)
    file["request_latency_s_per_ktoken"] = deployment.request_latency_s_per_ktoken;
  return file;
}

}  // namespace tokenomics
