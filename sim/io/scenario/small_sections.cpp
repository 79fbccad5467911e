#include <algorithm>
#include <array>

#include "sections.hpp"
#include "serving_rules.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::int64_t kDefaultRequests = 2000;
constexpr std::int64_t kDefaultWarmUpRequests = 200;

template <typename Value>
std::optional<Value> optional_at(const json& object, const char* key) {
  if (!object.contains(key)) return std::nullopt;
  return object[key].get<Value>();
}

template <typename Value>
void write(json& object, const char* key, const std::optional<Value>& value) {
  if (value) object[key] = *value;
}

}  // namespace

// Limits and SLO ----------------------------------------------------------------------------------------------------

LimitsSpec limits_from(const json& file) {
  return {.context_tokens = optional_at<std::int64_t>(file, "context_tokens"),
          .queue_requests = optional_at<std::int64_t>(file, "queue_requests"),
          .admission = admission_from(file.value("admission", json::object()))};
}

json json_of(const LimitsSpec& limits) {
  json file = json::object();
  write(file, "context_tokens", limits.context_tokens);
  write(file, "queue_requests", limits.queue_requests);
  if (!is_empty(limits.admission)) file["admission"] = json_of(limits.admission);
  return file;
}

SloSpec slo_from(const json& file) {
  SloSpec slo;
  const auto bound = [&](const char* key, const char* value) -> std::optional<SloSpec::Bound> {
    if (!file.contains(key)) return std::nullopt;
    return SloSpec::Bound{.percentile = file[key].value("percentile", 90.0), .value = file[key][value]};
  };
  slo.ttft_s = bound("ttft_s", "max");
  slo.interactivity_tok_s_user = bound("interactivity_tok_s_user", "min");
  return slo;
}

json json_of(const SloSpec& slo) {
  json file = json::object();
  if (slo.ttft_s) file["ttft_s"] = {{"percentile", slo.ttft_s->percentile}, {"max", slo.ttft_s->value}};
  if (slo.interactivity_tok_s_user) {
    file["interactivity_tok_s_user"] = {{"percentile", slo.interactivity_tok_s_user->percentile},
                                        {"min", slo.interactivity_tok_s_user->value}};
  }
  return file;
}

// Measure -----------------------------------------------------------------------------------------------------------

namespace {

/// All-at-once and a trace that does not loop end by themselves.
bool ends_by_itself(const WorkloadSpec& workload) {
  if (!workload.mix.empty()) return std::all_of(workload.mix.begin(), workload.mix.end(), ends_by_itself);
  if (std::holds_alternative<AllAtOnceArrivals>(workload.arrivals)) return true;
  return std::holds_alternative<TraceArrivals>(workload.arrivals) && workload.trace && !workload.trace->loop;
}

}  // namespace

MeasureSpec measure_from(const json& file, const Reporter& report, const WorkloadSpec* workload) {
  MeasureSpec measure;
  if (file.value("start", "empty") == "stationary") measure.start = MeasureSpec::Start::Stationary;
  measure.warm_up_s = file.value("warm_up_s", 0.0);
  measure.duration_s = optional_at<double>(file, "duration_s");
  measure.requests = optional_at<std::int64_t>(file, "requests");
  measure.windows_per_day = file.value("windows_per_day", 0);
  measure.window_s = file.value("window_s", 0.0);
  measure.replications = file.value("replications", 1);
  const bool is_open_end = !measure.duration_s && !measure.requests && measure.windows_per_day == 0;
  const bool takes_default = is_open_end && workload != nullptr && !ends_by_itself(*workload);
  if (takes_default) measure.requests = kDefaultRequests;
  const bool is_warm = file.contains("warm_up_s") || measure.start == MeasureSpec::Start::Stationary;
  measure.warm_up_requests = file.value("warm_up_requests", takes_default && !is_warm ? kDefaultWarmUpRequests : 0);
  if ((measure.windows_per_day > 0) != (measure.window_s > 0)) {
    report.at(measure.window_s > 0 ? "windows_per_day" : "window_s")
        .add("", "windows_per_day and window_s together, or neither");
  }
  if (measure.windows_per_day > 0 && measure.windows_per_day * measure.window_s > kSecondsPerDay) {
    report.at("window_s")
        .add(file["window_s"].dump(),
             "windows that do not overlap: at most " + json(kSecondsPerDay / measure.windows_per_day).dump());
  }
  return measure;
}

json json_of(const MeasureSpec& measure) {
  json file{{"start", measure.start == MeasureSpec::Start::Stationary ? "stationary" : "empty"},
            {"warm_up_s", measure.warm_up_s},
            {"warm_up_requests", measure.warm_up_requests},
            {"windows_per_day", measure.windows_per_day},
            {"replications", measure.replications}};
  write(file, "duration_s", measure.duration_s);
  write(file, "requests", measure.requests);
  if (measure.window_s > 0) file["window_s"] = measure.window_s;
  return file;
}

}  // namespace tokenomics
