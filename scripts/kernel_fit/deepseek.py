"""H800 with DeepSeek's own kernels: February and June 2025."""
from kernel_fit.choices import INDEXER_H800, absorbed, flash_attention_3, reduce_plan
from kernel_fit.plan import ATTENTION_CAPS, ELEMENTWISE, NO_HOLD, PROTOTYPE, SM_HOLD, KernelPlan, LinkPlan, Plan, Rows

# V3's own GEMM shapes (n, k): q_a, kv_a, q_b, kv_b, o, expert gate+up, expert down, dense gate+up, dense down.
OWN_SHAPES = {
    (1536, 7168),
    (576, 7168),
    (24576, 1536),
    (32768, 512),
    (7168, 16384),
    (4096, 7168),
    (7168, 2048),
    (36864, 7168),
    (7168, 18432),
}

INFERSIM = (
    "mla_decode_h800",
    "grouped_gemm_decode_h800",
    "grouped_gemm_prefill_h800",
    "mla_prefill_h800",
    "dsa_decode_indexer_h800",
    "dsa_prefill_indexer_h800",
)


OFFSET = {source: 5.0 for source in INFERSIM}
OFFSET_NOTE = "InferSim rows less 5.0 us each, the constant found between gemm_h800 and DeepGEMM's own table"
DECODE_SHAPES = lambda r: r.op == "masked" and int(r.fields["groups"]) <= 4 and 256 <= int(r.fields["m"]) <= 1024


def dense_h800(equal_tables):
    own = lambda r: (int(r.fields["n"]), int(r.fields["k"])) in OWN_SHAPES
    return KernelPlan(
        [
            Rows("h800", "dense_gemm", ("deepgemm-dense",)),
            Rows("h800", "dense_gemm", ("gemm_h800",), keep=own, why="only the network's own shapes"),
        ],
        {},
        (1, 64, 128),
        equal_tables=equal_tables,
        fit_offset_of="gemm_h800",
        note=("both tables weigh the same" if equal_tables else "every row weighs the same, so the later table leads")
        + "; gemm_h800 carries a constant that is fitted and dropped",
    )


def grouped_h800():
    rows = [
        Rows("h800", "grouped_gemm", ("deepgemm-grouped",)),
        Rows(
            "h800",
            "grouped_gemm",
            ("grouped_gemm_decode_h800",),
            keep=lambda r: r.fields["m"] != "1",
            why="row of 1 token an expert left out: only half of the experts are touched",
        ),
        Rows("h800", "grouped_gemm", ("grouped_gemm_prefill_h800",)),
    ]
    return KernelPlan(
        rows,
        {},
        (1, 16, 64, 128),
        equal_tables=True,
        offset_us=OFFSET,
        spread=("compute", DECODE_SHAPES),
        note="the tables disagree by 1.6 at 2 groups x 512 tokens: three tables of equal weight; low and high are the "
        "efficiency that each table alone gives at 1-4 groups x 256-1024 tokens. " + OFFSET_NOTE,
    )


def flashmla(compute_tflops, release):
    source = f"FlashMLA {release}: {compute_tflops} TFLOPS compute bound of 989 dense BF16"
    return KernelPlan(
        [Rows("h800", "attention_decode", ("mla_decode_h800",))],
        {
            "tile_m": (64, "measured", "FlashMLA: blocks of 64 rows of heads x queries"),
            "compute": (round(compute_tflops / 989, 4), "measured", source),
            "memory": (round(3000 / 3350, 4), "measured", "FlashMLA 2025-02-24: 3000 GB/s memory bound of 3350"),
        },
        (1,),
        ATTENTION_CAPS,
        offset_us=OFFSET,
        note="sharpness and launch from the curve of mla_decode_h800. "
        + OFFSET_NOTE
        + ". Sparse (DSA) decode with FP8 KV reaches 410 TFLOPS only (0.41)",
    )


SMALL_MESSAGE = {
    "latency_us": (
        13.0,
        "measured",
        "DeepEP low latency on one node, 1 to 8 tokens a rank: 12-15 us on H100 and H200 (aic-deepep); free in the fit it is 8 +- 9",
    )
}


def low_latency_h800(table, note, ranks, latency):
    return LinkPlan(
        [
            Rows(
                "h800",
                "all_to_all_low_latency",
                (table,),
                keep=lambda r: int(r.fields["ranks"]) in ranks,
                why="ranks " + "/".join(map(str, ranks)),
            )
        ],
        {**SM_HOLD, **latency},
        note,
    )


def normal_h800(table):
    return LinkPlan(
        [
            Rows(
                "h800",
                "all_to_all_normal",
                (table,),
                keep=lambda r: r.fields["ranks"] != "16",
                why="16 ranks left out: bound by neither link alone",
            )
        ],
        {**NO_HOLD, "latency_us": "LATENCY_NORMAL"},
        "published bandwidth is logical (own node counted); converted to time, and the NIC share here is of bytes to remote nodes",
    )


def deepseek(name, kernels, exchange, normal, note):
    return Plan(
        name,
        "h800-sxm",
        "deepseek",
        note,
        {
            **kernels,
            "batched_gemm": absorbed("h100"),
            "attention_prefill": flash_attention_3(OFFSET_NOTE),
            "indexer": INDEXER_H800,
            "elementwise": ELEMENTWISE,
        },
        {
            "all_to_all_low_latency": exchange,
            "all_to_all_normal": normal_h800(normal),
            "all_reduce": reduce_plan("h100", ("sglang", "trtllm")),
        },
        {
            "layer_overhead_us": (
                0.0,
                "assumed",
                "every kernel of a layer is an operator with its own launch; norms and quantization are elementwise operators",
                0.0,
                20.0,
            ),
            "decode_host_gap_ms": (
                5.0,
                "assumed",
                "published step of 88-96 ms against 87.3 ms in the layers, less head and MTP module (not a kernel measurement)",
                3.0,
                7.0,
            ),
            "prefill_host_floor_ms": (
                50.0,
                "assumed",
                "lower end of the floors seen in other engines (" + PROTOTYPE + "); 16K-token passes take 2 s",
                0.0,
                140.0,
            ),
            "sustained_clock": (
                0.875,
                "assumed",
                "865 of 989 TFLOPS at about 1600 MHz under load is measured (deepseek-ai/FlashMLA @9241ae3e docs/20250422-new-kernel-deep-dive.md); that the GEMM tables, bursts of single kernels, ran unthrottled is inferred",
                0.875,
                1.0,
            ),
        },
    )


def deepseek_plans():
    grouped = grouped_h800()
    february = {
        "dense_gemm": dense_h800(True),
        "grouped_gemm": grouped,
        "attention_decode": flashmla(580, "2025-02-24"),
    }
    june = {"dense_gemm": dense_h800(False), "grouped_gemm": grouped, "attention_decode": flashmla(660, "2025-04-22")}
    pure_rdma = (
        "pure RDMA: the scale-up share stands for NIC speed inside a node too; 16 and 32 ranks left out for that"
    )
    repeated = "128 and 256 ranks left out: that table repeats February's"
    return [
        deepseek(
            "h800-deepseek-2025-02",
            february,
            low_latency_h800("deepep_v1_low_latency_2025_02", pure_rdma, (8, 64, 128, 256), SMALL_MESSAGE),
            "deepep_v1_normal_2025_02",
            "DeepSeek's own kernels of February 2025. Low-latency kernels are pure RDMA: the scale-up share stands for "
            "NIC speed inside a node too.",
        ),
        deepseek(
            "h800-deepseek-2025-06",
            june,
            low_latency_h800("deepep_v1_low_latency_2025_06", repeated, (8, 16, 32, 64), {}),
            "deepep_v1_normal_2025_04",
            "DeepSeek's own kernels of June 2025: DeepEP with NVLink inside a node, FlashMLA of April, later DeepGEMM rows lead.",
        ),
    ]
