#include "support/catch.hpp"

#include <rapidcheck/catch.h>

#include <fstream>
#include <sstream>

#include "helpers.hpp"
#include "tokenomics/workload/servegen.hpp"
#include "tokenomics/workload/trace.hpp"

using namespace tokenomics;
using namespace workload_test;

namespace {

const std::string kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
const std::string kAzureRow = "2023-11-16 18:15:46.6805900,374,44\n";

std::string azure_refusal(const std::string& content) {
  const TemporaryFile file(content);
  std::string message = message_of([&] { read_trace(file.path(), TraceFormat::Azure); });
  return message.rfind(file.path() + ": ", 0) == 0 ? message.substr(file.path().size() + 2) : "other file: " + message;
}

std::string refusal(const std::string& content, TraceFormat format) {
  const TemporaryFile file(content);
  const std::string message = message_of([&] { read_trace(file.path(), format); });
  return message.empty() ? message : message.substr(file.path().size() + 2);
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

void check_length(const TraceStatistics::Length& ours, double mean, double p50, double p90, double p99, double max) {
  CHECK(ours.mean == Approx(mean).margin(0.06));
  CHECK(ours.p50 == Approx(p50).margin(0.5));
  CHECK(ours.p90 == Approx(p90).margin(0.5));
  CHECK(ours.p99 == Approx(p99).margin(0.5));
  CHECK(ours.max == max);
}

}  // namespace

// Published figures: the description of the data set that the traces in scenarios/traces were taken from, computed
// there with other tools. Tolerances are half of the last digit given there.

TEST_CASE("Azure 2023 conversation has its published figures", "[workload]") {
  const TraceStatistics s =
      trace_statistics({trace_file("azure_conv_2023.csv.gz"), TraceFormat::Azure, "", 1, 0, {}, false});
  CHECK(s.requests == 19'366);
  CHECK(s.span_s == Approx(3501.7).margin(0.05));
  CHECK(s.rate_per_s == Approx(5.530).margin(0.0005));
  CHECK(s.interarrival_cv == Approx(1.094).margin(0.0005));
  check_length(s.input, 1154.7, 1020, 2734.5, 4142, 14050);
  check_length(s.output, 211.1, 129, 424, 601, 1000);
  CHECK(s.reusable_input_share == 0);
  CHECK(s.groups == 0);
}

TEST_CASE("Mooncake conversation has its published figures and reuse", "[workload]") {
  const TraceStatistics s = statistics_of(read_trace(trace_file("mooncake_conversation.jsonl.gz"), TraceFormat::Mooncake));
  CHECK(s.requests == 7'851);
  CHECK(s.span_s == 2397);
  CHECK(s.rate_per_s == Approx(3.275).margin(0.0005));
  CHECK(s.interarrival_cv == Approx(2.97).margin(0.005));
  CHECK(s.input.mean == Approx(12428).margin(0.5));
  check_length(s.input, s.input.mean, 7284, 27991, 89868, 124847);
  check_length(s.output, 347.1, 356, 606, 1168, 2000);
  CHECK(s.reusable_input_share == Approx(0.358).margin(0.0005));
  CHECK(s.reusable_per_request_mean == Approx(0.396).margin(0.0006));
  CHECK(s.reusable_per_request_p50 == Approx(0.329).margin(0.0005));
  CHECK(s.distinct_blocks == 126'103);
}

TEST_CASE("Mooncake synthetic has its published figures and reuse", "[workload]") {
  const TraceStatistics s = statistics_of(read_trace(trace_file("mooncake_synthetic.jsonl.gz"), TraceFormat::Mooncake));
  CHECK(s.requests == 3'993);
  CHECK(s.span_s == Approx(1022).margin(0.5));
  CHECK(s.rate_per_s == Approx(3.907).margin(0.0005));
  CHECK(s.interarrival_cv == Approx(1.01).margin(0.005));
  check_length(s.input, 15325.5, 11587, 38611, 66456, 191378);
  check_length(s.output, 149.1, 69, 389, 768, 893);
  CHECK(s.reusable_input_share == Approx(0.651).margin(0.0005));
  CHECK(s.distinct_blocks == 43'924);
}

TEST_CASE("Claude Code sessions have their published figures and reuse", "[workload]") {
  const TraceStatistics s = statistics_of(read_trace(trace_file("claude_code_requests.csv.gz"), TraceFormat::ClaudeCode));
  CHECK(s.requests == 32'357);
  CHECK(s.groups == 471);
  CHECK(s.input.mean == Approx(120444).margin(0.5));
  check_length(s.input, s.input.mean, 101982, 228557, 505221, 880502);
  check_length(s.output, 440.7, 218, 894, 3726, 18195);
  CHECK(s.reusable_input_share == Approx(0.963).margin(0.0005));
  CHECK(s.reusable_per_request_p50 == Approx(0.993).margin(0.001));
  CHECK(std::isnan(s.rate_per_s));
}

TEST_CASE("DeepSeek-R1 tenants have their published figures", "[workload]") {
  const TraceStatistics s =
      statistics_of(read_servegen(trace_file("servegen_r1_rates.csv.gz"), trace_file("servegen_r1_lengths.csv.gz")));
  CHECK(s.groups == 73);
  CHECK(s.requests == Approx(1.384e6).epsilon(0.0005));
  CHECK(s.rate_per_s == Approx(16.01).margin(0.005));
  check_length(s.input, 1375.3, 152, 2847, 24820, 57284);
  check_length(s.output, 1827.7, 1051, 4348, 13596, 32768);
}

TEST_CASE("every trace is recognised by its first line", "[workload]") {
  CHECK(detect_trace_format(trace_file("azure_conv_2023.csv.gz")) == TraceFormat::Azure);
  CHECK(detect_trace_format(trace_file("mooncake_conversation.jsonl.gz")) == TraceFormat::Mooncake);
  CHECK(detect_trace_format(trace_file("claude_code_requests.csv.gz")) == TraceFormat::ClaudeCode);
  CHECK(detect_trace_format(trace_file("servegen_r1_rates.csv.gz")) == TraceFormat::ServeGen);
  CHECK(detect_trace_format(trace_file("vllm_qwen3_32b_rtx_pro_6000.csv.gz")) == TraceFormat::Vllm);
  const TemporaryFile other("a,b\n");
  CHECK(message_of([&] { detect_trace_format(other.path()); }) ==
        other.path() +
            ": line 1: a,b; expected the first line of an azure, mooncake, claude_code, servegen (rates) or vllm trace");
}

TEST_CASE("an Azure file is read with LF or CRLF, with or without the last line's end, plain or gzip", "[workload]") {
  const std::string two =
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-12-31 23:59:59.5,374,44\r\n2024-01-01 00:00:01.6805900,396,109";
  std::string unix_ends = two + "\n";
  unix_ends.erase(std::remove(unix_ends.begin(), unix_ends.end(), '\r'), unix_ends.end());
  for (const std::string& content : {two, two + "\r\n", unix_ends, gzipped(two)}) {
    const TemporaryFile file(content);
    const Trace trace = read_trace(file.path(), TraceFormat::Azure);
    REQUIRE(trace.rows.size() == 2);
    CHECK(trace.rows[0].time_s == 0);
    CHECK(trace.rows[1].time_s == Approx(2.18059).epsilon(1e-12));  // over New Year
    CHECK(trace.rows[1].input_tokens == 396);
    CHECK(trace.rows[1].output_tokens == 109);
  }
}

TEST_CASE("a gzip file of two members is read to its end", "[workload]") {
  const TemporaryFile file(gzipped(kAzureHeader + kAzureRow) + gzipped(kAzureRow));
  CHECK(read_trace(file.path(), TraceFormat::Azure).rows.size() == 2);
}

TEST_CASE("columns are found by name", "[workload]") {
  const TemporaryFile file("GeneratedTokens,Extra,TIMESTAMP,ContextTokens\n44,x,2023-11-16 18:15:46,374\n");
  CHECK(read_trace(file.path(), TraceFormat::Azure).rows.at(0).input_tokens == 374);
}

TEST_CASE("a gzip file cut off anywhere is an error, never a shorter trace", "[workload]") {
  const std::string whole = gzipped(kAzureHeader + kAzureRow + kAzureRow);
  for (std::size_t size = 2; size < whole.size(); ++size) {
    const TemporaryFile file(whole.substr(0, size));
    const std::string message = message_of([&] { read_trace(file.path(), TraceFormat::Azure); });
    INFO("cut to " << size << " of " << whole.size() << " bytes: " << message);
    CHECK(message.find("gzip data that end early or are damaged; expected a complete gzip file") != std::string::npos);
    CHECK(message.find(file.path() + ": line ") == 0);
  }
  // The same for a compressed file of some size, at places of any kind.
  const std::string azure = bytes_of(trace_file("azure_conv_2023.csv.gz"));
  rc::prop("cut anywhere", [&] {
    const auto size = *rc::gen::inRange<std::size_t>(2, azure.size());
    const TemporaryFile file(azure.substr(0, size));
    RC_ASSERT(!message_of([&] { read_trace(file.path(), TraceFormat::Azure); }).empty());
  });
}

TEST_CASE("a gzip file with a flipped bit in its data is an error", "[workload]") {
  const std::string whole = gzipped(kAzureHeader + kAzureRow + kAzureRow);
  std::string damaged = whole;
  damaged[60] = static_cast<char>(damaged[60] ^ 1);
  const TemporaryFile file(damaged);
  CHECK_FALSE(message_of([&] { read_trace(file.path(), TraceFormat::Azure); }).empty());
}

TEST_CASE("a malformed Azure file is refused with its line and what was expected", "[workload]") {
  const std::string head = kAzureHeader + kAzureRow;
  CHECK(azure_refusal("") == "line 1: an empty file; expected a header with TIMESTAMP, ContextTokens, GeneratedTokens");
  CHECK(azure_refusal(kAzureHeader) == "line 2: no rows; expected at least one row under the header");
  CHECK(azure_refusal("TIMESTAMP,ContextTokens\n") ==
        "line 1: TIMESTAMP,ContextTokens; expected a column named GeneratedTokens");
  CHECK(azure_refusal(head + "2023-11-16 18:15:50.99,396\n") ==
        "line 3: 2023-11-16 18:15:50.99,396; expected 3 fields as in the header");
  CHECK(azure_refusal(head + "\n" + kAzureRow) == "line 3; expected 3 fields as in the header");
  CHECK(azure_refusal(head + "16.11.2023 18:15:50,396,109\n") ==
        "line 3: TIMESTAMP = \"16.11.2023 18:15:50\"; expected a time like 2023-11-16 18:15:46.6805900");
  CHECK(azure_refusal(head + "2023-02-29 18:15:50,396,109\n") ==
        "line 3: TIMESTAMP = \"2023-02-29 18:15:50\"; expected a time like 2023-11-16 18:15:46.6805900");
  CHECK(azure_refusal(head + "2023-11-16 18:15:46.6805899,396,109\n") ==
        "line 3: TIMESTAMP = \"2023-11-16 18:15:46.6805899\"; expected times that do not decrease");
  CHECK(azure_refusal(head + "2023-11-16 18:15:50,-396,109\n") ==
        "line 3: ContextTokens = \"-396\"; expected a whole number from 1 to 1000000000");
  CHECK(azure_refusal(head + "2023-11-16 18:15:50,396,nan\n") ==
        "line 3: GeneratedTokens = \"nan\"; expected a whole number from 1 to 1000000000");
  CHECK(azure_refusal(head + "2023-11-16 18:15:50,396,99999999999999999999\n") ==
        "line 3: GeneratedTokens = \"99999999999999999999\"; expected a whole number from 1 to 1000000000");
}

TEST_CASE("a line over 1 MiB is refused", "[workload]") {
  const std::string message = azure_refusal(kAzureHeader + std::string((1 << 20) + 1, '7'));
  CHECK(message == "line 2: " + std::string(80, '7') + "...; expected lines of at most 1 MiB");
  CHECK(azure_refusal(kAzureHeader + std::string(1 << 20, '7')).find("expected 3 fields") != std::string::npos);
}

TEST_CASE("a malformed Mooncake file is refused with its line and what was expected", "[workload]") {
  const auto mooncake = [](const std::string& content) { return refusal(content, TraceFormat::Mooncake); };
  const std::string good = R"({"timestamp": 5, "input_length": 513, "output_length": 1, "hash_ids": [0, 1]})"
                           "\n";
  CHECK(mooncake("") == "line 1: an empty file; expected one JSON object per line");
  CHECK(mooncake(good + R"({"timestamp": 5, "input_le)") ==
        R"(line 2: {"timestamp": 5, "input_le; expected one complete JSON object per line)");
  CHECK(mooncake(R"({"timestamp": 0, "input_length": 1, "hash_ids": [0]})") ==
        R"(line 1: {"hash_ids":[0],"input_length":1,"timestamp":0}; expected a key "output_length")");
  CHECK(mooncake(R"({"timestamp": -1, "input_length": 1, "output_length": 1, "hash_ids": [0]})") ==
        "line 1: timestamp = -1; expected milliseconds from 0 to 1e15");
  CHECK(mooncake(R"({"timestamp": 0, "input_length": 1.5, "output_length": 1, "hash_ids": [0]})") ==
        "line 1: input_length = 1.5; expected a whole number from 1 to 1000000000");
  CHECK(mooncake(R"({"timestamp": 0, "input_length": 513, "output_length": 1, "hash_ids": [0]})") ==
        "line 1: hash_ids with 1 entries; expected 2, one per 512 tokens of input_length 513");
  CHECK(mooncake(R"({"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [-4]})") ==
        "line 1: hash_ids with -4; expected whole numbers from 0 to 4294967295");
  CHECK(mooncake(good + R"({"timestamp": 4, "input_length": 1, "output_length": 1, "hash_ids": [0]})") ==
        "line 2: timestamp = 4 ms; expected times that do not decrease");
}

TEST_CASE("Mooncake prefix hits are leading blocks seen before", "[workload]") {
  // Row 2 shares blocks 0 and 1 of row 1, then differs: 1,024 tokens. Row 3 begins with an unknown block: none, though
  // block 1 is known. Row 4 is row 1 again, whose third block is short: 1,025 tokens, all of them.
  const auto row = [](const std::string& ids) {
    return R"({"timestamp": 0, "input_length": 1025, "output_length": 1, "hash_ids": )" + ids + "}\n";
  };
  const TemporaryFile file(row("[0, 1, 2]") + row("[0, 1, 3]") + row("[9, 1, 2]") + row("[0, 1, 2]"));
  const Trace trace = read_trace(file.path(), TraceFormat::Mooncake);
  CHECK(trace.rows.at(0).cached_tokens == 0);
  CHECK(trace.rows.at(1).cached_tokens == 1024);
  CHECK(trace.rows.at(2).cached_tokens == 0);
  CHECK(trace.rows.at(3).cached_tokens == 1025);
  CHECK(statistics_of(trace).distinct_blocks == 5);
}

TEST_CASE("a malformed Claude Code file is refused with its line and what was expected", "[workload]") {
  const std::string head =
      "session,agent,t_s,in_tokens,out_tokens,input_types,think_time_s,api_time_s,prefix_blocks_prev,prefix_blocks_"
      "session\n";
  const auto claude = [&](const std::string& rows) { return refusal(head + rows, TraceFormat::ClaudeCode); };
  CHECK(claude("a,main,0,100,5,text,0,1,0,0\nb,main,0,100,5,text,0,1,0,0\na,main,9,100,5,text,8,1,1,1\n") ==
        "line 4: session = \"a\"; expected rows of one session together");
  CHECK(claude("a,main,0,100,5,text,inf,1,0,0\na,main,0,100,5,text,inf,1,0,0\n") ==
        "line 3: think_time_s = \"inf\"; expected a number that is at least 0");
  CHECK(refusal("session,agent,t_s\n", TraceFormat::ClaudeCode) ==
        "line 1: session,agent,t_s; expected a column named in_tokens");
}

TEST_CASE("a malformed ServeGen file is refused with its line and what was expected", "[workload]") {
  const std::string rates_head = "client,t_s,rate_rps,cv_iat,family,shape,scale_s\n";
  const auto rates = [&](const std::string& rows) {
    const TemporaryFile file(rates_head + rows);
    const std::string message = message_of([&] { read_servegen(file.path(), ""); });
    return message.substr(message.empty() ? 0 : file.path().size() + 2);
  };
  CHECK(rates("0,0,1,1,Gamma,1,1\n0,300,1,1,Gamma,1,1\n") ==
        "line 3: t_s = \"300\"; expected windows of 600 s that do not overlap, in order of time");
  CHECK(rates("0,0,1,1,Pareto,1,1\n") == "line 2: family = \"Pareto\"; expected Gamma, Weibull or nothing");
  CHECK(rates("0,0,-1,1,Gamma,1,1\n") == "line 2: rate_rps = \"-1\"; expected a number that is at least 0");
  CHECK(rates("0,0,1,1,Gamma,0,1\n") == "line 2: shape = \"0\"; expected a number from 0.001 to 1e6");
  const TemporaryFile good(rates_head + "0,0,1,1,,,\n");
  const TemporaryFile lengths("client,window_start_s,field,value,prob\n0,0,input_tokens,5,0.4\n0,0,output_tokens,5,1\n");
  CHECK(message_of([&] { read_servegen(good.path(), lengths.path()); }) ==
        lengths.path() + ": client 0: probabilities of input_tokens that sum to 0.4; expected a sum of 1");
  const TemporaryFile stranger("client,window_start_s,field,value,prob\n7,0,input_tokens,5,1\n");
  CHECK(message_of([&] { read_servegen(good.path(), stranger.path()); }) ==
        stranger.path() + ": line 2: client = \"7\"; expected a client of the file of rates");
}

TEST_CASE("a file that is not there is an I/O error", "[workload]") {
  CHECK_THROWS_AS(read_trace("/nonexistent/trace.csv", TraceFormat::Azure), IoError);
  CHECK_THROWS_AS(read_trace("/tmp", TraceFormat::Azure), IoError);
}
