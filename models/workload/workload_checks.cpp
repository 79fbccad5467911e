#include "workload_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "session_checks.hpp"
#include "tokenomics/workload/quantiles.hpp"
#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

std::string label_of(const WorkloadSpec& spec) { return "workload \"" + spec.name + "\""; }

namespace {

constexpr std::int64_t kMostAtOnce = 100'000'000;

class Checks {
 public:
  explicit Checks(const WorkloadSpec& spec) : spec_(spec), file_(label_of(spec)) {}

  std::vector<Problem> run() {
    if (!spec_.mix.empty()) {
      check_mix();
      return std::move(problems_);
    }
    std::visit(*this, spec_.arrivals);
    share("/cache_hit_ratio", spec_.cache_hit_ratio);
    share("/reasoning_share", spec_.reasoning_share);
    if (spec_.lengths) {
      append(problems_of(spec_.lengths->input, file_, "/lengths/input"));
      append(problems_of(spec_.lengths->output, file_, "/lengths/output"));
    }
    if (spec_.sessions) check_sessions(*spec_.sessions);
    else check_trace();
    return std::move(problems_);
  }

  void operator()(const PoissonArrivals& a) { positive("/arrivals/rate_per_s", a.rate_per_s); }
  void operator()(const GammaArrivals& a) {
    positive("/arrivals/rate_per_s", a.rate_per_s);
    if (!(a.cv >= 0.001 && a.cv <= 100)) add("/arrivals/cv", fmt::format("{}", a.cv), "a number from 0.001 to 100");
  }
  void operator()(const ClosedLoopArrivals& a) {
    at_once("/arrivals/concurrency", a.concurrency);
    if (!(a.think_s >= 0 && std::isfinite(a.think_s))) {
      add("/arrivals/think_s", fmt::format("{}", a.think_s), "a number that is at least 0");
    }
  }
  void operator()(const AllAtOnceArrivals& a) { at_once("/arrivals/requests", a.requests); }
  void operator()(const DayNightArrivals& a) {
    positive("/arrivals/mean_rate_per_s", a.mean_rate_per_s);
    const auto bad = [](double v) { return !(std::isfinite(v) && v >= 0); };
    const auto& shape = a.hourly_shape;
    const bool good = shape.size() == 24 && std::none_of(shape.begin(), shape.end(), bad) &&
                      std::any_of(shape.begin(), shape.end(), [](double v) { return v > 0; });
    if (!good)
      add("/arrivals/hourly_shape", fmt::format("[{}]", fmt::join(shape, ",")), "24 numbers that are at least 0, not all 0");
    if (!(a.start_hour >= 0 && a.start_hour < 24)) {
      add("/arrivals/start_hour", fmt::format("{}", a.start_hour), "a number from 0 to below 24");
    }
  }
  void operator()(const TraceArrivals&) {}

 private:
  void check_mix() {
    if (spec_.lengths) add("/lengths", "beside a mix", "lengths in the parts of the mix");
    if (spec_.trace) add("/trace", "beside a mix", "a trace in a part of the mix");
    if (spec_.sessions) add("/sessions", "beside a mix", "sessions in a part of the mix");
    for (std::size_t i = 0; i < spec_.mix.size(); ++i) {
      const WorkloadSpec& part = spec_.mix[i];
      const std::string pointer = fmt::format("/mix/{}", i);
      if (!part.mix.empty()) add(pointer + "/workload/mix", "", "a workload that is no mix itself");
      const auto named_alike = [&](const WorkloadSpec& other) { return other.name == part.name; };
      const auto end = spec_.mix.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::any_of(spec_.mix.begin(), end, named_alike)) {
        add(pointer + "/name", fmt::format("\"{}\"", part.name), "names that differ");
      }
      for (Problem& problem : problems_of(part)) {
        problem.pointer = pointer + "/workload" + problem.pointer;
        problem.file = file_;
        problems_.push_back(std::move(problem));
      }
    }
  }

  void check_sessions(const SessionSpec& s) {
    if (spec_.lengths) add("/lengths", "beside sessions", "lengths or sessions: sessions make their lengths");
    if (spec_.trace) add("/trace", "beside sessions", "a trace or generated sessions");
    if (std::holds_alternative<TraceArrivals>(spec_.arrivals)) {
      add("/arrivals/kind", "\"trace\"", "poisson, gamma, day_night, closed_loop or all_at_once, which start sessions");
    }
    if (spec_.cache_hit_ratio > 0) {
      add("/cache_hit_ratio", fmt::format("{}", spec_.cache_hit_ratio), "no ratio: sessions know what their prompts share");
    }
    append(problems_of(s, file_, "/sessions"));
  }

  void check_trace() {
    const bool replays = std::holds_alternative<TraceArrivals>(spec_.arrivals);
    if (!spec_.trace) {
      if (replays) add("/trace", "", "a trace, which arrivals of kind \"trace\" replay");
      if (!replays && !spec_.lengths) add("/lengths", "", "lengths, or a trace to take them from");
      return;
    }
    const TraceSpec& trace = *spec_.trace;
    positive("/trace/speed", trace.speed);
    if (!(trace.from_s >= 0 && std::isfinite(trace.from_s))) {
      add("/trace/from_s", fmt::format("{}", trace.from_s), "a number that is at least 0");
    }
    if (trace.to_s && !(*trace.to_s > trace.from_s)) {
      add("/trace/to_s", fmt::format("{}", *trace.to_s), fmt::format("more than from_s, {}", trace.from_s));
    }
    if (!spec_.lengths) check_lengths_from(trace);
    if (trace.format == TraceFormat::ClaudeCode) check_recorded_sessions(trace, replays);
  }

  void check_lengths_from(const TraceSpec& trace) {
    if (records_prefix_hits(trace.format) && spec_.cache_hit_ratio > 0) {
      add("/cache_hit_ratio", fmt::format("{}", spec_.cache_hit_ratio),
          fmt::format("no ratio: the {} trace records the prefix hits of each request", to_string(trace.format)));
    }
    if (trace.format != TraceFormat::ServeGen) return;
    if (trace.lengths_file.empty()) add("/trace/lengths_file", "", "the file of the tenants' lengths, or lengths");
    if (spec_.reasoning_share > 0) {
      add("/reasoning_share", fmt::format("{}", spec_.reasoning_share), "no share: servegen files hold the tenants' own");
    }
  }

  void check_recorded_sessions(const TraceSpec& trace, bool replays) {
    if (replays) {
      add("/arrivals/kind", "\"trace\"",
          "poisson, gamma, day_night, closed_loop or all_at_once: claude_code sessions have no absolute times");
    }
    if (trace.from_s != 0 || trace.to_s)
      add("/trace", "from_s or to_s", "no window: claude_code sessions have no absolute times");
  }

  void positive(const std::string& pointer, double value) {
    if (!(std::isfinite(value) && value > 0)) add(pointer, fmt::format("{}", value), "a positive number");
  }
  void share(const char* pointer, double value) {
    if (!(value >= 0 && value <= 1)) add(pointer, fmt::format("{}", value), "a number from 0 to 1");
  }
  void at_once(const char* pointer, std::int64_t value) {
    if (value < 1 || value > kMostAtOnce) {
      add(pointer, fmt::format("{}", value), fmt::format("a whole number from 1 to {}", kMostAtOnce));
    }
  }
  void add(const std::string& pointer, std::string value, std::string expected) {
    problems_.push_back({file_, pointer, std::move(value), std::move(expected), ""});
  }
  void append(std::vector<Problem> more) { problems_.insert(problems_.end(), more.begin(), more.end()); }

  const WorkloadSpec& spec_;
  std::string file_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> problems_of(const WorkloadSpec& spec) { return Checks(spec).run(); }

}  // namespace tokenomics
