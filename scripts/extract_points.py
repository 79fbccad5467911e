#!/usr/bin/env python3
"""Makes the compact extract of measured serving points under tests/published/points/ from full exports.

  scripts/extract_points.py --inferencex inferencex_dsr1.csv --silicon aic_silicon_e2e.csv --flags engine_flags.csv

Whole curves only: all concurrencies of one GPU, engine, network, format, layout, shape and day stay or go together. Of the
curves one in `--one-in` is kept, chosen by a hash of what they are, so that the choice does not look at what was measured.
Columns that the program does not read are left out; each row keeps its source.
"""

import argparse
import csv
import hashlib
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "tests" / "published" / "points"
CURVE = ["model", "gpu", "framework", "precision", "spec_decode", "isl", "osl", "tp", "ep", "dp", "disagg", "num_gpus", "date"]
DROPPED = {
    "multinode", "total_tok_s_per_gpu", "output_tok_s_per_decode_gpu", "p99_ttft_s", "p99_tpot_ms", "interactivity_tok_s_user",
    "usd_per_gpu_hour", "usd_per_mtok_output", "usd_per_mtok_total", "littles_law_ratio", "quality_flag", "snapshot",
    "aic_anchor", "median_e2e_s",
}
FLAGS = [
    "flags_id", "kv_cache_dtype", "chunk_tokens", "sgl_max_prefill_tokens", "max_num_tokens", "max_running", "mem_fraction",
    "kv_token_cap", "recv_interval", "cuda_graph_max_bs", "adp_balance", "adp_wait_iters", "adp_timeout_iters",
    "batch_wait_iters", "batch_wait_tokens_ratio", "mtp_steps", "eplb_redundant", "overlap",
]
PREFILL = [
    "prefill_" + name
    for name in ("kv_cache_dtype", "chunk_tokens", "sgl_max_prefill_tokens", "max_num_tokens", "max_running", "mem_fraction",
                 "kv_token_cap", "recv_interval")
]


def is_kept(row, one_in):
    text = "|".join(row[name] for name in CURVE)
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % one_in == 0


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path, rows, columns):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inferencex", required=True)
    parser.add_argument("--silicon", required=True)
    parser.add_argument("--flags", required=True)
    parser.add_argument("--one-in", type=int, default=4)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    named = set()
    for path, name in ((options.inferencex, "inferencex.csv"), (options.silicon, "silicon.csv")):
        rows = [row for row in read(path) if is_kept(row, options.one_in)]
        named |= {row["flags_id"] for row in rows}
        write(OUT / name, rows, [column for column in rows[0] if column not in DROPPED])
        print(f"{name}: {len(rows)} rows")
    flags = [row for row in read(options.flags) if row["flags_id"] in named]
    write(OUT / "engine_flags.csv", flags, FLAGS + PREFILL + ["source"])
    print(f"engine_flags.csv: {len(flags)} rows")


if __name__ == "__main__":
    main()
