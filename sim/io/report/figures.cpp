#include "figures.hpp"

#include <array>

namespace tokenomics {
namespace {

std::optional<double> ratio(double numerator, double denominator) {
  if (!(denominator > 0)) return std::nullopt;
  return numerator / denominator;
}

std::optional<double> times(std::optional<double> value, double factor) {
  if (!value) return std::nullopt;
  return *value * factor;
}

double gpus_of(const RunResult& result, PoolRole role) {
  double gpus = 0;
  for (const PoolSummary& pool : result.pools) gpus += pool.role == role ? pool.gpus : 0.0;
  return gpus;
}

std::optional<double> share(std::uint64_t met, std::uint64_t judged) {
  return ratio(static_cast<double>(met), static_cast<double>(judged));
}

bool holds(const std::optional<SloSpec::Bound>& bound, const std::optional<double>& attained) {
  return !bound || (attained && *attained * 100.0 >= bound->percentile);
}

}  // namespace

std::optional<LatencyFigures> latency_figures(const LatencyMetric& metric, double ns_per_unit) {
  const Histogram& histogram = metric.histogram();
  if (histogram.count() == 0) return std::nullopt;
  const auto at = [&](double q) { return histogram.quantile(q) / ns_per_unit; };
  LatencyFigures figures{histogram.mean() / ns_per_unit, at(0.50), at(0.90), at(0.95), at(0.99), std::nullopt};
  const double half_width = metric.ci95_of_mean();
  if (half_width >= 0) figures.ci95 = half_width / ns_per_unit;
  return figures;
}

std::vector<NamedLatency> latencies(const ServiceResult& service) {
  return {{"ttft_s", "time to first token, s", &service.ttft, kNsPerS},
          {"ttft_answer_s", "time to first answer token, s", &service.ttft_answer, kNsPerS},
          {"tpot_ms", "time per output token, ms", &service.tpot, kNsPerMs},
          {"itl_ms", "gap between tokens, ms", &service.itl, kNsPerMs},
          {"e2e_s", "whole answer, s", &service.e2e, kNsPerS},
          {"queue_wait_s", "wait in queues, s", &service.queue_wait, kNsPerS},
          {"service_s", "in service, s", &service.service, kNsPerS}};
}

InteractivityFigures interactivity_figures(const ServiceResult& service) {
  InteractivityFigures figures;
  figures.mean = ratio(service.interactivity_sum, static_cast<double>(service.interactivity_count));
  const Histogram& tpot = service.tpot.histogram();
  if (tpot.count() > 0) {
    figures.p50 = ratio(1.0, tpot.quantile(0.50) / kNsPerS);
    figures.p10 = ratio(1.0, tpot.quantile(0.90) / kNsPerS);
  }
  return figures;
}

ThroughputFigures throughput_figures(const RunResult& result) {
  const double seconds = result.represents_s;
  const TokenVolume& volume = result.volume;
  const double input = volume.input_computed + volume.input_cached;
  const double prefill_nodes_s = gpus_of(result, PoolRole::Prefill) / kGpusPerNode * seconds;
  const double decode_gpus_s = gpus_of(result, PoolRole::Decode) * seconds;
  const double gpus_s = result.fleet.gpus_mean * seconds;

  ThroughputFigures figures;
  figures.output_tok_s = ratio(volume.output, seconds);
  figures.input_tok_s = ratio(input, seconds);
  figures.cached_input_tok_s = ratio(volume.input_cached, seconds);
  figures.requests_s = ratio(result.answers, seconds);
  if (const auto good = share(result.service.met_all, result.service.judged_all)) {
    figures.goodput_requests_s = times(ratio(result.requests_arrived, seconds), *good);
  }
  figures.output_tok_s_per_gpu = ratio(volume.output, gpus_s);
  figures.total_tok_s_per_gpu = ratio(input + volume.output, gpus_s);
  figures.output_tok_s_per_decode_gpu = ratio(volume.output, decode_gpus_s);
  figures.output_tok_s_per_decode_node = times(figures.output_tok_s_per_decode_gpu, kGpusPerNode);
  figures.input_tok_s_per_prefill_node = ratio(input, prefill_nodes_s);
  figures.computed_input_tok_s_per_prefill_node = ratio(volume.input_computed, prefill_nodes_s);
  return figures;
}

AnswerFigures answer_figures(const RunResult& result) {
  AnswerFigures figures;
  figures.tokens = ratio(result.service.answers_tokens, static_cast<double>(result.service.answers));
  const Histogram& e2e = result.service.e2e.histogram();
  if (e2e.count() > 0) figures.seconds = e2e.mean() / kNsPerS;
  if (result.price.prices) figures.usd = ratio(revenue(*result.price.prices, result.volume).value(), result.answers);
  return figures;
}

SloFigures slo_figures(const SloSpec& slo, const ClassResult& one) {
  SloFigures figures;
  if (slo.ttft_s) figures.ttft = share(one.met_ttft, one.judged_ttft);
  if (slo.interactivity_tok_s_user) figures.interactivity = share(one.met_interactivity, one.judged_interactivity);
  if (!slo.ttft_s && !slo.interactivity_tok_s_user) return figures;
  figures.all = share(one.met_all, one.judged_all);
  figures.met = holds(slo.ttft_s, figures.ttft) && holds(slo.interactivity_tok_s_user, figures.interactivity);
  return figures;
}

SloFigures slo_figures(const RunResult& result) { return slo_figures(result.scenario.slo, result.service); }

std::optional<double> seen(double value) { return value > 0 ? std::optional(value) : std::nullopt; }

const PoolSummary* decoding_pool(const RunResult& result) {
  for (const PoolSummary& pool : result.pools) {
    if (pool.role != PoolRole::Prefill) return &pool;
  }
  return nullptr;
}

const char* to_string(PoolRole role) {
  constexpr std::array names{"mixed", "prefill", "decode"};
  return names[static_cast<std::size_t>(role)];
}

}  // namespace tokenomics
