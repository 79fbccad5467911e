#include "tokenomics/study/replay_errors.hpp"

#include <cmath>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/statistics.hpp"
#include "tokenomics/study/build_service.hpp"
#include "tokenomics/workload/served_requests.hpp"

namespace tokenomics {
namespace {

/// Keeps what became of each request, by its number.
class Records final : public Observer {
 public:
  explicit Records(std::size_t requests) : all_(requests) {}
  void request_ended(const RequestRecord& record) override { all_.at(record.request.id) = record; }
  [[nodiscard]] const RequestRecord& at(std::size_t i) const { return all_[i]; }

 private:
  std::vector<RequestRecord> all_;
};

/// Numbers of requests and rows agree only when every row is replayed once, at its own time.
void require_plain_replay(const Scenario& scenario) {
  const WorkloadSpec& workload = scenario.workload;
  const bool replays = std::holds_alternative<TraceArrivals>(workload.arrivals) && workload.trace && !workload.lengths;
  const bool is_plain = replays && workload.trace->format == TraceFormat::Vllm && workload.trace->speed == 1 &&
                        workload.trace->from_s == 0 && !workload.trace->to_s && !workload.trace->loop;
  if (is_plain) return;
  throw ScenarioError(Problem{scenario.file, "/workload", workload.name,
                              "arrivals and lengths of a whole vllm trace at its own speed, once", ""});
}

std::vector<RequestRecord> simulated(const Scenario& scenario, std::size_t requests) {
  const BuiltService service = build_service(scenario);
  Records records(requests);
  ServiceConfig config = service.config;
  config.observer = &records;
  config.measure = {};
  config.measure.requests = requests;
  const auto source = service.workload->source(scenario.seed, 0);
  simulate(config, *source);
  std::vector<RequestRecord> all;
  for (std::size_t i = 0; i < requests; ++i) all.push_back(records.at(i));
  return all;
}

double since_arrival_s(const RequestRecord& record, SimTime time) {
  return to_seconds(time - record.request.arrival).value();
}

ReplayedRequest compared(const Scenario& scenario, const ServedRequest& served, const RequestRecord& record) {
  if (record.outcome != Outcome::Completed || record.end == kNever || record.request.output_tokens != served.output_tokens) {
    throw ScenarioError(Problem{scenario.file, "/deployment", fmt::format("request {} does not end", record.request.id),
                                "a service that completes every request of the trace as it was", ""});
  }
  return {served.arrival_s,
          served.input_tokens,
          served.output_tokens,
          record.preemptions,
          {served.ttft_s, since_arrival_s(record, record.first_token)},
          {served.e2e_s, since_arrival_s(record, record.end)}};
}

}  // namespace

ErrorSummary summary_of(const std::vector<TimePair>& pairs) {
  TOKENOMICS_CHECK(!pairs.empty(), "errors of no requests");
  std::vector<double> errors, absolute;
  for (const TimePair& pair : pairs) {
    errors.push_back(pair.error());
    absolute.push_back(std::abs(pair.error()));
  }
  return {quantile_of(absolute, 0.5), quantile_of(absolute, 0.9), quantile_of(errors, 0.5)};
}

ReplayErrors replay_errors(const Scenario& scenario) {
  require_plain_replay(scenario);
  const std::vector<ServedRequest> served = read_served_requests(scenario.workload.trace->file);
  const std::vector<RequestRecord> records = simulated(scenario, served.size());
  ReplayErrors result;
  std::vector<TimePair> ttft, e2e;
  for (std::size_t i = 0; i < served.size(); ++i) {
    result.requests.push_back(compared(scenario, served[i], records[i]));
    ttft.push_back(result.requests.back().ttft);
    e2e.push_back(result.requests.back().e2e);
  }
  result.ttft = summary_of(ttft);
  result.e2e = summary_of(e2e);
  return result;
}

}  // namespace tokenomics
