"""Rows and fits that several calibrations share."""
from kernel_fit.plan import ATTENTION_CAPS, PREFILL_SHARPNESS, UNTILED, KernelPlan, LinkPlan, Rows


def gemm_rows(*places, formats=("bf16", "fp8", "fp8_block")):
    return [
        Rows(gpu, "dense_gemm", ("aic-gemm",), engines, lambda r: r.dtype in formats, "+".join(formats))
        for gpu, engines in places
    ]


def absorbed(*gpus):
    """No public table of batched products exists: BF16 GEMMs of k = 512 move the same weights (16.8 MB) and a wide output."""
    rows = [
        Rows(
            gpu,
            "dense_gemm",
            ("aic-gemm",),
            ("sglang", "trtllm"),
            lambda r: r.dtype == "bf16" and r.fields["k"] == "512",
            "only BF16 16384 x 512",
        )
        for gpu in gpus
    ]
    return KernelPlan(
        rows,
        {
            **UNTILED,
            "sharpness": (2.0, "assumed", "not identified by one shape: middle of the dense fits"),
            "memory": (
                0.85,
                "assumed",
                "not separable from the launch with one shape: below the 0.92 of the best kernels",
            ),
        },
        (1,),
        note="proxy: no public table of batched (128 heads x [m x 128 x 512]) products was found",
    )


def decode_rows(*places):
    return [Rows(gpu, "attention_decode", ("aic-mla",), engines) for gpu, engines in places]


def prefill_rows(*places):
    return [Rows(gpu, "attention_prefill", ("aic-mla",), engines) for gpu, engines in places]


def prefill_fit(rows):
    return KernelPlan(
        rows,
        dict(UNTILED),
        (1,),
        ATTENTION_CAPS,
        note="p near 1: work that grows with tokens is not hidden behind the products",
    )


def flash_attention_3(note=""):
    """H800's five rows; SGLang and vLLM run the same kernels on H100 and H200."""
    return KernelPlan(
        [Rows("h800", "attention_prefill")],
        {**UNTILED, **PREFILL_SHARPNESS, "memory": (0.8, "assumed", "compute bound: not identified")},
        (1,),
        ATTENTION_CAPS,
        offset_us={"mla_prefill_h800": 5.0},
        note=note,
    )


# SGLang's "balanced" MoE rows between 4 and 1024 tokens would need 1.6 times the HBM peak if every chosen expert were read,
# so its weight reading is taken from the expert-parallel rows (every local expert touched). MXFP4 rows would mix kernels
# 2 to 3 times slower into DeepSeek's formats.
def moe_rows(*places):
    keep = lambda r: not r.dtype.startswith("w4") and (r.engine != "sglang" or int(r.fields["m"]) in (1, 4096, 16384))
    why = "MXFP4 left out; of SGLang's fused rows 4 to 1024 tokens left out: more bytes per second than the HBM peak"
    return [Rows(gpu, "grouped_gemm", ("aic-moe",), engines, keep, why) for gpu, engines in places] + [
        Rows(gpu, "grouped_gemm", ("aic-wideep-moe",), engines) for gpu, engines in places
    ]


def generated_moe_rows(*gpus):
    """TensorRT-LLM on Blackwell: generated NVFP4 kernels; of DeepGEMM's FP8 rows those of 64 tokens and more, since the 100 us of
    separate small kernels at 1 token are fused in the engines that are served."""
    large = lambda r: r.dtype == "fp8_block" and int(r.fields["m"]) >= 64
    return [
        row
        for gpu in gpus
        for row in (
            Rows(gpu, "grouped_gemm", ("aic-moe-gen",)),
            Rows(
                gpu,
                "grouped_gemm",
                ("aic-moe",),
                ("trtllm",),
                large,
                "FP8 rows below 64 tokens and cutlass NVFP4 left out",
            ),
        )
    ]


INDEXER_H800 = KernelPlan(
    [Rows("h800", "indexer")],
    dict(UNTILED),
    (1,),
    offset_us={"dsa_decode_indexer_h800": 5.0, "dsa_prefill_indexer_h800": 5.0},
    note="FP8 logits, DeepGEMM",
)


LOW_LATENCY_H100 = [
    Rows(
        "h100",
        "all_to_all_low_latency",
        ("aic-deepep",),
        keep=lambda r: int(r.fields["ranks"]) > 8,
        why="16 to 64 ranks",
    )
]


def reduce_plan(gpu, engine):
    keep = lambda r: r.fields["ranks"] in ("4", "8") and 262144 <= int(r.fields["bytes"]) <= 134217728
    return LinkPlan(
        [Rows(gpu, "all_reduce", ("aic-allreduce",), engine, keep, "256 KiB to 64 MiB, 4 and 8 ranks")],
        {
            "sm_hold_us": (0.0, "assumed", "no overlap with compute"),
            "scale_out": (0.8, "assumed", "no multi-node all-reduce row: as the all-to-all over the same NIC"),
        },
        "latency and bandwidth added; messages below 256 KiB come out up to twice too slow",
    )
