"""Engines on NVIDIA GPUs, from SGLang's and TensorRT-LLM's kernel tables."""
from kernel_fit.choices import (
    INDEXER_H800,
    LOW_LATENCY_H100,
    absorbed,
    decode_rows,
    flash_attention_3,
    gemm_rows,
    generated_moe_rows,
    moe_rows,
    prefill_fit,
    prefill_rows,
    reduce_plan,
)
from kernel_fit.plan import ATTENTION_CAPS, ELEMENTWISE, NO_HOLD, PROTOTYPE, SM_HOLD, KernelPlan, LinkPlan, Plan, Rows

BOTH = ("sglang", "trtllm")


def nvidia_scalars():
    return {
        "layer_overhead_us": (
            "LAYER_BUDGET",
            "assumed",
            "85 us a layer (" + PROTOTYPE + ": 70-106) less the fixed time of the kernels of a layer, never below 0",
            0.0,
            85.0,
        ),
        "decode_host_gap_ms": (1.0, "assumed", "overlapped scheduler; no table", 0.0, 3.0),
        "prefill_host_floor_ms": (90.0, "assumed", PROTOTYPE + ": 50-140 ms even for 900 tokens", 50.0, 140.0),
    }


NIC_AS_HOPPER = {"scale_out": (0.9, "assumed", "no multi-node row of this GPU: as DeepEP on H100 over the same NIC")}


def one_node(gpu, family, engine=("sglang",)):
    return LinkPlan(
        [Rows(gpu, family, (), engine)], {**(SM_HOLD if family.endswith("low_latency") else NO_HOLD), **NIC_AS_HOPPER}
    )


def hopper_links(gpu, engines):
    low = LinkPlan(
        [
            Rows(
                gpu, "all_to_all_low_latency", ("aic-deepep",), keep=lambda r: r.fields["ranks"] == "8", why="8 ranks"
            ),
            *LOW_LATENCY_H100,
        ],
        dict(SM_HOLD),
        "H200's own multi-node rows repeat H100's",
    )
    normal = LinkPlan(
        [
            Rows(gpu, "all_to_all_normal", keep=lambda r: r.fields["ranks"] == "8", why="8 ranks"),
            Rows(
                "h100",
                "all_to_all_normal",
                keep=lambda r: r.fields["ranks"] in ("16", "32"),
                why="16 and 32 ranks; 64 runs at half their speed",
            ),
        ],
        dict(NO_HOLD),
    )
    return {"all_to_all_low_latency": low, "all_to_all_normal": normal, "all_reduce": reduce_plan(gpu, engines)}


def hopper_kernels(gpu, engines, attention):
    return {
        "dense_gemm": KernelPlan(
            gemm_rows((gpu, engines)),
            {},
            (1, 64, 128),
            note="BF16, FP8 and FP8-block rows together; FP8 rows hold the quantization of the activations, so BF16 comes out slow",
        ),
        "grouped_gemm": KernelPlan(
            moe_rows((gpu, engines)),
            {},
            (1, 64),
            note="fused MoE operator, two GEMMs; routing and permutation are in the launch",
        ),
        "batched_gemm": absorbed(gpu),
        "attention_decode": KernelPlan(
            decode_rows(*attention),
            {},
            (1, 16, 64, 128),
            ATTENTION_CAPS,
            note="BF16 KV, 128 and 16 heads; FP8 KV in SGLang on Hopper is 4 times slower, a kernel choice",
        ),
        "attention_prefill": prefill_fit(prefill_rows(("h200", ("trtllm",))))
        if engines == ("trtllm",)
        else flash_attention_3(
            "FlashAttention-3 on H800; SGLang's own Hopper rows time the absorbed form (3.4 times the work)"
        ),
        "indexer": INDEXER_H800,
        "elementwise": ELEMENTWISE,
    }


def blackwell_kernels(gpus, engines):
    places = [(gpu, engines) for gpu in gpus]
    return {
        "dense_gemm": KernelPlan(
            gemm_rows(*places, formats=("fp8_block", "nvfp4")),
            {},
            (1, 64, 128),
            note="the formats that DeepSeek is served in; BF16 GEMMs come out about a third slow",
        ),
        "grouped_gemm": KernelPlan(
            (moe_rows(*[(g, ("sglang",)) for g in gpus]) if "sglang" in engines else [])
            + (generated_moe_rows(*gpus) if "trtllm" in engines else []),
            {},
            (1, 64),
            note="fused MoE operator, two GEMMs; routing and permutation are in the launch",
        ),
        "batched_gemm": absorbed(*gpus),
        "attention_decode": KernelPlan(
            decode_rows(*places),
            {},
            (1, 16, 64, 128),
            ATTENTION_CAPS,
            note="BF16 and FP8 KV, arithmetic in the KV type",
        ),
        "attention_prefill": prefill_fit(prefill_rows(*places)),
        "indexer": INDEXER_H800,
        "elementwise": ELEMENTWISE,
    }


def blackwell_links(gpu, engines, exchange=("sglang",)):
    return {
        "all_to_all_low_latency": one_node(gpu, "all_to_all_low_latency", exchange),
        "all_to_all_normal": one_node(gpu, "all_to_all_normal"),
        "all_reduce": reduce_plan(gpu, engines),
    }


def engine(gpu, key, engines, name, description, attention=None, exchange=("sglang",)):
    """A GPU (`key`: of its rows) under an engine whose rows are `engines`."""
    hopper = key in ("h100", "h200")
    kernels = (
        hopper_kernels(key, engines, attention or [(key, engines)]) if hopper else blackwell_kernels((key,), engines)
    )
    links = hopper_links(key, engines) if hopper else blackwell_links(key, engines, exchange)
    return Plan(f"{gpu}-{name}", gpu, name, description, kernels, links, nvidia_scalars())


def family_defaults():
    places = [("h100", BOTH), ("h200", BOTH)]
    hopper = hopper_kernels("h100", BOTH, [("h100", ("sglang",)), *[("h200", (e,)) for e in reversed(BOTH)]])
    hopper["dense_gemm"] = KernelPlan(gemm_rows(*places), {}, (1, 64, 128))
    hopper["grouped_gemm"] = KernelPlan(moe_rows(*places), {}, (1, 64))
    hopper["batched_gemm"] = absorbed("h100", "h200")
    blackwell = blackwell_kernels(("b200", "gb200"), BOTH)
    of = lambda name, architecture, description, kernels, links: Plan(
        name, architecture, "generic", "Family default: " + description, kernels, links, nvidia_scalars(), True
    )
    both = "rows of SGLang and TensorRT-LLM together."
    return [
        of("hopper", "Hopper", "H100 and H200, " + both, hopper, hopper_links("h100", BOTH)),
        of("blackwell", "Blackwell", "B200 and GB200, " + both, blackwell, blackwell_links("b200", BOTH)),
        of(
            "blackwell-ultra",
            "Blackwell Ultra",
            "no rows of B300 or GB300; those of B200 and GB200.",
            blackwell,
            blackwell_links("b200", BOTH),
        ),
    ]


def nvidia_plans():
    sglang, trtllm = ("sglang",), ("trtllm",)
    return [
        engine("h200-sxm", "h200", sglang, "sglang", "SGLang 0.5.14 kernels on H200."),
        engine("h200-sxm", "h200", trtllm, "trtllm", "TensorRT-LLM 1.3 kernels on H200."),
        engine("h100-sxm", "h100", sglang, "sglang", "SGLang 0.5.14 kernels on H100."),
        engine(
            "h100-sxm",
            "h100",
            trtllm,
            "trtllm",
            "TensorRT-LLM 1.3 kernels on H100; attention rows of H200.",
            [("h200", trtllm)],
        ),
        engine(
            "h100-sxm",
            "h100",
            BOTH,
            "vllm",
            "No vLLM kernel table was found: SGLang's and TensorRT-LLM's rows on H100 together.",
            [("h100", sglang), ("h200", trtllm)],
        ),
        engine("b200-sxm", "b200", sglang, "sglang", "SGLang 0.5.14 kernels on B200."),
        engine("b200-sxm", "b200", trtllm, "trtllm", "TensorRT-LLM 1.3 kernels on B200."),
        engine("gb200-nvl72", "gb200", sglang, "sglang", "SGLang 0.5.14 kernels on GB200 NVL72."),
        engine(
            "gb200-nvl72",
            "gb200",
            trtllm,
            "trtllm",
            "TensorRT-LLM 1.3 kernels on GB200 NVL72; all-to-all over NVLink up to 64 GPUs.",
            exchange=trtllm,
        ),
        *family_defaults(),
    ]
