#pragma once

#include <map>

#include "support/trivial_service.hpp"

namespace tokenomics::test {

constexpr SimTime ms(double milliseconds) { return static_cast<SimTime>(milliseconds * 1e6 + 0.5); }

inline Request request(double arrival_ms, std::int64_t input, std::int64_t output) {
  Request r;
  r.arrival = ms(arrival_ms);
  r.input_tokens = input;
  r.output_tokens = output;
  return r;
}

/// What happened to a few requests, by their place in the list.
struct Outcomes final : Observer {
  std::map<std::uint64_t, RequestRecord> of;
  ServiceResult result;
  void request_ended(const RequestRecord& r) override { of[r.request.id] = r; }
};

/// Serves the list and, without a stated window, measures all of it.
inline Outcomes serve(ServiceConfig config, const std::vector<Request>& requests) {
  ListSource source;
  source.requests = requests;
  for (std::size_t i = 0; i < requests.size(); ++i) source.requests[i].id = i;
  if (!config.measure.duration_s && !config.measure.requests) config.measure.requests = requests.size();
  config.measure.drain = true;
  Outcomes outcomes;
  config.observer = &outcomes;
  outcomes.result = simulate(config, source);
  return outcomes;
}

/// One mixed pool of one instance, KV in blocks of one token.
inline ServiceConfig one_instance(const StepTimer& timer) {
  ServiceConfig config;
  config.pools = {mixed_pool(timer)};
  config.pools[0].block_tokens = 1;
  return config;
}

}  // namespace tokenomics::test
