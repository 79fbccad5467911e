#include <algorithm>

#include <fmt/format.h>

#include "figures.hpp"
#include "fleet_blocks.hpp"
#include "money_blocks.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/report/run_report.hpp"

namespace tokenomics {
namespace {

/// More windows than this are thinned evenly: a day by the hour.
constexpr std::size_t kMostWindows = 24;

/// The strongest limit, and the next where the line has room.
std::string limits_of(const RunResult& result, std::size_t room) {
  if (result.binding.empty()) return "nothing binds";
  std::string text = "bound by " + result.binding.front().name;
  if (result.binding.size() < 2) return text;
  const std::string both = text + ", " + result.binding[1].name;
  return both.size() <= room ? both : text;
}

/// What a token costs, what the user feels, what binds.
std::string verdict(const RunResult& result) {
  const PerToken& cost = result.cost.per_token;
  const auto mtok = [](const std::optional<UsdPerToken>& price) {
    return price ? significant(in_usd_per_mtok(*price)) : significant(std::optional<double>());
  };
  std::string text = "nothing was served";
  if (cost.own_mix) {
    text = fmt::format("{} USD/Mtok ({} in, {} out)", mtok(cost.own_mix), mtok(cost.input), mtok(cost.output));
  }
  if (const auto ttft = latency_figures(result.service.ttft, kNsPerS))
    text += fmt::format("; TTFT {} s", significant(ttft->mean));
  if (const auto speed = interactivity_figures(result.service).mean)
    text += fmt::format(", {} tok/s/user", significant(*speed));
  text += "; ";
  return text + limits_of(result, TextPage::kWidth - std::min(TextPage::kWidth, text.size()));
}

void latency_section(TextPage& page, const RunResult& result) {
  TextTable table{{{"", Align::Left}, {"mean"}, {"+-95%"}, {"p50"}, {"p90"}, {"p95"}, {"p99"}}, {}};
  for (const NamedLatency& latency : latencies(result.service)) {
    const auto f = latency_figures(*latency.metric, latency.ns_per_unit);
    if (!f) continue;
    table.rows.push_back({latency.title, significant(f->mean), significant(f->ci95, 2), significant(f->p50),
                          significant(f->p90), significant(f->p95), significant(f->p99)});
  }
  const InteractivityFigures speed = interactivity_figures(result.service);
  if (speed.mean) {  // the slow tail stands under p90: nine users of ten are faster
    table.rows.push_back({"interactivity, tok/s/user", significant(speed.mean), "-", significant(speed.p50),
                          significant(speed.p10), "-", "-"});
  }
  if (table.rows.empty()) return;
  page.heading("What users feel");
  page.table(table);
}

void request_section(TextPage& page, const RunResult& result) {
  const RequestCounts& n = result.service.requests;
  page.heading("Requests simulated");
  page.table({{{"arrived"},
               {"completed"},
               {"too long"},
               {"queue full"},
               {"not admitted"},
               {"unfinished"},
               {"cut at limit"},
               {"preemptions"}},
              {{whole(static_cast<double>(n.arrived)), whole(static_cast<double>(n.completed)),
                whole(static_cast<double>(n.rejected_context_limit)), whole(static_cast<double>(n.rejected_queue_full)),
                whole(static_cast<double>(n.rejected_admission)), whole(static_cast<double>(n.unfinished)),
                whole(static_cast<double>(n.truncated)), whole(static_cast<double>(n.preemptions))}}});
  if (result.scenario.fleet.failures) {
    page.paragraph(fmt::format("After failures of instances: sent elsewhere {} times, {} requests lost.",
                               whole(static_cast<double>(n.retries)), whole(static_cast<double>(n.lost))),
                   2);
  }
  const SloFigures slo = slo_figures(result);
  if (!slo.met) return;
  std::string line = fmt::format("SLO {}:", *slo.met ? "met" : "missed");
  if (slo.ttft) line += fmt::format(" first token in time {}%,", percent(slo.ttft));
  if (slo.interactivity) line += fmt::format(" fast enough {}%,", percent(slo.interactivity));
  page.paragraph(line + fmt::format(" all objectives {}%", percent(slo.all)), 2);
}

void class_section(TextPage& page, const RunResult& result) {
  if (result.service.classes.empty()) return;
  TextTable table{{{"class"},
                   {"arrived"},
                   {"completed"},
                   {"rejected"},
                   {"TTFT mean, s"},
                   {"TTFT p90, s"},
                   {"TPOT mean, ms"},
                   {"answer tokens"},
                   {"objectives, %"}},
                  {}};
  for (std::size_t i = 0; i < result.service.classes.size(); ++i) {
    const ClassResult& one = result.service.classes[i];
    const auto ttft = latency_figures(one.ttft, kNsPerS), tpot = latency_figures(one.tpot, kNsPerMs);
    const auto shown = [](const auto& figures, double LatencyFigures::*figure) {
      return figures ? significant((*figures).*figure) : "-";
    };
    table.rows.push_back({std::to_string(i), whole(static_cast<double>(one.requests.arrived)),
                          whole(static_cast<double>(one.requests.completed)),
                          whole(static_cast<double>(one.requests.rejected())), shown(ttft, &LatencyFigures::mean),
                          shown(ttft, &LatencyFigures::p90), shown(tpot, &LatencyFigures::mean), whole(one.answers_tokens),
                          percent(slo_figures(result.scenario.slo, one).all)});
  }
  page.heading("By priority class");
  page.table(table);
}

void throughput_section(TextPage& page, const RunResult& result) {
  const ThroughputFigures f = throughput_figures(result);
  TextTable table{{{"", Align::Left}, {"tok/s"}, {"per GPU"}, {"per decode node"}, {"per prefill node"}}, {}};
  const auto per_gpu = [&](const std::optional<double>& rate) {
    return rate && result.fleet.gpus_mean > 0 ? significant(*rate / result.fleet.gpus_mean) : "-";
  };
  table.rows.push_back(
      {"output", significant(f.output_tok_s), per_gpu(f.output_tok_s), significant(f.output_tok_s_per_decode_node), "-"});
  table.rows.push_back(
      {"input", significant(f.input_tok_s), per_gpu(f.input_tok_s), "-", significant(f.input_tok_s_per_prefill_node)});
  table.rows.push_back({"  from cache", significant(f.cached_input_tok_s), per_gpu(f.cached_input_tok_s), "-", "-"});
  std::optional<double> computed;
  if (f.input_tok_s && f.cached_input_tok_s) computed = *f.input_tok_s - *f.cached_input_tok_s;
  table.rows.push_back(
      {"  computed", significant(computed), per_gpu(computed), "-", significant(f.computed_input_tok_s_per_prefill_node)});
  page.heading("Throughput (a node is 8 GPUs)");
  page.table(table);
}

std::string instances_of(const std::vector<int>& instances) {
  std::string text;
  for (const int count : instances) text += (text.empty() ? "" : " + ") + std::to_string(count);
  return text;
}

void window_section(TextPage& page, const RunResult& result) {
  if (result.windows.empty()) return;
  TextTable table{{{"hour"},
                   {"requests/s"},
                   {"instances"},
                   {"nodes"},
                   {"batch"},
                   {"TTFT p90, s"},
                   {"tok/s/user"},
                   {"cost, USD"},
                   {"revenue, USD"}},
                  {}};
  const std::size_t stride = (result.windows.size() + kMostWindows - 1) / kMostWindows;
  bool is_capped = false;
  for (std::size_t i = 0; i < result.windows.size(); i += stride) {
    const WindowSummary& w = result.windows[i];
    const int minutes = static_cast<int>(w.hour * 60 + 0.5);
    is_capped = is_capped || w.capped;
    table.rows.push_back({fmt::format("{:02}:{:02}", minutes / 60 % 24, minutes % 60), significant(w.rate_per_s),
                          instances_of(w.instances), mean_count(w.nodes) + (w.capped ? "*" : ""),
                          significant(w.batch_per_instance), significant(seen(w.ttft_p90_s)),
                          significant(seen(w.interactivity_tok_s_user)), whole(w.cost.value()), whole(w.revenue.value())});
  }
  std::string pools;
  for (const PoolSummary& pool : result.pools) pools += (pools.empty() ? "" : " + ") + pool.name;
  page.heading(fmt::format("The day by window (instances: {}{})", pools,
                           stride > 1 ? fmt::format("; every {} windows", stride) : ""));
  page.table(table);
  if (is_capped) page.paragraph("* the fleet rule asks for more than the cap allows", 2);
}

void cache_section(TextPage& page, const RunResult& result) {
  TextTable table{{{"prefix cache of", Align::Left},
                   {"place", Align::Left},
                   {"hits, % of prompt"},
                   {"loaded, M tokens"},
                   {"written"},
                   {"evicted"},
                   {"held on average"}},
                  {}};
  const auto millions = [](double tokens) { return significant(tokens * 1e-6); };
  for (const PoolSummary& p : result.pools) {
    if (!p.cache) continue;
    for (std::size_t i = 0; i < p.cache->places.size(); ++i) {
      const CacheSummary::Place& place = p.cache->places[i];
      const std::string hits = i == 0   ? percent(p.cache->hbm_hit_share)
                               : i == 1 ? percent(p.cache->hit_share - p.cache->hbm_hit_share) + " below HBM"
                                        : "";
      table.rows.push_back({i == 0 ? p.name : "", place.name, hits, i == 0 ? "" : millions(place.loaded_tokens),
                            millions(place.written_tokens), millions(place.evicted_tokens),
                            millions(place.held_tokens_mean)});
    }
  }
  if (table.rows.empty()) return;
  page.heading("Prefix cache");
  page.table(table);
}

void pool_section(TextPage& page, const RunResult& result) {
  TextTable work{{{"pool", Align::Left},
                  {"hardware", Align::Left},
                  {"instances"},
                  {"GPUs"},
                  {"busy, %"},
                  {"batch"},
                  {"step, ms"},
                  {"KV, %"},
                  {"MFU, %"},
                  {"MBU, %"},
                  {"balance"}},
                 {}};
  TextTable memory{{{"pool", Align::Left},
                    {"HBM used"},
                    {"weights"},
                    {"experts"},
                    {"reserved"},
                    {"KV"},
                    {"KV tokens/instance"},
                    {"calibration", Align::Left}},
                   {}};
  for (const PoolSummary& p : result.pools) {
    work.rows.push_back({p.name, p.hardware, mean_count(p.instances), mean_count(p.gpus), percent(p.busy_fraction),
                         significant(p.batch_mean), significant(p.step_ms_mean), percent(p.kv_occupancy_mean),
                         percent(p.mfu), percent(p.mbu), significant(p.balancedness)});
    const auto gb = [](Bytes bytes) { return significant(bytes.value() * 1e-9); };
    memory.rows.push_back({p.name, gb(p.memory.capacity), gb(p.memory.weights()),
                           gb(p.memory.expert_weights + p.memory.shared_expert_weights), gb(p.memory.reserved),
                           gb(p.memory.kv_budget), whole(static_cast<double>(p.memory.kv_tokens_per_instance)),
                           p.calibration + (p.calibration_is_family_default ? " (family default)" : "")});
  }
  page.heading("Pools");
  page.table(work);
  for (const PoolSummary& p : result.pools) {
    if (!p.saturated_tok_s_per_node) continue;
    page.paragraph(fmt::format("A node of {} that never waits computes {} prompt tok/s.", p.name,
                               significant(p.saturated_tok_s_per_node)),
                   2);
  }
  if (const auto& match = result.rate_match) {
    page.paragraph(
        fmt::format("Full together: {} prefill instances a decode one ({} and {} requests/s each{}); of the deployment's {} "
                    "GPUs {} + {} instances serve most, {} requests/s.",
                    significant(match->prefill_per_decode), significant(match->prefill_rate_per_s),
                    significant(match->decode_rate_per_s),
                    match->held_tok_s_user ? fmt::format(" at {} tok/s/user", significant(*match->held_tok_s_user)) : "",
                    whole(match->gpus), match->prefill, match->decode, significant(match->rate_per_s)),
        2);
  }
  cache_section(page, result);
  page.heading("Memory of a GPU, GB");
  page.table(memory);
  page.paragraph(
      fmt::format("Longest prompt and answer {} tokens; {} such sequences fit one instance.",
                  whole(static_cast<double>(result.max_context_tokens)), mean_count(result.sequences_at_context_limit)),
      2);
  if (result.fits.empty()) return;
  std::string users;
  for (const ContextFit& fit : result.fits) {
    users += fmt::format("{}{} of {}K", users.empty() ? "" : ", ", whole(fit.sequences_per_instance),
                         whole(std::round(static_cast<double>(fit.context_tokens) / 1024)));
  }
  page.paragraph(fmt::format("Users that fit one instance, by context: {}.", users), 2);
}

void binding_section(TextPage& page, const RunResult& result) {
  if (result.binding.empty()) return;
  TextTable table{{{"limit", Align::Left}, {"at, %"}, {"", Align::Left}}, {}};
  for (const BindingLimit& limit : result.binding) table.rows.push_back({limit.name, percent(limit.strength), limit.detail});
  page.heading("What binds");
  page.table(table);
}

void published_section(TextPage& page, const RunResult& result) {
  const auto comparisons = compare_published(result);
  if (comparisons.empty()) return;
  TextTable table{{{"quantity", Align::Left}, {"ours"}, {"published"}, {"deviation, %"}, {"source", Align::Left}}, {}};
  for (const PublishedComparison& one : comparisons) {
    const std::string deviation = one.deviation ? fmt::format("{:+.1f}", 100.0 * *one.deviation) : "-";
    table.rows.push_back(
        {one.figure.quantity, significant(one.ours, 4), as_written(one.figure.value), deviation, one.figure.source});
  }
  page.heading("Beside what was published");
  page.table(table);
}

void list_section(TextPage& page, const char* title, const std::vector<std::string>& points) {
  if (points.empty()) return;
  page.heading(title);
  for (const std::string& text : points) page.point(text);
}

}  // namespace

std::string result_table(const RunResult& result, const ReportOptions& options) {
  TextPage page(options.color);
  page.verdict(verdict(result));
  page.paragraph(result.scenario.name + (result.scenario.description.empty() ? "" : ": " + result.scenario.description));
  latency_section(page, result);
  request_section(page, result);
  class_section(page, result);
  throughput_section(page, result);
  window_section(page, result);
  fleet_section(page, result);
  pool_section(page, result);
  binding_section(page, result);
  money_section(page, result);
  published_section(page, result);
  list_section(page, "Assumptions", result.scenario.assumptions);
  list_section(page, "Notes", result.notes);
  if (options.wall_s) {
    const double requests = static_cast<double>(result.service.requests.arrived);
    page.heading("Performance");
    page.paragraph(fmt::format("{} s, {} events, {} requests/s", significant(*options.wall_s),
                               whole(static_cast<double>(result.service.events)),
                               whole(*options.wall_s > 0 ? requests / *options.wall_s : 0.0)),
                   2);
  }
  return page.text();
}

}  // namespace tokenomics
