#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/scenario/measured_points.hpp"

namespace tokenomics {
namespace {

/// A file of its own that goes with the test.
class TextFile {
 public:
  TextFile(const std::string& name, const std::string& text)
      : path_((std::filesystem::temp_directory_path() / (std::to_string(getpid()) + "_tokenomics_" + name)).string()) {
    std::ofstream(path_) << text;
  }
  ~TextFile() { std::filesystem::remove(path_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string kExport =
    "model,gpu,num_gpus,framework,framework_image,precision,spec_decode,isl,osl,concurrency,tp,ep,dp,dp_attention,disagg,"
    "prefill_gpus,prefill_tp,prefill_ep,prefill_dp_attention,prefill_workers,decode_gpus,decode_tp,decode_ep,"
    "decode_dp_attention,decode_workers,output_tok_s_per_gpu,median_ttft_s,median_tpot_ms,mean_ttft_s,mean_tpot_ms,date,"
    "source,flags_id\n";
const std::string kSilicon =
    "model,gpu,num_gpus,framework,framework_version,precision,spec_decode,isl,osl,concurrency,tp,ep,dp,disagg,prefill_gpus,"
    "prefill_tp,prefill_ep,prefill_dp,prefill_workers,decode_gpus,decode_tp,decode_ep,decode_dp,decode_workers,mean_ttft_s,"
    "mean_tpot_ms,median_tpot_ms,output_tok_s_per_gpu,tput_kind,isl_scale,origin,flag,date,source,flags_id\n";

std::vector<MeasuredPoint> points_in(const std::string& text) {
  const TextFile file("points.csv", text);
  return read_measured_points(file.path());
}

MeasuredPoint point_in(const std::string& text) { return points_in(text).at(0); }

/// What is said of a file, without the folder.
std::string complaint(const std::string& text) {
  const TextFile file("wrong.csv", text);
  try {
    read_measured_points(file.path());
  } catch (const ScenarioError& error) {
    const std::string what = error.what();
    return what.substr(what.find("tokenomics_wrong.csv"));
  }
  return "";
}

/// A row of AIConfigurator's table on 8 GPUs of TP 4, hence two replicas.
std::string silicon_row(const std::string& spec, const std::string& tpot, const std::string& kind, const std::string& flag,
                        const std::string& throughput = "100") {
  return "Qwen3-32B,h200,8,trtllm,1.0,fp8," + spec + ",1000,200,16,4,1,1,0,,,,,,,,,,,0.3," + tpot + ",," + throughput + "," +
         kind + ",1.0,nvidia_internal," + flag + ",2026-01-05,somewhere,\n";
}

}  // namespace

TEST_CASE("rows of an InferenceX export are read as they are", "[scenario]") {
  // 8 GPUs with attention data parallelism over all: dp 8 however the export counts it. Little: 40 tok/s x 8 GPUs / 900
  // tokens x (0.5 s + 899 x 20 ms = 18.48 s) = 6.57 requests in flight of 8.
  const MeasuredPoint p = point_in(kExport +
                                   "DeepSeek-R1-0528,b200,8,dynamo-sglang,img:v1,fp4,mtp,1024,1000,8,8,4,1,1,0,,,,,,,,,,,40,"
                                   "0.5,20,0.6,21,2026-02-11,\"a, b\",EF1\n");
  CHECK(p.line == 2);
  CHECK(p.model == "DeepSeek-R1-0528");
  CHECK(p.engine() == "sglang");
  CHECK(p.version == "img:v1");
  CHECK(p.source == "a, b");  // quoted: a comma is no end of the cell
  CHECK(p.origin == "inferencex");
  CHECK(p.drafts);
  CHECK(p.input_tokens == 1024);
  CHECK(p.output_tokens == 1000);
  CHECK(p.shortest_share == Approx(0.8));
  CHECK(p.concurrency == 8);
  CHECK((p.decode.gpus == 8 && p.decode.workers == 1 && p.decode.dp == 8 && p.decode.ep == 4));
  CHECK_FALSE(p.prefill);
  CHECK(p.throughput == ThroughputKind::Measured);
  CHECK(*p.ttft_s == 0.5);
  CHECK(*p.tpot_ms == 20);
  CHECK_FALSE(p.tpot_is_mean);
  CHECK_FALSE(p.ttft_is_mean);
  CHECK(*p.mean_tpot_ms == 21);
  CHECK(p.invalid.empty());
}

TEST_CASE("a disaggregated row has workers of both sides, each cut on its own", "[scenario]") {
  const MeasuredPoint p = point_in(
      kExport + "DeepSeek-R1-0528,gb200,16,dynamo-trt,i,fp4,none,8192,1024,64,8,8,1,1,1,8,4,4,0,2,8,8,8,1,1,50,2,10,,,,,\n");
  REQUIRE(p.prefill);
  CHECK((p.prefill->gpus == 8 && p.prefill->workers == 2 && p.prefill->gpus_per_worker() == 4 && p.prefill->dp == 1));
  CHECK((p.decode.gpus == 8 && p.decode.workers == 1 && p.decode.dp == 8));
  CHECK(p.engine() == "trtllm");
  CHECK(p.invalid.empty());
}

TEST_CASE("rows of AIConfigurator's table have means, and lengths about their own mean", "[scenario]") {
  const MeasuredPoint p = point_in(kSilicon + silicon_row("none", "10", "derived: osl/(ttft+tpot*osl)", ""));
  CHECK(*p.tpot_ms == 10);
  CHECK(p.tpot_is_mean);
  CHECK(p.ttft_is_mean);
  CHECK(p.shortest_share == Approx(1));  // a mean of all of nominal: every prompt has just that length
  CHECK(p.throughput == ThroughputKind::DerivedFromLatency);
  CHECK((p.decode.tp == 4 && p.decode.workers == 2));
  CHECK(p.concurrency == 16);
  CHECK(p.origin == "nvidia_internal");
}

TEST_CASE("a concurrency that counts one replica is multiplied by the replicas", "[scenario]") {
  CHECK(point_in(kSilicon + silicon_row("none", "10", "derived", "per_replica_concurrency")).concurrency == 32);
}

TEST_CASE("rows that say nothing are kept and marked with why", "[scenario]") {
  const std::string head = "DeepSeek-R1-0528,h200,8,sglang,i,fp8,none,1000,1000,";
  // 900 tokens in 0.5 s + 899 x 20 ms = 18.48 s. 8 users can make 8 / 18.48 x 900 / 8 GPUs = 48.7 tok/s/GPU.
  const auto row = [&](const std::string& throughput) {
    return head + "8,8,1,1,0,0,,,,,,,,,,," + throughput + ",0.5,20,,,,,\n";
  };
  CHECK(point_in(kExport + row("53.5")).invalid.empty());  // 1.0985 times as many as there are: below 1.1
  CHECK(point_in(kExport + row("53.7")).invalid ==
        "measured throughput breaks Little's law: it needs 1.10 times the requests in flight");
  CHECK(point_in(kExport + row("97.4")).invalid ==
        "measured throughput breaks Little's law: it needs 2.00 times the requests in flight");
  CHECK(point_in(kExport + head + ",8,1,1,0,0,,,,,,,,,,,40,0.5,20,,,,,\n").invalid == "the concurrency is missing");
  CHECK(point_in(kExport + head + "8,8,1,1,0,0,,,,,,,,,,,,,,,,,,\n").invalid == "nothing was measured");
  CHECK(point_in(kExport + head + "8,8,1,1,0,1,4,4,1,0,1,4,4,1,0,,40,0.5,20,,,,,\n").invalid ==
        "worker counts of decode are missing");
  CHECK(point_in(kExport + head + "8,8,1,1,0,1,,4,1,0,1,4,4,1,0,1,40,0.5,20,,,,,\n").invalid ==
        "worker counts of prefill are missing");
  CHECK(point_in(kExport + head + "8,8,1,1,0,1,4,4,1,0,1,4,4,1,0,3,40,0.5,20,,,,,\n").invalid ==
        "4 GPUs of decode over 3 workers");
}

TEST_CASE("derived throughput cannot break Little's law: it follows from the latencies", "[scenario]") {
  CHECK(point_in(kSilicon + silicon_row("none", "10", "derived", "", "9999")).invalid.empty());
  CHECK_FALSE(point_in(kSilicon + silicon_row("none", "10", "measured", "", "9999")).invalid.empty());
}

TEST_CASE("what cannot be read is told with file, line and column", "[scenario]") {
  const std::string row = "DeepSeek-R1-0528,h200,8,sglang,i,fp8,none,1000,1000,8,8,1,1,0,0,,,,,,,,,,,40,0.5,20,,,,,\n";
  CHECK(complaint(kExport + row + "# a remark\n" +
                  "DeepSeek-R1-0528,h200,8,sglang,i,fp8,none,1000,1000,8,8,1,1,0,0,,,,,,,,,,,fast,0.5,20,,,,,\n") ==
        "tokenomics_wrong.csv:4: output_tok_s_per_gpu: fast; expected a number");
  CHECK(complaint(kExport + "DeepSeek-R1-0528,h200,8,sglang,i,fp8,none,0,1000,8,8,1,1,0,0,,,,,,,,,,,40,0.5,20,,,,,\n") ==
        "tokenomics_wrong.csv:2: isl: 0; expected a whole number above 0");
  CHECK(complaint(kExport + "DeepSeek-R1-0528,h200,8,sglang\n") ==
        "tokenomics_wrong.csv:2: 4 fields; expected 33 fields as in the header");
  CHECK(complaint(kExport) == "tokenomics_wrong.csv: no rows; expected a header and at least one row");
  std::string misspelt = kExport;
  misspelt.replace(misspelt.find("concurrency"), 11, "concurency");
  CHECK_THAT(complaint(misspelt + row),
             Catch::Contains("concurrency (missing); expected a column of that name; did you mean "
                             "concurency?"));
  CHECK_THROWS_AS(read_measured_points("/nowhere/points.csv"), IoError);
}

TEST_CASE("engines have one name whatever routes in front of them", "[scenario]") {
  CHECK(engine_of("dynamo-sglang") == "sglang");
  CHECK(engine_of("SGLang") == "sglang");
  CHECK(engine_of("dynamo-trt") == "trtllm");
  CHECK(engine_of("trt") == "trtllm");
  CHECK(engine_of("TensorRT-LLM") == "trtllm");
  CHECK(engine_of("tensorrt_llm") == "trtllm");
  CHECK(engine_of("vllm") == "vllm");
}

TEST_CASE("a derived row without drafts is one with drafts when another export has that very run with drafts",
          "[scenario]") {
  const std::string head = "Qwen3-32B,h200,8,trtllm,i,fp8,";
  const auto elsewhere = [&](const char* spec, const char* tpot) {
    return kExport + head + spec + ",1000,200,16,8,1,1,0,0,,,,,,,,,,,10,0.3,9," + "0.3," + tpot + ",2026-01-05,s,\n";
  };
  const std::string derived = silicon_row("none", "10.125", "derived", "");
  const auto pooled = [&](const std::string& other) {
    std::vector<MeasuredPoint> points = points_in(kSilicon + derived);
    for (MeasuredPoint& p : points_in(other)) points.push_back(p);
    return points;
  };
  std::vector<MeasuredPoint> twin = pooled(elsewhere("mtp", "10.125"));
  CHECK(relabel_drafts(twin) == std::vector<std::size_t>{0});
  CHECK((twin[0].drafts && twin[0].relabelled));
  CHECK_FALSE(twin[1].relabelled);

  // Another run, on a day of which only runs with drafts are known; then one run without them is known too.
  const std::string same_day = elsewhere("mtp", "11.5");
  std::vector<MeasuredPoint> only_drafts = pooled(same_day);
  CHECK(relabel_drafts(only_drafts).size() == 1);
  std::vector<MeasuredPoint> both = pooled(same_day);
  both.push_back(points_in(elsewhere("none", "8")).at(0));
  CHECK(relabel_drafts(both).empty());

  std::string another = same_day;
  another.replace(another.find("2026-01-05"), 10, "2026-01-06");
  std::vector<MeasuredPoint> another_day = pooled(another);
  CHECK(relabel_drafts(another_day).empty());

  std::vector<MeasuredPoint> agreed = pooled(elsewhere("none", "10.125"));
  CHECK(relabel_drafts(agreed).empty());
  CHECK_FALSE(agreed[0].drafts);
}

TEST_CASE("flags are joined by their id, those of both sides", "[scenario]") {
  const TextFile flags(
      "flags.csv",
      "flags_id,kv_cache_dtype,max_running,mem_fraction,chunk_tokens,adp_balance,mtp_steps,prefill_max_running,"
      "recipe_layout\nEF1,fp8_e4m3,1024,0.75,32768,1,2,16,\"P 1, D 1\"\nEF2,,,,,,,,\n");
  std::vector<MeasuredPoint> points(3);
  points[0].flags_id = "EF1";
  points[1].flags_id = "EF2";
  points[2].flags_id = "unknown";
  join_flags(points, flags.path());
  REQUIRE(points[0].flags);
  CHECK(points[0].flags->server.kv_dtype == "fp8_e4m3");
  CHECK(*points[0].flags->server.max_running == 1024);
  CHECK(*points[0].flags->server.chunk_tokens == 32768);
  CHECK(*points[0].flags->server.memory_fraction == 0.75);
  CHECK(*points[0].flags->server.draft_steps == 2);
  CHECK(*points[0].flags->prefill.max_running == 16);
  CHECK(points[0].flags->balances_ranks);
  CHECK(points[0].flags->layout == "P 1, D 1");
  REQUIRE(points[1].flags);
  CHECK_FALSE(points[1].flags->server.max_running);
  CHECK_FALSE(points[2].flags);

  const TextFile wrong("wrong_flags.csv", "flags_id,kv_cache_dtype,max_running,mem_fraction\nEF1,,many,\n");
  CHECK_THROWS_WITH(join_flags(points, wrong.path()),
                    Catch::Contains("wrong_flags.csv:2: max_running: many; expected a number"));
}

}  // namespace tokenomics
