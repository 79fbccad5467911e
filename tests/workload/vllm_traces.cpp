// Runs of vLLM recorded request by request: what a replay takes of them, and what is kept apart to compare with.
#include "helpers.hpp"
#include "support/catch.hpp"
#include "tokenomics/workload/served_requests.hpp"
#include "tokenomics/workload/trace.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

const std::string kHeader =
    "arrival_s,input_tokens,output_tokens,queued_s,queue_wait_s,ttft_from_queue_s,e2e_from_queue_s\n";

std::string refusal(const std::string& rows) {
  const TemporaryFile file(kHeader + rows, ".csv");
  const std::string message = message_of([&] { read_served_requests(file.path()); });
  return message.empty() ? message : message.substr(file.path().size() + 2);
}

}  // namespace

// Sent at 1 s, taken in at 1.5 s, first token 0.25 s and last one 4 s after that: TTFT 0.75 s, E2E 4.5 s.
TEST_CASE("times of a served request count from when it was sent", "[workload]") {
  const TemporaryFile file(kHeader + "0.0,10,3,0.0,0.0,0.125,0.5\n1.0,20,5,1.5,0.125,0.25,4\n", ".csv");
  const auto requests = read_served_requests(file.path());
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].ttft_s == 0.125);
  CHECK(requests[1].arrival_s == 1.0);
  CHECK(requests[1].input_tokens == 20);
  CHECK(requests[1].output_tokens == 5);
  CHECK(requests[1].ttft_s == 0.75);
  CHECK(requests[1].e2e_s == 4.5);
}

TEST_CASE("a replay of a vLLM run sends each request when the load generator did", "[workload]") {
  const TemporaryFile file(kHeader + "0.0,10,3,0.0,0.0,0.125,0.5\n1.0,20,5,1.5,0.125,0.25,4\n", ".csv");
  CHECK(detect_trace_format(file.path()) == TraceFormat::Vllm);
  const auto source = make_request_source(replay_of(file.path(), TraceFormat::Vllm), 1, 0);
  const auto requests = drain(*source, 10);
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].arrival == 1'000'000'000);
  CHECK(requests[1].input_tokens == 20);
  CHECK(requests[1].output_tokens == 5);
  CHECK(requests[1].cached_tokens == 0);
}

TEST_CASE("a broken record of a vLLM run is refused with its line", "[workload]") {
  CHECK(refusal("0.0,10,3,0.0,0.0,0.1,0.5\n").empty());
  CHECK(refusal("1.0,10,3,0.5,0.0,0.25,4\n") ==
        R"(line 2: ttft_from_queue_s = "0.25"; expected a first token after arrival_s)");
  CHECK(refusal("1.0,10,3,1.0,0.0,0.25,0.125\n") ==
        R"(line 2: e2e_from_queue_s = "0.125"; expected at least ttft_from_queue_s)");
  CHECK(refusal("1.0,10,3,1.0,0.0,0.25,4\n0.5,10,3,1.0,0.0,0.25,4\n") ==
        R"(line 3: arrival_s = "0.5"; expected times that do not decrease)");
  CHECK_FALSE(refusal("1.0,0,3,1.0,0.0,0.25,4\n").empty());
  CHECK_FALSE(refusal("").empty());
}

// Means taken with another program from the rows that the files were split from.
TEST_CASE("the shipped vLLM runs have 300 requests each and their recorded means", "[workload]") {
  struct Run {
    const char* file;
    double input, output, ttft_from_queue_s, e2e_from_queue_s, arrival_s, queued_s;
  };
  const Run runs[] = {{"vllm_llama_8b_rtx_4090.csv.gz", 857.463, 652.51, 65.457, 86.578, 14.146, 14.174},
                      {"vllm_llama_8b_rtx_pro_6000.csv.gz", 857.463, 652.51, 7.097, 28.201, 14.166, 14.188},
                      {"vllm_qwen3_30b_a3b_rtx_pro_6000.csv.gz", 862.303, 664.953, 1.086, 32.345, 14.163, 14.188},
                      {"vllm_qwen3_32b_rtx_pro_6000.csv.gz", 862.303, 664.953, 36.905, 90.408, 14.168, 14.301}};
  for (const Run& run : runs) {
    INFO(run.file);
    const auto requests = read_served_requests(trace_file(run.file));
    REQUIRE(requests.size() == 300);
    double input = 0, output = 0, arrival = 0, ttft = 0, e2e = 0;
    for (const ServedRequest& r : requests) {
      input += static_cast<double>(r.input_tokens) / 300;
      output += static_cast<double>(r.output_tokens) / 300;
      arrival += r.arrival_s / 300;
      ttft += r.ttft_s / 300;
      e2e += r.e2e_s / 300;
    }
    CHECK(input == Approx(run.input).margin(0.001));
    CHECK(output == Approx(run.output).margin(0.001));
    CHECK(arrival == Approx(run.arrival_s).margin(0.001));
    CHECK(ttft == Approx(run.ttft_from_queue_s + run.queued_s - run.arrival_s).margin(0.002));
    CHECK(e2e == Approx(run.e2e_from_queue_s + run.queued_s - run.arrival_s).margin(0.002));
  }
}
