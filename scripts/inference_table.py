#!/usr/bin/env python3
"""Fills the table of inferred hosts in scenarios/providers/README.md with what `tokenomics infer` says.

A row is found again by its host, network and observed speed; to add one, write these three. With --check nothing is
written: rows that the program tells otherwise are printed and the exit code is 1.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "scenarios" / "providers" / "README.md"
HEADING = "## What their service implies"


def two_digits(number):
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.2g}"


def offers_of(binary, host, network):
    command = [binary, "infer", host, "--model", network, "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["offers"]


def row_of(binary, host, network, speed):
    """Cells of the row, from the one offer that was seen at this speed."""
    seen = [offer for offer in offers_of(binary, host, network)
            if offer["observed"]["tok_s_p50"] and f"{offer['observed']['tok_s_p50']:.3g}" == speed]
    if len(seen) != 1:
        raise SystemExit(f"{README}: {host} has {len(seen)} offers of {network} at {speed} tok/s")
    offer, found = seen[0], seen[0]["cheapest"]
    ttft = offer["observed"]["ttft_s_p50"]
    cells = [host, network, speed, f"{ttft:.3g}" if ttft else "-"]
    if found:
        cells += [found["deployment"]["name"], two_digits(found["batch_per_gpu"]), f"{two_digits(100 * found['utilization'])}%",
                  f"{two_digits(100 * found['margin_over_revenue'])}%"]
    else:
        cells += ["-"] * 4
    return cells + [f"`{offer['verdict']}`"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the built program")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    lines = README.read_text(encoding="utf-8").splitlines()
    if HEADING not in lines:
        raise SystemExit(f"{README}: no heading {HEADING!r}")
    places = [i for i in range(lines.index(HEADING), len(lines)) if lines[i].startswith("|")][2:]
    differs = False
    for i in places:
        given = [cell.strip() for cell in lines[i].strip("|").split("|")]
        row = "| " + " | ".join(row_of(options.binary, *given[:3])) + " |"
        if row != lines[i]:
            differs = True
            print(f"{README.relative_to(ROOT)}:{i + 1}:\n  {lines[i]}\n  {row}")
        lines[i] = row
    if not options.check:
        README.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if options.check and differs else 0


if __name__ == "__main__":
    sys.exit(main())
