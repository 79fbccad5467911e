#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tokenomics/workload/workload.hpp"

namespace workload_test {

using namespace tokenomics;

/// A file in the temporary folder that is removed with the object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content, const std::string& suffix = ".txt");
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string gzipped(const std::string& content);

/// File of the catalogue's traces folder.
inline std::string trace_file(const std::string& name) { return std::string(TOKENOMICS_CATALOGUE) + "/traces/" + name; }

WorkloadSpec with_fixed_lengths(ArrivalSpec arrivals);
WorkloadSpec replay_of(const std::string& file, TraceFormat format);

/// Takes requests without ever answering one, up to `most` or until none is left.
std::vector<Request> drain(RequestSource& source, std::size_t most);

struct Moments {
  double mean = 0, sd = 0;
  std::size_t n = 0;
  [[nodiscard]] double standard_error() const { return sd / std::sqrt(static_cast<double>(n)); }
};
Moments moments(const std::vector<double>& values);
std::vector<double> gaps_s(const std::vector<Request>& requests);

/// Message of the ScenarioError that `act` throws; "" when it throws none.
template <class Act>
std::string message_of(Act act);

}  // namespace workload_test

#include "tokenomics/base/error.hpp"

template <class Act>
std::string workload_test::message_of(Act act) {
  try {
    act();
  } catch (const tokenomics::ScenarioError& error) {
    return error.what();
  }
  return "";
}
