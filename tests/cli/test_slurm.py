"""The sweep on a real Slurm, of one node, that the test starts and stops. Skipped (77) where that cannot be done."""

import os
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

import private_slurm
from program import SMALL, ProgramTest

REASON = private_slurm.why_not()

# Eight points of about a second each: a shard of two runs long enough to be killed while it does.
SWEEP = {
    "name": "cluster",
    "scenario": {**SMALL, "measure": {"requests": 500000, "warm_up_requests": 20}},
    "axes": [{"name": "price", "pointer": "/cost/usd_per_gpu_hour", "from": 1, "to": 8, "count": 8}],
}


def parent_of(process):
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


class SlurmTest(ProgramTest):
    slurm: private_slurm.PrivateSlurm
    local = {}  # files of a local run

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tokenomics-slurm-")
        cls.addClassCleanup(folder.cleanup)
        cls.slurm = private_slurm.PrivateSlurm(Path(folder.name))
        cls.addClassCleanup(cls.slurm.stop)  # before start(), which may fail half-way
        cls.slurm.start()

    def environment(self, **extra):
        return super().environment(**self.slurm.environment, **extra)

    def setUp(self):
        super().setUp()
        self.write("sweep.json", SWEEP)

    def submit(self, *more):
        """Ids of the array and of the job that merges."""
        out, _ = self.run_program("sweep", "sweep.json", "--engine", "slurm", "--shards", 4, "--throttle", 2, "--out", "cluster",
                                  "--quiet", *more)
        words = out.splitlines()[0].replace(";", "").split()
        self.assertEqual(words[:5], ["4", "shards", "submitted", "as", "job"])
        return words[5], words[7]

    def shard_process(self, index):
        """Its process id, or 0."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[1:3] == ["sweep", "shard"] and words[3].startswith(str(self.folder)) and words[5] == str(index):
                return int(path.parent.name)
        return 0

    def await_shard(self, index, other_than=0):
        end = time.monotonic() + 60
        while (found := self.shard_process(index)) in (0, other_than):
            self.assertLess(time.monotonic(), end, f"shard {index} does not run: {self.slurm.queue()}")
            time.sleep(0.02)
        return found

    def await_empty_queue(self):
        self.slurm.wait_for("empty queue", lambda: not self.slurm.queue(), limit_s=120)

    def assert_as_local(self):
        names = ("points.csv", "summary.json")
        if not self.local:
            self.run_program("sweep", "sweep.json", "--out", "local", "--quiet")
            self.local.update({name: (self.folder / "local" / name).read_bytes() for name in names})
        for name in names:
            self.assertEqual((self.folder / "cluster" / name).read_bytes(), self.local[name], name)

    def test_a_killed_shard_heals_and_the_merged_bytes_are_those_of_a_local_run(self):
        self.submit()
        killed = self.await_shard(1)
        os.kill(killed, signal.SIGKILL)
        self.await_shard(1, other_than=killed)
        _, told = self.run_program("sweep", "resume", "cluster", expect=1)
        self.assertIn("still in the queue", told)
        self.await_empty_queue()
        self.assert_as_local()
        self.assertEqual(list((self.folder / "cluster/slurm/logs").iterdir()), [], "logs of shards that healed go")

    def test_a_task_that_is_told_to_end_is_queued_again_where_the_site_does_that(self):
        array, merge = self.submit()
        # To the script itself, as --signal=B:TERM does; scancel, which could do that too, does not return for half a minute.
        os.kill(parent_of(self.await_shard(0)), signal.SIGTERM)
        # Its turn comes only after a pause of Slurm's own, some 40 s: not waited for.
        self.slurm.wait_for("task that waits again", lambda: " Restarts=1 " in self.slurm.ask("scontrol", "show", "job", f"{array}_0"))
        self.assertIn("told to end", (self.folder / "cluster/slurm/logs/shard-0.log").read_text())
        self.slurm.ask("scancel", array, merge)
        self.await_empty_queue()
        _, told = self.run_program("sweep", "merge", "cluster", expect=1)
        self.assertIn("  shard 0 ", told)
        self.run_program("sweep", "resume", "cluster", "--engine", "local", "--quiet")
        self.assert_as_local()

    def test_a_missing_shard_is_named_and_resume_submits_just_that_one(self):
        _, merge = self.submit()
        self.slurm.ask("scancel", merge)
        self.await_empty_queue()
        for path in (self.folder / "cluster/shards").glob("000002-of-*"):
            path.unlink()
        _, told = self.run_program("sweep", "merge", "cluster", expect=1)
        self.assertIn("1 of 4 shards are missing", told)
        self.assertIn("shard 2 has not begun", told)
        out, told = self.run_program("sweep", "resume", "cluster", "--wait")
        self.assertIn("1 shard submitted", told)
        self.assertIn("8 points", out)
        self.assert_as_local()


if __name__ == "__main__":
    if REASON:
        print(f"skipped: no Slurm for the test: {REASON}")
        sys.exit(77)
    unittest.main(verbosity=0)
