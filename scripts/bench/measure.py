#!/usr/bin/env python3
"""Measures speed and memory of the built program; prints a table of medians with the least and the most of the runs.

  scripts/bench/run                     builds and measures, one or two minutes
  scripts/bench/run --runs 9            more runs of each, for a machine that does other work too
  scripts/bench/run --json FILE         the same with every single run

One thread each (--jobs 1), one program at a time. Standard library only.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAIN_JOB = "deepseek-production-2025-02"
SPEED = "bench-70b-8gpu"
AGENTS = "bench-agents"
CLOSED_LOOP = "r1-8xmi300x-1k1k"
MEMORY_REQUESTS = [100_000, 1_000_000, 3_000_000]
FIVE_LINES = """{
  "model": "llama-3.3-70b", "workload": "inferencex-1k1k",
  "deployment": {"hardware": "h100-sxm", "engine": "vllm", "parallelism": {"tp": 8}},
  "pricing": {"margin_over_revenue": 0.3}
}
"""
POLL_S = 0.002
WIDTH = 68


class Program:
    """The binary, run with one thread and without remarks."""

    def __init__(self, binary):
        self.binary = binary

    def spawn(self, words, out):
        return subprocess.Popen([self.binary, *words], stdout=out, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def timed(self, *words):
        """(wall seconds, CPU seconds, standard output, standard error) of one run, starting and loading it included."""
        with tempfile.TemporaryFile() as out:
            start = time.perf_counter()
            process = self.spawn(words, out)
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            remarks = check(process, words)
            out.seek(0)
            return wall_s, usage.ru_utime + usage.ru_stime, out.read().decode(), remarks

    def peak_mib(self, *words):
        """Largest resident set, read from /proc every 2 ms: wait4 would count what this script held when it forked."""
        peak_kib = 0
        process = self.spawn(words, subprocess.DEVNULL)
        while process.poll() is None:
            peak_kib = max(peak_kib, high_water_kib(process.pid))
            time.sleep(POLL_S)
        check(process, words)
        return peak_kib / 1024


def check(process, words):
    message = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode != 0:
        sys.exit(f"tokenomics {' '.join(words)}: exit code {process.returncode}\n{message}")
    return message


def high_water_kib(pid):
    """VmHWM of a process; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return 0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


class Table:
    """Rows as they are measured."""

    def __init__(self):
        self.rows = []

    def add(self, name, unit, values, asked="", met=None):
        """`met` tells from the median whether what is asked holds."""
        median = statistics.median(values)
        row = {"name": name, "unit": unit, "median": median, "least": min(values), "most": max(values), "runs": values}
        if asked:
            row |= {"asked": asked, "met": met(median)}
        self.rows.append(row)
        remark = "" if not asked else f"  asked {asked}" + ("" if row["met"] else ": MISSED")
        numbers = "".join(f"{shown(row[key]):>12}" for key in ("median", "least", "most"))
        print(f"{name:<{WIDTH}}{unit:>8}{numbers}{len(values):>6}{remark}", flush=True)


def shown(number):
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def quiet_run(scenario, *words):
    return ["run", str(scenario), "--jobs", "1", "--quiet", *words]


def main_job(program, table, runs):
    times = [program.timed(*quiet_run(MAIN_JOB)) for _ in range(runs)]
    table.add(f"run {MAIN_JOB}", "s", [wall_s for wall_s, *_ in times], "< 5", lambda s: s < 5)
    table.add(f"run {MAIN_JOB}, CPU time", "s", [cpu_s for _, cpu_s, *_ in times])
    table.add(f"run {MAIN_JOB}, peak memory", "MiB", [program.peak_mib(*quiet_run(MAIN_JOB))])


def requests_per_second(program, table, runs):
    """The whole program, percentiles, cost and report included, over all requests with the warm-up's left out."""
    walls, cpus = [], []
    for _ in range(runs):
        wall_s, cpu_s, text, _ = program.timed(*quiet_run(SPEED, "--format", "json"))
        requests = json.loads(text)["requests"]["completed"]
        walls.append(requests / wall_s)
        cpus.append(requests / cpu_s)
    table.add(f"run {SPEED}", "req/s", walls, ">= 500,000", lambda rate: rate >= 500_000)
    table.add(f"run {SPEED}, of CPU time", "req/s", cpus)


def agents(program, table, runs):
    """CPU time of a call with prefix cache, sessions and drafts over that of a request of the main job; they take turns."""
    def cpu_per_request(scenario):
        _, cpu_s, text, _ = program.timed(*quiet_run(scenario, "--format", "json"))
        return cpu_s / json.loads(text)["requests"]["arrived"]

    pairs = [(cpu_per_request(AGENTS), cpu_per_request(MAIN_JOB)) for _ in range(runs)]
    table.add(f"run {AGENTS}, CPU time of a call", "us", [1e6 * agent for agent, _ in pairs])
    table.add("  over that of a request of the main job", "ratio", [agent / main for agent, main in pairs], "<= 2",
              lambda ratio: ratio <= 2)
    table.add(f"run {AGENTS}, 1,000,000 calls, peak memory", "MiB", [program.peak_mib(*quiet_run(AGENTS))])


def memory(program, table):
    peaks = []
    for requests in MEMORY_REQUESTS:
        peaks.append(program.peak_mib(*quiet_run(SPEED, "--set", f"/measure/requests={requests}")))
        table.add(f"run {SPEED}, {requests:,} requests, peak memory", "MiB", peaks[-1:])
    table.add("  most over least of these", "ratio", [max(peaks) / min(peaks)], "< 1.1", lambda ratio: ratio < 1.1)


def start_up(program, table, runs):
    """Short runs: more of them, since each is at the mercy of the scheduler."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as small:
        small.write(FIVE_LINES)
        small.flush()
        cases = [
            ("--version", ["--version"]),
            ("run of a five-line scenario, 2,000 requests", quiet_run(small.name)),
            (f"run {CLOSED_LOOP}", quiet_run(CLOSED_LOOP)),
        ]
        for name, words in cases:
            walls = [program.timed(*words)[0] * 1e3 for _ in range(4 * runs + 1)]
            table.add(name, "ms", walls, "< 50", lambda ms: ms < 50)


def against_steps(program, table, runs):
    """The same results with every step an event of its own: the two ways take turns, so that a busy machine hits both."""
    cases = [
        (SPEED, ["--set", "/measure/requests=200000"]),
        (f"one window of {MAIN_JOB}", ["--set", "/measure/windows_per_day=1"]),
    ]
    for name, words in cases:
        words = quiet_run(name.split()[-1], *words)
        ratios = [program.timed(*words, "--step-by-step")[1] / program.timed(*words)[1] for _ in range(runs)]
        table.add(f"{name}, steps over leaps, CPU time", "ratio", ratios)


def small_points(folder, count, hardware="h100-sxm"):
    """A sweep of points that take some milliseconds each; on an RTX 4090 the network does not fit, and they take none."""
    sweep = {
        "scenario": {
            "model": "llama-3.3-70b",
            "workload": {"base": "chat-2023", "arrivals": {"kind": "poisson", "rate_per_s": 2}},
            "deployment": {"hardware": hardware, "parallelism": {"tp": 4}},
            "cost": {"usd_per_gpu_hour": 2},
            "measure": {"requests": 300, "warm_up_requests": 20},
        },
        "axes": [
            {"name": "rate", "pointer": "/workload/arrivals/rate_per_s", "from": 0.5, "to": 4, "count": count // 1000},
            {"name": "price", "pointer": "/cost/usd_per_gpu_hour", "from": 1, "to": 3, "count": 1000},
        ],
    }
    path = Path(folder) / f"{hardware}-{count}.json"
    path.write_text(json.dumps(sweep), encoding="utf-8")
    return str(path)


def sweeps(program, table, runs):
    """Cores, overhead and memory of sweeps. The runs on one and on two threads take turns."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["sweep", small_points(folder, 2000), "--format", "csv", "--quiet", "--timing", "--jobs"]
        gains, overheads = [], []
        for _ in range(runs):
            one, two = program.timed(*words, "1"), program.timed(*words, "2")
            gains.append(one[0] / two[0])
            overheads.append(float(one[3].split("; ")[1].split(" us")[0]))
        table.add("sweep of 2,000 small points, 2 threads over 1", "ratio", gains, ">= 1.8", lambda gain: gain >= 1.8)
        table.add("... beside simulating, a point", "us", overheads, "< 200", lambda us: us < 200)
        for count in (10_000, 1_000_000):
            words = ["sweep", small_points(folder, count, "rtx-4090"), "--out", f"{folder}/{count}", "--quiet"]
            table.add(f"sweep of {count:,} points that do not fit, peak memory", "MiB", [program.peak_mib(*words)],
                      "< 500", lambda mib: mib < 500)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the built program")
    parser.add_argument("--runs", type=int, default=5, help="of each measurement (default 5)")
    parser.add_argument("--json", metavar="FILE", help="write all single runs there")
    arguments = parser.parse_args()
    runs = max(1, arguments.runs)
    program, table = Program(arguments.binary), Table()
    print(f"{'':<{WIDTH}}{'unit':>8}{'median':>12}{'least':>12}{'most':>12}{'runs':>6}")
    start_up(program, table, runs)
    requests_per_second(program, table, runs)
    memory(program, table)
    main_job(program, table, runs)
    agents(program, table, min(runs, 3))
    against_steps(program, table, min(runs, 3))
    sweeps(program, table, min(runs, 3))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"rows": table.rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
