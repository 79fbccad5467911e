#!/usr/bin/env python3
"""Fills the table of claims in README.md with what `tokenomics claims` says.

Between the two marker lines everything is replaced. With --check nothing is written: the exit code is 1 when the program
says otherwise, or when an outcome is not reproduced.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- claims: begin -->", "<!-- claims: end -->"


def digits(value):
    return "no answer" if value is None else f"{value:.3g}"


def shown(checks):
    return "; ".join(f"{check['what']} {digits(check['ours'])}".strip() for check in checks)


def rows(result):
    yield "| claim | published | ours | verdict | without the mechanism |"
    yield "|---|---|---|---|---|"
    for claim in result["claims"]:
        if claim["kind"] == "context":
            continue
        kind = "" if claim["kind"] == "outcome" else " (data)"
        without = ""
        if claim["mechanism_removed"]:
            ending = "fails" if claim["fails_without"] else "STILL HOLDS"
            without = f"{claim['mechanism_removed']}: {shown(claim['checks_without'])}: {ending}"
        yield (f"| {claim['id']} {claim['text']}{kind} | {claim['figure']} | {shown(claim['checks'])} | "
               f"{claim['verdict']} | {without} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    run = subprocess.run([options.binary, "claims", "--format", "json"], capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(run.stderr)
    result = json.loads(run.stdout)
    table = "\n".join(rows(result))
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    old, tail = rest.split(END)
    new = f"\n{table}\n"
    if not options.check:
        README.write_text(head + BEGIN + new + END + tail, encoding="utf-8")
    elif old != new:
        for line in sorted(set(new.splitlines()) ^ set(old.splitlines())):
            print(line)
        sys.exit("README.md: the table of claims is not what the program says; run scripts/claims_table.py BINARY")
    if result["outcomes"]["reproduced"] != result["outcomes"]["claims"]:
        sys.exit(f"{result['outcomes']} outcomes are reproduced")


if __name__ == "__main__":
    main()
