#include "fleet_blocks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "number_format.hpp"
#include "tokenomics/workload/workload.hpp"

namespace tokenomics {
namespace {

/// More rows than this are thinned evenly: a day by the hour.
constexpr std::size_t kMostRows = 24;

void control_table(TextPage& page, const RunResult& result) {
  TextTable table{{{"pool", Align::Left},
                   {"starts"},
                   {"stops"},
                   {"start-up, s"},
                   {"of it load"},
                   {"starting, GPU-h"},
                   {"failures"},
                   {"down, GPU-h"},
                   {"available, %"}},
                  {}};
  for (std::size_t i = 0; i < result.fleet.control.size(); ++i) {
    const PoolControlSummary& c = result.fleet.control[i];
    table.rows.push_back({result.pools[i].name, whole(c.starts), whole(c.stops), significant(c.start_up_s),
                          significant(c.load_s), significant(c.starting_gpu_hours), whole(c.failures),
                          significant(c.down_gpu_hours), percent(c.availability)});
  }
  page.heading("The fleet: instances come and go");
  page.table(table);
}

std::string clock_of(double hour) {
  const int minutes = static_cast<int>(hour * 60 + 0.5);
  return fmt::format("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
}

/// By the clock where arrivals have one, else from the start of the measured time.
void time_table(TextPage& page, const RunResult& result) {
  if (result.fleet.timeline.empty()) return;
  const auto* day = std::get_if<DayNightArrivals>(&result.scenario.workload.arrivals);
  TextTable table{{{day != nullptr ? "from" : "from, s"}}, {}};
  for (const PoolSummary& pool : result.pools) table.columns.push_back({pool.name});
  const auto& timeline = result.fleet.timeline;
  const std::size_t stride = (timeline.size() + kMostRows - 1) / kMostRows;
  for (std::size_t k = 0; k < timeline.size(); k += stride) {
    const double start_s = result.scenario.measure.warm_up_s + timeline[k].from_s;
    std::vector<std::string> row{day != nullptr ? clock_of(day->start_hour + start_s / kSecondsPerHour)
                                                : significant(timeline[k].from_s)};
    for (std::size_t pool = 0; pool < timeline[k].instances.size(); ++pool) {
      double mean = 0;  // over the parts of the row
      const std::size_t parts = std::min(stride, timeline.size() - k);
      for (std::size_t part = 0; part < parts; ++part)
        mean += timeline[k + part].instances[pool] / static_cast<double>(parts);
      row.push_back(significant(mean));
    }
    table.rows.push_back(std::move(row));
  }
  page.heading("Instances over time (means, those that start or drain counted)");
  page.table(table);
}

}  // namespace

void fleet_section(TextPage& page, const RunResult& result) {
  if (result.fleet.control.empty()) return;
  control_table(page, result);
  time_table(page, result);
}

}  // namespace tokenomics
