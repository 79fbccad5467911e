#!/usr/bin/env python3
"""Fills the tables of scenarios/services/README.md with what `tokenomics run` says: DeepSeek's production service with one
mechanism taken away at a time, agents whose cached prefixes live shorter or longer, and what a higher context limit costs,
with the servers there are and with as many as hold the speed.

Between the marker lines everything is replaced. With --check nothing is written: lines that the program tells otherwise are
printed and the exit code is 1.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "scenarios" / "services" / "README.md"
SERVICE = "deepseek-production-2025-02"
AGENTS = "agentic-code-r1"

# The fleet rule holds the service (21 tok/s/user, p90 TTFT 4 s) with as many nodes as it takes.
FIXED = {"/fleet/max_nodes": 100000, "/measure/windows_per_day": 8}
PREFILL, DECODE = "/deployment/pools/0", "/deployment/pools/1"
MTP_OFF = {f"{DECODE}/mtp/draft_tokens": 0}
# Skewed popularity of experts: the law that measured tables of grouped GEMMs use (see models/roofline/README.md). 256 experts
# lie on 128 GPUs where there are no redundant ones: they do not divide by 144.
# A provider tunes the size of its prefill batches to what it has: the cheapest of these, tokens a GPU and pass.
PREFILL_TOKENS_A_GPU = (16384, 8192, 4096)
# In mixed pools they and the tokens that decode share a step.
CHUNK_TOKENS_A_GPU = (512, 256, 192, 128)
SKEW = {"law": "power_law", "alpha": 1.01, "ratio": 205}
SKEWED = {f"{pool}/routing/popularity": SKEW for pool in (PREFILL, DECODE)}
NO_COPIES = {
    f"{PREFILL}/routing/redundant_experts": 0, f"{DECODE}/routing/redundant_experts": 0,
    f"{DECODE}/parallelism": {"attention_tp": 1, "attention_dp": 128, "ep": 128},
}


def mixed(attention_tp, attention_dp):
    """One pool of 32 GPUs an instance in place of the two: the decode pool's, with the prefill pool's overlap and kernels."""
    scenario = json.loads((README.parent / f"{SERVICE}.json").read_text(encoding="utf-8"))
    prefill, decode = scenario["deployment"]["pools"]
    gpus = attention_tp * attention_dp
    pool = {**decode, "name": "mixed", "role": "mixed", "instances": 1, "all_to_all": "normal",
            "parallelism": {"attention_tp": attention_tp, "attention_dp": attention_dp, "ep": gpus},
            "overlap": {"prefill": prefill["overlap"]["prefill"], "decode": decode["overlap"]["decode"]},
            "batching": {"policy": "chunked_mixed", "max_sequences": 256 * gpus, "prompt_budget": "even_work"}}
    return {"/deployment": {"pools": [pool], "router": "round_robin"}}


ROWS = [
    ("as published", {}),
    ("multi-token prediction", MTP_OFF),
    ("overlap of two micro-batches, decode", {f"{DECODE}/overlap/decode": "none"}),
    ("overlap of two micro-batches, prefill", {f"{PREFILL}/overlap/prefill": "none"}),
    ("prefix cache on disk", {"/workload/cache_hit_ratio": 0}),
    ("wide expert parallelism in decode (EP32 instead of EP144)",
     {f"{DECODE}/parallelism": {"attention_tp": 1, "attention_dp": 32, "ep": 32},
      f"{DECODE}/batching/max_sequences": 8192, f"{DECODE}/batching/max_tokens_per_step": 131072}),
    ("FP8 weights and activations (BF16 GEMMs)",
     {f"{pool}/precision/{part}": "bf16" for pool in (PREFILL, DECODE) for part in ("activations", "dispatch")}),
    ("even work over prefill ranks (tokens counted only)", {f"{PREFILL}/batching/prompt_budget": "tokens"}),
    ("nothing, but experts are skewed", SKEWED),
    ("redundant experts, experts skewed", {**SKEWED, **NO_COPIES}),
    ("nothing, but KV in FP8", {f"{pool}/precision/kv": "fp8" for pool in (PREFILL, DECODE)}),
    ("nothing, but context even over decode ranks", {f"{DECODE}/balance/context_max_over_mean": 1.0}),
    # A mixed step waits for the rank with the longest chunk: attention over 4 GPUs evens that out, wider makes KV copies.
    ("disaggregation (EP32, attention over 4 GPUs, prompts in chunks)", mixed(4, 8), CHUNK_TOKENS_A_GPU),
    ("disaggregation (EP32, attention on single GPUs)", mixed(1, 32)),
]


def run(binary, service, changes):
    words = [binary, "run", service, "--format", "json", "--quiet"]
    for pointer, value in changes.items():
        words += ["--set", f"{pointer}={json.dumps(value)}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[0]


def figures(result):
    """What a row shows of a result."""
    if isinstance(result, str):
        return None
    decode = next(pool for pool in result["pools"] if pool["role"] != "prefill")
    return {
        "cost": result["cost"]["usd_per_mtok"]["own_mix"],
        "price": result["price"]["usd_per_mtok"]["own_mix"],
        "nodes": result["fleet"]["gpus_mean"] / 8,
        "ttft": result["latency"]["ttft_s"]["p90"],
        "speed": result["interactivity_tok_s_user"]["mean"],
        "batch": decode["batch_mean"] * decode["instances"] / decode["gpus"],
    }


def tuned(binary, changes, tokens_a_gpu=PREFILL_TOKENS_A_GPU):
    """The cheapest prompt batch's result and its tokens a GPU; or why there is none."""
    def budget(tokens):
        return {f"{PREFILL}/batching/max_tokens_per_step": 32 * tokens}

    results = [(run(binary, SERVICE, {**FIXED, **changes, **budget(tokens)}), tokens) for tokens in tokens_a_gpu]
    able = [(result, tokens) for result, tokens in results if not isinstance(result, str)]
    if not able:
        return results[0]
    return min(able, key=lambda pair: figures(pair[0])["cost"])


def line(label, result, tokens, base):
    f = figures(result)
    if f is None:
        return f"| {label} | no: {result} | | | | | | | |"
    change = 100 * (f["cost"] / base["cost"] - 1)
    return (f"| {label} | {f['cost']:.3f} | {f['price']:.3f} | {change:+.0f}% | {f['nodes']:.0f} | {f['ttft']:.2g} | "
            f"{f['speed']:.3g} | {f['batch']:.0f} | {tokens:,} |")


def ablation(binary):
    """Prices at the margin over revenue that the first row earns with the scenario's own price card."""
    published, _ = tuned(binary, {})
    margin = {"/pricing": {"margin_over_revenue": published["price"]["margin_over_revenue"]}}
    results = [(label, *tuned(binary, {**margin, **changes}, *tokens)) for label, changes, *tokens in ROWS]
    base = figures(results[0][1])
    head = ["| without | cost, USD/M tokens | price, USD/M tokens | change | nodes, mean | TTFT p90, s | tok/s/user | "
            "batch a decode GPU | prompt tokens a GPU and step |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    return head + [line(label, result, tokens, base) for label, result, tokens in results]


def life(seconds):
    """Cached prefixes live so long in every tier."""
    tiers = [f"/deployment/prefix_cache/tiers/{i}/ttl_s" for i in range(2)]
    return {"/deployment/prefix_cache/ttl_s": seconds, **{tier: seconds for tier in tiers}}


LIVES = [
    ("no cache below HBM", {"/deployment/prefix_cache/tiers": []}),
    ("60 s", life(60)), ("5 min", life(300)), ("1 h", life(3600)), ("as long as there is room", {}),
]


def cache_life(binary):
    head = ["| a cached prefix lives | found, % of prompts | in HBM | TTFT mean, s | TTFT p99, s | GPUs busy, % | computed input, USD/M | "
            "cached input, USD/M | all tokens, USD/M |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines = []
    for label, changes in LIVES:
        result = run(binary, AGENTS, changes)
        cache, usd, ttft = result["pools"][0]["prefix_cache"], result["cost"]["usd_per_mtok"], result["latency"]["ttft_s"]
        lines.append(f"| {label} | {100 * cache['hit_share']:.1f} | {100 * cache['hbm_hit_share']:.1f} | {ttft['mean']:.2f} | "
                     f"{ttft['p99']:.1f} | {100 * result['pools'][0]['busy_fraction']:.0f} | {usd['input_computed']:.2f} | "
                     f"{usd['input_cached']:.4f} | {usd['own_mix']:.3f} |")
    return head + lines


CODING = "claude-code-164k"


def context_limit(binary):
    head = ["| context limit | refused, % of calls | users that fit one server at the limit | batch | TTFT p90, s | tok/s/user | "
            "all tokens, USD/M | output, USD/M | an answer, USD |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines = []
    for limit in (65536, 131072, 163840):
        result = run(binary, CODING, {"/limits/context_tokens": limit})
        requests, cost = result["requests"], result["cost"]
        lines.append(f"| {limit:,} | {100 * requests['rejected']['context_limit'] / requests['arrived']:.0f} | "
                     f"{result['memory']['sequences_at_context_limit']:.0f} | {result['pools'][-1]['batch_mean']:.1f} | "
                     f"{result['latency']['ttft_s']['p90']:.2g} | {result['interactivity_tok_s_user']['mean']:.0f} | "
                     f"{cost['usd_per_mtok']['own_mix']:.3f} | {cost['usd_per_mtok']['output']:.1f} | {cost['usd_per_answer']:.4f} |")
    return head + lines


# The service to hold while the limit rises, for eight times the scenario's users so that a server more or less is a fine step.
HELD = {"users": 1024, "ttft_p90_s": 1, "tok_s_user": 45}


def holds(result):
    ttft, speed = result["latency"]["ttft_s"]["p90"], result["interactivity_tok_s_user"]["mean"]
    return ttft is not None and ttft <= HELD["ttft_p90_s"] and speed >= HELD["tok_s_user"]


def fewest_servers(binary, limit):
    """The smallest number of servers that hold the service at a context limit, and their result."""
    def result(servers):
        return run(binary, CODING, {"/limits/context_tokens": limit, "/workload/arrivals/concurrency": HELD["users"],
                                    "/deployment/instances": servers})

    enough, too_few, best = 64, 0, None
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        one = result(middle)
        if holds(one):
            enough, best = middle, one
        else:
            too_few = middle
    return enough, best


def held_context(binary):
    head = ["| context limit | refused, % of calls | servers | GPUs | TTFT p90, s | tok/s/user | answers/s | price of an answer, USD | "
            "price, all tokens, USD/M | price, output, USD/M |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines = []
    for limit in (65536, 98304, 131072, 163840):
        servers, result = fewest_servers(binary, limit)
        requests, price = result["requests"], result["price"]
        answers = result["represents"]["answers"]
        lines.append(f"| {limit:,} | {100 * requests['rejected']['context_limit'] / requests['arrived']:.0f} | {servers} | "
                     f"{8 * servers} | {result['latency']['ttft_s']['p90']:.2g} | "
                     f"{result['interactivity_tok_s_user']['mean']:.0f} | {answers / result['represents']['seconds']:.2f} | "
                     f"{price['revenue_usd'] / answers:.4f} | {price['usd_per_mtok']['own_mix']:.3f} | "
                     f"{price['usd_per_mtok']['output']:.1f} |")
    return head + lines


TABLES = {"ablation": ablation, "cache life": cache_life, "context limit": context_limit, "held context": held_context}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("binary")
    args = parser.parse_args()
    text, wrong = README.read_text(encoding="utf-8"), []
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        old, after = rest.split(end)
        lines = table(args.binary)
        if lines != old.strip().splitlines():
            wrong += [line for line in lines if line not in old.splitlines()] or [f"{name}: other lines"]
        text = before + begin + "\n" + "\n".join(lines) + "\n" + end + after
    if args.check:
        print("\n".join(wrong), end="\n" if wrong else "")
        sys.exit(1 if wrong else 0)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
