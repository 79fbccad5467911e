#include <array>
#include <cmath>
#include <filesystem>

#include "number_text.hpp"
#include "parts.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array<std::pair<const char*, TraceFormat>, 5> kFormats{{{"azure", TraceFormat::Azure},
                                                                       {"mooncake", TraceFormat::Mooncake},
                                                                       {"claude_code", TraceFormat::ClaudeCode},
                                                                       {"servegen", TraceFormat::ServeGen},
                                                                       {"vllm", TraceFormat::Vllm}}};

TraceFormat format_named(const std::string& name) {
  for (const auto& [known, format] : kFormats) {
    if (name == known) return format;
  }
  TOKENOMICS_CHECK(false, "trace format " + name + " passed the schema");
}

// Lengths -----------------------------------------------------------------------------------------------------------

double lognormal_mu(double mean, double sigma) { return std::log(mean) - sigma * sigma / 2; }

UniformLaw uniform_from(const json& file, const Reporter& report) {
  const UniformLaw law{.low = file["low"], .high = file["high"]};
  if (law.low > law.high) report.at("high").add(file["high"].dump(), "at least low, " + file["low"].dump());
  return law;
}

QuantileLaw quantiles_from(const json& file, const Reporter& report) {
  QuantileLaw law{.probability = file["probability"], .value = file["value"]};
  if (law.probability.size() != law.value.size()) {
    report.at("value").add(std::to_string(law.value.size()) + " items",
                           "as many as probability has, " + std::to_string(law.probability.size()));
  }
  for (std::size_t i = 1; i < law.probability.size(); ++i) {
    if (law.probability[i] <= law.probability[i - 1]) {
      report.at("probability").at(std::to_string(i)).add(json(law.probability[i]).dump(), "more than the one before");
    }
  }
  for (std::size_t i = 1; i < law.value.size(); ++i) {
    if (law.value[i] < law.value[i - 1])
      report.at("value").at(std::to_string(i)).add(json(law.value[i]).dump(), "at least the one before");
  }
  return law;
}

LengthMarginal marginal_from(const json& file, const Reporter& report) {
  LengthMarginal marginal;
  const std::string law = file["law"];
  if (law == "fixed") marginal.law = FixedLaw{.value = file["value"]};
  if (law == "uniform") marginal.law = uniform_from(file, report);
  if (law == "lognormal")
    marginal.law = LognormalLaw{.mu = lognormal_mu(file["mean"], file["sigma"]), .sigma = file["sigma"]};
  if (law == "pareto") marginal.law = ParetoLaw{.scale = file["scale"], .alpha = file["alpha"]};
  if (law == "quantiles") marginal.law = quantiles_from(file, report);
  marginal.min_tokens = file.value("min_tokens", marginal.min_tokens);
  marginal.max_tokens = file.value("max_tokens", marginal.max_tokens);
  if (marginal.min_tokens > marginal.max_tokens) {
    report.at("max_tokens")
        .add(std::to_string(marginal.max_tokens), "at least min_tokens, " + std::to_string(marginal.min_tokens));
  }
  return marginal;
}

json json_of_law(const FixedLaw& law) { return {{"law", "fixed"}, {"value", law.value}}; }
json json_of_law(const UniformLaw& law) { return {{"law", "uniform"}, {"low", law.low}, {"high", law.high}}; }
json json_of_law(const LognormalLaw& law) {
  const double mean = shortest_decimal(std::exp(law.mu + law.sigma * law.sigma / 2), law.mu,
                                       [&](double candidate) { return lognormal_mu(candidate, law.sigma); });
  return {{"law", "lognormal"}, {"mean", mean}, {"sigma", law.sigma}};
}
json json_of_law(const ParetoLaw& law) { return {{"law", "pareto"}, {"scale", law.scale}, {"alpha", law.alpha}}; }
json json_of_law(const QuantileLaw& law) {
  return {{"law", "quantiles"}, {"probability", law.probability}, {"value", law.value}};
}

json json_of_marginal(const LengthMarginal& marginal) {
  json file = std::visit([](const auto& law) { return json_of_law(law); }, marginal.law);
  file["min_tokens"] = marginal.min_tokens;
  file["max_tokens"] = marginal.max_tokens;
  return file;
}

// Arrivals ----------------------------------------------------------------------------------------------------------

DayNightArrivals day_night_from(const json& file, const Reporter& report) {
  DayNightArrivals arrivals{.mean_rate_per_s = file["mean_rate_per_s"],
                            .hourly_shape = file["hourly_shape"],
                            .start_hour = file.value("start_hour", 0.0)};
  double sum = 0;
  for (const double weight : arrivals.hourly_shape) sum += weight;
  if (sum <= 0) report.at("hourly_shape").add("all 0", "at least one hour above 0");
  return arrivals;
}

ArrivalSpec arrivals_from(const json& file, const Reporter& report) {
  const std::string kind = file["kind"];
  if (kind == "poisson") return PoissonArrivals{.rate_per_s = file["rate_per_s"]};
  if (kind == "gamma") return GammaArrivals{.rate_per_s = file["rate_per_s"], .cv = file["cv"]};
  if (kind == "closed_loop")
    return ClosedLoopArrivals{.concurrency = file["concurrency"], .think_s = file.value("think_s", 0.0)};
  if (kind == "all_at_once") return AllAtOnceArrivals{.requests = file["requests"]};
  if (kind == "day_night") return day_night_from(file, report);
  return TraceArrivals{};
}

json json_of_arrivals(const PoissonArrivals& a) { return {{"kind", "poisson"}, {"rate_per_s", a.rate_per_s}}; }
json json_of_arrivals(const GammaArrivals& a) { return {{"kind", "gamma"}, {"rate_per_s", a.rate_per_s}, {"cv", a.cv}}; }
json json_of_arrivals(const ClosedLoopArrivals& a) {
  return {{"kind", "closed_loop"}, {"concurrency", a.concurrency}, {"think_s", a.think_s}};
}
json json_of_arrivals(const AllAtOnceArrivals& a) { return {{"kind", "all_at_once"}, {"requests", a.requests}}; }
json json_of_arrivals(const DayNightArrivals& a) {
  return {{"kind", "day_night"},
          {"mean_rate_per_s", a.mean_rate_per_s},
          {"hourly_shape", a.hourly_shape},
          {"start_hour", a.start_hour}};
}
json json_of_arrivals(const TraceArrivals&) { return {{"kind", "trace"}}; }

// Traces ------------------------------------------------------------------------------------------------------------

std::string find_trace(const std::string& name, const Reporter& report, const std::vector<std::string>& directories) {
  const fs::path path(name);
  if (path.is_absolute() && fs::is_regular_file(path)) return path.string();
  std::vector<fs::path> places{fs::path(report.document().file).parent_path()};
  places.insert(places.end(), directories.rbegin(), directories.rend());
  for (const fs::path& place : places) {
    if (!path.is_absolute() && fs::is_regular_file(place / path)) return (place / path).lexically_normal().string();
  }
  report.add(json(name).dump(), "a file, relative to this one or to the catalogue");
  return name;
}

TraceSpec trace_from(const json& file, const Reporter& report, const std::vector<std::string>& directories) {
  TraceSpec trace;
  trace.file = find_trace(file["file"], report.at("file"), directories);
  trace.format = format_named(file["format"]);
  if (file.contains("lengths_file"))
    trace.lengths_file = find_trace(file["lengths_file"], report.at("lengths_file"), directories);
  if ((trace.format == TraceFormat::ServeGen) != file.contains("lengths_file")) {
    report.at("lengths_file").add(file.value("lengths_file", ""), "a file for the format servegen, and for no other");
  }
  trace.speed = file.value("speed", 1.0);
  trace.from_s = file.value("from_s", 0.0);
  if (file.contains("to_s")) trace.to_s = file["to_s"].get<double>();
  if (trace.to_s && *trace.to_s <= trace.from_s)
    report.at("to_s").add(file["to_s"].dump(), "above from_s, " + json(trace.from_s).dump());
  trace.loop = file.value("loop", false);
  return trace;
}

std::string portable_path(const std::string& path, const std::vector<std::string>& directories) {
  const std::string absolute = fs::absolute(path).lexically_normal().string();
  for (const std::string& directory : directories) {
    const std::string root = (fs::absolute(directory).lexically_normal() / "").string();
    if (absolute.starts_with(root)) return absolute.substr(root.size());
  }
  return absolute;
}

json json_of_trace(const TraceSpec& trace, const std::vector<std::string>& directories) {
  json file{{"file", portable_path(trace.file, directories)},
            {"speed", trace.speed},
            {"from_s", trace.from_s},
            {"loop", trace.loop}};
  for (const auto& [name, format] : kFormats) {
    if (trace.format == format) file["format"] = name;
  }
  if (!trace.lengths_file.empty()) file["lengths_file"] = portable_path(trace.lengths_file, directories);
  if (trace.to_s) file["to_s"] = *trace.to_s;
  return file;
}

}  // namespace

WorkloadSpec workload_from(const json& file, const Reporter& report, const std::vector<std::string>& directories) {
  WorkloadSpec workload;
  workload.name = file.value("name", "");
  workload.arrivals = arrivals_from(file["arrivals"], report.at("arrivals"));
  if (file.contains("lengths")) {
    const Reporter lengths = report.at("lengths");
    workload.lengths = IndependentLengths{.input = marginal_from(file["lengths"]["input"], lengths.at("input")),
                                          .output = marginal_from(file["lengths"]["output"], lengths.at("output"))};
  }
  if (file.contains("trace")) workload.trace = trace_from(file["trace"], report.at("trace"), directories);
  workload.cache_hit_ratio = file.value("cache_hit_ratio", 0.0);
  workload.reasoning_share = file.value("reasoning_share", 0.0);
  if (!workload.trace && std::holds_alternative<TraceArrivals>(workload.arrivals)) {
    report.at("trace").add("", "an object (missing): the arrivals come from it");
  } else if (!workload.trace && !workload.lengths) {
    report.at("lengths").add("", "an object (missing), or a trace");
  }
  return workload;
}

json json_of(const WorkloadSpec& workload, const std::vector<std::string>& directories) {
  json file{{"arrivals", std::visit([](const auto& kind) { return json_of_arrivals(kind); }, workload.arrivals)},
            {"cache_hit_ratio", workload.cache_hit_ratio},
            {"reasoning_share", workload.reasoning_share}};
  if (!workload.name.empty()) file["name"] = workload.name;
  if (workload.lengths) {
    file["lengths"] = {{"input", json_of_marginal(workload.lengths->input)},
                       {"output", json_of_marginal(workload.lengths->output)}};
  }
  if (workload.trace) file["trace"] = json_of_trace(*workload.trace, directories);
  return file;
}

}  // namespace tokenomics
