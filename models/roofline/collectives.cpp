#include "tokenomics/roofline/collectives.hpp"

#include <algorithm>
#include <cmath>

namespace tokenomics {
namespace {

/// C(n - removed, k) / C(n, k): probability that k draws of n without replacement miss `removed` given ones.
double probability_of_missing(double n, double removed, int k) {
  double p = 1;
  for (int i = 0; i < k; ++i) p *= std::max(0.0, n - removed - i) / (n - i);
  return p;
}

/// Hypergeometric: j marked ones among `draws` of `total` of which `marked` are marked.
double hypergeometric(int total, int marked, int draws, int j) {
  if (j > marked || j > draws || draws - j > total - marked) return 0;
  const auto log_choose = [](int n, int k) {
    return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
  };
  return std::exp(log_choose(marked, j) + log_choose(total - marked, draws - j) - log_choose(total, draws));
}

double probability_part_missed(const MoeFfn& moe, int parts) {
  const int groups = std::max(1, moe.groups);
  const int chosen = moe.groups > 0 ? std::clamp(moe.top_groups, 1, groups) : 1;
  const double experts = moe.routed_experts;
  const double in_part = experts / parts;
  const double in_group = experts / groups;
  const double selectable = in_group * chosen;
  const int k = moe.experts_per_token;
  if (parts >= groups) {  // a part is (a piece of) one group
    const double share = static_cast<double>(chosen) / groups;
    return (1 - share) + share * probability_of_missing(selectable, in_part, k);
  }
  const int groups_per_part = std::max(1, groups / parts);
  double missed = 0;
  for (int j = 0; j <= groups_per_part; ++j) {
    missed += hypergeometric(groups, groups_per_part, chosen, j) * probability_of_missing(selectable, j * in_group, k);
  }
  return missed;
}

struct Shares {
  double up = 0;
  double out = 0;
};

/// Where a copy to a random GPU of the group travels.
Shares copy_shares(const Link& link, int ep) {
  if (ep <= 1) return {};
  if (link.up.value() <= 0) return {0, 1};
  if (ep <= link.domain) return {(ep - 1.0) / ep, 0};
  return {(link.domain - 1.0) / ep, 1 - static_cast<double>(link.domain) / ep};
}

struct NormalTraffic {
  double up_copies = 0;   ///< per token, handed on inside a node
  double out_copies = 0;  ///< per token, through the NIC
};

NormalTraffic normal_traffic(const Link& link, const MoeFfn& moe, int ep) {
  if (ep <= 1) return {};
  const double gpus = expected_parts_touched(moe, ep) * (ep - 1.0) / ep;
  if (ep <= link.domain) return {gpus, 0};
  return {gpus, expected_remote_nodes(moe, (ep + link.domain - 1) / link.domain)};
}

}  // namespace

Link link_of(const Gpu& gpu, const LinkEfficiency& efficiency, int group) {
  Link link;
  link.latency = Seconds{efficiency.latency_us.value * 1e-6};
  if (group <= 1) return link;
  link.domain = std::max(1, gpu.require_scale_up_domain());
  if (link.domain > 1) link.up = gpu.require_scale_up_bandwidth() * efficiency.scale_up.value;
  if (group > link.domain || link.up.value() <= 0) link.out = gpu.require_scale_out_bandwidth() * efficiency.scale_out.value;
  return link;
}

double wire_bytes_per_element(Precision precision) {
  if (precision == Precision::Fp8) return 1.0 + 4.0 / 128.0;
  return bytes_per_element(precision);
}

Seconds transfer_time(const Link& link, Bytes bytes, double up_share, double out_share) {
  Seconds t{0};
  if (up_share > 0) t = bytes * up_share / link.up;
  if (out_share > 0) t = std::max(t, Seconds{bytes * out_share / link.out});
  return link.latency + t;
}

Seconds low_latency_all_to_all(const Link& link, int ep, double tokens, double copies, Bytes token_bytes) {
  if (ep <= 1) return Seconds{0};
  const Shares shares = copy_shares(link, ep);
  return transfer_time(link, token_bytes * (tokens * copies), shares.up, shares.out);
}

Bytes low_latency_bytes(const Link& link, int ep, double tokens, double copies, Bytes token_bytes) {
  const Shares shares = copy_shares(link, ep);
  return token_bytes * (tokens * copies * (shares.up + shares.out));
}

Seconds normal_all_to_all(const Link& link, const MoeFfn& moe, int ep, double tokens, Bytes token_bytes) {
  if (ep <= 1) return Seconds{0};
  const NormalTraffic copies = normal_traffic(link, moe, ep);
  return transfer_time(link, token_bytes * tokens, copies.up_copies, copies.out_copies);
}

Bytes normal_bytes(const Link& link, const MoeFfn& moe, int ep, double tokens, Bytes token_bytes) {
  const NormalTraffic copies = normal_traffic(link, moe, ep);
  return token_bytes * (tokens * (copies.up_copies + copies.out_copies));
}

double expected_parts_touched(const MoeFfn& moe, int parts) { return parts * (1 - probability_part_missed(moe, parts)); }

double expected_remote_nodes(const MoeFfn& moe, int nodes) {
  return nodes <= 1 ? 0 : expected_parts_touched(moe, nodes) * (nodes - 1.0) / nodes;
}

Seconds all_reduce(const Link& link, int n, Bytes bytes) {
  if (n <= 1) return Seconds{0};
  if (n <= link.domain) return link.latency + 2.0 * (n - 1.0) / n * bytes / link.up;
  const int inside = link.domain;
  const int outside = (n + inside - 1) / inside;
  const Seconds across = link.latency + 2.0 * (outside - 1.0) / outside * (bytes / inside) / link.out;
  return inside == 1 ? across : across + link.latency + 2.0 * (inside - 1.0) / inside * bytes / link.up;
}

Seconds all_gather(const Link& link, int n, Bytes bytes) {
  if (n <= 1) return Seconds{0};
  if (n <= link.domain) return link.latency + (n - 1.0) / n * bytes / link.up;
  const int inside = link.domain;
  const int outside = (n + inside - 1) / inside;
  const Seconds across = link.latency + (outside - 1.0) / outside * (bytes / inside) / link.out;
  return inside == 1 ? across : across + link.latency + (inside - 1.0) / inside * bytes / link.up;
}

}  // namespace tokenomics
