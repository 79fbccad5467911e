#include <array>
#include <filesystem>

#include "laws.hpp"
#include "parts.hpp"
#include "session_section.hpp"
#include "typed_part.hpp"

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

namespace {

/// A part's own name and priority stand in the mix; the workload it refers to has them too where it stands alone.
WorkloadSpec part_from(const json& file, const Reporter& report, const Catalogue& catalogue) {
  const auto found = typed_workload(file["workload"], report.at("workload"), catalogue);
  if (!found) return {};
  WorkloadSpec part = *found;
  part.name = file.value("name", part.name);
  part.priority = file.value("priority", part.priority);
  if (!part.mix.empty()) report.at("workload").add(json(part.name).dump(), "a workload that is no mix itself");
  return part;
}

WorkloadSpec mix_from(const json& file, const Reporter& report, const Catalogue& catalogue) {
  WorkloadSpec workload;
  workload.name = file.value("name", "");
  for (const char* key : {"arrivals", "lengths", "trace", "sessions", "cache_hit_ratio", "reasoning_share", "priority"}) {
    if (file.contains(key)) report.at(key).add(shown(file[key]), "no such key beside mix: it belongs to the parts");
  }
  for (std::size_t i = 0; i < file["mix"].size(); ++i) {
    const Reporter at = report.at("mix").at(std::to_string(i));
    workload.mix.push_back(part_from(file["mix"][i], at, catalogue));
    for (std::size_t k = 0; k < i && at.clean(); ++k) {
      if (workload.mix[k].name == workload.mix[i].name)
        at.at("name").add(json(workload.mix[i].name).dump(), "another name than those before");
    }
  }
  return workload;
}

json json_of_mix(const WorkloadSpec& workload, const std::vector<std::string>& directories) {
  json file = json::object();
  if (!workload.name.empty()) file["name"] = workload.name;
  for (const WorkloadSpec& part : workload.mix) {
    json own = json_of(part, directories);
    own.erase("name");
    own.erase("priority");
    file["mix"].push_back({{"name", part.name}, {"priority", part.priority}, {"workload", own}});
  }
  return file;
}

/// What a workload lacks, or has twice.
void check_pieces(const WorkloadSpec& workload, const Reporter& report) {
  const bool replays = std::holds_alternative<TraceArrivals>(workload.arrivals);
  if (workload.sessions) {
    if (workload.lengths) report.at("lengths").add("", "no lengths beside sessions, which make their own");
    if (workload.trace) report.at("trace").add("", "no trace beside generated sessions");
    if (replays)
      report.at("arrivals")
          .at("kind")
          .add("\"trace\"", "poisson, gamma, day_night, closed_loop or all_at_once, which start sessions");
    if (workload.cache_hit_ratio > 0)
      report.at("cache_hit_ratio")
          .add(json(workload.cache_hit_ratio).dump(), "no ratio: sessions know what their prompts share");
  } else if (!workload.trace && replays) {
    report.at("trace").add("", "an object (missing): the arrivals come from it");
  } else if (!workload.trace && !workload.lengths) {
    report.at("lengths").add("", "an object (missing), or a trace or sessions");
  }
}

}  // namespace

WorkloadSpec workload_from(const json& file, const Reporter& report, const Catalogue& catalogue) {
  if (file.contains("mix")) return mix_from(file, report, catalogue);
  const std::vector<std::string>& directories = catalogue.directories();
  WorkloadSpec workload;
  workload.name = file.value("name", "");
  workload.priority = file.value("priority", 0);
  workload.arrivals = arrivals_from(file["arrivals"], report.at("arrivals"));
  if (file.contains("lengths")) {
    const Reporter lengths = report.at("lengths");
    workload.lengths = IndependentLengths{.input = marginal_from(file["lengths"]["input"], lengths.at("input")),
                                          .output = marginal_from(file["lengths"]["output"], lengths.at("output"))};
  }
  if (file.contains("trace")) workload.trace = trace_from(file["trace"], report.at("trace"), directories);
  if (file.contains("sessions")) workload.sessions = sessions_from(file["sessions"], report.at("sessions"));
  workload.cache_hit_ratio = file.value("cache_hit_ratio", 0.0);
  workload.reasoning_share = file.value("reasoning_share", 0.0);
  check_pieces(workload, report);
  return workload;
}

json json_of(const WorkloadSpec& workload, const std::vector<std::string>& directories) {
  if (!workload.mix.empty()) return json_of_mix(workload, directories);
  json file{{"arrivals", std::visit([](const auto& kind) { return json_of_arrivals(kind); }, workload.arrivals)},
            {"cache_hit_ratio", workload.cache_hit_ratio},
            {"reasoning_share", workload.reasoning_share}};
  if (!workload.name.empty()) file["name"] = workload.name;
  if (workload.lengths) {
    file["lengths"] = {{"input", json_of_marginal(workload.lengths->input)},
                       {"output", json_of_marginal(workload.lengths->output)}};
  }
  if (workload.priority != 0) file["priority"] = workload.priority;
  if (workload.sessions) file["sessions"] = json_of(*workload.sessions);
  if (workload.trace) file["trace"] = json_of_trace(*workload.trace, directories);
  return file;
}

}  // namespace tokenomics
