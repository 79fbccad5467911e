#include "fit_places.hpp"

#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>

namespace tokenomics {
namespace {

constexpr int kGapDays = 21;

/// Days of a YYYY-MM-DD date on one count (Howard Hinnant's days_from_civil, without the era).
int day_number(const std::string& date) {
  int y = 0, m = 0, d = 0;
  std::from_chars(date.data(), date.data() + 4, y);
  std::from_chars(date.data() + 5, date.data() + 7, m);
  std::from_chars(date.data() + 8, date.data() + 10, d);
  y -= m <= 2 ? 1 : 0;
  const int day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year;
}

}  // namespace

std::vector<FitPlace> fit_places(const std::vector<BenchmarkPoint>& points) {
  std::map<std::string, std::set<std::string>> dates;  // of a GPU and engine
  std::vector<FitPlace> places(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const BenchmarkPoint& p = points[i];
    if (p.pools.empty()) continue;
    const std::string engine = p.measured->engine();
    // "Blackwell Ultra" is of the family Blackwell, CDNA3 and CDNA4 are of CDNA.
    const std::string& architecture = p.pools.front().plan.gpu.architecture;
    places[i].family = architecture.substr(0, architecture.find_first_of(" 0123456789")) + " " + engine;
    places[i].gpu = p.hardware + " " + engine;
    if (p.measured->date.size() == 10) dates[places[i].gpu].insert(p.measured->date);
  }
  std::map<std::string, std::map<std::string, std::string>> first_day;  // of the run of days that a date lies in
  for (const auto& [gpu, days] : dates) {
    std::string begin;
    int last = 0;
    for (const std::string& date : days) {
      if (begin.empty() || day_number(date) - last >= kGapDays) begin = date;
      last = day_number(date);
      first_day[gpu][date] = begin;
    }
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].pools.empty() || points[i].measured->date.size() != 10) continue;
    places[i].version = places[i].gpu + " " + first_day[places[i].gpu][points[i].measured->date];
  }
  return places;
}

}  // namespace tokenomics
