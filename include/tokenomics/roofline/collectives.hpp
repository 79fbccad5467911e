#pragma once

#include "tokenomics/hw/gpu.hpp"
#include "tokenomics/llm/network.hpp"
#include "tokenomics/roofline/calibration.hpp"

namespace tokenomics {

/// Rates that a kind of communication kernel reaches between GPUs, per GPU and direction.
struct Link {
  BytesPerSecond up{0};   ///< inside a scale-up domain; 0: this kernel sends even to neighbours through the NIC
  BytesPerSecond out{0};  ///< through the NIC
  Seconds latency{0};     ///< per operation
  int domain = 1;         ///< GPUs that reach each other at `up`
};

/// The link of a GPU at a calibration's efficiencies. Asks the GPU for a NIC only when `group` GPUs need one, and for
/// nothing when the group is one GPU.
Link link_of(const Gpu& gpu, const LinkEfficiency& efficiency, int group);

/// Bytes of one element on the wire: FP8 carries one 4-byte scale for 128 elements.
double wire_bytes_per_element(Precision precision);

/// t = latency + max(bytes * up_share / up, bytes * out_share / out): both ways run beside each other.
Seconds transfer_time(const Link& link, Bytes bytes, double up_share, double out_share);

/// Low-latency all-to-all over `ep` GPUs: one copy of `token_bytes` per token and chosen expert. Copies to the own GPU do
/// not travel; copies inside the domain use `up`, unless `up` is 0: then every copy, the own one too, uses the NIC.
Seconds low_latency_all_to_all(const Link& link, int ep, double tokens, double copies, Bytes token_bytes);

/// Bytes that such an all-to-all moves off the GPU.
Bytes low_latency_bytes(const Link& link, int ep, double tokens, double copies, Bytes token_bytes);

/// Normal all-to-all: a token crosses the NIC once per remote node and is handed on over the scale-up link to each GPU
/// that holds one of its experts.
Seconds normal_all_to_all(const Link& link, const MoeFfn& moe, int ep, double tokens, Bytes token_bytes);
Bytes normal_bytes(const Link& link, const MoeFfn& moe, int ep, double tokens, Bytes token_bytes);

/// Expected parts of the network, of `parts` equal ones in expert order, that a token's experts lie in, when the router
/// takes `top_groups` of `groups` at random and then k experts among theirs at random (without replacement).
double expected_parts_touched(const MoeFfn& moe, int parts);

/// Of `nodes` nodes, those other than the token's own that it is sent to.
double expected_remote_nodes(const MoeFfn& moe, int nodes);

/// Ring all-reduce of `bytes` over n GPUs: latency + 2 (n-1)/n * bytes / bandwidth; over more than one domain:
/// reduce-scatter inside, all-reduce of the shard outside, all-gather inside, with both latencies.
Seconds all_reduce(const Link& link, int n, Bytes bytes);

/// All-gather to, or reduce-scatter of, `bytes` in total over n GPUs: half of an all-reduce.
Seconds all_gather(const Link& link, int n, Bytes bytes);

}  // namespace tokenomics
