"""What `run`, `explain` and `trace` write, and where."""

import csv
import io
import json
import signal
import subprocess
import time

from program import BINARY, CATALOGUE, SMALL, ProgramTest, main


class Run(ProgramTest):
    def test_formats_tell_the_same(self):
        small = self.small()
        result = json.loads(self.run_program("run", small, "--format", "json")[0])
        self.assertEqual(result["schema"], "tokenomics.result/1")
        rows = list(csv.DictReader(io.StringIO(self.run_program("run", small, "--format", "csv")[0])))
        self.assertEqual(len(rows), 1)
        self.assertEqual(float(rows[0]["latency.ttft_s.mean"]), result["latency"]["ttft_s"]["mean"])
        page, err = self.run_program("run", small)
        self.assertIn("USD/Mtok", page.splitlines()[0])
        self.assertEqual(err, "")
        self.assertLessEqual(max(map(len, page.splitlines())), 100)

    def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(self):
        small = self.small()
        outputs = {self.run_program("run", small, "--format", "json", "--replications", 3, "--jobs", jobs)[0] for jobs in (1, 2, 5)}
        self.assertEqual(len(outputs), 1)
        other = self.run_program("run", small, "--format", "json", "--replications", 3, "--seed", 99)[0]
        self.assertNotIn(other, outputs)
        self.assertEqual(json.loads(other)["seed"], 99)

    def test_a_result_can_be_run_again_from_itself(self):
        first, _ = self.run_program("run", self.small(), "--format", "json", "--set", "deployment.pools.0.instances=3")
        again = self.write("again.json", json.loads(first)["scenario"]["resolved"])
        second, _ = self.run_program("run", again, "--format", "json")
        self.assertEqual(first, second)

    def test_reads_standard_input(self):
        out, _ = self.run_program("run", "-", "--format", "json", stdin=json.dumps(SMALL))
        self.assertEqual(json.loads(out)["requests"], json.loads(self.run_program("run", self.small(), "--format", "json")[0])["requests"])

    def test_the_last_override_wins(self):
        out, _ = self.run_program("run", self.small(), "--format", "json", "--set", "/cost/usd_per_gpu_hour=5", "--set", "cost.usd_per_gpu_hour=3")
        self.assertEqual(json.loads(out)["cost"]["usd_per_gpu_hour"], 3)

    def test_performance_is_told_only_when_asked(self):
        small = self.small()
        self.assertNotIn("performance", json.loads(self.run_program("run", small, "--format", "json")[0]))
        self.assertIn("performance", json.loads(self.run_program("run", small, "--format", "json", "--timing")[0]))

    def test_steps_taken_one_by_one_give_the_same_result_with_more_events(self):
        run = ["run", self.small(), "--format", "json", "--timing"]
        leaps, steps = (json.loads(self.run_program(*run, *how)[0]) for how in ([], ["--step-by-step"]))
        self.assertGreater(steps["performance"]["events"], leaps["performance"]["events"])
        self.assertEqual(steps["requests"], leaps["requests"])
        for name in ("ttft_s", "tpot_ms", "e2e_s"):
            self.assertAlmostEqual(steps["latency"][name]["mean"] / leaps["latency"][name]["mean"], 1, delta=1e-6)

    def test_colour_is_off_unless_asked_for(self):
        small = self.small()
        self.assertNotIn("\x1b", self.run_program("run", small)[0])
        self.assertIn("\x1b", self.run_program("run", small, "--color", "always", NO_COLOR="1")[0])
        self.assertNotIn("\x1b", self.run_program("run", small, "--format", "json", "--color", "always")[0])

    def test_missed_objectives_exit_with_1_when_they_are_required(self):
        small = self.small()
        self.run_program("run", small, "--require-slo")
        missed = ["run", small, "--set", "slo.interactivity_tok_s_user.min=100000"]
        self.run_program(*missed)
        out, err = self.run_program(*missed, "--require-slo", expect=1)
        self.assertIn("SLO missed", out)
        self.assertIn("missed", err)
        self.run_program("run", self.small(slo={}), "--require-slo", expect=2)


class Files(ProgramTest):
    def test_the_result_goes_to_a_file_whole(self):
        small = self.small()
        out, _ = self.run_program("run", small, "--format", "json", "--out", "result.json")
        self.assertEqual(out, "")
        self.assertEqual((self.folder / "result.json").read_text(), self.run_program("run", small, "--format", "json")[0])
        self.assertEqual(self.files(), ["result.json", "small.json"])

    def test_no_file_is_left_after_an_error_and_an_old_one_stays(self):
        small = self.small()
        self.write("old.json", "old")
        outputs = ["--out", "old.json", "--requests", "requests.csv", "--timeline", "timeline.json"]
        self.run_program("run", small, *outputs, "--set", "sed=1", expect=2)
        self.run_program("run", small, *outputs, "--set", "deployment.pools.0.parallelism.tp=1", expect=3)
        self.run_program("run", small, "--out", "old.json", "--requests", "nowhere/requests.csv", expect=4)
        self.assertEqual(self.files(), ["old.json", "small.json"])
        self.assertEqual((self.folder / "old.json").read_text(), "old")

    def test_places_that_cannot_be_written_are_io_errors(self):
        small = self.small()
        for place in ["nowhere/result.json", ".", "/proc/result.json"]:
            self.run_program("run", small, "--out", place, expect=4)
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "run", small], stdout=full, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment(), check=False)
        self.assertEqual(done.returncode, 4)

    def test_two_results_do_not_go_to_one_file(self):
        self.run_program("run", self.small(), "--out", "a", "--requests", "a", expect=2)

    def test_an_interrupt_leaves_no_file(self):
        words = [BINARY, "run", self.small(), "--set", "measure.requests=900000000", "--out", "result.json"]
        with subprocess.Popen(words, cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            deadline = time.monotonic() + 30
            while len(self.files()) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            program.send_signal(signal.SIGINT)
            self.assertEqual(program.wait(30), 130)
        self.assertEqual(self.files(), ["small.json"])

    def test_one_row_a_request_agrees_with_the_result(self):
        out, _ = self.run_program("run", self.small(), "--format", "json", "--requests", "requests.csv")
        with open(self.folder / "requests.csv", newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["measured"] == "1"]
        result = json.loads(out)
        self.assertEqual(len(rows), result["requests"]["arrived"])
        ttfts = [float(row["ttft_s"]) for row in rows if row["outcome"] == "completed"]
        self.assertAlmostEqual(sum(ttfts) / len(ttfts), result["latency"]["ttft_s"]["mean"], places=6)
        for row in rows:
            times = [float(row[name]) for name in ("arrival_s", "scheduled_s", "first_token_s", "end_s")]
            self.assertEqual(times, sorted(times))

    def test_the_timeline_is_a_chrome_trace_without_overlaps(self):
        self.run_program("run", self.small(), "--timeline", "timeline.json")
        events = json.loads((self.folder / "timeline.json").read_text())["traceEvents"]
        ends = {}
        for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: e["ts"]):
            instance = event["pid"], event["tid"]
            self.assertGreaterEqual(event["ts"] + 0.0015, ends.get(instance, 0))
            ends[instance] = event["ts"] + event["dur"]
        self.assertEqual(len(ends), 2)


class OtherCommands(ProgramTest):
    def test_explain_prints_a_step_whose_shares_add_up(self):
        small = self.small()
        result = json.loads(self.run_program("explain", small, "--format", "json", "--sequences", 64, "--context", 2000)[0])
        pool = result["pools"][0]
        self.assertEqual(pool["load"]["sequences"], 64)
        self.assertAlmostEqual(sum(op["share"] for op in pool["operators"]), 1, places=2)
        self.assertLess(pool["speed_of_light_ms"], pool["step_ms"])
        self.run_program("explain", small)
        self.run_program("explain", small, "--pool", "nobody", expect=2)

    def test_show_prints_a_scenario_that_runs_the_same(self):
        small = self.small()
        shown = self.write("shown.json", self.run_program("show", "scenario", small, "--format", "json")[0])
        self.assertEqual(self.run_program("run", shown)[0], self.run_program("run", small)[0])

    def test_show_model_has_the_counted_figures(self):
        figures = json.loads(self.run_program("show", "model", "deepseek-v3", "--format", "json")[0])
        self.assertEqual(figures["kv_bytes_per_token"], 70272)
        self.assertAlmostEqual(figures["parameters_total"] / 671.0e9, 1, places=3)
        self.assertLessEqual({"parameters_active", "weights_bytes"}, figures.keys())

    def test_a_trace_survives_conversion(self):
        trace = CATALOGUE / "traces" / "azure_conv_2023.csv.gz"
        self.run_program("trace", trace, "--convert", "azure", "--out", "azure.csv")
        figures = [json.loads(self.run_program("trace", file, "--format", "json")[0]) for file in (trace, "azure.csv")]
        self.assertEqual(figures[0]["requests"], 19366)
        self.assertEqual({**figures[0], "file": ""}, {**figures[1], "file": ""})
        rows = self.run_program("trace", trace, "--convert", "csv")[0].splitlines()
        self.assertEqual(rows[0], "time_s,input_tokens,cached_tokens,output_tokens,group")
        self.assertEqual(len(rows), 19367)

    def test_a_broken_trace_is_bad_input_that_names_the_line(self):
        self.write("bad.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:47.0,x,1\n")
        _, err = self.run_program("trace", "bad.csv", "--out", "statistics.txt", expect=2)
        self.assertIn("line 3", err)
        self.assertEqual(self.files(), ["bad.csv"])


if __name__ == "__main__":
    main()
