"""What scripts/fit_vllm.py writes: one calibration a GPU, the same efficiencies in each, every number with its origin."""

GEMMS = ("dense_gemm", "grouped_gemm", "batched_gemm", "attention_prefill")
GPU_SOURCE = ("least squares on the log TTFT and E2E of 300 requests of vLLM 0.19, Llama-3.1-8B on RTX PRO 6000 "
              "(scenarios/traces/vllm_llama_8b_rtx_pro_6000.csv.gz)")
LINK_SOURCE = ("least squares on the log TTFT and E2E of 300 requests of vLLM 0.19, Qwen3-32B on two RTX PRO 6000 "
               "(scenarios/traces/vllm_qwen3_32b_rtx_pro_6000.csv.gz), GPU speed as fitted on Llama-3.1-8B")


def number(value, kind, source, note=None):
    out = {"value": float(value), "kind": kind, "source": source}
    if note:
        out["note"] = note
    return out


def assumed(value, source):
    return number(value, "assumed", source)


def gemm(gpu, family):
    notes = {
        "grouped_gemm": "the fitted run has no experts: the dense GEMMs' efficiency stands in",
        "batched_gemm": "the fitted run has no such kernels: the dense GEMMs' efficiency stands in",
        "attention_prefill": "not separable from the GEMMs of a prompt step",
    }
    note = notes.get(family)
    return {
        "compute": number(gpu["compute"], "fitted", GPU_SOURCE, note),
        "memory": number(gpu["memory"], "fitted", GPU_SOURCE, note),
        "sharpness": number(gpu["sharpness"], "fitted", GPU_SOURCE, note),
        "launch_us": assumed(2.0, "a kernel inside a replayed CUDA graph takes about 2 us more than its work (24 us kernel: "
                                  "25.8 us wall on B200, dogacel.github.io 2026-03-14)"),
        "tile_m": assumed(8.0 if family == "dense_gemm" else 1.0,
                          "vLLM pads decode batches to CUDA-graph sizes, multiples of 8" if family == "dense_gemm" else "no rounding"),
    }


def kernels(gpu):
    out = {family: gemm(gpu, family) for family in GEMMS[:3]}
    bytes_only = "bytes only"
    out["attention_decode"] = {
        "compute": assumed(0.5, "memory bound: not identified"),
        "memory": number(gpu["memory"], "fitted", GPU_SOURCE, "one number with the GEMMs' memory efficiency"),
        "sharpness": assumed(4.0, "memory bound: not identified"),
        "launch_us": out["dense_gemm"]["launch_us"],
        "tile_m": assumed(16.0, "query heads of a KV head fill a tile of 16 rows"),
    }
    out["attention_prefill"] = gemm(gpu, "attention_prefill")
    out["indexer"] = {
        "compute": assumed(0.5, "no rows"),
        "memory": assumed(0.8, "no rows"),
        "sharpness": assumed(4.0, "no rows"),
        "launch_us": assumed(2.0, "no rows"),
        "tile_m": assumed(1.0, "no rounding"),
    }
    out["elementwise"] = {
        "compute": assumed(1.0, bytes_only),
        "memory": assumed(0.8, "aiconfigurator systems/*.yaml mem_bw_empirical_scaling_factor, any NVIDIA GPU"),
        "sharpness": assumed(8.0, "bytes only: the other term is zero"),
        "launch_us": assumed(2.0, "as the GEMMs"),
        "tile_m": assumed(1.0, "no tiles"),
    }
    return {name: out[name] for name in ("dense_gemm", "grouped_gemm", "batched_gemm", "attention_decode", "attention_prefill",
                                         "indexer", "elementwise")}


def link(pcie, note=None):
    return {
        "latency_us": number(pcie["latency_us"], "fitted", LINK_SOURCE, note),
        "scale_up": number(pcie["scale_up"], "fitted", LINK_SOURCE, note),
        "scale_out": assumed(0.8, "no run spans two hosts"),
        "sm_hold_us": assumed(0.0, "no overlap with compute"),
    }


def calibration(name, gpu_name, gpu, pcie, description):
    experts = "the run has no experts: the all-reduce's link stands in"
    return {
        "name": name,
        "gpu": gpu_name,
        "engine": "vllm",
        "description": description,
        "fitted_on": [
            "GPU speed: " + GPU_SOURCE,
            "link: " + LINK_SOURCE,
        ],
        "kernels": kernels(gpu),
        "all_to_all_low_latency": link(pcie, experts),
        "all_to_all_normal": link(pcie, experts),
        "all_reduce": link(pcie),
        "layer_overhead_us": assumed(0.0, "kernels carry a launch each"),
        "decode_host_gap_ms": number(gpu["host_gap_ms"], "fitted", GPU_SOURCE,
                                     "sampling, and what asynchronous scheduling does not hide of the host's work"),
        "prefill_host_floor_ms": assumed(0.0, "asynchronous scheduling: the host works during the step before"),
    }
