#include "loaded_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "arrival_clock.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/workload/trace.hpp"
#include "workload_checks.hpp"

namespace tokenomics {

namespace {

constexpr double kShapeStep = 1.02;
constexpr int kKeyOffset = 10'000;  // keys of ServeGen shapes stay clear of key 0, the gamma arrivals' own

/// Median step between distinct times where at least two rows share one on average, else 0.
double tick_of(const std::vector<TraceRow>& rows) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].time_s != rows[i - 1].time_s) steps.push_back(rows[i].time_s - rows[i - 1].time_s);
  }
  if (steps.empty() || rows.size() < 2 * (steps.size() + 1)) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
}

/// A call that answered nothing still ends with one token, as every request does here (18 rows of the Claude Code file).
Lengths lengths_of_row(const TraceRow& row, const WorkloadSpec& spec) {
  const bool recorded = records_prefix_hits(spec.trace->format);
  Lengths lengths = lengths_of(row.input_tokens, std::max<std::int64_t>(1, row.output_tokens),
                               recorded ? 0.0 : spec.cache_hit_ratio, spec.reasoning_share);
  if (recorded) lengths.cached = std::min(row.cached_tokens, lengths.input - 1);
  return lengths;
}

[[noreturn]] void refuse_window(const WorkloadSpec& spec, const char* what) {
  throw ScenarioError(Problem{spec.trace->file, fmt::format("from {} s", spec.trace->from_s), what,
                              "a window of the trace with requests", ""});
}

void plan_prompts(LoadedWorkload::Data& data, const std::vector<std::uint32_t>& hashes) {
  if (data.plays_recorded_sessions()) data.prompts = plan_of_sessions(data.rows, data.sessions, data.block_tokens);
  if (data.replays() && !data.spec.lengths && !hashes.empty()) {
    data.prompts = plan_of_hashes(data.rows, hashes, data.block_tokens);
  }
}

void load_rows(LoadedWorkload::Data& data) {
  const TraceSpec& spec = *data.spec.trace;
  Trace trace = read_trace(spec.file, spec.format);
  if (spec.format == TraceFormat::Mooncake) data.tick_s = tick_of(trace.rows);
  const double to_s = spec.to_s.value_or(std::numeric_limits<double>::infinity());
  const bool sessions = spec.format == TraceFormat::ClaudeCode;
  for (const TraceRow& row : trace.rows) {
    if (!sessions && (row.time_s < spec.from_s || row.time_s >= to_s)) continue;
    if (data.rows.empty() || row.group != data.rows.back().group) data.sessions.push_back(data.rows.size());
    data.rows.push_back(row);
    data.row_lengths.push_back(lengths_of_row(row, data.spec));
  }
  data.sessions.push_back(data.rows.size());
  data.block_tokens = trace.block_tokens;
  plan_prompts(data, trace.hashes);
  if (data.rows.empty()) refuse_window(data.spec, "no requests");
}

/// Period of a loop: span plus a mean gap, so that the seam has the trace's own rate; whole ticks where there are ticks.
void set_period(LoadedWorkload::Data& data) {
  const double span = data.rows.back().time_s - data.rows.front().time_s;
  const double seam = data.tick_s > 0 ? data.tick_s : span / std::max(1.0, static_cast<double>(data.rows.size()) - 1.0);
  data.period_s = span + seam;
  if (data.spec.trace->loop && !(data.period_s > 0)) refuse_window(data.spec, "requests all at one time");
}

void load_tenants(LoadedWorkload::Data& data) {
  const TraceSpec& spec = *data.spec.trace;
  data.tenants = read_servegen(spec.file, data.spec.lengths ? std::string() : spec.lengths_file);
  data.from_s = spec.from_s;
  data.to_s = std::min(spec.to_s.value_or(data.tenants.end_s), data.tenants.end_s);
  double requests = 0;
  for (const ServeGenTenant& tenant : data.tenants.tenants) {
    requests += ServeGenTrace::expected_requests(tenant, data.from_s, data.to_s);
    for (const ServeGenWindow& window : tenant.windows) {
      const bool inside = window.start_s < data.to_s && window.start_s + ServeGenTrace::window_s > data.from_s;
      if (!inside || window.family != ServeGenWindow::Family::Gamma || !data.replays()) continue;
      const int key = gamma_key(window.shape);
      data.gamma.try_emplace(key, gamma_shape_of(key));
    }
  }
  if (!(requests > 0)) refuse_window(data.spec, "no requests");
  if (!data.spec.lengths && weighted_cells(data.tenants, data.from_s, data.to_s).empty()) {
    refuse_window(data.spec, "no tenant with lengths");
  }
}

double requests_per_second_of_trace(const LoadedWorkload::Data& data) {
  if (data.spec.trace->format != TraceFormat::ServeGen) return static_cast<double>(data.rows.size()) / data.period_s;
  double requests = 0;
  for (const ServeGenTenant& tenant : data.tenants.tenants) {
    requests += ServeGenTrace::expected_requests(tenant, data.from_s, data.to_s);
  }
  return requests / (data.to_s - data.from_s);
}

/// Gives out a shared law as one owned by the caller.
class SharedLaw final : public LengthLaw {
 public:
  explicit SharedLaw(std::shared_ptr<const LengthLaw> law) : law_(std::move(law)) {}
  Lengths draw(RandomStream& random) const override { return law_->draw(random); }
  [[nodiscard]] std::vector<Lengths> representative(std::size_t count, RandomStream& random) const override {
    return law_->representative(count, random);
  }

 private:
  std::shared_ptr<const LengthLaw> law_;
};

}  // namespace

int gamma_key(double shape) { return kKeyOffset + static_cast<int>(std::lround(std::log(shape) / std::log(kShapeStep))); }
double gamma_shape_of(int key) { return std::pow(kShapeStep, key - kKeyOffset); }

namespace {

std::optional<double> rate_of(const LoadedWorkload::Data& data) {
  if (!data.parts.empty()) {
    double sum = 0;
    for (const DataPtr& part : data.parts) {
      const auto rate = rate_of(*part);
      if (!rate) return std::nullopt;
      sum += *rate;
    }
    return sum;
  }
  if (data.replays()) return requests_per_second_of_trace(data) * data.spec.trace->speed;
  const auto rate = clock_rate(data.spec.arrivals);
  if (!rate) return rate;
  if (data.sessions_script) return *rate * data.sessions_script->mean_calls();
  if (!data.plays_recorded_sessions()) return rate;
  return *rate * static_cast<double>(data.rows.size()) / static_cast<double>(data.sessions.size() - 1);
}

std::shared_ptr<const LengthLaw> mixed_law(const LoadedWorkload::Data& data) {
  const bool has_rates = rate_of(data).has_value();
  std::vector<std::shared_ptr<const LengthLaw>> laws;
  std::vector<double> weights;
  for (const DataPtr& part : data.parts) {
    laws.push_back(part->law);
    weights.push_back(has_rates ? *rate_of(*part) : 1.0);
  }
  return make_mix_law(std::move(laws), weights);
}

std::shared_ptr<const LengthLaw> law_of(const LoadedWorkload::Data& data) {
  if (!data.parts.empty()) return mixed_law(data);
  if (data.sessions_script) return make_session_law(data.sessions_script);
  if (data.spec.lengths) return make_independent_law(data.spec);
  if (data.spec.trace->format == TraceFormat::ServeGen) return make_tenant_law(data);
  return make_row_law(data.row_lengths);
}

void load_trace(LoadedWorkload::Data& data) {
  if (data.spec.trace->format == TraceFormat::ServeGen) return load_tenants(data);
  load_rows(data);
  set_period(data);
}

/// Of a specification without problems.
DataPtr load(WorkloadSpec spec) {
  auto data = std::make_shared<LoadedWorkload::Data>();
  data->spec = std::move(spec);
  for (const WorkloadSpec& part : data->spec.mix) data->parts.push_back(load(part));
  if (data->spec.sessions) {
    data->sessions_script = std::make_shared<const SessionScript>(*data->spec.sessions, data->spec.reasoning_share);
  }
  if (data->uses_trace()) load_trace(*data);
  if (const auto* gamma = std::get_if<GammaArrivals>(&data->spec.arrivals)) {
    data->gamma.try_emplace(0, 1.0 / (gamma->cv * gamma->cv));
  }
  data->law = law_of(*data);
  return data;
}

std::unique_ptr<RequestSource> source_of(const DataPtr& data, std::uint64_t seed, std::uint64_t replication,
                                         const PromptsPtr& prompts, double rate_scale);

/// Parts draw from seeds of their own.
std::unique_ptr<RequestSource> mixed_source(const LoadedWorkload::Data& data, std::uint64_t seed, std::uint64_t replication,
                                            const PromptsPtr& prompts, double rate_scale) {
  std::vector<std::unique_ptr<RequestSource>> parts;
  for (std::size_t i = 0; i < data.parts.size(); ++i) {
    parts.push_back(
        source_of(data.parts[i], RandomStream(seed, "part of a mix", i).bits(), replication, prompts, rate_scale));
  }
  return make_mix_source(std::move(parts), prompts);
}

std::unique_ptr<RequestSource> plain_source(const DataPtr& data, Streams streams, const PromptsPtr& prompts,
                                            double rate_scale) {
  if (data->sessions_script) return make_generated_source(data, streams, prompts, rate_scale);
  if (data->plays_recorded_sessions()) return make_session_source(data, streams, prompts, rate_scale);
  if (data->replays()) {
    const bool tenants = data->spec.trace->format == TraceFormat::ServeGen;
    if (tenants) return make_tenant_source(data, streams, rate_scale);
    return make_replay_source(data, streams, prompts, rate_scale);
  }
  if (std::holds_alternative<ClosedLoopArrivals>(data->spec.arrivals)) return make_closed_source(data, streams);
  return make_open_source(data, streams, rate_scale);
}

std::unique_ptr<RequestSource> source_of(const DataPtr& data, std::uint64_t seed, std::uint64_t replication,
                                         const PromptsPtr& prompts, double rate_scale) {
  if (!data->parts.empty()) return mixed_source(*data, seed, replication, prompts, rate_scale);
  const Streams streams{RandomStream(seed, "arrivals", replication), RandomStream(seed, "lengths", replication)};
  return with_priority(plain_source(data, streams, prompts, rate_scale), data->spec.priority);
}

}  // namespace

bool plays_sessions(const WorkloadSpec& spec) {
  const bool recorded = !spec.lengths && spec.trace && spec.trace->format == TraceFormat::ClaudeCode;
  return spec.sessions || recorded || std::any_of(spec.mix.begin(), spec.mix.end(), plays_sessions);
}

LoadedWorkload::LoadedWorkload(WorkloadSpec spec) {
  if (auto problems = problems_of(spec); !problems.empty()) throw ScenarioError(std::move(problems));
  data_ = load(std::move(spec));
}

const WorkloadSpec& LoadedWorkload::spec() const { return data_->spec; }

std::unique_ptr<LengthLaw> LoadedWorkload::length_law() const { return std::make_unique<SharedLaw>(data_->law); }

std::optional<double> LoadedWorkload::mean_arrival_rate() const { return rate_of(*data_); }

std::unique_ptr<RequestSource> LoadedWorkload::source(std::uint64_t seed, std::uint64_t replication,
                                                      double rate_scale) const {
  TOKENOMICS_CHECK(std::isfinite(rate_scale) && rate_scale > 0, fmt::format("rate_scale = {}", rate_scale));
  return source_of(data_, seed, replication, std::make_shared<PromptTree>(), rate_scale);
}

std::unique_ptr<LengthLaw> make_length_law(const WorkloadSpec& spec) { return LoadedWorkload(spec).length_law(); }

std::unique_ptr<RequestSource> make_request_source(const WorkloadSpec& spec, std::uint64_t seed, std::uint64_t replication,
                                                   double rate_scale) {
  return LoadedWorkload(spec).source(seed, replication, rate_scale);
}

std::optional<double> mean_arrival_rate(const WorkloadSpec& spec) { return LoadedWorkload(spec).mean_arrival_rate(); }

}  // namespace tokenomics
