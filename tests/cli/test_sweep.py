"""Sweeps: rows, folders, interruptions, and everything that may be wrong with a folder."""

import csv
import json
import os
import random
import resource
import signal
import subprocess
import time
import unittest

from program import BINARY, CATALOGUE, SMALL, ProgramTest, main


def sweep(requests=40, points=12, **changes):
    """Points that take some milliseconds each."""
    scenario = json.loads(json.dumps(SMALL))
    scenario["workload"] = {"base": "chat-2023", "arrivals": {"kind": "poisson", "rate_per_s": 2}}
    scenario["measure"] = {"requests": requests, "warm_up_requests": 5}
    return {
        "name": "small",
        "scenario": scenario,
        "axes": [
            {"name": "rate", "pointer": "/workload/arrivals/rate_per_s", "from": 1, "to": 3, "count": points},
            {"name": "tp", "pointer": "/deployment/pools/0/parallelism/tp", "values": [4, 1]},
        ],
        **changes,
    }


class SweepTest(ProgramTest):
    def rows(self, path="out/points.csv"):
        with open(self.folder / path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def bytes_of(self, path):
        return (self.folder / path).read_bytes()

    def manifest(self, path="out/manifest.json"):
        return json.loads(self.bytes_of(path))

    def start(self, *words):
        return subprocess.Popen([BINARY, *map(str, words)], cwd=self.folder, env=self.environment(), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def count(self):
        path = self.folder / "out/points.csv"
        return path.read_bytes().count(b"\n") - 1 if path.exists() else 0

    def wait_for_rows(self, rows):
        end = time.monotonic() + 60
        while self.count() < rows and time.monotonic() < end:
            time.sleep(0.005)
        self.assertGreaterEqual(self.count(), rows)

    def interrupted(self):
        """A folder of a sweep that was killed after some rows."""
        self.write("sweep.json", sweep(requests=2000, points=100))
        process = self.start("sweep", "sweep.json", "--out", "out", "--quiet")
        self.wait_for_rows(3)
        process.kill()
        process.wait()
        self.assertEqual(self.manifest()["state"], "running")

    def wait_for(self, path):
        end = time.monotonic() + 60
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.002)
        return path.exists()


class Rows(SweepTest):
    def test_rows_on_standard_output_are_those_of_a_folder_whatever_the_threads(self):
        file = self.write("sweep.json", sweep())
        out, _ = self.run_program("sweep", file, "--format", "csv", "--jobs", 1)
        self.run_program("sweep", file, "--out", "out", "--jobs", 3, "--quiet")
        self.assertEqual(out.encode(), self.bytes_of("out/points.csv"))
        self.assertEqual(self.files(), ["out", "sweep.json"])
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["manifest.json", "points.csv", "summary.json"])
        self.assertEqual(self.manifest()["state"], "complete")

    def test_an_infeasible_point_is_its_own_result(self):
        file = self.write("sweep.json", sweep(points=2))
        out, _ = self.run_program("sweep", file, "--format", "jsonl")
        rows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([row["status"] for row in rows], ["ok", "infeasible"] * 2)
        self.assertIn("GB", rows[1]["reason"])
        self.assertIsNone(rows[1]["cost.usd_per_mtok.output"])

    def test_an_error_in_one_point_is_told_by_the_exit_code(self):
        changed = sweep(points=2)
        changed["axes"][1]["values"] = [4, 3]
        file = self.write("sweep.json", changed)
        out, err = self.run_program("sweep", file, "--format", "csv", expect=1)
        self.assertEqual(len(out.splitlines()), 5)
        self.assertIn("2 of 4 rows ended with an error", err)

    def test_uncertain_numbers_give_intervals(self):
        changed = sweep(points=2, set={"/cost/usd_per_gpu_hour": {"low": 1, "high": 3}}, samples=16)
        self.run_program("sweep", self.write("sweep.json", changed), "--out", "out", "--quiet")
        self.assertEqual(len(self.rows()), 2 * 2 * 16)
        intervals = self.rows("out/intervals.csv")
        self.assertEqual(len(intervals), 4)
        cost = [float(intervals[0][f"cost.usd_per_mtok.output.p{p}"]) for p in (10, 50, 90)]
        self.assertAlmostEqual(cost[0] / cost[1], 1.2 / 2, delta=0.05)
        self.assertAlmostEqual(cost[2] / cost[1], 2.8 / 2, delta=0.05)
        self.assertEqual(intervals[0]["cost.usd_per_mtok.output.driver"], "drawn.cost.usd_per_gpu_hour")
        self.assertEqual(self.rows("out/intervals.csv")[1]["infeasible"], "16")

    def test_an_engines_settings_are_swept_by_its_name(self):
        """Each point is the run with that personality, beneath what the scenario says itself."""
        scenario, batching = "llama-70b-h100", "/deployment/batching=null"
        axis = {"name": "engine", "pointer": "/deployment/personality", "values": ["vllm", "sglang", "tensorrt_llm"]}
        file = self.write("sweep.json", {"scenario": scenario, "set": {"/deployment/batching": None}, "axes": [axis]})
        self.run_program("sweep", file, "--out", "out")
        rows = self.rows()
        self.assertEqual([row["engine"] for row in rows], axis["values"])
        self.assertEqual(len({row["latency.ttft_s.mean"] for row in rows}), len(rows))
        for row in rows:
            out, _ = self.run_program("run", scenario, "--set", batching, "--set",
                                      f"/deployment/personality={row['engine']}", "--format", "json")
            self.assertEqual(float(row["latency.ttft_s.mean"]), json.loads(out)["latency"]["ttft_s"]["mean"])

    def test_a_query_is_swept_too(self):
        file = self.write("sweep.json", {"query": "r1-interactive", "set": {"/hardware": ["h200-sxm"]}, "axes": [
            {"name": "ttft", "pointer": "/slo/ttft_s/max", "values": [0.5, 2]}]})
        out, _ = self.run_program("sweep", file, "--format", "jsonl")
        prices = [json.loads(line)["price.usd_per_mtok.own_mix"] for line in out.splitlines()]
        self.assertLessEqual(prices[1], prices[0])

    def test_wrong_sweeps_write_nothing(self):
        bad = sweep()
        bad["axes"][0]["pointer"] = "/workload/arrivals/rate"
        _, err = self.run_program("sweep", self.write("sweep.json", bad), "--out", "out", expect=2)
        self.assertIn("rate_per_s", err)
        self.run_program("sweep", self.write("sweep.json", sweep()), "--set", "cost.usd=1", "--out", "out", expect=2)
        self.run_program("sweep", "sweep.json", "--format", "xml", expect=2)
        self.run_program("sweep", "batching-amd-nvidi", expect=2)
        self.run_program("sweep", "shard", "sweep.json", "--index", 4, "--of", 4, "--out", "out", expect=2)
        self.assertEqual(self.files(), ["sweep.json"])


class Folders(SweepTest):
    def test_a_folder_holds_one_sweep(self):
        file = self.write("sweep.json", sweep(points=2))
        self.run_program("sweep", file, "--out", "out", "--quiet")
        before = self.bytes_of("out/points.csv")
        _, err = self.run_program("sweep", file, "--out", "out", expect=2)
        self.assertIn("finished sweep", err)
        self.run_program("sweep", file, "--seed", 5, "--out", "out", expect=2)
        self.assertEqual(self.bytes_of("out/points.csv"), before)
        (self.folder / "mine").mkdir()
        (self.folder / "mine/notes.txt").write_text("mine")
        _, err = self.run_program("sweep", file, "--out", "mine", expect=2)
        self.assertIn("is not empty", err)

    def test_two_at_once_into_one_folder(self):
        """Whoever comes second is told, also when it resumes while the first writes."""
        self.write("sweep.json", sweep(requests=3000, points=40))
        first = self.start("sweep", "sweep.json", "--out", "out", "--quiet", "--jobs", 1)
        self.wait_for_rows(2)
        _, err = self.run_program("sweep", "sweep.json", "--out", "out", expect=2)
        self.assertIn("sweep resume out", err)
        _, err = self.run_program("sweep", "resume", "out", expect=2)
        self.assertIn("another process is writing", err)
        first.kill()
        first.wait()

    def test_other_programs_and_catalogues_are_refused(self):
        self.interrupted()
        manifest = self.bytes_of("out/manifest.json")
        for key, value, why in (("version", "0.0.9", "begun by version 0.0.9"), ("program", "0", "another build"), ("hash", "0", "another sweep")):
            changed = json.loads(manifest)
            changed[key] = value
            self.write("out/manifest.json", changed)
            _, err = self.run_program("sweep", "resume", "out", expect=2)
            self.assertIn(why, err)
        changed = json.loads(manifest)
        changed["catalogue"]["hardware"] = "0"
        self.write("out/manifest.json", changed)
        _, err = self.run_program("sweep", "resume", "out", expect=2)
        self.assertIn("catalogue's hardware have changed", err)

    def test_a_half_written_manifest_is_told_and_nothing_is_lost(self):
        self.interrupted()
        rows = self.bytes_of("out/points.csv")
        text = self.bytes_of("out/manifest.json").decode()
        for part in (text[: len(text) // 2], "", "{}"):
            self.write("out/manifest.json", part)
            _, err = self.run_program("sweep", "resume", "out", expect=2)
            self.assertIn("out/manifest.json", err)
            self.assertIn("broken", err)
            self.run_program("sweep", "sweep.json", "--out", "out", expect=2)
            self.assertEqual(self.bytes_of("out/points.csv"), rows)
        _, err = self.run_program("sweep", "resume", "nowhere", expect=2)
        self.assertIn("nowhere holds no sweep", err)

    def test_changed_files_are_refused(self):
        """A chip that the sweep names by its path, and the rows themselves."""
        chip = json.loads((CATALOGUE / "hardware/h100-sxm.json").read_text())
        (self.folder / "deep").mkdir()
        self.write("deep/my.json", chip)
        case = sweep(requests=2000, points=100)
        case["scenario"]["deployment"]["pools"][0]["hardware"] = "./my.json"
        self.write("deep/sweep.json", case)
        process = self.start("sweep", "deep/sweep.json", "--out", "out", "--quiet")
        self.wait_for_rows(3)
        process.kill()
        process.wait()
        # From another folder the file is found all the same.
        (self.folder / "out").rename(self.folder / "deep/out")
        self.folder = self.folder / "deep"
        self.write("my.json", {**chip, "hbm_bandwidth_TBps": 1})
        _, err = self.run_program("sweep", "resume", "out", expect=2)
        self.assertIn("my.json has changed", err)
        self.write("my.json", chip)
        rows = self.bytes_of("out/points.csv").splitlines(keepends=True)
        (self.folder / "out/points.csv").write_bytes(b"".join(rows[:2] + rows[3:4]))
        _, err = self.run_program("sweep", "resume", "out", expect=2)
        self.assertIn("another row where row 1 is due", err)
        (self.folder / "out/points.csv").write_bytes(b"".join(rows))
        self.run_program("sweep", "resume", "out", "--quiet")
        self.assertEqual({row["status"] for row in self.rows()}, {"ok", "infeasible"})
        complete = self.bytes_of("out/points.csv")
        (self.folder / "out/points.csv").write_bytes(b"".join(complete.splitlines(keepends=True)[:-1]))
        summary = self.bytes_of("out/summary.json")
        _, err = self.run_program("sweep", "resume", "out", expect=2)
        self.assertIn("199 of 200 rows", err)
        self.assertEqual(self.bytes_of("out/summary.json"), summary)

    def test_labels_may_hold_anything(self):
        case = sweep(points=2)
        case["axes"][1] = {"name": "case", "list": [{"label": label, "set": {"/seed": n + 1}} for n, label in enumerate(['a,"b"', "c\nd", "\u00e9"])]}
        self.run_program("sweep", self.write("sweep.json", case), "--out", "out", "--quiet")
        self.assertEqual([row["case"] for row in self.rows()][:3], ['a,"b"', "c d", "\u00e9"])

    def test_nothing_is_made_of_a_sweep_that_cannot_be_loaded(self):
        self.write("sweep.json", sweep(set={"/deployment/pools/0/hardware": "h10-sxm"}))
        _, err = self.run_program("sweep", "sweep.json", "--out", "out", expect=2)
        self.assertIn("h100-sxm", err)
        self.run_program("sweep", "sweep.json", "--format", "csv", expect=2)
        self.assertEqual(self.files(), ["sweep.json"])

    def test_a_folder_that_cannot_be_written(self):
        self.write("sweep.json", sweep(points=2))
        _, err = self.run_program("sweep", "sweep.json", "--out", "/proc/sweep", expect=4)
        self.assertIn("/proc/sweep", err)
        self.write("file", "mine")
        self.run_program("sweep", "sweep.json", "--out", "file/out", expect=4)
        if os.geteuid() != 0:
            (self.folder / "locked").mkdir(mode=0o500)
            self.run_program("sweep", "sweep.json", "--out", "locked/out", expect=4)

    def test_a_full_disk_is_told_and_what_was_made_is_kept(self):
        self.write("sweep.json", sweep())
        self.run_program("sweep", "sweep.json", "--out", "whole", "--quiet")
        limit = len(self.bytes_of("whole/points.csv")) // 2

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (max(limit, 4096), resource.RLIM_INFINITY))

        # The manifest is larger than the rows of this sweep: it has to fit.
        limit = max(limit, len(self.bytes_of("whole/manifest.json")))
        self.write("sweep.json", sweep(points=60))
        self.run_program("sweep", "sweep.json", "--out", "all", "--quiet")
        done = subprocess.run([BINARY, "sweep", "sweep.json", "--out", "out", "--quiet"], cwd=self.folder, env=self.environment(),
                              capture_output=True, text=True, preexec_fn=small_files, check=False, timeout=120)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("out/points.csv", done.stderr)
        self.assertTrue(self.bytes_of("out/points.csv").endswith(b"\n"), "no half row is left")
        self.assertGreater(len(self.rows()), 3)
        self.run_program("sweep", "resume", "out", "--quiet")
        self.assertEqual(self.bytes_of("out/points.csv"), self.bytes_of("all/points.csv"))


class Gate(SweepTest):
    def test_the_lines_of_the_readme_hold_a_cost_curve(self):
        """The five lines as a team would paste them: the first time, an unchanged curve, a moved one, a point that is gone."""
        readme = (CATALOGUE.parent / "README.md").read_text(encoding="utf-8")
        lines = readme.split("<!-- gate: begin -->\n```\n")[1].split("```\n<!-- gate: end -->")[0]
        self.assertEqual(len(lines.splitlines()), 5)
        os.symlink(os.path.abspath(BINARY), self.folder / "tokenomics")
        self.write("gate.sh", lines)

        def gate():
            path = f"{self.folder}:{os.environ['PATH']}"
            done = subprocess.run(["bash", "gate.sh"], cwd=self.folder, env=self.environment(PATH=path), capture_output=True, text=True,
                                  check=False, timeout=120)
            return done.returncode, done.stdout

        curve = sweep(points=3, metrics=["cost.usd_per_mtok.output", "latency.ttft_s.p90"])
        self.write("curve.json", curve)
        self.assertEqual(gate()[0], 1, "no baseline is no reason to pass")
        self.run_program("compare", "curve.csv", "new", "--update-baseline")
        baseline = self.bytes_of("curve.csv")
        self.assertEqual(gate()[0], 0)
        self.write("curve.json", {**curve, "set": {"/cost/usd_per_gpu_hour": 2.2}})
        code, out = gate()
        self.assertEqual(code, 1)
        self.assertIn("::error", out)
        self.assertIn("cost.usd_per_mtok.output", out)
        self.assertIn("<failure", self.bytes_of("curve.xml").decode())
        self.write("curve.json", {**curve, "set": {"/cost/usd_per_gpu_hour": 2.02}})
        self.assertEqual(gate()[0], 0)  # 1%
        self.write("curve.json", sweep(points=2, metrics=curve["metrics"]))
        self.assertEqual(gate()[0], 1)
        self.assertEqual(self.bytes_of("curve.csv"), baseline)


class Interruptions(SweepTest):
    def test_killed_at_twenty_random_moments_it_ends_with_the_same_bytes(self):
        """And no row is made twice: what a kill left is still there, byte by byte, when the next run has begun."""
        # Points of very different length, so that rows are ready before their turn.
        case = sweep(points=150)
        case["axes"][1] = {"name": "requests", "pointer": "/measure/requests", "values": [40, 4000, 40, 40]}
        self.write("sweep.json", case)
        self.run_program("sweep", "sweep.json", "--out", "whole", "--quiet")
        dice = random.Random(20)
        words = ["sweep", "sweep.json", "--out", "out", "--quiet", "--jobs", 2]
        for kill in range(20):
            before = self.bytes_of("out/points.csv") if (self.folder / "out/points.csv").exists() else b""
            process = self.start(*words)
            if (self.folder / "out/manifest.json").exists() or self.wait_for(self.folder / "out/manifest.json"):
                words = ["sweep", "resume", "out", "--quiet", "--jobs", 2]
            # Spread over the work, whatever the machine's speed; every fourth while the program starts.
            if kill % 4:
                self.wait_for_rows(kill * 600 // 21)
            time.sleep(dice.uniform(0, 0.02))
            process.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT]))
            process.wait()
            whole_lines = before[: before.rfind(b"\n") + 1]
            self.assertTrue(self.bytes_of("out/points.csv").startswith(whole_lines))
        self.assertLess(self.count(), 600, "the last kill came too late for this test to mean anything")
        self.run_program(*words)
        for name in ("points.csv", "summary.json", "manifest.json"):
            self.assertEqual(self.bytes_of(f"out/{name}"), self.bytes_of(f"whole/{name}"), name)
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["manifest.json", "points.csv", "summary.json"])

    def test_interrupted_by_the_user_it_says_how_to_go_on(self):
        self.write("sweep.json", sweep(requests=2000, points=100))
        process = subprocess.Popen([BINARY, "sweep", "sweep.json", "--out", "out"], cwd=self.folder, env=self.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_rows(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(out, "")
        self.assertIn("tokenomics sweep resume out", err)

    def test_resuming_a_finished_sweep_changes_nothing(self):
        self.write("sweep.json", sweep(points=2))
        self.run_program("sweep", "sweep.json", "--out", "out", "--quiet")
        for words in (["resume", "out", "--format", "csv"], ["merge", "out", "--format", "jsno"]):
            self.run_program("sweep", *words, expect=2)
        out, _ = self.run_program("sweep", "resume", "out", "--format", "json", "--quiet")
        self.assertEqual(out.encode(), self.bytes_of("out/summary.json"))
        before = {name: self.bytes_of(f"out/{name}") for name in os.listdir(self.folder / "out")}
        _, err = self.run_program("sweep", "resume", "out")
        self.assertIn("is complete", err)
        self.assertEqual({name: self.bytes_of(f"out/{name}") for name in os.listdir(self.folder / "out")}, before)


if __name__ == "__main__":
    main()
