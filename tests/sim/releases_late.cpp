// Places that are free one step after the last token.
#include "support/catch.hpp"
#include "support/one_service.hpp"

using namespace tokenomics;
using namespace tokenomics::test;

namespace {

/// 10 ms, 1 ms per decoding sequence, 0.1 ms per prompt token.
LinearTimer round_timer() {
  LinearTimer timer;
  timer.fixed_s = 0.010;
  timer.per_sequence_s = 0.001;
  timer.per_prompt_token_s = 0.0001;
  return timer;
}

ServiceConfig two_places(const StepTimer& timer) {
  ServiceConfig config = one_instance(timer);
  config.pools[0].batching.max_sequences = 2;
  config.pools[0].batching.releases_late = true;
  return config;
}

}  // namespace

// A and B: prompts 0-30, two steps of 12 ms; B ends at 54, and its user has the token. A's step 54-65 goes by before C has
// the place.
TEST_CASE("The place of a finished sequence is free after the step that follows", "[sim]") {
  const LinearTimer timer = round_timer();
  for (const bool step_by_step : {false, true}) {
    ServiceConfig config = two_places(timer);
    config.step_by_step = step_by_step;
    const std::vector<Request> requests{request(0, 100, 20), request(0, 100, 3), request(1, 50, 1), request(1, 50, 3)};
    const Outcomes late = serve(config, requests);
    CHECK(late.of.at(1).end == ms(54));
    CHECK(late.of.at(2).scheduled == ms(65));
    CHECK(late.of.at(2).end == ms(81));  // 10 + 1 + 5 ms with A: its place is free after A's step 81-92
    CHECK(late.of.at(3).scheduled == ms(92));
    config.pools[0].batching.releases_late = false;
    const Outcomes soon = serve(config, requests);
    CHECK(soon.of.at(2).scheduled == ms(54));
    CHECK(soon.of.at(3).scheduled == ms(70));
  }
}

// A and B both end at 54: no step follows.
TEST_CASE("Where no step follows the place is free at once", "[sim]") {
  const LinearTimer timer = round_timer();
  const Outcomes o = serve(two_places(timer), {request(0, 100, 3), request(0, 100, 3), request(1, 50, 1)});
  CHECK(o.of.at(2).scheduled == ms(54));
}

// Memory for 260 tokens: 111 are needed for C (100 + 11), which would fit beside A (100 and its answer) at 54.
TEST_CASE("The memory of a finished sequence is free after the step that follows, too", "[sim]") {
  const LinearTimer timer = round_timer();
  ServiceConfig config = two_places(timer);
  config.pools[0].batching.max_sequences = 10;
  config.pools[0].kv_tokens = 260;
  const std::vector<Request> requests{request(0, 100, 20), request(0, 100, 3), request(1, 100, 11)};
  CHECK(serve(config, requests).of.at(2).scheduled == ms(65));
  config.pools[0].batching.releases_late = false;
  CHECK(serve(config, requests).of.at(2).scheduled == ms(54));
}
