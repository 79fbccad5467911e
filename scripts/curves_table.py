#!/usr/bin/env python3
"""Fills the tables of scenarios/sweeps/README.md with what `tokenomics sweep` says of the shipped cost curves.

Between the marker lines everything is replaced. With --check nothing is written: lines that the program tells otherwise
are printed and the exit code is 1. With --results DIR the sweeps are not run: their results lie in DIR/NAME, as
`sweep NAME --out DIR/NAME` leaves them.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "scenarios" / "sweeps" / "README.md"

# SemiAnalysis, "AMD vs NVIDIA Inference Benchmark: Who Wins?", 2025-05-23. Prices in USD per GPU-hour at which a chip is
# as cheap as H200 at 2.5; None: no bound on that side.
LENGTHS = {("1024", "1024"): "1K/1K", ("1024", "4096"): "1K/4K", ("4096", "1024"): "4K/1K"}
BREAK_EVEN = {
    ("1K/1K", "mi300x"): (1.9, 1.9), ("1K/4K", "mi300x"): (2.1, 2.4), ("4K/1K", "mi300x"): (2.1, 2.4),
    ("1K/1K", "mi325x"): (None, 2.5), ("1K/4K", "mi325x"): (2.75, 3.0), ("4K/1K", "mi325x"): (2.75, 3.0),
}
# From which latency on, and up to which, the chip is at least as cheap as H200 at 2.5; empty: nowhere.
CHEAPER = {
    ("1K/1K", "mi300x"): (), ("1K/1K", "mi325x"): (25, 35), ("1K/4K", "mi325x"): (100, None), ("4K/1K", "mi325x"): (25, None),
}
CHIP_CURVES = ["price-against-ttft", "price-against-interactivity", "price-against-context", "price-against-utilization"]


def digits(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def span(bounds):
    low, high = bounds
    if low is None:
        return f"under {high:g}"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


class Results:
    """Points and summary of each sweep, in one folder a sweep."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)

    def _folder(self, name):
        folder = self.folder / name
        if not folder.exists():
            subprocess.run([self.binary, "sweep", name, "--out", str(folder), "--quiet"], check=True, stdout=subprocess.DEVNULL)
        return folder

    def rows(self, name, file):
        with open(self._folder(name) / file, encoding="utf-8", newline="") as text:
            return list(csv.DictReader(text))

    def curves(self, name):
        return json.loads((self._folder(name) / "summary.json").read_text(encoding="utf-8"))["curves"]


def crossings_with(answer, chip, reference="h200-sxm"):
    """(x, chip is cheaper after it), rising in x."""
    return [(c["x"], c["cheaper_after"] == chip) for c in answer["crossings"] if {c["a"], c["b"]} == {chip, reference}]


def break_even_of(answer, chip):
    return next((row["break_even_usd_per_gpu_hour"] for row in answer["break_even"] if row["curve"] == chip), None)


def ratios_of(answer, chip):
    """(x, the chip's cost over the reference's): its own price over the one at which they are level."""
    row = next(row for row in answer["break_even"] if row["curve"] == chip)
    return [(p["x"], row["usd_per_gpu_hour"] / p["usd_per_gpu_hour"]) for p in row["break_even_usd_per_gpu_hour"]["by_x"]]


def order_text(answer, chip):
    """Where the chip is cheaper than H200, in words."""
    crossings, ratios = crossings_with(answer, chip), ratios_of(answer, chip)
    if crossings:
        return "; ".join(f"{'cheaper' if is_below else 'dearer'} above {digits(x)} s" for x, is_below in crossings)
    if all(ratio < 1 for _, ratio in ratios):
        return f"cheaper over all of {digits(ratios[0][0])} to {digits(ratios[-1][0])} s"
    x, ratio = min(ratios, key=lambda pair: pair[1])
    return f"dearer over all of {digits(ratios[0][0])} to {digits(ratios[-1][0])} s; least at {digits(x)} s, {digits(ratio)} times"


def order_holds(answer, chip, wanted):
    """Whether the chip is at least as cheap as H200 where the publication says so, and only there."""
    def is_wanted(x):
        return bool(wanted) and x >= wanted[0] and (wanted[1] is None or x <= wanted[1])
    return all((ratio <= 1) == is_wanted(x) for x, ratio in ratios_of(answer, chip))


def deviation(value, bounds):
    """Of the median from the nearest published value; none inside the published range."""
    low, high = bounds
    nearest = low if low is not None and value < low else high if value > high else None
    return "inside" if nearest is None else f"{100 * (value / nearest - 1):+.0f}%"


def batching_table(results):
    name = "batching-amd-nvidia"
    answers = {(LENGTHS[a["per"]["isl"], a["per"]["osl"]], a["per"]["overheads"]): a for a in results.curves(name)}
    reasons = {row["reason"].split(":")[0] for row in results.rows(name, "points.csv") if row["status"] == "infeasible"}
    h100 = "; ".join(sorted(reasons))
    yield "| lengths | published | ours, as calibrated | verdict, deviation | ours, overheads at their other end |"
    yield "|---|---|---|---|---|"
    yield f"| all | H100 is left out: 640 GB cannot hold the network | {h100} | {'holds' if h100 else 'FAILS'} | |"
    for (lengths, chip), wanted in CHEAPER.items():
        published = "never as cheap as H200" if not wanted else (
            f"as cheap as H200 above {wanted[0]} s" + (f", up to {wanted[1]} s" if wanted[1] else ""))
        ours, other = answers[lengths, "calibrated"], answers[lengths, "other end"]
        yield (f"| {lengths} | {chip} {published} | {order_text(ours, chip)} | "
               f"{'holds' if order_holds(ours, chip, wanted) else 'FAILS'} | {order_text(other, chip)} |")
    for (lengths, chip), bounds in BREAK_EVEN.items():
        ours, other = (break_even_of(answers[lengths, kind], chip) for kind in ("calibrated", "other end"))
        yield (f"| {lengths} | {chip} as cheap at {span(bounds)} USD per GPU-hour | {digits(ours['median'])} "
               f"({digits(ours['low'])} to {digits(ours['high'])}) | {deviation(ours['median'], bounds)} | "
               f"{digits(other['median'])} ({digits(other['low'])} to {digits(other['high'])}) |")


def chips_table(results):
    yield "| curve | over | chip | crosses H200 | as cheap as H200 at, USD per GPU-hour | rents at |"
    yield "|---|---|---|---|---|---|"
    for name in CHIP_CURVES:
        for answer in results.curves(name):
            over = answer["x"] + "".join(f", {key} {value}" for key, value in answer["per"].items())
            for row in answer["break_even"]:
                crossings = "; ".join(f"{'cheaper' if below else 'dearer'} above {digits(x)}"
                                      for x, below in crossings_with(answer, row["curve"])) or "nowhere"
                even = row["break_even_usd_per_gpu_hour"]
                yield (f"| {name} | {over} | {row['curve']} | {crossings} | {digits(even['median'])} "
                       f"({digits(even['low'])} to {digits(even['high'])}) | {digits(row['usd_per_gpu_hour'])} |")


def uncertainty_table(results):
    yield "| chip | figure | p10 | p50 | p90 | most of the variance by |"
    yield "|---|---|---|---|---|---|"
    for row in results.rows("uncertainty-r1-price", "intervals.csv"):
        for figure in (column[:-len(".driver")] for column in row if column.endswith(".driver")):
            parts = " | ".join(digits(float(row[f"{figure}.{part}"])) for part in ("p10", "p50", "p90"))
            share = 100 * float(row[f"{figure}.driver_first_order"])
            yield f"| {row['chip']} | {figure} | {parts} | {row[f'{figure}.driver'].replace('drawn.', '', 1)}, {share:.0f}% |"


def tables(results):
    parts = {"batching": batching_table, "chips": chips_table, "uncertainty": uncertainty_table}
    return {name: "\n".join(table(results)) for name, table in parts.items()}


def replaced(text, name, table):
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, rest = text.split(begin)
    return head + begin + "\n" + table + "\n" + end + rest.split(end)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the built program")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", metavar="DIR", help="folder with the results of sweeps that have been run")
    options = parser.parse_args()
    old = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        new = old
        for name, table in tables(Results(options.binary, options.results or folder)).items():
            new = replaced(new, name, table)
    if not options.check:
        README.write_text(new, encoding="utf-8")
        return 0
    for line in (line for line in new.splitlines() if line not in old.splitlines()):
        print(line)
    if new != old:
        sys.exit(f"{README.relative_to(ROOT)}: not what the program says; run scripts/curves_table.py BINARY")
    return 0


if __name__ == "__main__":
    sys.exit(main())
