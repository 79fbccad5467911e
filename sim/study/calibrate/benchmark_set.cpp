#include "tokenomics/study/benchmark_set.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <tuple>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"
#include "tokenomics/base/parallel.hpp"

namespace tokenomics {
namespace {

std::string signature_of(const BenchmarkPoint& point) {
  const MeasuredPoint& m = *point.measured;
  std::string text = fmt::format("{} {} {} {} {} {}", m.concurrency, m.input_tokens, m.output_tokens, m.shortest_share,
                                 m.gpus, static_cast<int>(point.router));
  for (const BenchmarkPool& pool : point.pools) {
    const BatchingSpec& b = pool.config.batching;
    text += fmt::format("|{} x{} {} {} {} {} {} {}", pool.key, pool.config.instances, pool.config.kv_tokens, b.max_sequences,
                        b.max_tokens_per_step, b.poll_steps, b.chunked_prefill, static_cast<int>(b.policy));
    if (b.rank_balance_wait)
      text += fmt::format(" waits {} {}", b.rank_balance_wait->timeout_steps, b.rank_balance_wait->batching_steps);
    if (b.batch_wait) text += fmt::format(" waits {} {}", b.batch_wait->steps, b.batch_wait->tokens_ratio);
  }
  return text;
}

/// Numbers distinct keys in the order of their first use.
template <typename Key>
class Numbering {
 public:
  std::size_t of(const Key& key) { return numbers_.try_emplace(key, numbers_.size()).first->second; }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  std::map<Key, std::size_t> numbers_;
};

}  // namespace

BenchmarkSet::BenchmarkSet(std::vector<BenchmarkPoint> points, BenchmarkRules rules)
    : points_(std::move(points)), rules_(std::move(rules)) {
  for (const BenchmarkPoint& point : points_) signatures_.push_back(point.cannot_run.empty() ? signature_of(point) : "");
}

std::vector<BenchmarkSet::Answer> BenchmarkSet::predict(const std::vector<Task>& tasks, unsigned jobs,
                                                        const std::function<void(double)>& progress) const {
  using ModelKey = std::pair<std::string, const Calibration*>;
  Numbering<ModelKey> model_numbers, run_numbers;
  struct Model {
    const BenchmarkPool* pool;
    const Calibration* calibration;
    std::unique_ptr<StepModel> timer;
    std::string reason;  ///< why it has no timer: the GPU lacks a number that its network or layout needs
  };
  struct Run {
    Task task;
    std::vector<std::size_t> models;
    Answer answer;
  };
  std::vector<Model> models;
  std::vector<Run> runs;
  std::vector<std::size_t> run_of;
  for (const Task& task : tasks) {
    const BenchmarkPoint& point = points_[task.point];
    const std::size_t run = run_numbers.of({signatures_[task.point], task.calibration});
    run_of.push_back(run);
    if (run < runs.size()) continue;
    runs.push_back({task, {}, {}});
    for (const BenchmarkPool& pool : point.pools) {
      const std::size_t model = model_numbers.of({pool.key, task.calibration});
      if (model == models.size()) models.push_back({&pool, task.calibration, nullptr, ""});
      runs.back().models.push_back(model);
    }
  }
  parallel_for(jobs, models.size(), [&](std::size_t i) {
    try {
      models[i].timer = std::make_unique<StepModel>(models[i].pool->plan, *models[i].calibration);
    } catch (const ScenarioError& error) {
      models[i].reason = error.what();
    }
  });
  std::atomic<std::size_t> done = 0;
  parallel_for(jobs, runs.size(), [&](std::size_t i) {
    if (progress) progress(static_cast<double>(done++) / static_cast<double>(runs.size()));
    Run& run = runs[i];
    const BenchmarkPoint& point = points_[run.task.point];
    run.answer.reason = point.cannot_run;
    if (!point.cannot_run.empty()) return;
    std::vector<const StepTimer*> timers;
    for (const std::size_t model : run.models) {
      timers.push_back(models[model].timer.get());
      if (run.answer.reason.empty()) run.answer.reason = models[model].reason;
    }
    if (!run.answer.reason.empty()) return;
    try {
      run.answer.prediction = tokenomics::predict(point, timers, *run.task.calibration, rules_);
    } catch (const Infeasible& error) {
      run.answer.reason = error.what();
    } catch (const ScenarioError& error) {
      run.answer.reason = error.what();
    }
  });
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Answer answer = runs[run_of[i]].answer;
    const BenchmarkPoint& point = points_[tasks[i].point];
    if (!point.cannot_run.empty()) answer = {std::nullopt, point.cannot_run};
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace tokenomics
