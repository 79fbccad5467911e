#include "recorders.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tokenomics::cli {
namespace {

/// Nanoseconds as an exact decimal in a unit of 10^digits ns, without zeros at the end; empty when never reached.
std::string decimal(SimTime time, int digits) {
  if (time == kNever) return "";
  std::int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const char* sign = time < 0 ? "-" : "";
  const std::int64_t size = time < 0 ? -time : time;
  std::string text = fmt::format("{}{}.{:0{}}", sign, size / unit, size % unit, digits);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}
std::string seconds(SimTime time) { return decimal(time, 9); }
std::string microseconds(SimTime time) { return decimal(time, 3); }

const char* name_of(Outcome outcome) {
  constexpr std::array names{"completed", "rejected_context_limit", "rejected_queue_full", "rejected_admission",
                             "lost_to_failure"};
  return names[static_cast<std::size_t>(outcome)];
}

/// Mean gap of a completed request, in ms to 1 ns / (tokens - 1).
std::string tpot_ms(const RequestRecord& record) {
  const std::int64_t gaps = record.request.output_tokens - 1;
  if (record.outcome != Outcome::Completed || gaps < 1) return "";
  return fmt::format("{:.9g}", static_cast<double>(record.end - record.first_token) / static_cast<double>(gaps) * 1e-6);
}

}  // namespace

RequestLog::RequestLog(const std::string& path) : file_(path) {
  file_.write(
      "id,arrival_s,input,cached,output,outcome,scheduled_s,first_token_s,end_s,ttft_s,tpot_ms,instance,preemptions,"
      "measured\n");
}

void RequestLog::request_ended(const RequestRecord& r) {
  const SimTime ttft = r.first_token == kNever ? kNever : r.first_token - r.request.arrival;
  file_.write(fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", r.request.id, seconds(r.request.arrival),
                          r.request.input_tokens, r.request.cached_tokens, r.request.output_tokens, name_of(r.outcome),
                          seconds(r.scheduled), seconds(r.first_token), seconds(r.end), seconds(ttft), tpot_ms(r),
                          r.instance < 0 ? "" : std::to_string(r.instance), r.preemptions, r.measured ? 1 : 0));
}

Timeline::Timeline(const std::string& path, const Scenario& scenario) : file_(path) {
  file_.write("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [");
  const auto& pools = scenario.deployment.pools;
  for (std::size_t pool = 0; pool < pools.size(); ++pool) {
    const nlohmann::ordered_json name{
        {"name", "process_name"}, {"ph", "M"}, {"pid", pool}, {"args", {{"name", pools[pool].name}}}};
    event(name.dump());
  }
  named_.resize(pools.size());
}

void Timeline::event(const std::string& json) {
  file_.write(is_first_ ? "\n" : ",\n");
  file_.write(json);
  is_first_ = false;
}

void Timeline::run_ended(const RunRecord& r) {
  auto& named = named_.at(static_cast<std::size_t>(r.pool));
  const auto instance = static_cast<std::size_t>(r.instance);
  if (instance >= named.size()) named.resize(instance + 1);
  if (!named[instance]) {
    event(fmt::format(R"({{"name": "thread_name", "ph": "M", "pid": {}, "tid": {}, "args": {{"name": "instance {}"}}}})",
                      r.pool, r.instance, r.instance));
    named[instance] = true;
  }
  const char* kind = r.prompt_tokens > 0 ? (r.sequences > 0 ? "mixed" : "prefill") : "decode";
  event(fmt::format(
      R"({{"name": "{}", "ph": "X", "pid": {}, "tid": {}, "ts": {}, "dur": {}, "args": {{"steps": {}, "sequences": {}, "prompt_tokens": {:.9g}}}}})",
      kind, r.pool, r.instance, microseconds(r.start), microseconds(r.end - r.start), r.steps, r.sequences,
      r.prompt_tokens));
}

void Timeline::commit() {
  file_.write("\n]}\n");
  file_.commit();
}

}  // namespace tokenomics::cli
