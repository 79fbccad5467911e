#include "support/catch.hpp"

#include <algorithm>
#include <set>

#include "roofline/plans.hpp"
#include "tokenomics/base/random.hpp"
#include "tokenomics/roofline/collectives.hpp"

using namespace plans;

namespace {

MoeFfn v3_experts() { return std::get<MoeFfn>(deepseek_v3().layers[1].ffn); }

/// FACTS of "Insights into DeepSeek-V3" (ISCA'25): one byte out, two back, 32 tokens, 8 routed experts and the shared one,
/// hidden 7000, every copy through one kind of link at its full rate, no latency.
Seconds dispatch_and_combine(const Link& link, int ep) {
  return low_latency_all_to_all(link, ep, 32, 9, Bytes{7000.0 * 1}) +
         low_latency_all_to_all(link, ep, 32, 9, Bytes{7000.0 * 2});
}

/// k distinct experts of the `top_groups` groups with the highest scores; all scores independent.
std::set<int> choose(const MoeFfn& moe, RandomStream& random) {
  std::vector<std::pair<double, int>> groups;
  for (int g = 0; g < moe.groups; ++g) groups.emplace_back(random.uniform(), g);
  std::sort(groups.begin(), groups.end());
  const int in_group = moe.routed_experts / moe.groups;
  std::vector<std::pair<double, int>> experts;
  for (int i = 0; i < moe.top_groups; ++i) {
    for (int e = 0; e < in_group; ++e)
      experts.emplace_back(random.uniform(), groups[static_cast<std::size_t>(i)].second * in_group + e);
  }
  std::sort(experts.begin(), experts.end());
  std::set<int> chosen;
  for (int i = 0; i < moe.experts_per_token; ++i) chosen.insert(experts[static_cast<std::size_t>(i)].second);
  return chosen;
}

}  // namespace

TEST_CASE("The communication limits of the ISCA'25 paper come out of the all-to-all at full rate", "[roofline]") {
  Link nic;
  nic.out = 50.0_GBps;
  // (1 + 2) B * 32 * 9 * 7000 / 50e9 B/s = 120.96 us; two micro-batches and 61 layers: 14.757 ms, 67.8 tok/s.
  const double once = dispatch_and_combine(nic, 320).value();
  CHECK(once == Approx(120.96e-6).epsilon(1e-3));
  CHECK(once * 2 * 61 == Approx(14.757e-3).epsilon(1e-3));
  CHECK(1 / (once * 2 * 61) == Approx(67.8).epsilon(1e-3));
  // GB200 NVL72 at 900 GB/s: 6.72 us, 0.82 ms, 1,220 tok/s.
  Link nvlink;
  nvlink.out = 900.0_GBps;
  const double fast = dispatch_and_combine(nvlink, 72).value();
  CHECK(fast == Approx(6.72e-6).epsilon(1e-3));
  CHECK(fast * 2 * 61 == Approx(0.8198e-3).epsilon(1e-3));
  CHECK(1 / (fast * 2 * 61) == Approx(1219.8).epsilon(1e-3));
}

TEST_CASE("Low-latency copies to the own node stay off the NIC where the kernels use the scale-up link", "[roofline]") {
  Link link;
  link.domain = 8;
  link.up = 160.0_GBps;
  link.out = 40.0_GBps;
  link.latency = 5.0_us;
  // 128 tokens x 8 copies of 7392 B = 7.5694 MB; EP32: 24/32 leave the node: 5.6771 MB / 40 GB/s = 141.93 us.
  CHECK(low_latency_all_to_all(link, 32, 128, 8, Bytes{7392}).value() == Approx(146.93e-6).epsilon(1e-4));
  // EP8: 7/8 go to neighbours: 6.6232 MB / 160 GB/s = 41.40 us.
  CHECK(low_latency_all_to_all(link, 8, 128, 8, Bytes{7392}).value() == Approx(46.40e-6).epsilon(1e-3));
  // EP16 where the scale-up link is the slower one: 7/16 of 7.5694 MB / 20 GB/s = 165.58 us.
  Link slow = link;
  slow.up = 20.0_GBps;
  CHECK(low_latency_all_to_all(slow, 16, 128, 8, Bytes{7392}).value() == Approx(170.58e-6).epsilon(1e-4));
  // Everything over the NIC when the kernels know no other way: 189.24 us.
  link.up = BytesPerSecond{0};
  CHECK(low_latency_all_to_all(link, 32, 128, 8, Bytes{7392}).value() == Approx(194.24e-6).epsilon(1e-4));
  CHECK(low_latency_all_to_all(link, 1, 128, 8, Bytes{7392}).value() == 0);
}

TEST_CASE("DeepSeek-V3's router sends a token to 2.2 remote nodes of four", "[roofline]") {
  const MoeFfn moe = v3_experts();
  RandomStream random(7, "remote_nodes");
  double nodes = 0;
  double ranks = 0;
  constexpr int kTokens = 40000;
  for (int i = 0; i < kTokens; ++i) {
    const int own = static_cast<int>(random.below(4));
    std::set<int> remote, gpus;
    for (const int expert : choose(moe, random)) {
      if (expert / 64 != own) remote.insert(expert / 64);
      gpus.insert(expert / 8);
    }
    nodes += static_cast<double>(remote.size()) / kTokens;
    ranks += static_cast<double>(gpus.size()) / kTokens;
  }
  // Standard error of the mean below 0.004.
  CHECK(expected_remote_nodes(moe, 4) == Approx(nodes).margin(0.015));
  CHECK(expected_parts_touched(moe, 32) == Approx(ranks).margin(0.02));
  CHECK(nodes == Approx(2.3).margin(0.12));
}

TEST_CASE("Without groups the expected nodes are those of independent choices", "[roofline]") {
  MoeFfn moe = v3_experts();
  moe.groups = moe.top_groups = 1;
  // 4 nodes, 8 of 256 without replacement: missed with (192 .. 185)/(256 .. 249) = 0.09644; 3 x 0.90356 = 2.711.
  CHECK(expected_remote_nodes(moe, 4) == Approx(2.711).epsilon(1e-3));
  CHECK(expected_remote_nodes(moe, 1) == 0);
}

TEST_CASE("Normal kernels cross the NIC once per node", "[roofline]") {
  const Link link = link_of(h800(), {assumed(0), assumed(1), assumed(1), assumed(0)}, 32);
  // 2.195 remote nodes x 4096 tokens x 7392 B / 50 GB/s = 1.329 ms, more than the hops at 200 GB/s.
  CHECK(normal_all_to_all(link, v3_experts(), 32, 4096, Bytes{7392}).value() == Approx(1.329e-3).epsilon(2e-3));
  const Link low = link_of(h800(), {assumed(0), assumed(1), assumed(1), assumed(0)}, 32);
  CHECK(normal_all_to_all(link, v3_experts(), 32, 4096, Bytes{7392}) <
        low_latency_all_to_all(low, 32, 4096, 8, Bytes{7392}));
}

TEST_CASE("A ring all-reduce moves 2 (n-1)/n of the message, a gather half of it", "[roofline]") {
  Link link;
  link.domain = 8;
  link.up = 100.0_GBps;
  link.out = 10.0_GBps;
  link.latency = 10.0_us;
  // 8 MB over 8 GPUs: 2 * 7/8 * 8e6 / 100e9 = 140 us + 10 us.
  CHECK(all_reduce(link, 8, Bytes{8e6}).value() == Approx(150e-6));
  CHECK(all_gather(link, 8, Bytes{8e6}).value() == Approx(80e-6));
  // 16 GPUs in two domains: inside 140 us, across the shard of 1 MB: 2 * 1/2 * 1e6 / 10e9 = 100 us, two latencies.
  CHECK(all_reduce(link, 16, Bytes{8e6}).value() == Approx(260e-6));
  CHECK(all_reduce(link, 1, Bytes{8e6}).value() == 0);
}

TEST_CASE("A link asks the GPU only for what its group needs", "[roofline]") {
  Gpu gpu = h800();
  gpu.scale_out_bandwidth.reset();
  const LinkEfficiency perfect{assumed(0), assumed(1), assumed(1), assumed(0)};
  CHECK(link_of(gpu, perfect, 8).up.value() == 200e9);
  CHECK_THROWS_AS(link_of(gpu, perfect, 9), ScenarioError);
  gpu.scale_up_bandwidth.reset();
  CHECK_NOTHROW(link_of(gpu, perfect, 1));
}
