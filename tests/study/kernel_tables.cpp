#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

#include "support/catalogue.hpp"
#include "support/catch.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/study/kernel_tables.hpp"

using namespace tokenomics;

namespace {

using Lines = std::initializer_list<std::string_view>;

/// A file with the lines, for as long as it lives.
class TextFile {
 public:
  TextFile(const std::string& name, Lines lines)
      : path_((std::filesystem::temp_directory_path() / ("tokenomics_kernel_tables_" + name)).string()) {
    std::ofstream file(path_);
    for (const std::string_view line : lines) file << line << '\n';
  }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  ~TextFile() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::optional<Network> named(const std::string& name) {
  if (!test::shipped_catalogue().find(CatalogueKind::Models, name)) return std::nullopt;
  return load_network(name, test::shipped_catalogue());
}

KernelTables read(const std::string& name, Lines lines) {
  const TextFile file(name, lines);
  return read_kernel_tables({file.path()}, named);
}

std::string refusal(const std::string& name, Lines lines) {
  try {
    read(name, lines);
  } catch (const ScenarioError& e) {
    return e.what();
  }
  return "accepted";
}

constexpr std::string_view kGemm = "gpu,framework,dtype,m,n,k,latency_us";

}  // namespace

TEST_CASE("a GEMM row is counted as the roofline counts a projection", "[study]") {
  // m = 16, n = 512, k = 7168: 2 n k = 7,340,032 FLOPs a row. BF16: (3,670,016 + 114,688 + 8,192) x 2 = 7,585,792 B.
  const KernelTables bf16 = read("gemm", {"# measured today", kGemm, "h200,sglang,bf16,16,512,7168,5.5\r"});
  REQUIRE(bf16.rows.size() == 1);
  const KernelRow& row = bf16.rows[0];
  CHECK(row.family() == "dense_gemm");
  CHECK(row.line == 3);
  CHECK(row.latency_us == 5.5);
  CHECK(row.launches[0].flops_per_row == 7340032);
  CHECK(row.launches[0].rows == 16);
  CHECK(row.launches[0].bytes == 7585792);
  // FP8 in blocks: weights 3,670,016 x (1 + 4 / 16384) = 3,670,912, activations 114,688 x (1 + 4 / 128) = 118,272, output
  // 16 bit: 16,384.
  const KernelTables fp8 = read("gemm8", {kGemm, "h200,sglang,fp8_block,16,512,7168,5.5"});
  CHECK(fp8.rows[0].launches[0].bytes == 3670912 + 118272 + 16384);
  CHECK(fp8.rows[0].launches[0].arithmetic == Precision::Fp8);
}

TEST_CASE("attention rows are counted as the roofline counts a core", "[study]") {
  constexpr std::string_view header = "gpu,framework,phase,compute_dtype,kv_dtype,num_heads,batch,isl,step,latency_us";
  // Decode, 128 heads, 4 sequences of 1 + 1023 = 1024 tokens: 2 (576 + 512) x 1024 = 2,228,224 FLOPs a head and sequence;
  // KV 1024 x 576 x 2 B and queries with outputs 128 x 1088 x 2 B, four times.
  const KernelTables decode =
      read("mla", {header, "h200,sglang,decode,bf16,bf16,128,4,1,1023,20", "h200,sglang,prefill,bf16,bf16,16,2,99,0,30",
                   "h200,sglang,decode,bf16,fp8,128,4,1,1023,80"});
  const TimedLaunch& core = decode.rows[0].launches[0];
  CHECK(decode.rows[0].family() == "attention_decode");
  CHECK(core.flops_per_row == 2228224);
  CHECK(core.rows == 128);
  CHECK(core.groups == 4);
  CHECK(core.bytes == 4 * (1024 * 576 * 2 + 128 * 1088 * 2));
  // Prefill, 16 heads, 2 x 99 tokens: 2 x 16 x 320 x 50 FLOPs a token; 16 x (192 + 192 + 128 + 128) x 2 B a token.
  const TimedLaunch& prompt = decode.rows[1].launches[0];
  CHECK(decode.rows[1].family() == "attention_prefill");
  CHECK(prompt.flops_per_row == 2 * 16 * 320 * 50);
  CHECK(prompt.rows == 198);
  CHECK(prompt.bytes == 198 * 16 * 640 * 2);
  CHECK(decode.rows[0].left_out.empty());
  CHECK(decode.rows[2].left_out == "KV is stored in another format than it is computed in: a choice of kernel");
  // Grouped queries: 32 heads share 8 cached ones of width 128: 4 rows in each of 2 x 8 groups.
  const KernelTables gqa = read("gqa", {"gpu,framework,phase,dtype,heads,kv_heads,qk_dim,v_dim,batch,context,latency_us",
                                        "h200,pytorch,decode,bf16,32,8,128,128,2,1000,20"});
  CHECK(gqa.rows[0].launches[0].flops_per_row == 2 * 256 * 1000);
  CHECK(gqa.rows[0].launches[0].rows == 4);
  CHECK(gqa.rows[0].launches[0].groups == 16);
  CHECK(gqa.rows[0].launches[0].bytes == 2 * (1000 * 8 * 256 * 2 + 32 * 256 * 2));
}

TEST_CASE("a fused expert layer reads the experts that its tokens choose", "[study]") {
  constexpr std::string_view header = "gpu,framework,kernel,model_shape,dtype,moe_tp,moe_ep,routing,tokens,latency_us";
  // DeepSeek-V3: 8 of 256 experts, 7168 x 2048. 4 tokens choose 32 experts, one row each.
  const KernelTables few = read(
      "moe", {header, "h200,sglang,k,DeepSeek-V3/R1,bf16,1,1,bal,4,300", "h200,sglang,k,DeepSeek-V3/R1,bf16,8,1,bal,64,300",
              "h200,sglang,k,DeepSeek-V3/R1,bf16,1,8,bal,64,300", "h200,sglang,k,DeepSeek-V3/R1,bf16,1,1,pl1.2,64,300",
              "h200,sglang,k,gpt-oss-120b,w4a16_mxfp4,1,1,bal,64,300", "h200,sglang,k,no-such-network,bf16,1,1,bal,64,300"});
  const auto& launches = few.rows[0].launches;
  REQUIRE(launches.size() == 2);
  CHECK(launches[0].groups == 32);
  CHECK(launches[0].rows == 1);
  CHECK(launches[0].flops_per_row == 2.0 * 4096 * 7168);
  CHECK(launches[0].bytes == 32.0 * (4096 * 7168 + 7168 + 4096) * 2);
  CHECK(launches[1].flops_per_row == 2.0 * 7168 * 2048);
  // 64 tokens: 512 copies over 256 experts; an eighth of each expert's width.
  CHECK(few.rows[1].launches[0].groups == 256);
  CHECK(few.rows[1].launches[0].rows == 2);
  CHECK(few.rows[1].launches[0].flops_per_row == 2.0 * 512 * 7168);
  CHECK(few.rows[2].left_out == "whether tokens count before or after the expert split is not known");
  CHECK(few.rows[3].left_out == "routing is uneven");
  CHECK(few.rows[4].left_out == "weights are widened before they are multiplied: other kernels");
  CHECK(few.rows[5].left_out == "no network with experts is called no-such-network");
}

TEST_CASE("products of many matrices and plain copies say what they are by op", "[study]") {
  constexpr std::string_view header = "gpu,framework,op,dtype,groups,m,n,k,latency_us";
  // 32 experts with 4 tokens each: 32 x (100 x 200 + 4 x 200 + 4 x 100) x 2 B.
  const KernelTables products =
      read("grouped", {header, "h200,pytorch,grouped,bf16,32,4,100,200,9", "h200,pytorch,batched,bf16,128,4,512,128,9"});
  CHECK(products.rows[0].family() == "grouped_gemm");
  CHECK(products.rows[0].launches[0].groups == 32);
  CHECK(products.rows[0].launches[0].rows == 4);
  CHECK(products.rows[0].launches[0].flops_per_row == 2 * 100 * 200);
  CHECK(products.rows[0].launches[0].bytes == 32 * (20000 + 800 + 400) * 2);
  CHECK(products.rows[1].family() == "batched_gemm");
  CHECK_THAT(refusal("bad", {header, "h200,pytorch,groped,bf16,32,4,100,200,9"}),
             Catch::EndsWith("line 2: groped; expected grouped or batched in column op; did you mean grouped?"));
  const KernelTables memory =
      read("memory", {"gpu,framework,op,bytes,latency_us", "h200,pytorch,copy,2097152,3", "h200,pytorch,launch,0,2"});
  CHECK(memory.rows[0].family() == "elementwise");
  CHECK(memory.rows[0].launches[0].bytes == 2097152);
  CHECK(memory.rows[0].launches[0].flops_per_row == 0);
  CHECK(memory.rows[1].launches[0].bytes == 0);
}

TEST_CASE("collectives are messages with the bytes that travel", "[study]") {
  constexpr std::string_view header = "gpu,library,op,dtype,num_gpus,message_size_elems,tokens_per_rank,moe,latency_us";
  const KernelTables comm =
      read("comm", {header, "h200,deepep_ll,dispatch,fp8,8,,128,topk8/E256,50",
                    "h200,sglang_0.5:Custom,all_reduce,bfloat16,8,1048576,,,19",
                    "h200,nccl_2.29.2,all_gather,half,8,1048576,,,24", "h200,nccl_2.29.2,all_reduce,half,8,1024,,,12"});
  const TimedMessage& sent = *comm.rows[0].message;
  CHECK(comm.rows[0].family() == "all_to_all_low_latency");
  CHECK(comm.rows[0].framework == "deepep");
  CHECK(sent.tokens == 128);
  CHECK(sent.bytes == 7168 + 7168 / 128 * 4);  // FP8 with a 4-byte scale for 128
  CHECK(sent.moe.experts_per_token == 8);
  CHECK(comm.rows[1].framework == "sglang");
  CHECK(comm.rows[1].message->bytes == 2097152);
  CHECK(comm.rows[2].left_out == "all_gather: a calibration has no numbers of its own for it");
  CHECK(comm.rows[3].left_out == "messages below 256 KiB or above 64 MiB");
}

TEST_CASE("what is not a table of timed kernels is refused with the line", "[study]") {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "tokenomics_kernel_tables_bad";
  const auto at_file = [&](std::string_view rest) {
    std::string text = file.string();
    return text.append(": ").append(rest);
  };
  CHECK(refusal("bad", {"gpu,framework,dtype,m,n,latency_us", "h200,sglang,bf16,1,2,3"}) ==
        at_file("header: gpu,framework,dtype,m,n,latency_us; expected the columns of a table of timed kernels; did you mean "
                "ops_gemm.csv: gpu,framework,dtype,m,n,k,latency_us?"));
  CHECK(refusal("bad", {kGemm, "h200,sglang,bf16,1,512,7168,5.5", "h200,sglang,bf16,2,51"}) ==
        at_file("line 3: h200,sglang,bf16,2,51; expected 7 cells, not 5"));
  CHECK(refusal("bad", {kGemm, "h200,sglang,bf17,1,512,7168,5.5"}) ==
        at_file("line 2: bf17; expected a number format in column dtype: bf16, fp8, fp8_block, nvfp4, w4a16_mxfp4, "
                "w4a8_mxfp4_mxfp8; did you mean bf16?"));
  CHECK(refusal("bad", {kGemm, "h200,sglang,bf16,1,512,7168,-1"}) ==
        at_file("line 2: -1; expected a number above 0 in column latency_us"));
  CHECK(refusal("bad", {kGemm, "h200,sglang,bf16,1,512,7168,nan"}) ==
        at_file("line 2: nan; expected a number above 0 in column latency_us"));
  CHECK(refusal("bad", {kGemm, "h200,dry-run,bf16,1,512,7168,5.5"}) ==
        at_file("line 2: dry-run; expected a measurement: a dry run measures nothing"));
  CHECK(refusal("bad", {}) == at_file("line 1; expected a header"));
  CHECK(refusal("bad", {kGemm}) == at_file("line 2; expected rows below the header"));
  CHECK_THROWS_AS(read_kernel_tables({"/no/such/file.csv"}, named), IoError);
  // A file of another kind has thousands of bad lines: ten of them are enough (here 13).
  constexpr std::string_view bad = "h200,sglang,bf16,x,512,7168,5.5";
  try {
    read("bad", {kGemm, bad, bad, bad, bad, bad, bad, bad, bad, bad, bad, bad, bad, bad});
    FAIL("accepted");
  } catch (const ScenarioError& e) {
    CHECK(e.problems().size() == 11);
    CHECK(e.problems().back().expected == "3 more lines like these to be mended");
  }
}
