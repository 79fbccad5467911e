#include "support/catch.hpp"

#include <filesystem>
#include <map>

#include "shipped.hpp"

namespace tokenomics {
namespace {

/// File under broken/ -> every line it must give, in order.
// clang-format off
const std::map<std::string, std::vector<std::string>> kExpected{
    {"closed_loop_with_rate",
     {R"(closed_loop_with_rate.json:4: /workload/arrivals/rate_per_s: 2; expected one of the keys concurrency, kind, think_s)"}},
    {"contradictions",
     {R"(contradictions.json:4: /limits/context_tokens: 1000000; expected at most 163840, the maximum of deepseek-r1)",
      R"(contradictions.json:6: /deployment/pools: decode pools only; expected a prefill pool beside them)",
      R"(contradictions.json:6: /deployment/pools: mixed and split pools; expected either mixed pools, or prefill and decode pools)",
      R"(contradictions.json:9: /deployment/pools/0/parallelism/ep: 144; expected a divisor of the 286 expert slots (256 routed experts and 30 redundant ones))",
      R"(contradictions.json:11: /deployment/pools/0/mtp/acceptance: [0.8]; expected one acceptance for each of the 2 draft tokens)",
      R"(contradictions.json:13: /deployment/pools/1/parallelism/tp: 24; expected a divisor of the 128 attention heads of deepseek-r1)",
      R"(contradictions.json:13: /deployment/pools/1/parallelism/moe_tp: 3; expected a divisor of the experts' width 2048)",
      R"(contradictions.json:13: /deployment/pools/1/name: "a"; expected a name of its own)"}},
    {"duplicate_key",
     {R"(duplicate_key.json:6: /slo; expected a key that stands once: it stands here again)"}},
    {"empty",
     {R"(empty.json: line 1; expected valid JSON: parse error at line 1, column 1: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal)"}},
    {"misplaced_key",
     {R"(misplaced_key.json:3: /deployment/pools/0/tp: 8; expected a known key (it belongs inside parallelism); did you mean parallelism/tp?)"}},
    {"missing_key",
     {R"(missing_key.json: /model; expected a name in the catalogue, or an object (with "base": a name and what differs) (missing))",
      R"(missing_key.json:2: /deployment/pools/0/hardware; expected a name in the catalogue, or an object (with "base": a name and what differs) (missing))"}},
    {"no_drafts",
     {R"(no_drafts.json:3: /deployment/tp: 3; expected a divisor of the 64 attention heads of llama-3.3-70b)",
      R"(no_drafts.json:3: /deployment/ep: 2; expected 1: llama-3.3-70b has no experts)",
      R"(no_drafts.json:3: /deployment/mtp/draft_tokens: 1; expected 0: llama-3.3-70b has no MTP modules)"}},
    {"no_price",
     {R"(no_price.json: /cost/usd_per_gpu_hour; expected a price of a GPU-hour (missing): no rental price of tpu-v5e is known)"}},
    {"no_trace",
     {R"(no_trace.json:4: /workload/trace/file: "traces/none.csv"; expected a file, relative to this one or to the catalogue)"}},
    {"not_finite",
     {R"(not_finite.json:4: /workload/arrivals/rate_per_s: NaN; expected a finite number)",
      R"(not_finite.json:4: /workload/arrivals/cv: 1e999; expected a finite number)",
      R"(not_finite.json:6: /cost/usd_per_gpu_hour: -Infinity; expected a finite number)"}},
    {"not_modelled",
     {R"(not_modelled.json:2: /model: "minimax-m1"; expected a network that is modelled: this one has linear attention in 70 of 80 layers)"}},
    {"out_of_range",
     {R"(out_of_range.json:3: /deployment/memory/hbm_utilization: 1.5; expected a number above 0 and at most 1)",
      R"(out_of_range.json:4: /workload/arrivals/rate_per_s: -3; expected a number above 0 and at most 1e9)",
      R"(out_of_range.json:5: /slo/interactivity_tok_s_user/min: -1; expected a number above 0 and at most 1e9)",
      R"(out_of_range.json:5: /slo/interactivity_tok_s_user/percentile: 100; expected a number above 0 and below 100)",
      R"(out_of_range.json:5: /slo/ttft_s/max: 0; expected a number above 0 and at most 1e9)"}},
    {"several",
     {R"(several.json: /model; expected a name in the catalogue, or an object (with "base": a name and what differs) (missing))",
      R"(several.json:2: /modell: "llama-3.3-70b"; expected a known key; did you mean model?)",
      R"(several.json:5: /deployment/pools/0/hardware: "h900-sxm"; expected the name of a known GPU; did you mean h100-sxm?)",
      R"(several.json:6: /deployment/pools/1/batching/max_sequence: 4; expected a known key; did you mean max_sequences?)",
      R"(several.json:6: /deployment/pools/1/instances: 1.5; expected a whole number of at least 1 and at most 1e6)",
      R"(several.json:9: /seed: NaN; expected a finite number)",
      R"(several.json:10: /workload/arrivals/rate_per_s: -3; expected a number above 0 and at most 1e9)",
      R"(several.json:11: /slo/ttft_ms: {"max":1}; expected a known key (wrong unit?); did you mean ttft_s?)",
      R"(several.json:12: /cost/usd_per_gpu_hour: "2"; expected a number above 0 and at most 1e9)"}},
    {"syntax",
     {R"(syntax.json: line 3; expected valid JSON: parse error at line 3, column 12: syntax error while parsing object - unexpected string literal; expected '}')"}},
    {"unknown_key",
     {R"(unknown_key.json:3: /deployment/batching/max_sequence: 64; expected a known key; did you mean max_sequences?)"}},
    {"unknown_kind",
     {R"(unknown_kind.json:3: /deployment/precision/kv: "fp9"; expected one of "bf16", "fp8", "fp4", "int8", "int4"; did you mean fp8?)",
      R"(unknown_kind.json:4: /workload/arrivals/kind: "poison"; expected one of "poisson", "gamma", "closed_loop", "all_at_once", "day_night", "trace"; did you mean poisson?)"}},
    {"unknown_name",
     {R"(unknown_name.json:2: /model: "llama-3.3-70c"; expected the name of a known network; did you mean llama-3.3-70b?)",
      R"(unknown_name.json:3: /deployment/overlap: "deepseek_decod"; expected the name of a known overlap schedule; did you mean deepseek_decode?)",
      R"(unknown_name.json:3: /deployment/hardware: "h10-sxm"; expected the name of a known GPU; did you mean h100-sxm?)",
      R"(unknown_name.json:4: /workload: "chat-2032"; expected the name of a known workload; did you mean chat-2023?)"}},
    {"wrong_type",
     {R"(wrong_type.json:3: /deployment/tp: "8"; expected a whole number of at least 1 and at most 100000)",
      R"(wrong_type.json:5: /measure/replications: 2.5; expected a whole number of at least 1 and at most 100000)"}},
    {"wrong_unit",
     {R"(wrong_unit.json:3: /deployment/memory/reserved_GiB_per_gpu: 4; expected a known key (wrong unit?); did you mean reserved_GB_per_gpu?)",
      R"(wrong_unit.json:5: /slo/ttft_ms: {"max":500}; expected a known key (wrong unit?); did you mean ttft_s?)"}}};
// clang-format on

}  // namespace

TEST_CASE("a broken scenario names every problem with file, line, pointer, value, what was expected and the nearest name",
          "[scenario]") {
  for (const auto& [name, lines] : kExpected) {
    INFO(name);
    CHECK(complaints(broken(name)) == lines);
  }
}

TEST_CASE("every broken file has its messages written down", "[scenario]") {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(TOKENOMICS_TEST_DATA) + "/scenario/broken")) {
    ++files;
    INFO(entry.path());
    CHECK(kExpected.contains(entry.path().stem().string()));
  }
  CHECK(files == kExpected.size());
}

TEST_CASE("a file that cannot be read is an I/O error, an unknown service is an input error", "[scenario]") {
  CHECK_THROWS_AS(load_scenario("/nowhere/at/all.json", shipped()), IoError);
  CHECK_THROWS_AS(load_scenario(TOKENOMICS_CATALOGUE "/models/..", shipped()), IoError);
  CHECK_THROWS_WITH(load_scenario("llama-70b-h10", shipped()),
                    "services: \"llama-70b-h10\"; expected a known scenario; did you mean llama-70b-h100?");
}

}  // namespace tokenomics
