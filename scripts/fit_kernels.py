#!/usr/bin/env python3
"""Fits kernel efficiencies on the published kernel rows and writes scenarios/calibrations/*.json.

  scripts/fit_kernels.py            refit, print the fit table, write the files
  scripts/fit_kernels.py --check    refit and compare with the committed files; exit 1 on a difference
  scripts/fit_kernels.py --table    print the fit table only (Markdown)

Standard library only. No end-to-end measurement enters: those numbers are of kind "assumed" and say so.
"""
import argparse
import json
import pathlib
import sys

from kernel_fit import work
from kernel_fit.fitting import build, link_constants
from kernel_fit.plans import all_plans

OUT = pathlib.Path(__file__).resolve().parents[1] / "scenarios" / "calibrations"
TOLERANCE = 0.005  # of --check, relative: another machine's libm


COLUMNS = ("calibration", "family", "compute or scale-up", "memory or scale-out", "p", "launch or latency, us", "tile")


def number(leaves, *names):
    """The first of `names` that the leaves have, with its standard error."""
    item = next((leaves[n] for n in names if n in leaves), None)
    if item is None:
        return ""
    return f"{item['value']:g}" + (f" ± {item['standard_error']:.2g}" if "standard_error" in item else "")


def print_table(rows):
    print("| " + " | ".join(COLUMNS) + " | rows | median | p90 |")
    print("|---" * (len(COLUMNS) + 3) + "|")
    pairs = (("compute", "scale_up"), ("memory", "scale_out"), ("sharpness",), ("launch_us", "latency_us"), ("tile_m",))
    for name, family, leaves, fit in rows:
        cells = " | ".join(number(leaves, *pair) for pair in pairs)
        print(f"| {name} | {family} | {cells} | {fit['rows']} | {fit['median']:.1%} | {fit['p90']:.1%} |")


def profile(file):
    """DeepSeek's decode profile, which no fit has seen: microseconds per half-batch layer, predicted and published."""
    values = {name: item["value"] for name, item in file["kernels"]["attention_decode"].items()}
    core = work.Row(
        "h800",
        "",
        "attention_decode",
        "",
        "bf16",
        "",
        255.0,
        work.mla_decode({"batch": "64", "queries": "2", "kv_len": "4096", "heads": "128", "dtype": "bf16"}),
        {},
    )
    link = {name: item["value"] for name, item in file["all_to_all_low_latency"].items()}
    lines = [("attention core, 64 x 2 queries at 4096", work.row_time_us(core, values), 255.0)]
    for op, dtype, published in (("dispatch", "fp8", 187.0), ("combine", "bf16", 394.0)):
        row = work.Row(
            "h800",
            "",
            "all_to_all_low_latency",
            op,
            dtype,
            "",
            published,
            [],
            {"m": "128", "k": "7168", "topk": "8", "ranks": "128"},
        )
        lines.append((f"{op}, 128 tokens at EP128", work.link_time_us(row, link), published))
    for name, time, published in lines:
        print(f"| {file['name']} | {name} | {time:.0f} | {published:.0f} | {time / published - 1:+.1%} |")


def differences(path, new, old):
    """Leaves whose numbers moved by more than the tolerance, or whose text changed."""
    if isinstance(new, dict) and isinstance(old, dict):
        return [
            d for key in sorted(set(new) | set(old)) for d in differences(path + "." + key, new.get(key), old.get(key))
        ]
    if isinstance(new, float) and isinstance(old, (int, float)) and not isinstance(old, bool):
        return (
            []
            if abs(new - old) <= TOLERANCE * max(abs(new), abs(old), 1e-3) or path.endswith("standard_error")
            else [f"{path}: {old} -> {new}"]
        )
    if path.endswith(".fitted_on"):
        return [] if [t.split(";")[0] for t in new] == [t.split(";")[0] for t in old or []] else [f"{path} differs"]
    return [] if new == old else [f"{path}: {old!r} -> {new!r}"]


def check(files):
    wrong = []
    for file in files:
        path = OUT / (file["name"] + ".json")
        wrong += (
            differences(file["name"], file, json.loads(path.read_text()))
            if path.exists()
            else [f"{path.name} is missing"]
        )
    print("\n".join(wrong) if wrong else f"{len(files)} calibrations agree with their kernel rows")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    constants = link_constants()
    built = [build(plan, constants) for plan in all_plans()]
    files = [file for file, _ in built]
    if arguments.check:
        return check(files)
    print_table([row for _, table in built for row in table])
    print("\n| calibration | operator of the decode profile (not fitted) | predicted us | published us | error |")
    print("|---|---|---|---|---|")
    profile(files[0])
    if not arguments.table:
        OUT.mkdir(parents=True, exist_ok=True)
        for file in files:
            (OUT / (file["name"] + ".json")).write_text(json.dumps(file, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
