"""What a sweep sends to Slurm, and what its scripts do, without a Slurm."""

import os
import re
import signal
import subprocess
import time

from fake_slurm import FakeSlurm
from program import BINARY, SMALL, ProgramTest, main

SWEEP = {
    "name": "prices",
    "scenario": {**SMALL, "measure": {"requests": 40, "warm_up_requests": 5}},
    "axes": [{"name": "price", "pointer": "/cost/usd_per_gpu_hour", "from": 1, "to": 12, "count": 12}],
}


class SlurmScriptTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("sweep.json", SWEEP)
        self.slurm = FakeSlurm(self.folder / "fake")

    def environment(self, **extra):
        return super().environment(**{**self.slurm.environment, **extra})

    def sweep(self, *words, out="it's a folder", expect=0, **environment):
        return self.run_program("sweep", "sweep.json", "--engine", "slurm", "--out", out, *words, expect=expect, **environment)

    def script(self, name="array.sh", out="it's a folder"):
        return self.folder / out / "slurm" / name

    def run_script(self, task, path=None, offset=0):
        return subprocess.run(["bash", path or self.script(), str(offset)], capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment(SLURM_ARRAY_TASK_ID=str(task)))

    def with_program(self, text):
        """The array's script with another program in place of ours."""
        program = self.folder / "wrapper"
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
        changed = re.sub("(?m)^program=.*$", f"program={program}", self.script().read_text())
        self.write("changed.sh", changed)
        return self.folder / "changed.sh"

    def assert_as_local(self, out="it's a folder"):
        self.run_program("sweep", "sweep.json", "--out", "local", "--quiet")
        for name in ("points.csv", "summary.json"):
            self.assertEqual((self.folder / out / name).read_bytes(), (self.folder / "local" / name).read_bytes(), name)


class Submission(SlurmScriptTest):
    def test_one_array_and_a_job_that_merges_whatever_became_of_it(self):
        out, _ = self.sweep("--shards", 5, "--quiet")
        array, merge = self.slurm.calls()
        self.assertIn("--array=0-4", array)
        self.assertRegex(" ".join(array), r"--job-name=tokenomics-[0-9a-f]{16}-shards ")
        self.assertEqual(array[-2:], [str(self.script()), "0"])
        self.assertEqual(merge[0], "--dependency=afterany:1")
        self.assertEqual(merge[-1], str(self.script("merge.sh")))
        self.assertEqual(out.splitlines(), ["5 shards submitted as job 1; job 2 merges them", "look:    squeue -j 1,2",
                                            "resume:  tokenomics sweep resume 'it'\\''s a folder'",
                                            "merge:   tokenomics sweep merge 'it'\\''s a folder'"])

    def test_more_shards_than_an_array_takes_become_several(self):
        self.slurm.set("limit", "4")
        self.sweep("--shards", 10, "--quiet")
        *arrays, merge = self.slurm.calls()
        self.assertEqual([(call[-3], call[-1]) for call in arrays], [("--array=0-3", "0"), ("--array=0-3", "4"), ("--array=0-1", "8")])
        self.assertEqual(merge[0], "--dependency=afterany:1:2:3")

    def test_with_a_throttle_several_arrays_follow_each_other(self):
        self.slurm.set("limit", "4")
        self.sweep("--shards", 8, "--throttle", 3, "--quiet")
        first, second, _ = self.slurm.calls()
        self.assertIn("--array=0-3%3", first)
        self.assertEqual(second[0], "--dependency=afterany:1")

    def test_options_reach_sbatch_and_the_program(self):
        self.sweep("--shards", 2, "--cpus", 3, "--slurm-option=--partition=x", "--slurm-option=--comment=two words", "--quiet")
        for call in self.slurm.calls():
            self.assertIn("--partition=x", call)
            self.assertIn("--comment=two words", call)
        self.assertIn("#SBATCH --cpus-per-task=3\n", self.script().read_text())
        self.assertIn("--jobs 3 ", self.script().read_text())

    def test_the_users_catalogues_are_passed_on_by_their_whole_paths(self):
        (self.folder / "my own").mkdir()
        self.sweep("--shards", 2, "--catalogue", "my own", "--quiet")
        for name in ("array.sh", "merge.sh"):
            self.assertIn(f"--catalogue '{self.folder}/my own')", self.script(name).read_text())
        self.assertEqual(self.run_script(0).returncode, 0)

    def test_no_submit_prints_the_commands_that_would_have_been_run(self):
        self.slurm.set("limit", "4")
        lines, _ = self.sweep("--shards", 6, "--throttle", 2, "--slurm-option=--comment=two words", "--no-submit", "--quiet")
        self.assertEqual(self.slurm.calls(), [])
        subprocess.run(["bash", "-c", lines], check=True, env=self.environment())
        printed = self.slurm.calls()
        self.sweep("--shards", 6, "--throttle", 2, "--slurm-option=--comment=two words", "--quiet", out="other")
        name = re.compile("tokenomics-[0-9a-f]{16}")
        def plain(calls):
            return [[name.sub("NAME", word.replace("it's a folder", "other")) for word in call] for call in calls]
        self.assertEqual(plain(printed), plain(self.slurm.calls()))

    def test_waiting_merges_and_prints_the_summary(self):
        self.slurm.set("run")
        out, told = self.sweep("--shards", 3, "--wait", out="cluster")
        self.assertEqual(len(self.slurm.calls()), 1, "whoever waits merges, no job does")
        self.assertIn("3 shards submitted", told)
        self.assertIn("12 points", out)
        self.assert_as_local("cluster")


class Refusals(SlurmScriptTest):
    def test_sbatch_that_refuses_leaves_a_folder_that_can_be_resumed(self):
        self.slurm.set("refuse")
        _, told = self.sweep("--shards", 3, "--quiet", out="cluster", expect=4)
        self.assertIn("Invalid account", told)
        self.assertIn("sbatch ended with 1; nothing was submitted. cluster is prepared; go on with: tokenomics sweep resume", told)
        self.slurm.unset("refuse")
        self.slurm.calls()
        self.run_program("sweep", "resume", "cluster")
        self.assertIn("--array=0-2", self.slurm.calls()[0])

    def test_without_slurm_the_folder_is_prepared_and_this_process_can_go_on(self):
        nothing = str(self.folder / "nothing")
        _, told = self.sweep("--shards", 3, "--quiet", out="cluster", expect=4, PATH=nothing)
        self.assertIn("there is no sbatch in PATH", told)
        _, told = self.run_program("sweep", "resume", "cluster", PATH=nothing)
        self.assertIn("there is no sbatch here", told)
        self.assert_as_local("cluster")

    def test_options_that_an_engine_has_no_use_for_are_refused(self):
        for words in (["--shards", "2"], ["--throttle", "2"], ["--cpus", "2"], ["--slurm-option=-p"], ["--wait"], ["--no-submit"]):
            _, told = self.run_program("sweep", "sweep.json", "--out", "x", *words, expect=2)
            self.assertIn("goes with --engine slurm only", told)
        _, told = self.sweep("--jobs", 2, expect=2)
        self.assertIn("--jobs goes with --engine local only", told)
        _, told = self.sweep("--wait", "--no-submit", expect=2)
        self.assertIn("exclude each other", told)
        _, told = self.run_program("sweep", "sweep.json", "--engine", "slurm", expect=2)
        self.assertIn("--engine slurm needs --out", told)
        _, told = self.sweep("--slurm-option=--array=1", expect=2)
        self.assertIn("--array is set by the sweep itself", told)
        self.assertEqual(self.slurm.calls(), [])
        self.assertFalse((self.folder / "it's a folder").exists())

    def test_a_folder_in_use_is_refused_before_anything_is_submitted(self):
        self.sweep("--shards", 2, "--quiet")
        self.slurm.calls()
        _, told = self.sweep("--shards", 2, "--quiet", expect=2)
        self.assertIn("holds a sweep that is not finished", told)
        self.assertEqual(self.slurm.calls(), [])

    def test_rows_are_timed_to_choose_the_shards(self):
        _, told = self.sweep("--no-submit")
        self.assertRegex(told, r"rows timed: .* each, .* for all 12 on one core; 1 shard of ")
        _, told = self.sweep("--no-submit", "--shards", 3, out="short")
        self.assertIn("warning: that is short for a task, which takes Slurm about 0.3 s to start; better: --shards 1", told)


class Resuming(SlurmScriptTest):
    def test_only_what_is_missing_is_submitted_as_it_was_before(self):
        self.slurm.set("limit", "4")
        self.sweep("--shards", 12, "--throttle", 2, "--slurm-option=--partition=x", "--quiet", out="cluster")
        self.slurm.calls()
        for index in (0, 5, 9, 11):
            self.run_program("sweep", "shard", "cluster", "--index", index, "--of", 12)
        self.run_program("sweep", "resume", "cluster")
        *arrays, merge = self.slurm.calls()
        self.assertEqual([(call[-3], call[-1]) for call in arrays],
                         [("--array=1-3%2", "0"), ("--array=0,2-3%2", "4"), ("--array=0,2%2", "8")])
        for call in (*arrays, merge):
            self.assertIn("--partition=x", call)

    def test_nothing_is_done_while_jobs_are_in_the_queue(self):
        self.sweep("--shards", 3, "--quiet", out="cluster")
        self.slurm.calls()
        self.slurm.set("queue", "17_0\n17_[1-2]\n")
        for engine in ("local", "slurm"):
            _, told = self.run_program("sweep", "resume", "cluster", "--engine", engine, expect=1)
            self.assertIn("2 jobs of cluster: 17_0, 17_[1-2]; nothing was done", told)
        self.assertEqual(self.slurm.calls(), [])

    def test_without_missing_shards_resume_merges(self):
        self.sweep("--shards", 3, "--quiet", out="cluster")
        self.slurm.calls()
        for index in range(3):
            self.run_program("sweep", "shard", "cluster", "--index", index, "--of", 3)
        self.run_program("sweep", "resume", "cluster")
        self.assertEqual(self.slurm.calls(), [])
        self.assert_as_local("cluster")

    def test_a_folder_begun_here_can_go_on_there(self):
        self.run_program("sweep", "shard", "sweep.json", "--index", 1, "--of", 3, "--out", "cluster")
        self.run_program("sweep", "resume", "cluster", "--engine", "slurm")
        self.assertIn("--array=0,2", self.slurm.calls()[0])


class Scripts(SlurmScriptTest):
    def setUp(self):
        super().setUp()
        self.sweep("--shards", 3, "--no-submit", "--quiet")

    def test_they_are_sound_and_make_what_a_local_run_makes(self):
        for name in ("array.sh", "merge.sh"):
            subprocess.run(["bash", "-n", self.script(name)], check=True)
        for task, offset in ((0, 0), (1, 0), (0, 2)):
            done = self.run_script(task, offset=offset)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        merged = subprocess.run(["bash", self.script("merge.sh")], capture_output=True, text=True, check=False, env=self.environment())
        self.assertEqual(merged.returncode, 0, merged.stderr)
        self.assert_as_local()

    def test_the_merge_script_names_what_is_missing(self):
        self.run_script(1)
        merged = subprocess.run(["bash", self.script("merge.sh")], capture_output=True, text=True, check=False, env=self.environment())
        self.assertEqual(merged.returncode, 1)
        self.assertIn("2 of 3 shards are missing", merged.stderr)

    def test_a_shard_that_crashes_twice_is_made_by_the_third_attempt(self):
        script = self.with_program(f'echo x >>"{self.folder}/tries"; (($(wc -l <"{self.folder}/tries") > 2)) || kill -9 $$; '
                                   f'exec {BINARY} "$@"')
        done = self.run_script(1, script)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("attempt 2 ended with 137", done.stdout)
        self.assertTrue(list((self.folder / "it's a folder/shards").glob("000001-of-*.csv")))

    def test_a_shard_that_crashes_three_times_is_given_up(self):
        script = self.with_program(f'echo x >>"{self.folder}/tries"; exit 4')
        self.assertEqual(self.run_script(1, script).returncode, 4)
        self.assertEqual((self.folder / "tries").read_text(), "x\n" * 3)

    def test_bad_input_and_a_wish_to_be_started_again_are_passed_on_at_once(self):
        for code in (2, 75):
            script = self.with_program(f'echo x >"{self.folder}/tries"; exit {code}')
            self.assertEqual(self.run_script(1, script).returncode, code)
        self.assertEqual((self.folder / "tries").read_text(), "x\n")

    def test_told_to_end_the_task_ends_its_shard_and_asks_to_be_started_again(self):
        script = self.with_program(f'trap "echo ended >>{self.folder}/told; exit 75" TERM; echo >{self.folder}/begun; '
                                   "for i in {1..600}; do sleep 0.1; done")
        task = subprocess.Popen(["bash", script], env=self.environment(SLURM_ARRAY_TASK_ID="0"), stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (self.folder / "begun").exists() and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(task.pid, signal.SIGTERM)
        self.assertEqual(task.wait(30), 75)
        self.assertEqual((self.folder / "told").read_text(), "ended\n")


if __name__ == "__main__":
    main()
