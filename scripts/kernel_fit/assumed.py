"""GPUs without kernel rows: numbers of end-to-end fits, every one of kind "assumed"."""
from kernel_fit.plan import ELEMENTWISE, PROTOTYPE, Assumed, Plan


def guess(compute, memory, attention_compute, experts, launch, source):
    """All families from efficiencies of end-to-end fits; launches are inside the cost per layer when launch is 0."""

    def family(c, m, extra=""):
        return Assumed(
            {
                "compute": (c, source + extra, 0.8 * c, min(1, 1.2 * c)),
                "memory": (m, source + extra, 0.85 * m, min(0.95, 1.15 * m)),
                "sharpness": (2.5, "middle of the NVIDIA fits: MLA decode near the ridge"),
                "launch_us": (launch, "inside the cost per layer" if not launch else "typical of the NVIDIA fits"),
                "tile_m": (16, "smallest tile of matrix cores"),
            }
        )

    attention = family(attention_compute, memory)
    attention.values["tile_m"] = (1, "no rounding")
    elementwise = family(1.0, memory)
    elementwise.values["sharpness"] = ELEMENTWISE.values["sharpness"]
    elementwise.values["tile_m"] = (1, "no tiles")
    return {
        "dense_gemm": family(compute, memory),
        "grouped_gemm": family(compute, experts),
        "batched_gemm": family(compute, memory),
        "attention_decode": attention,
        "attention_prefill": attention,
        "indexer": attention,
        "elementwise": elementwise,
    }


def guessed_links(up, latency, source):
    link = lambda hold: Assumed(
        {
            "latency_us": (latency, source),
            "scale_up": (up, source, 0.3, 0.75),
            "scale_out": (0.8, "as DeepEP on H800 over a NIC of the same rate", 0.6, 0.9),
            "sm_hold_us": (hold, "as on Hopper"),
        }
    )
    return {"all_to_all_low_latency": link(13.0), "all_to_all_normal": link(0.0), "all_reduce": link(0.0)}


def amd(name, gpu, description, family_default):
    source = PROTOTYPE + "; no kernel table of this GPU was found"
    return Plan(
        name,
        gpu,
        "generic" if family_default else "sglang",
        description,
        guess(0.45, 0.72, 0.40, 0.86, 0.0, source),
        guessed_links(0.5, 15.0, source),
        {
            "layer_overhead_us": (
                200.0,
                "assumed",
                PROTOTYPE + ": about 200 us a layer on MI300X, launches included",
                150.0,
                250.0,
            ),
            "decode_host_gap_ms": (2.0, "assumed", "no table", 0.0, 5.0),
            "prefill_host_floor_ms": (100.0, "assumed", PROTOTYPE + ": 50-140 ms", 50.0, 140.0),
        },
        family_default,
    )


def generic():
    source = PROTOTYPE + ": middle of what NVIDIA and AMD GPUs gave"
    return Plan(
        "generic",
        "any",
        "generic",
        "Any accelerator without kernel rows of its own or of its family: orders of magnitude, all assumed.",
        guess(0.48, 0.72, 0.45, 0.80, 0.0, source),
        guessed_links(0.5, 15.0, source),
        {
            "layer_overhead_us": (
                100.0,
                "assumed",
                PROTOTYPE + ": 70-106 us on NVIDIA, 200 on MI300X, launches included",
                70.0,
                200.0,
            ),
            "decode_host_gap_ms": (2.0, "assumed", "no table", 0.0, 5.0),
            "prefill_host_floor_ms": (90.0, "assumed", PROTOTYPE + ": 50-140 ms", 50.0, 140.0),
        },
        True,
    )


def assumed_plans():
    none = "No kernel table of MI300X was found: values of end-to-end fits, all assumed."
    default = "Family default: no kernel table was found; values of MI300X, all assumed."
    return [
        amd("mi300x-sglang", "mi300x", none, False),
        amd("cdna3", "CDNA3", default, True),
        amd("cdna4", "CDNA4", default, True),
        generic(),
    ]
