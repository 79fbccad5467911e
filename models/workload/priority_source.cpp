#include "loaded_workload.hpp"

namespace tokenomics {

namespace {

/// A source whose requests are of one class.
class PrioritySource final : public RequestSource {
 public:
  PrioritySource(std::unique_ptr<RequestSource> source, std::int32_t priority)
      : source_(std::move(source)), priority_(priority) {}

  [[nodiscard]] SimTime next_arrival() const override { return source_->next_arrival(); }
  Request take() override {
    Request request = source_->take();
    request.priority = priority_;
    return request;
  }
  void ended(const Request& request, SimTime now) override { source_->ended(request, now); }
  [[nodiscard]] PromptTree* prompts() override { return source_->prompts(); }

 private:
  std::unique_ptr<RequestSource> source_;
  std::int32_t priority_;
};

}  // namespace

std::unique_ptr<RequestSource> with_priority(std::unique_ptr<RequestSource> source, std::int32_t priority) {
  if (priority == 0) return source;
  return std::make_unique<PrioritySource>(std::move(source), priority);
}

}  // namespace tokenomics
