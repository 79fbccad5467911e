#include "support/catch.hpp"

#include <cmath>

#include "roofline/plans.hpp"
#include "tokenomics/roofline/attention_core.hpp"

using namespace plans;

TEST_CASE("MLA decode works on the latent: FLOPs per query, bytes per sequence", "[roofline]") {
  const KernelTimer timer(h800(), h800_calibration());
  const InstancePlan plan = v3_decode(128, 0);
  // 2 * 128 * (512 + 64 + 512) = 278,528 FLOP and 576 * 2 = 1,152 B per context token; 242 FLOP/B.
  const CoreCost one = decode_core(plan, timer, 1);
  CHECK(one.flops_per_context == 278528);
  CHECK(one.bytes_per_context == 1152);
  const CoreCost two = decode_core(plan, timer, 2);
  CHECK(two.flops_per_context == 557056);
  CHECK(two.bytes_per_context == 1152);  // drafts read no more KV
  CHECK(two.bytes_per_sequence == 2 * 128 * (576 + 512) * 2);
}

TEST_CASE("Tensor parallelism divides heads and GQA's KV until a head is left, never MLA's latent", "[roofline]") {
  const KernelTimer timer(h800(), speed_of_light());
  InstancePlan mla = v3_decode(8, 0);
  mla.parallelism.attention_tp = 8;
  mla.parallelism.attention_dp = 1;
  CHECK(decode_core(mla, timer, 1).flops_per_context == 278528 / 8.0);
  CHECK(decode_core(mla, timer, 1).bytes_per_context == 1152);

  InstancePlan gqa = small_plan();  // 16 heads, 4 KV heads of 64: 4 * 16 * 64 = 4,096 FLOP, 2 * 4 * 64 * 2 = 1,024 B
  CHECK(decode_core(gqa, timer, 1).flops_per_context == 4096);
  CHECK(decode_core(gqa, timer, 1).bytes_per_context == 1024);
  gqa.parallelism.attention_tp = 4;
  CHECK(decode_core(gqa, timer, 1).flops_per_context == 1024);
  CHECK(decode_core(gqa, timer, 1).bytes_per_context == 256);
  gqa.parallelism.attention_tp = 8;  // two GPUs hold the same KV head
  CHECK(decode_core(gqa, timer, 1).flops_per_context == 512);
  CHECK(decode_core(gqa, timer, 1).bytes_per_context == 256);
}

TEST_CASE("Few heads fill a tile all the same", "[roofline]") {
  const KernelTimer timer(h800(), h800_calibration());  // tiles of 64 query rows
  InstancePlan plan = v3_decode(8, 0);
  plan.parallelism.attention_tp = 8;
  plan.parallelism.attention_dp = 1;
  const CoreCost core = decode_core(plan, timer, 1);  // 16 heads
  CHECK(core.padded_flops_per_context == Approx(4 * core.flops_per_context));
}

TEST_CASE("The tabulated core is the p-norm to 0.1%", "[roofline]") {
  for (const int queries : {1, 2, 4}) {
    for (const double p : {1.5, 2.5, 1e9}) {
      Calibration c = h800_calibration();
      c.kernels[KernelFamily::AttentionDecode].sharpness.value = p;
      const KernelTimer timer(h800(), c);
      for (const InstancePlan& plan : {v3_decode(128, 0), small_plan()}) {
        const CoreCost cost = decode_core(plan, timer, queries);
        const CoreTable table(timer, cost);
        CHECK(table.nodes() < 80);
        for (double mean = 1; mean < 3e7; mean *= 1.0317) {
          for (const double n : {0.7, 64.0, 1000.0}) {
            const double exact = timer.time(cost.work(n, n * mean));
            REQUIRE(table.at(n, n * mean, 0).value == Approx(exact).epsilon(1e-3));
          }
        }
      }
    }
  }
}

TEST_CASE("A core grows in a straight line up to the next node and says where it is", "[roofline]") {
  const KernelTimer timer(h800(), h800_calibration());
  const CoreTable table(timer, decode_core(v3_decode(128, 0), timer, 2));
  const double n = 64;
  const StepLine line = table.at(n, n * 3000, n);
  REQUIRE(line.span > 1);
  for (const double k : {0.5, 1.0, line.span}) {
    CHECK(table.at(n, n * (3000 + k), n).value == Approx(line.value + k * line.slope).epsilon(1e-12));
  }
  CHECK(table.at(n, n * 3000, 0).span == 1e15);  // no growth: for ever
}

TEST_CASE("The indexer reads an FP8 key a token whatever the heads", "[roofline]") {
  InstancePlan plan = v3_decode(128, 0);
  plan.network.sparse = SparseIndexer{2048, 64, 128};
  const KernelTimer timer(h800(), speed_of_light());
  const CoreCost indexer = decode_indexer(plan, timer, 1);
  CHECK(indexer.bytes_per_context == 128);
  CHECK(indexer.flops_per_context == 2 * 64 * 128);
}
