#!/usr/bin/env python3
"""Times the kernels that calibrations are made of on this machine's GPU, with PyTorch and nothing else.

  scripts/measure_gpu.py                                                       built-in shapes (DeepSeek-V3, Llama 70B)
  scripts/measure_gpu.py --model scenarios/models/qwen3-32b.json               shapes of a network of the catalogue
  scripts/measure_gpu.py --model my-network.json --tp 8 --dtypes bf16,fp8      one of 8 tensor-parallel GPUs
  scripts/measure_gpu.py --only gemm,launch --tokens 1,64,4096                 some of it
  scripts/measure_gpu.py --dry-run --out dry                                   the same files from made-up times, without a GPU

Any GPU that PyTorch sees as a CUDA device (CUDA or ROCm). Files, written row by row, one kind of operation each:

  ops_gemm.csv            gpu,framework,dtype,m,n,k,latency_us                                m tokens by a k x n matrix
  ops_grouped_gemm.csv    gpu,framework,op,dtype,groups,m,n,k,latency_us                      op grouped: routed experts, m tokens
                                                                                              each; batched: absorbed MLA products
  ops_attention.csv       gpu,framework,phase,dtype,heads,kv_heads,qk_dim,v_dim,batch,context,latency_us       grouped queries
  ops_mla_attention.csv   gpu,framework,phase,compute_dtype,kv_dtype,num_heads,batch,isl,step,latency_us       one latent head
  ops_memory.csv          gpu,framework,op,bytes,latency_us       op copy: bytes read and written; launch: a kernel of no bytes
  about.json              device, versions, how it was timed

A time is the median of repeats between two events on the device, after warm-ups, with the L2 cache overwritten before each
(which also hides the host's work behind the device's). They are PyTorch's kernels: a serving engine's own may be faster.
"""

import argparse
import csv
import json
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

COLUMNS = {
    "ops_gemm.csv": "gpu,framework,dtype,m,n,k,latency_us",
    "ops_grouped_gemm.csv": "gpu,framework,op,dtype,groups,m,n,k,latency_us",
    "ops_attention.csv": "gpu,framework,phase,dtype,heads,kv_heads,qk_dim,v_dim,batch,context,latency_us",
    "ops_mla_attention.csv": "gpu,framework,phase,compute_dtype,kv_dtype,num_heads,batch,isl,step,latency_us",
    "ops_memory.csv": "gpu,framework,op,bytes,latency_us",
}
KINDS = ("gemm", "grouped", "attention", "memory", "launch")
DTYPES = ("bf16", "fp8")
TOKENS = [2**i for i in range(15)]
FLUSH_BYTES = 512 << 20  # more than any L2 or last-level cache on a GPU package
DEVICE = "cuda"  # PyTorch's name of AMD's GPUs too
DRY_RUN = "dry-run"  # as framework: nothing that reads these files takes such rows for measurements

BUILT_IN = [
    {
        "name": "deepseek-v3",
        "hidden": 7168,
        "vocab": 129280,
        "attention": {
            "kind": "mla",
            "heads": 128,
            "q_lora_rank": 1536,
            "kv_lora_rank": 512,
            "qk_rope_head_dim": 64,
            "qk_nope_head_dim": 128,
            "v_head_dim": 128,
        },
        "ffn": {
            "kind": "moe",
            "routed_experts": 256,
            "experts_per_token": 8,
            "intermediate": 2048,
            "shared_intermediate": 2048,
            "dense_intermediate": 18432,
        },
    },
    {
        "name": "llama-3.3-70b",
        "hidden": 8192,
        "vocab": 128256,
        "attention": {"kind": "gqa", "heads": 64, "kv_heads": 8, "head_dim": 128},
        "ffn": {"kind": "dense", "intermediate": 28672},
    },
]


class Refused(Exception):
    """Ends the program with one line and exit code 2."""


@dataclass(frozen=True)
class Case:
    """One row to be: where it goes, its cells without gpu, framework and latency, and what is timed."""

    file: str
    cells: tuple
    bytes: float  # that its operands take
    make: Callable  # torch -> a function without arguments


# --- shapes, as the roofline counts a network's operators -----------------------------------------------------------


def divided(count, parts):
    return -(-count // parts)


def projections(network, tp):
    """(n, k) of the matrices that tokens are multiplied with on one of `tp` GPUs, in the order of a layer."""
    hidden, attention, ffn = network["hidden"], network["attention"], network["ffn"]
    heads = divided(attention["heads"], tp)
    if attention["kind"] == "mla":
        latent = attention["kv_lora_rank"] + attention["qk_rope_head_dim"]
        query = heads * (attention["qk_nope_head_dim"] + attention["qk_rope_head_dim"])
        rank = attention.get("q_lora_rank", 0)
        shapes = [(rank, hidden), (query, rank)] if rank else [(query, hidden)]
        expanded = heads * (attention["qk_nope_head_dim"] + attention["v_head_dim"])
        shapes += [(latent, hidden), (expanded, attention["kv_lora_rank"]), (hidden, heads * attention["v_head_dim"])]
    else:
        width = attention["head_dim"]
        shapes = [((heads + 2 * divided(attention["kv_heads"], tp)) * width, hidden), (hidden, heads * width)]
    widths = [ffn.get(key, 0) for key in ("shared_intermediate", "dense_intermediate")]
    if ffn["kind"] == "dense":
        widths = [ffn["intermediate"]]
    else:
        shapes.append((ffn["routed_experts"], hidden))
    for width in filter(None, widths):
        shapes += [(2 * divided(width, tp), hidden), (hidden, divided(width, tp))]
    shapes.append((divided(network["vocab"], tp), hidden))
    return shapes


def read_network(path):
    try:
        network = json.loads(Path(path).read_text(encoding="utf-8"))
        kinds = (network["attention"]["kind"], network["ffn"]["kind"])
        if kinds[0] not in ("mla", "gqa") or kinds[1] not in ("dense", "moe"):
            raise Refused(f"{path}: attention {kinds[0]} with ffn {kinds[1]}; expected mla or gqa with dense or moe")
        projections(network, 1)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise Refused(f"{path}: not JSON: {error}") from None
    except (KeyError, TypeError) as error:
        raise Refused(f"{path}: no network of the catalogue: {error} is missing") from None
    return network


# --- what is timed --------------------------------------------------------------------------------------------------


def gemm(torch, dtype, m, n, k):
    if dtype == "bf16":
        a = torch.randn(m, k, device=DEVICE, dtype=torch.bfloat16)
        b = torch.randn(n, k, device=DEVICE, dtype=torch.bfloat16).t()
        return lambda: torch.mm(a, b)
    # AMD's MI300 has another 8-bit format than everybody else.
    fnuz = torch.version.hip and "gfx94" in getattr(torch.cuda.get_device_properties(torch.cuda.current_device()), "gcnArchName", "")
    eight = torch.float8_e4m3fnuz if fnuz else torch.float8_e4m3fn
    a = torch.randn(m, k, device=DEVICE).to(eight)
    b = torch.randn(n, k, device=DEVICE).to(eight).t()
    one = torch.ones((), device=DEVICE)
    return lambda: torch._scaled_mm(a, b, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)


def bmm(torch, groups, m, n, k):
    a = torch.randn(groups, m, k, device=DEVICE, dtype=torch.bfloat16)
    b = torch.randn(groups, k, n, device=DEVICE, dtype=torch.bfloat16)
    return lambda: torch.bmm(a, b)


def grouped(torch, groups, m, n, k):
    """torch._grouped_mm where this PyTorch and GPU have it, else one product for each group in torch.bmm."""
    if hasattr(torch, "_grouped_mm"):
        a = torch.randn(groups * m, k, device=DEVICE, dtype=torch.bfloat16)
        b = torch.randn(groups, n, k, device=DEVICE, dtype=torch.bfloat16).transpose(-2, -1)
        ends = torch.arange(1, groups + 1, device=DEVICE, dtype=torch.int32) * m
        run = lambda: torch._grouped_mm(a, b, offs=ends, out_dtype=torch.bfloat16)
        try:
            run()
            return run
        except (RuntimeError, NotImplementedError, TypeError):
            del a, b
    return bmm(torch, groups, m, n, k)


def decode(torch, batch, context, heads, kv_heads, qk_dim, v_dim, shared):
    """One query a sequence. The queries that share a cached head stand in its query dimension: no copies of KV."""
    q = torch.randn(batch, kv_heads, heads // kv_heads, qk_dim, device=DEVICE, dtype=torch.bfloat16)
    k = torch.randn(batch, kv_heads, context, qk_dim, device=DEVICE, dtype=torch.bfloat16)
    v = k[..., :v_dim] if shared else torch.randn(batch, kv_heads, context, v_dim, device=DEVICE, dtype=torch.bfloat16)
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v)


def copy(torch, count):
    a = torch.empty(count, device=DEVICE, dtype=torch.uint8)
    b = torch.empty_like(a)
    return lambda: b.copy_(a)


def launch(torch):
    x = torch.zeros(1, device=DEVICE)
    return lambda: x.add_(1)


# --- cases ----------------------------------------------------------------------------------------------------------


def gemm_cases(networks, tp, tokens, dtypes):
    size = {"bf16": 2, "fp8": 1}
    for n, k in dict.fromkeys(shape for network in networks for shape in projections(network, tp)):
        for dtype in dtypes:
            for m in tokens:
                held = (n * k + m * k) * size[dtype] + 2 * m * n
                yield Case("ops_gemm.csv", (dtype, m, n, k), held, lambda t, d=dtype, m=m, n=n, k=k: gemm(t, d, m, n, k))


def product_case(op, make, groups, m, n, k):
    held = 2 * groups * (n * k + m * k + m * n)
    return Case("ops_grouped_gemm.csv", (op, "bf16", groups, m, n, k), held, lambda t: make(t, groups, m, n, k))


def grouped_cases(networks, tp, tokens):
    for network in networks:
        hidden, attention, ffn = network["hidden"], network["attention"], network["ffn"]
        if ffn["kind"] == "moe":
            width = divided(ffn["intermediate"], tp)
            # All experts of a small rank, with few to many tokens each.
            for groups in [g for g in (4, 16, 32) if g <= ffn["routed_experts"]]:
                for m in [t for t in tokens if t <= 1024]:
                    yield product_case("grouped", grouped, groups, m, 2 * width, hidden)
                    yield product_case("grouped", grouped, groups, m, hidden, width)
        if attention["kind"] == "mla":
            heads, rank = divided(attention["heads"], tp), attention["kv_lora_rank"]
            for m in [t for t in tokens if t <= 4096]:
                yield product_case("batched", bmm, heads, m, rank, attention["qk_nope_head_dim"])
                yield product_case("batched", bmm, heads, m, attention["v_head_dim"], rank)


def attention_cases(networks, tp):
    for network in networks:
        attention = network["attention"]
        heads = divided(attention["heads"], tp)
        for batch in (1, 4, 16, 64, 256):
            for context in (128, 512, 2048, 8192, 32768):
                if attention["kind"] == "mla":
                    rank, latent = attention["kv_lora_rank"], attention["kv_lora_rank"] + attention["qk_rope_head_dim"]
                    if (rank, latent) != (512, 576):
                        continue  # the table has no column for other widths
                    cells = ("decode", "bf16", "bf16", heads, batch, 1, context - 1)
                    yield Case("ops_mla_attention.csv", cells, 2 * batch * context * latent,
                               lambda t, b=batch, c=context, h=heads, l=latent, r=rank: decode(t, b, c, h, 1, l, r, True))  # fmt: skip
                    continue
                kv_heads, width = divided(attention["kv_heads"], tp), attention["head_dim"]
                cells = ("decode", "bf16", heads, kv_heads, width, width, batch, context)
                yield Case("ops_attention.csv", cells, 4 * batch * context * kv_heads * width,
                           lambda t, b=batch, c=context, h=heads, g=kv_heads, w=width: decode(t, b, c, h, g, w, w, False))  # fmt: skip


def memory_cases():
    for count in [2**i for i in range(12, 31, 2)]:
        yield Case("ops_memory.csv", ("copy", 2 * count), 2 * count, lambda t, c=count: copy(t, c))


def all_cases(networks, options):
    kinds = options.only
    made = {
        "gemm": lambda: gemm_cases(networks, options.tp, options.tokens, options.dtypes),
        "grouped": lambda: grouped_cases(networks, options.tp, options.tokens),
        "attention": lambda: attention_cases(networks, options.tp),
        "memory": memory_cases,
        "launch": lambda: [Case("ops_memory.csv", ("launch", 0), 8, launch)],
    }
    cases = {}  # two networks may ask for the same row
    for kind in kinds:
        for case in made[kind]():
            cases.setdefault((case.file, case.cells), case)
    return sorted(cases.values(), key=lambda c: list(COLUMNS).index(c.file))


# --- timers ---------------------------------------------------------------------------------------------------------


class DeviceTimer:
    """Median microseconds of an operation on the GPU."""

    def __init__(self, options):
        try:
            import torch
        except ImportError:
            raise Refused("PyTorch is not installed: pip install torch, or --dry-run") from None
        if not torch.cuda.is_available():
            raise Refused("PyTorch sees no GPU (torch.cuda.is_available() is false): use a GPU, or --dry-run")
        self.torch, self.options = torch, options
        torch.cuda.set_device(options.device)
        self.flush = torch.empty(FLUSH_BYTES, device=DEVICE, dtype=torch.uint8)
        name = torch.cuda.get_device_name()
        self.gpu = options.gpu or short_name(name)
        self.framework = options.framework
        self.about = {
            "device": name,
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "hip": torch.version.hip,
            "repeats": options.repeats,
            "warm_up": options.warm_up,
            "grouped": "torch._grouped_mm where it runs, else torch.bmm" if hasattr(torch, "_grouped_mm") else "torch.bmm",
        }

    def __call__(self, case):
        """None where the GPU or this PyTorch cannot do it."""
        torch = self.torch
        free, _ = torch.cuda.mem_get_info()
        if 2 * case.bytes > free:
            print(f"left out: {case.file} {case.cells}: {case.bytes:.3g} bytes do not fit", file=sys.stderr)
            return None
        try:
            run = case.make(torch)
            for _ in range(self.options.warm_up):
                run()
            times = [self.once(run) for _ in range(self.options.repeats)]
        except (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError) as error:
            print(f"left out: {case.file} {case.cells}: {str(error).splitlines()[0]}", file=sys.stderr)
            return None
        finally:
            torch.cuda.empty_cache()
        return statistics.median(times)

    def once(self, run):
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.flush.zero_()
        start.record()
        run()
        end.record()
        end.synchronize()
        return 1e3 * start.elapsed_time(end)


class DryTimer:
    """Made-up microseconds, the same at every run: 5, and 1 for each 10^6 bytes."""

    def __init__(self, options):
        self.gpu, self.framework = options.gpu or "no-gpu", DRY_RUN
        self.about = {"dry_run": True}

    def __call__(self, case):
        return 5 + case.bytes / 1e6


def short_name(device):
    """NVIDIA H200 -> h200, as the catalogue's hardware files are called or aliased; else the device's own name. Cards of
    another memory or power limit than the usual module keep their suffix: they are other hardware."""
    found = re.search(r"\b(GB\d{3}|[ABHLV]\d{2,3}S?|MI\d{3}[AX]?|RTX (?:PRO )?\d{4})\b", device)
    variant = re.search(r"\b(PCIe|NVL)\b", device)
    name = (found.group(0) if found else device) + ("-" + variant.group(0) if found and variant else "")
    return name.lower().replace(" ", "-").replace(",", "")


# --- the program ----------------------------------------------------------------------------------------------------


def new_folder(options):
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    old = [name for name in [*COLUMNS, "about.json"] if (folder / name).exists()]
    if old and not options.force:
        raise Refused(f"{folder / old[0]} exists: another --out, or --force to replace it")
    return folder


def write(folder, cases, timer):
    """One row at a time, so that what was measured is kept when it is interrupted. Returns rows and rows left out."""
    (folder / "about.json").write_text(json.dumps(timer.about, indent=1) + "\n", encoding="utf-8")
    written = left_out = 0
    for name in dict.fromkeys(case.file for case in cases):
        with open(folder / name, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS[name].split(","))
            for case in (c for c in cases if c.file == name):
                time = timer(case)
                if time is None:
                    left_out += 1
                    continue
                table.writerow([timer.gpu, timer.framework, *case.cells, f"{time:.4g}"])
                file.flush()
                written += 1
    return written, left_out


def one_of(names):
    def read(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in names:
                raise argparse.ArgumentTypeError(f"{name!r}; expected some of {','.join(names)}")
        return chosen

    return read


def counts(text):
    try:
        values = [int(t) for t in text.split(",")]
    except ValueError:
        values = [0]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected whole numbers above 0, such as 1,64,4096")
    return values


def count(text):
    return counts(text)[0]


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", metavar="FILE", help="network of the catalogue; repeatable")
    parser.add_argument("--out", default="measured-gpu", metavar="FOLDER", help="default: measured-gpu")
    parser.add_argument("--force", action="store_true", help="replace files of an earlier run")
    parser.add_argument("--gpu", help="column gpu: name or alias of a hardware file (default: from the device's name)")
    parser.add_argument("--framework", default="pytorch", help="column framework (default: pytorch)")
    parser.add_argument("--device", type=int, default=0, help="which GPU (default: 0)")
    parser.add_argument("--tp", type=count, default=1, help="shapes of one of so many tensor-parallel GPUs (default: 1)")
    parser.add_argument("--tokens", type=counts, default=TOKENS, help="token counts m (default: powers of 2 up to 16384)")
    parser.add_argument("--dtypes", type=one_of(DTYPES), default=list(DTYPES), help="default: bf16,fp8")
    parser.add_argument("--only", type=one_of(KINDS), default=list(KINDS), help="default: " + ",".join(KINDS))
    parser.add_argument("--repeats", type=count, default=20, help="timed runs of each (default: 20)")
    parser.add_argument("--warm-up", type=count, default=5, help="runs before them (default: 5)")
    parser.add_argument("--dry-run", action="store_true",
                        help="print what would be timed and write files with framework " + DRY_RUN)  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    try:
        if options.framework == DRY_RUN:
            raise Refused(f"--framework {DRY_RUN} marks made-up times: another name")
        networks = [read_network(path) for path in options.model] if options.model else BUILT_IN
        cases = all_cases(networks, options)
        timer = (DryTimer if options.dry_run else DeviceTimer)(options)
        folder = new_folder(options)
        if options.dry_run:
            for case in cases:
                print(case.file, *case.cells)
        written, left_out = write(folder, cases, timer)
    except Refused as error:
        print(f"measure_gpu: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"measure_gpu: {error.filename}: {error.strerror}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        print("measure_gpu: interrupted; what was measured is kept", file=sys.stderr)
        return 130
    print(f"{written} rows of gpu {timer.gpu!r} in {options.out}, {left_out} left out", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
