#pragma once

#include <string>
#include <vector>

#include "output.hpp"
#include "tokenomics/scenario/scenario.hpp"
#include "tokenomics/sim/observer.hpp"

namespace tokenomics::cli {

/// Writes one CSV row a request, in the order in which requests end. Nothing is kept in memory.
class RequestLog final : public Observer {
 public:
  explicit RequestLog(const std::string& path);
  void request_ended(const RequestRecord& record) override;
  void commit() { file_.commit(); }

 private:
  OutputFile file_;
};

/// Writes a trace in Chrome's JSON format (chrome://tracing, Perfetto): a process per pool, a thread per instance, an
/// event per run of steps in which the batch stayed the same.
class Timeline final : public Observer {
 public:
  Timeline(const std::string& path, const Scenario& scenario);
  void run_ended(const RunRecord& record) override;
  void commit();

 private:
  void event(const std::string& json);

  OutputFile file_;
  bool is_first_ = true;
  std::vector<std::vector<bool>> named_;  ///< instances that have a name already, by pool
};

/// Tells several observers.
class Observers final : public Observer {
 public:
  void add(Observer* observer) { all_.push_back(observer); }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  void request_ended(const RequestRecord& record) override {
    for (Observer* observer : all_) observer->request_ended(record);
  }
  void run_ended(const RunRecord& record) override {
    for (Observer* observer : all_) observer->run_ended(record);
  }

 private:
  std::vector<Observer*> all_;
};

}  // namespace tokenomics::cli
