"""FLOPs, bytes and time of one measured kernel row, counted as the roofline counts them.

t = ((flops / (peak * compute))^p + (bytes / (bandwidth * memory))^p)^(1/p) + launch,
flops with the token dimension rounded up to tile_m.
"""
import csv
import json
import math
import pathlib
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "published" / "kernels"

CATALOGUE = FOLDER.parents[2] / "scenarios" / "hardware"


def hardware(name):
    """Dense peaks in TFLOPS, HBM, scale-up link and NIC in GB/s per GPU one way."""
    file = json.loads((CATALOGUE / f"{name}.json").read_text())
    return {
        **file["dense_peak_TFLOPS"],
        "hbm": 1e3 * file["hbm_bandwidth_TBps"],
        "link": file["scale_up"]["bandwidth_GBps_per_gpu"],
        "nic": file["scale_out_Gbps_per_gpu"] / 8,
        "domain": file["scale_up"]["domain_gpus"],
    }


HARDWARE = {
    key: hardware(name)
    for key, name in (
        ("h800", "h800-sxm"),
        ("h100", "h100-sxm"),
        ("h200", "h200-sxm"),
        ("b200", "b200-sxm"),
        ("gb200", "gb200-nvl72"),
    )
}

# Number format of a row -> (arithmetic, bytes of a weight, bytes of an activation). FP4 holds a shared 8-bit exponent for
# 32 elements; FP8 with 128x128 blocks a 4-byte scale for 16384 weights.
FORMATS = {
    "bf16": ("bf16", 2.0, 2.0),
    "fp8": ("fp8", 1.0, 1.0),
    "fp8_block": ("fp8", 1 + 4 / 16384, 1 + 4 / 128),
    "nvfp4": ("fp4", 0.53125, 0.53125),
    "w4a16_mxfp4": ("bf16", 0.53125, 2.0),
    "w4a8_mxfp4_mxfp8": ("fp8", 0.53125, 1.0),
}


@dataclass
class Kernel:
    """One launch: rows of the token dimension in `groups` matrices, and what it does per row and in all."""

    flops_per_row: float  # of one group
    rows: float  # token dimension of one group, before rounding up to a tile
    groups: float
    bytes: float
    arithmetic: str


@dataclass
class Row:
    gpu: str
    engine: str
    family: str
    op: str
    dtype: str
    source: str
    latency_us: float
    kernels: list  # of Kernel, timed one after the other
    fields: dict


def number(fields, name):
    return float(fields[name]) if fields[name] else 0.0


def gemm(groups, m, n, k, dtype):
    """2 m n k FLOPs a group; weights n k, activations m k and 16-bit output m n are moved once."""
    arithmetic, weight, activation = FORMATS[dtype]
    moved = groups * (n * k * weight + m * k * activation + m * n * 2)
    return Kernel(2 * n * k, m, groups, moved, arithmetic)


def fused_experts(fields):
    """Gate+up and down of one MoE layer under balanced routing: T tokens choose k of E experts, min(E, kT) are read."""
    tokens, experts, topk = number(fields, "m"), number(fields, "groups"), number(fields, "topk")
    touched = min(experts, tokens * topk)
    m, n, k = tokens * topk / touched, number(fields, "n"), number(fields, "k")
    return [gemm(touched, m, n, k, fields["dtype"]), gemm(touched, m, k, n / 2, fields["dtype"])]


def mla_decode(fields):
    """2 h (512 + 64 + 512) FLOPs a query and context token; 576 elements read once per sequence and context token. All heads
    share the latent, so heads x queries are the rows that fill a tile."""
    batch, queries, context, heads = (number(fields, c) for c in ("batch", "queries", "kv_len", "heads"))
    arithmetic, element, _ = FORMATS[fields["dtype"]]
    query_bytes = batch * queries * heads * (576 + 512) * 2
    return [
        Kernel(
            2 * (512 + 64 + 512) * context,
            heads * queries,
            batch,
            batch * context * 576 * element + query_bytes,
            arithmetic,
        )
    ]


def mla_prefill(fields):
    """2 h (128 + 64 + 128) FLOPs a query and attended token, causal; q, k, v read and the output written once."""
    batch, tokens, heads = (number(fields, c) for c in ("batch", "queries", "heads"))
    attended = (tokens + 1) / 2
    moved = batch * tokens * heads * (192 + 192 + 128 + 128) * 2
    return [Kernel(2 * heads * (128 + 64 + 128) * attended, batch * tokens, 1, moved, "bf16")]


def indexer(fields):
    """DSA logits in FP8: 2 x 64 heads x 128 FLOPs a query and context token; 128 bytes a key, a query and head."""
    batch, queries, context, heads = (number(fields, c) for c in ("batch", "queries", "kv_len", "heads"))
    attended = context if fields["op"] == "decode" else context - (queries - 1) / 2
    moved = batch * context * 128 + batch * queries * heads * 128
    return [Kernel(2 * heads * 128 * attended, batch * queries, 1, moved, "fp8")]


def dense(fields):
    return [gemm(1, number(fields, "m"), number(fields, "n"), number(fields, "k"), fields["dtype"])]


def grouped(fields):
    if fields["op"] == "fused":
        return fused_experts(fields)
    if fields["op"] == "local":  # both GEMMs over a rank's own experts, all touched
        g, m, n, k = (number(fields, c) for c in ("groups", "m", "n", "k"))
        return [gemm(g, m, n, k, fields["dtype"]), gemm(g, m, k, n / 2, fields["dtype"])]
    return [
        gemm(number(fields, "groups"), number(fields, "m"), number(fields, "n"), number(fields, "k"), fields["dtype"])
    ]


COUNTS = {
    "dense_gemm": dense,
    "grouped_gemm": grouped,
    "attention_decode": mla_decode,
    "attention_prefill": mla_prefill,
    "indexer": indexer,
}


def read(gpu):
    """All rows of one GPU; rows of links carry no kernels."""
    with open(FOLDER / f"{gpu}.csv", newline="") as file:
        return [
            Row(
                f["gpu"],
                f["engine"],
                f["family"],
                f["op"],
                f["dtype"],
                f["source"],
                float(f["latency_us"]),
                COUNTS[f["family"]](f) if f["family"] in COUNTS else [],
                f,
            )
            for f in csv.DictReader(file)
        ]


def kernel_time_us(kernel, gpu, efficiency):
    """The formula of this file, in microseconds."""
    tile = efficiency["tile_m"]
    rows = math.ceil(kernel.rows / tile - 1e-9) * tile
    flops = kernel.groups * rows * kernel.flops_per_row
    compute = flops / (gpu[kernel.arithmetic] * 1e6 * efficiency["compute"])
    memory = kernel.bytes / (gpu["hbm"] * 1e3 * efficiency["memory"])
    p, slow = efficiency["sharpness"], max(compute, memory)
    return slow * ((compute / slow) ** p + (memory / slow) ** p) ** (1 / p) + efficiency["launch_us"]


def row_time_us(row, efficiency):
    return sum(kernel_time_us(k, HARDWARE[row.gpu], efficiency) for k in row.kernels)


def link_bytes(row):
    """Bytes one rank sends over (scale-up, scale-out) links.

    Low latency: top-k copies of a token, (domain-1)/ranks of them to ranks of the domain and (ranks-domain)/ranks
    outside. Normal: one copy to each remote node over the NIC; a copy to each rank reached over the scale-up link.
    All-reduce: 2 (n-1)/n of the message over the scale-up link.
    """
    f, gpu = row.fields, HARDWARE[row.gpu]
    ranks = number(f, "ranks")
    if row.family == "all_reduce":
        return 2 * (ranks - 1) / ranks * number(f, "bytes"), 0.0
    token = number(f, "k") * {"bf16": 2, "fp8": 1 + 4 / 128, "nvfp4": 0.53125}[row.dtype]
    domain = min(ranks, gpu["domain"])
    tokens, topk = number(f, "m"), number(f, "topk")
    if row.family == "all_to_all_low_latency":
        copies = tokens * topk * token
        return copies * (domain - 1) / ranks, copies * (ranks - domain) / ranks
    nodes = ranks / domain
    groups = number(f, "groups")
    return (
        tokens * token * reached(ranks, topk, groups) * (ranks - 1) / ranks,
        tokens * token * reached(nodes, topk, groups) * (nodes - 1) / nodes,
    )


def reached(places, topk, groups):
    """Expected distinct places (nodes or ranks) that a token's copies go to; `groups`: the router picks so many of 8 groups."""
    if not groups:
        return places * (1 - (1 - 1 / places) ** topk)
    if places >= 8:
        per_group = places / 8
        return groups * per_group * (1 - (1 - 1 / per_group) ** (topk / groups))
    held = 8 / places  # groups a place holds
    missed = math.comb(int(8 - held), int(groups)) / math.comb(8, int(groups)) if 8 - held >= groups else 0
    return places * (1 - missed)


def link_time_us(row, link):
    """Latency plus the slower of the two links: they work at the same time."""
    gpu = HARDWARE[row.gpu]
    up, out = link_bytes(row)
    return link["latency_us"] + max(
        up / (gpu["link"] * 1e3 * link["scale_up"]), out / (gpu["nic"] * 1e3 * link["scale_out"])
    )
