"""What a calibration is made of: rows to fit on, numbers that are given, and how each is told apart."""
from dataclasses import dataclass, field

# A share of HBM bandwidth above the best that any table reaches (MLA decode of 16 heads on H200, 0.92) is not believed;
# nor is an attention core above 0.75 of dense peak (FlashAttention-3's best on H100).
CAPS = {"memory": (0.02, 0.92)}
ATTENTION_CAPS = {**CAPS, "compute": (0.02, 0.75)}


@dataclass
class Rows:
    """A choice of rows from one file; `keep` looks at the row."""

    gpu: str
    family: str
    sources: tuple = ()
    engines: tuple = ()
    keep: object = None
    why: str = ""  # what `keep` leaves out

    def matches(self, row):
        return (
            row.family == self.family
            and (not self.sources or row.source in self.sources)
            and (not self.engines or row.engine in self.engines)
            and (self.keep is None or self.keep(row))
        )


@dataclass
class KernelPlan:
    rows: list
    fixed: dict = field(default_factory=dict)  # name -> (value, kind, source)
    tiles: tuple = (1,)
    caps: dict = field(default_factory=lambda: CAPS)
    equal_tables: bool = False
    offset_us: dict = field(default_factory=dict)  # source -> constant the benchmark added to every row, taken off
    fit_offset_of: str = ""  # source whose constant is fitted as a nuisance and dropped
    spread: tuple = ()  # (parameter, keep): refit per source on those rows gives low and high
    note: str = ""


@dataclass
class LinkPlan:
    rows: list
    fixed: dict = field(default_factory=dict)
    note: str = ""


@dataclass
class Assumed:
    values: dict  # name -> (value, source) or (value, source, low, high)


@dataclass
class Plan:
    name: str
    gpu: str
    engine: str
    description: str
    kernels: dict
    links: dict
    scalars: dict  # name -> (value, kind, source, low, high)
    family_default: bool = False


PROTOTYPE = "prototype fit on public InferenceX points, end to end"

UNTILED = {"tile_m": (1, "assumed", "no rounding")}

ELEMENTWISE = Assumed(
    {
        "compute": (1.0, "bytes only"),
        "memory": (0.8, "aiconfigurator systems/*.yaml mem_bw_empirical_scaling_factor, any NVIDIA GPU", 0.6, 0.92),
        "sharpness": (8.0, "bytes only: the other term is zero"),
        "launch_us": (
            3.0,
            "aiconfigurator systems/*.yaml mem_empirical_constant_latency, per memory-bound kernel",
            1.5,
            5.0,
        ),
        "tile_m": (1, "no tiles"),
    }
)

PREFILL_SHARPNESS = {"sharpness": (4.0, "assumed", "compute bound: p is not identified apart from the launch")}

SM_HOLD = {
    "sm_hold_us": (
        13.0,
        "assumed",
        "SMs that low-latency kernels hold at both ends: zero-payload time of one node's rows, 12-14 us on Hopper",
    )
}
NO_HOLD = {
    "sm_hold_us": (
        0.0,
        "assumed",
        "normal kernels hold SMs for their whole length: the schedule's compute share says so",
    )
}


def launches(calibration):
    """Fixed time of one MoE layer that the kernels' launches already hold: seven GEMMs, two absorbed products, attention,
    two grouped GEMMs, four elementwise kernels, two all-reduces."""
    kernels = calibration["kernels"]
    at = lambda family: kernels[family]["launch_us"]["value"]
    return (
        7 * at("dense_gemm")
        + 2 * at("batched_gemm")
        + at("attention_decode")
        + 2 * at("grouped_gemm")
        + 4 * at("elementwise")
        + 2 * calibration["all_reduce"]["latency_us"]["value"]
    )
