// The fleet of a scenario: how many instances there are when, how they start and how they fail.
#include <array>

#include "sections.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<const char*, FleetSpec::Kind>, 4> kFleetKinds{{{"fixed", FleetSpec::Kind::Fixed},
                                                                              {"hold_service", FleetSpec::Kind::HoldService},
                                                                              {"schedule", FleetSpec::Kind::Schedule},
                                                                              {"autoscale", FleetSpec::Kind::Autoscale}}};

/// Keys that only one policy looks at.
constexpr std::array<std::pair<const char*, const char*>, 8> kKeysOfPolicies{{{"signal", "target_utilization"},
                                                                              {"target", "target_utilization"},
                                                                              {"tolerance", "target_utilization"},
                                                                              {"waiting_per_instance", "queue"},
                                                                              {"percentile", "slo"},
                                                                              {"ttft_s", "slo"},
                                                                              {"interactivity_tok_s_user", "slo"},
                                                                              {"calm_share", "slo"}}};

template <typename Value>
std::optional<Value> optional_at(const json& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  return object[key].get<Value>();
}

template <typename Value>
void write(json& object, const char* key, const std::optional<Value>& value) {
  if (value) object[key] = *value;
}

ScalingRule rule_from(const json& file) {
  const std::string policy = file["policy"];
  if (policy == "queue")
    return QueueTarget{.waiting_per_instance = file.value("waiting_per_instance", 1.0),
                       .calm_share = file.value("calm_share", 0.5)};
  if (policy == "target_utilization") {
    const bool is_busy = file.value("signal", "batch") == "busy";
    return TargetUtilization{.signal = is_busy ? UtilizationSignal::Busy : UtilizationSignal::Batch,
                             .target = file.value("target", 0.7),
                             .tolerance = file.value("tolerance", 0.1)};
  }
  SloTarget slo;
  slo.percentile = file.value("percentile", 90.0);
  slo.ttft_s = optional_at<double>(file, "ttft_s");
  slo.interactivity_tok_s_user = optional_at<double>(file, "interactivity_tok_s_user");
  slo.calm_share = file.value("calm_share", 0.5);
  return slo;
}

AutoscaleSpec autoscale_from(const json& file, const Reporter& report) {
  AutoscaleSpec spec;
  spec.pool = file.value("pool", "");
  spec.scaling.rule = rule_from(file);
  spec.scaling.min_instances = file.value("min_instances", 1);
  spec.scaling.max_instances = file["max_instances"];
  spec.scaling.interval_s = file.value("interval_s", 15.0);
  spec.scaling.stabilization_s = file.value("stabilization_s", 300.0);
  const std::string policy = file["policy"];
  for (const auto& [key, owner] : kKeysOfPolicies) {
    const bool is_shared = policy == "queue" && std::string(key) == "calm_share";
    if (file.contains(key) && policy != owner && !is_shared)
      report.at(key).add(file[key].dump(),
                         "no such key here: the policy " + policy + " does not look at it, " + owner + " does");
  }
  if (spec.scaling.min_instances > spec.scaling.max_instances) {
    report.at("min_instances")
        .add(json(spec.scaling.min_instances).dump(), "at most max_instances, " + json(spec.scaling.max_instances).dump());
  }
  if (policy == "slo" && !file.contains("ttft_s") && !file.contains("interactivity_tok_s_user"))
    report.at("ttft_s").add("", "a bound for the policy slo: ttft_s or interactivity_tok_s_user (missing)");
  return spec;
}

StartUpSpec start_up_from(const json& file) {
  return {.provisioning_s = file.value("provisioning_s", 60.0),
          .load_GBps_per_gpu = file.value("load_GBps_per_gpu", 2.0),
          .warm_up_s = file.value("warm_up_s", 60.0)};
}

FailureSpec failures_from(const json& file, const Reporter& report) {
  const FailureSpec failures{.mtbf_gpu_hours = file.value("mtbf_gpu_hours", 50'677.0),
                             .repair_s = file["repair_s"],
                             .detect_s = file.value("detect_s", 0.0),
                             .retry = file.value("requests", "retried") == "retried",
                             .paid_while_down = file.value("paid_while_down", true)};
  if (failures.detect_s > failures.repair_s)
    report.at("detect_s").add(file["detect_s"].dump(), "at most repair_s, " + file["repair_s"].dump());
  return failures;
}

json json_of(const TargetUtilization& rule) {
  return {{"policy", "target_utilization"},
          {"signal", rule.signal == UtilizationSignal::Busy ? "busy" : "batch"},
          {"target", rule.target},
          {"tolerance", rule.tolerance}};
}
json json_of(const QueueTarget& rule) {
  return {{"policy", "queue"}, {"waiting_per_instance", rule.waiting_per_instance}, {"calm_share", rule.calm_share}};
}
json json_of(const SloTarget& rule) {
  json file{{"policy", "slo"}, {"percentile", rule.percentile}, {"calm_share", rule.calm_share}};
  write(file, "ttft_s", rule.ttft_s);
  write(file, "interactivity_tok_s_user", rule.interactivity_tok_s_user);
  return file;
}
// Schedules are written as nodes, not here.
json json_of(const InstanceSchedule&) { return json::object(); }
json json_of(std::monostate) { return json::object(); }

json json_of(const AutoscaleSpec& spec) {
  json file = std::visit([](const auto& rule) { return json_of(rule); }, spec.scaling.rule);
  if (!spec.pool.empty()) file["pool"] = spec.pool;
  file["min_instances"] = spec.scaling.min_instances;
  file["max_instances"] = spec.scaling.max_instances;
  file["interval_s"] = spec.scaling.interval_s;
  file["stabilization_s"] = spec.scaling.stabilization_s;
  return file;
}

json json_of(const StartUpSpec& spec) {
  return {
      {"provisioning_s", spec.provisioning_s}, {"load_GBps_per_gpu", spec.load_GBps_per_gpu}, {"warm_up_s", spec.warm_up_s}};
}

json json_of(const FailureSpec& spec) {
  return {{"mtbf_gpu_hours", spec.mtbf_gpu_hours},
          {"repair_s", spec.repair_s},
          {"detect_s", spec.detect_s},
          {"requests", spec.retry ? "retried" : "lost"},
          {"paid_while_down", spec.paid_while_down}};
}

void read_schedule(FleetSpec& fleet, const json& file, const Reporter& report) {
  if (file.contains("schedule_nodes"))
    fleet.schedule_nodes = file["schedule_nodes"].get<std::vector<std::pair<double, int>>>();
  for (std::size_t i = 1; i < fleet.schedule_nodes.size(); ++i) {
    if (fleet.schedule_nodes[i].first > fleet.schedule_nodes[i - 1].first) continue;
    report.at("schedule_nodes")
        .at(std::to_string(i))
        .add(file["schedule_nodes"][i].dump(), "a later hour than the one before");
  }
  if ((fleet.kind == FleetSpec::Kind::Schedule) != file.contains("schedule_nodes")) {
    report.at("schedule_nodes").add("", "a list of [from hour, nodes] for the kind schedule, and for no other");
  }
}

void read_autoscale(FleetSpec& fleet, const json& file, const Reporter& report) {
  if ((fleet.kind == FleetSpec::Kind::Autoscale) != file.contains("autoscale"))
    report.at("autoscale").add("", "a list of pools and their policies for the kind autoscale, and for no other");
  if (!file.contains("autoscale")) return;
  for (std::size_t i = 0; i < file["autoscale"].size(); ++i)
    fleet.autoscale.push_back(autoscale_from(file["autoscale"][i], report.at("autoscale").at(std::to_string(i))));
}

}  // namespace

FleetSpec fleet_from(const json& file, const Reporter& report) {
  FleetSpec fleet;
  const std::string kind = file.value("kind", "fixed");
  for (const auto& [name, value] : kFleetKinds) {
    if (kind == name) fleet.kind = value;
  }
  fleet.interactivity_tok_s_user = file.value("interactivity_tok_s_user", 0.0);
  fleet.ttft_p90_s = file.value("ttft_p90_s", 0.0);
  fleet.max_nodes = optional_at<int>(file, "max_nodes");
  read_schedule(fleet, file, report);
  read_autoscale(fleet, file, report);
  if (file.contains("start_up")) fleet.start_up = start_up_from(file["start_up"]);
  if (file.contains("failures")) fleet.failures = failures_from(file["failures"], report.at("failures"));
  fleet.owned_gpus = optional_at<double>(file, "owned_gpus");
  fleet.research_usd_per_gpu_hour = optional_at<double>(file, "research_usd_per_gpu_hour");
  if (fleet.kind == FleetSpec::Kind::HoldService && !file.contains("interactivity_tok_s_user")) {
    report.at("interactivity_tok_s_user").add("", "the speed that decode units hold (missing)");
  }
  return fleet;
}

json json_of(const FleetSpec& fleet) {
  json file = json::object();
  for (const auto& [name, value] : kFleetKinds) {
    if (fleet.kind == value) file["kind"] = name;
  }
  if (fleet.interactivity_tok_s_user > 0) file["interactivity_tok_s_user"] = fleet.interactivity_tok_s_user;
  if (fleet.ttft_p90_s > 0) file["ttft_p90_s"] = fleet.ttft_p90_s;
  write(file, "max_nodes", fleet.max_nodes);
  if (!fleet.schedule_nodes.empty()) file["schedule_nodes"] = fleet.schedule_nodes;
  for (const AutoscaleSpec& spec : fleet.autoscale) file["autoscale"].push_back(json_of(spec));
  if (fleet.start_up) file["start_up"] = json_of(*fleet.start_up);
  if (fleet.failures) file["failures"] = json_of(*fleet.failures);
  write(file, "owned_gpus", fleet.owned_gpus);
  write(file, "research_usd_per_gpu_hour", fleet.research_usd_per_gpu_hour);
  return file;
}

}  // namespace tokenomics
