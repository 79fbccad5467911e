// What the service itself does with requests: cuts them, refuses them, tells replications apart.
#include <utility>

#include "support/catch.hpp"
#include "support/one_service.hpp"
#include "tokenomics/base/error.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

LinearTimer ten_ms() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  return timer;
}

/// Refuses to let time go by: asks again in the instant in which it was refused.
struct Impatient final : RequestSource {
  SimTime due = 0;
  std::uint64_t id = 0;
  SimTime next_arrival() const override { return due; }
  Request take() override {
    Request r = request(0, 1000, 5);
    r.arrival = std::exchange(due, kNever);
    r.id = id++;
    return r;
  }
  void ended(const Request&, SimTime now) override { due = now; }
};

}  // namespace

TEST_CASE("An answer cut inside its reasoning has no first answer token after its end", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.context_limit_tokens = 20;
  Request r = request(0, 10, 50);
  r.reasoning_tokens = 40;
  const Outcomes o = serve(config, {r});
  CHECK(o.of.at(0).request.reasoning_tokens == 9);
  CHECK(o.result.ttft_answer.histogram().max() <= o.result.e2e.histogram().max());
}

TEST_CASE("Clients that ask again in the instant in which they are refused are an answer, not an endless run", "[sim]") {
  const LinearTimer timer = ten_ms();
  ServiceConfig config = one_instance(timer);
  config.context_limit_tokens = 100;
  config.measure.duration_s = 1;
  Impatient source;
  CHECK_THROWS_AS(simulate(config, source), Infeasible);
}

// The same requests again, drafts drawn anew.
TEST_CASE("Replications draw other drafts", "[sim]") {
  const LinearTimer timer;
  ServiceConfig config = one_instance(timer);
  config.pools[0].mtp = {1, {0.5}};
  const auto end = [&](std::uint64_t replication) {
    config.replication = replication;
    return serve(config, {request(0, 10, 1000)}).of.at(0).end;
  };
  CHECK(end(0) == end(0));
  CHECK((end(0) != end(1) || end(0) != end(2)));
}
