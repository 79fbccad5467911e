"""A sweep cut into shards: the same bytes however it was cut, whoever was killed, and nothing foreign mixed in."""

import os
import signal
import subprocess
import time

from program import BINARY, SMALL, ProgramTest, main

SWEEP = {
    "name": "shards",
    "scenario": {**SMALL, "measure": {"requests": 40, "warm_up_requests": 5}},
    "axes": [
        {"name": "instances", "pointer": "/deployment/pools/0/instances", "values": [1, 2, 3]},
        {"name": "tp", "pointer": "/deployment/pools/0/parallelism/tp", "values": [2, 4, 8]},
    ],
    "set": {"/cost/usd_per_gpu_hour": {"low": 1, "high": 4}},
    "samples": 4,
}


class ShardsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("sweep.json", SWEEP)

    def start(self, index, of, out, *more, sweep="sweep.json"):
        words = [BINARY, "sweep", "shard", sweep, "--index", index, "--of", of, "--out", out, "--quiet", *more]
        return subprocess.Popen(list(map(str, words)), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def assert_ends(self, process, code=0):
        told = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, code, told)
        return told

    def assert_same(self, a, b, *names):
        for name in names:
            self.assertEqual((self.folder / a / name).read_bytes(), (self.folder / b / name).read_bytes(), f"{a} {b} {name}")

    def cut(self, out, of, *more):
        for index in range(of):
            self.run_program("sweep", "shard", "sweep.json", "--index", index, "--of", of, "--out", out, *more)
        self.run_program("sweep", "merge", out, "--quiet")


class SameBytes(ShardsTest):
    def test_local_one_shard_eight_shards_and_more_shards_than_rows_give_the_same(self):
        for points in ("csv", "jsonl"):
            local = f"local-{points}"
            self.run_program("sweep", "sweep.json", "--out", local, "--format", points)
            for of in (1, 8, 50) if points == "csv" else (1, 8):
                out = f"{points}-{of}"
                self.cut(out, of, "--format", points)
                self.assert_same(local, out, f"points.{points}", "summary.json", "intervals.csv")
                self.assertFalse((self.folder / out / "shards").exists(), "shards go once they are merged")

    def test_shards_that_start_together_make_one_folder(self):
        self.run_program("sweep", "sweep.json", "--out", "local", "--quiet")
        for attempt in range(3):
            out = f"together-{attempt}"
            for process in [self.start(index, 6, out, "--jobs", 1) for index in range(6)]:
                self.assert_ends(process)
            self.run_program("sweep", "merge", out, "--quiet")
            self.assert_same("local", out, "points.csv", "summary.json", "intervals.csv")


class Interruptions(ShardsTest):
    def test_a_killed_shard_goes_on_where_it_was(self):
        slow = {**SWEEP, "scenario": {**SMALL, "measure": {"requests": 1500, "warm_up_requests": 20}}}
        self.write("sweep.json", slow)
        process = self.start(0, 2, "cut", "--jobs", 1)
        rows = self.folder / "cut/shards/000000-of-000002.csv"
        end = time.monotonic() + 60
        while (not rows.exists() or rows.read_bytes().count(b"\n") < 3) and time.monotonic() < end:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGKILL)
        before = rows.read_bytes()
        _, told = self.run_program("sweep", "merge", "cut", expect=1)
        self.assertRegex(told, r"shard 0 has \d+ of 18 rows")
        inode = os.stat(rows).st_ino
        for index in (0, 1):
            self.assert_ends(self.start(index, 2, "cut"))
        whole = rows.read_bytes()
        self.assertEqual(os.stat(rows).st_ino, inode)
        self.assertTrue(whole.startswith(before[:before.rfind(b"\n") + 1]), "rows that were made stay")
        self.run_program("sweep", "merge", "cut", "--quiet")
        self.run_program("sweep", "sweep.json", "--out", "local", "--quiet")
        self.assert_same("local", "cut", "points.csv", "summary.json")

    def test_merge_names_the_shards_that_are_missing_and_resume_makes_them(self):
        for index in (0, 2, 3):
            self.run_program("sweep", "shard", "sweep.json", "--index", index, "--of", 5, "--out", "cut")
        _, told = self.run_program("sweep", "merge", "cut", expect=1)
        self.assertIn("2 of 5 shards are missing; nothing was merged\n  shard 1 has not begun\n  shard 4 has not begun\n", told)
        self.assertFalse((self.folder / "cut/points.csv").exists())
        self.run_program("sweep", "resume", "cut", "--quiet")
        self.run_program("sweep", "sweep.json", "--out", "local", "--quiet")
        self.assert_same("local", "cut", "points.csv", "summary.json")

    def test_of_a_sweep_that_is_not_cut_merge_says_how_far_it_is(self):
        self.run_program("sweep", "shard", "sweep.json", "--index", 0, "--of", 1, "--out", "whole")
        points = self.folder / "whole/points.csv"
        points.write_bytes(b"".join(points.read_bytes().splitlines(keepends=True)[:-2]))
        _, told = self.run_program("sweep", "merge", "whole", expect=1)
        self.assertIn("shard 0 has 34 of 36 rows", told)


class Foreign(ShardsTest):
    def test_a_shard_of_another_seed_sweep_cut_or_format_is_refused(self):
        self.run_program("sweep", "shard", "sweep.json", "--index", 0, "--of", 4, "--out", "cut", "--seed", 1)
        self.write("other.json", {**SWEEP, "samples": 8})
        cases = [(["sweep.json", "--of", 4, "--seed", 2], "another sweep, or another version"),
                 (["other.json", "--of", 4, "--seed", 1], "another sweep, or another version"),
                 (["sweep.json", "--of", 5, "--seed", 1], "is cut into 4 shards, not 5"),
                 (["sweep.json", "--of", 4, "--seed", 1, "--format", "jsonl"], "its rows are csv")]
        for words, why in cases:
            _, told = self.run_program("sweep", "shard", *words, "--index", 1, "--out", "cut", expect=2)
            self.assertIn(why, told)
        _, told = self.run_program("sweep", "shard", "cut", "--index", 1, "--of", 5, expect=2)
        self.assertIn("cut is cut into 4 shards", told)

    def test_a_foreign_shard_file_is_not_merged(self):
        for out, seed in (("one", 1), ("two", 2)):
            for index in range(2):
                self.run_program("sweep", "shard", "sweep.json", "--index", index, "--of", 2, "--out", out, "--seed", seed)
        for path in (self.folder / "two/shards").glob("000001-*"):
            path.rename(self.folder / "one/shards" / path.name)
        _, told = self.run_program("sweep", "merge", "one", expect=1)
        self.assertIn("shard 1 is of another sweep or program", told)


if __name__ == "__main__":
    main()
