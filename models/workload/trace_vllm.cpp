#include "csv_reader.hpp"
#include "tokenomics/workload/served_requests.hpp"
#include "trace_readers.hpp"

namespace tokenomics {

namespace {

enum Column { kArrival, kInput, kOutput, kQueued, kTtft, kE2e };

ServedRequest served(const CsvReader& csv) {
  ServedRequest request;
  request.arrival_s = csv.number(kArrival);
  request.input_tokens = csv.count(kInput, 1);
  request.output_tokens = csv.count(kOutput, 1);
  const double before_s = csv.number(kQueued) - request.arrival_s;  // two processes' clocks: may be some ms below 0
  request.ttft_s = before_s + csv.number(kTtft);
  request.e2e_s = before_s + csv.number(kE2e);
  if (request.ttft_s <= 0) csv.fail(kTtft, "a first token after arrival_s");
  if (request.e2e_s < request.ttft_s) csv.fail(kE2e, "at least ttft_from_queue_s");
  return request;
}

}  // namespace

std::vector<ServedRequest> read_served_requests(const std::string& path) {
  CsvReader csv(path, {"arrival_s", "input_tokens", "output_tokens", "queued_s", "ttft_from_queue_s", "e2e_from_queue_s"});
  std::vector<ServedRequest> requests;
  while (csv.next()) {
    requests.push_back(served(csv));
    const bool decreases = requests.size() > 1 && requests.back().arrival_s < requests[requests.size() - 2].arrival_s;
    if (decreases) csv.fail(kArrival, "times that do not decrease");
  }
  csv.finish();
  return requests;
}

/// What a service may know beforehand: when requests come and how long they are. The measured times are left out.
Trace read_vllm(const std::string& path) {
  Trace trace;
  trace.format = TraceFormat::Vllm;
  for (const ServedRequest& request : read_served_requests(path)) {
    TraceRow row;
    row.time_s = request.arrival_s;
    row.input_tokens = request.input_tokens;
    row.output_tokens = request.output_tokens;
    trace.rows.push_back(row);
  }
  return trace;
}

}  // namespace tokenomics
