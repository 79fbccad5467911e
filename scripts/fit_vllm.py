#!/usr/bin/env python3
"""Fits GPU speed on one recorded vLLM run, PCIe's speed on another, and shows what both say of all four.

  scripts/fit_vllm.py BINARY            refit, write scenarios/calibrations/rtx-*-vllm.json and the table in README.md there
  scripts/fit_vllm.py BINARY --check    refit: exit 1 when that fits better than the committed numbers, when the files do not
                                        follow from them, or when the table says something else
  scripts/fit_vllm.py BINARY --errors   only print the table of errors

The runs are scenarios/traces/vllm_*.csv.gz, replayed by the services of the same names. Least squares on the log errors
of every request's TTFT and E2E (Nelder-Mead, standard library only). A parameter that no run can tell is assumed.
"""
import argparse
import csv
import gzip
import json
import math
import pathlib
import subprocess
import sys
import tempfile

from vllm_calibration import GEMMS, calibration

ROOT = pathlib.Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "scenarios"
README = CATALOGUE / "calibrations" / "README.md"
RUNS = ("vllm-llama-8b-rtx-pro-6000", "vllm-qwen3-32b-rtx-pro-6000", "vllm-qwen3-30b-a3b-rtx-pro-6000", "vllm-llama-8b-rtx-4090")
GPU_RUN, LINK_RUN = RUNS[0], RUNS[1]
BASE, FITTED = "deployment.calibration", "rtx-pro-6000-vllm"  # the fitted numbers are set over this file's
GPU_START = {"compute": 0.6, "sharpness": 1.5, "memory": 0.85, "host_gap_ms": 2.0}
LINK_START = {"scale_up": 0.3, "latency_us": 30.0}
# Memory: at most the best that any kernel table of scenarios/calibrations reaches.
BOUNDS = {"compute": (0.05, 1), "sharpness": (1, 8), "memory": (0.3, 0.92), "host_gap_ms": (0.01, 20),
          "scale_up": (0.01, 1), "latency_us": (0.1, 1000)}
LINKS = ("all_reduce", "all_to_all_normal", "all_to_all_low_latency")
A_PRIORI_LINK = {"scale_up": 0.6257, "latency_us": 6.801}  # Hopper's all-reduces over NVLink: nothing known of PCIe
LINK_FROM_EXPERTS = {"scale_up": 0.241, "latency_us": 36.7}  # the same fit on RUNS[2], for the test on RUNS[1] alone
BETTER = 0.05  # of --check: the loss is rough (one step more or less moves many first tokens), searches end apart
BEGIN, END = "<!-- table: scripts/fit_vllm.py -->", "<!-- end of table -->"
FILES = {
    "rtx-pro-6000-vllm": ("rtx-pro-6000", "vLLM 0.19 on RTX PRO 6000 (Blackwell): speed fitted on one recorded run."),
    "rtx-4090-vllm": ("rtx-4090", "vLLM 0.19 on RTX 4090: the efficiencies that a recorded run on RTX PRO 6000 gave, carried "
                                  "over by data-sheet peaks; about 20% slower than measured (README.md)."),
}


def measured(run):
    """Arrival order: (TTFT, E2E) in seconds since the request was sent."""
    path = CATALOGUE / "traces" / (run.replace("-", "_") + ".csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    before = [float(r["queued_s"]) - float(r["arrival_s"]) for r in rows]
    return [(b + float(r["ttft_from_queue_s"]), b + float(r["e2e_from_queue_s"])) for b, r in zip(before, rows)]


class Program:
    def __init__(self, binary):
        self.binary, self.folder = binary, tempfile.TemporaryDirectory()

    def predicted(self, run, sets=()):
        out = pathlib.Path(self.folder.name) / "requests.csv"
        words = [self.binary, "run", run, "--catalogue", str(CATALOGUE), "--quiet", "--format", "json", "--requests", str(out)]
        for one in ([f"{BASE}={FITTED}"] if sets else []) + list(sets):
            words += ["--set", one]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        with open(out, encoding="utf-8", newline="") as text:
            rows = sorted(csv.DictReader(text), key=lambda r: int(r["id"]))
        return [(float(r["ttft_s"]), float(r["end_s"]) - float(r["arrival_s"])) for r in rows]


def gpu_sets(p):
    sets = [f"{BASE}.decode_host_gap_ms.value={p['host_gap_ms']:.6g}"]
    for family in GEMMS:
        sets.append(f"{BASE}.kernels.{family}.compute.value={p['compute']:.6g}")
        sets.append(f"{BASE}.kernels.{family}.sharpness.value={p['sharpness']:.6g}")
    for family in GEMMS + ("attention_decode",):
        sets.append(f"{BASE}.kernels.{family}.memory.value={p['memory']:.6g}")
    return sets


def link_sets(p):
    return [f"{BASE}.{link}.{key}.value={p[key]:.6g}" for link in LINKS for key in ("scale_up", "latency_us")]


def loss(program, run, truth, sets):
    """Mean square of log(predicted / measured) over both times of all requests."""
    logs = [math.log(p / m) for pair in zip(program.predicted(run, sets), truth) for p, m in zip(*pair)]
    return sum(e * e for e in logs) / len(logs)


# Nelder and Mead 1965, with their usual coefficients, over logarithms of positive parameters.
def nelder_mead(f, start, step=0.25, tolerance=2e-4, most=160):
    n = len(start)
    points = [list(start)] + [[x + step * (i == j) for j, x in enumerate(start)] for i in range(n)]
    simplex = sorted([(f(p), p) for p in points])
    calls = n + 1
    while calls < most and simplex[-1][0] - simplex[0][0] > tolerance * simplex[0][0]:
        centre = [sum(p[i] for _, p in simplex[:-1]) / n for i in range(n)]
        worst = simplex[-1][1]

        def at(t):
            p = [c + t * (w - c) for c, w in zip(centre, worst)]
            return f(p), p

        new = at(-1.0)
        calls += 1
        if new[0] < simplex[0][0]:
            further = at(-2.0)
            calls += 1
            new = min(new, further)
        elif new[0] >= simplex[-2][0]:
            new = at(0.5 if new[0] >= simplex[-1][0] else -0.5)
            calls += 1
        if new[0] < simplex[-1][0]:
            simplex[-1] = new
        else:  # shrink towards the best
            best = simplex[0][1]
            simplex = [simplex[0]] + [(f(q), q) for q in ([(a + b) / 2 for a, b in zip(best, p)] for _, p in simplex[1:])]
            calls += n
        simplex.sort()
    return simplex[0]


def committed(name=FITTED):
    """The fitted numbers of a committed file: GPU and link."""
    file = json.loads((CATALOGUE / "calibrations" / (name + ".json")).read_text())
    dense = file["kernels"]["dense_gemm"]
    gpu = {key: dense[key]["value"] for key in ("compute", "sharpness", "memory")}
    gpu["host_gap_ms"] = file["decode_host_gap_ms"]["value"]
    return gpu, {key: file["all_reduce"][key]["value"] for key in LINK_START}


def files(gpu, pcie):
    return {name: calibration(name, of, gpu, pcie, text) for name, (of, text) in FILES.items()}


def in_bounds(names, logs):
    return {k: min(BOUNDS[k][1], max(BOUNDS[k][0], math.exp(x))) for k, x in zip(names, logs)}


def fit(program, run, start, sets_of, fixed=()):
    """The best numbers, three digits each, of searches that begin anew where the last one ended."""
    truth, names = measured(run), list(start)

    def f(logs):
        return loss(program, run, truth, list(fixed) + sets_of(in_bounds(names, logs)))

    best = (math.inf, [math.log(start[k]) for k in names])
    for step in (0.25, 0.1, 0.04):
        best = min(best, nelder_mead(f, best[1], step))
    return {k: float(f"{v:.3g}") for k, v in in_bounds(names, best[1]).items()}


def quantile(values, p):
    values = sorted(values)
    place = p * (len(values) - 1)
    low = int(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def errors(pairs):
    """Of (predicted, measured) pairs of one time: median and p90 of the absolute relative error, and the median error."""
    relative = [p / m - 1 for p, m in pairs]
    absolute = [abs(e) for e in relative]
    return quantile(absolute, 0.5), quantile(absolute, 0.9), quantile(relative, 0.5)


def table(program):
    rows = [(RUNS[0], "GPU speed", ()), (RUNS[1], "link", ()), (RUNS[2], "nothing", ()), (RUNS[3], "nothing", ()),
            (RUNS[1], "nothing: link from the run with experts", link_sets(LINK_FROM_EXPERTS)),
            (RUNS[1], "nothing: link as Hopper's NVLink", link_sets(A_PRIORI_LINK))]
    lines = ["| run | fitted on it | E2E median | p90 | bias | TTFT median | p90 | bias |", "|---|---|---|---|---|---|---|---|"]
    pooled = {"all 1,200 requests": ("as above", RUNS), "the 900 without GPU speed": ("link, nothing", RUNS[1:]),
              "the 600 without any fit": ("nothing", RUNS[2:])}
    pairs = {}

    def line(name, fitted, times):
        cells = [f"{m:.1%} | {p:.1%} | {b:+.1%}" for m, p, b in (errors([t[i] for t in times]) for i in (1, 0))]
        lines.append(f"| {name} | {fitted} | {cells[0]} | {cells[1]} |")

    for run, fitted, sets in rows:
        times = [tuple(zip(p, m)) for p, m in zip(program.predicted(run, sets), measured(run))]
        pairs.setdefault(run, times)
        line(f"`{run}`", fitted, times)
    for name, (fitted, runs) in pooled.items():
        line(name, fitted, [t for run in runs for t in pairs[run]])
    return "\n".join(lines)


def with_table(text, lines):
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:begin] + "\n" + lines + "\n" + text[end:]


def refit(program):
    gpu = fit(program, GPU_RUN, GPU_START, gpu_sets)
    pcie, experts = (fit(program, run, LINK_START, link_sets, gpu_sets(gpu)) for run in (LINK_RUN, RUNS[2]))
    print(f"GPU speed {gpu}, link {pcie}; LINK_FROM_EXPERTS should be {experts}")
    return gpu, pcie


def check(program):
    gpu, pcie = committed()
    wrong = [f"{name}.json does not follow from the fitted numbers" for name, file in files(gpu, pcie).items()
             if file != json.loads((CATALOGUE / "calibrations" / (name + ".json")).read_text())]
    for what, run, start, sets_of, ours, fixed in (("GPU speed", GPU_RUN, GPU_START, gpu_sets, gpu, []),
                                                   ("link", LINK_RUN, LINK_START, link_sets, pcie, gpu_sets(gpu)),
                                                   ("link from experts", RUNS[2], LINK_START, link_sets, LINK_FROM_EXPERTS,
                                                    gpu_sets(gpu))):
        new, truth = fit(program, run, start, sets_of, fixed), measured(run)
        before, after = (loss(program, run, truth, fixed + sets_of(p)) for p in (ours, new))
        print(f"{what}: loss {before:.6f} with the committed {ours}, {after:.6f} with {new}")
        if after < (1 - BETTER) * before:
            wrong.append(f"{what}: {new} fits better than the committed {ours}")
    if with_table(README.read_text(), table(program)) != README.read_text():
        wrong.append("README.md: the table of errors differs")
    print("\n".join(wrong) if wrong else "the calibrations follow from their runs")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    program = Program(arguments.binary)
    if arguments.check:
        return check(program)
    if not arguments.errors:
        gpu, pcie = refit(program)
        for name, file in files(gpu, pcie).items():
            (CATALOGUE / "calibrations" / (name + ".json")).write_text(json.dumps(file, indent=1, ensure_ascii=False) + "\n")
        README.write_text(with_table(README.read_text(), table(program)))
    print(table(program))
    return 0


if __name__ == "__main__":
    sys.exit(main())
