"""What `solve` and `frontier` write, and where."""

import csv
import io
import json
import subprocess

from program import BINARY, ProgramTest, main

# One deployment on each of two chips: some hundredths of a second.
QUERY = {
    "name": "small",
    "model": "llama-3.3-70b",
    "workload": "chat-2023",
    "hardware": ["h100-sxm", "h200-sxm"],
    "usd_per_gpu_hour": 2,
    "slo": {"ttft_s": {"max": 2}, "interactivity_tok_s_user": {"min": 25}},
    "limits": {"context": 32768},
    "margin_over_revenue": 0.3,
    "search": {"gpus_per_instance": [4], "policies": ["chunked_mixed"], "tokens_per_step": [8192]},
}
IMPOSSIBLE = ["--set", "slo.ttft_s.max=0.0001"]


class QueryTest(ProgramTest):
    def query(self, **changes):
        return self.write("query.json", {**QUERY, **changes})

    def infeasible(self, *words):
        """Standard output and error of a call that finds no solution: the result is written all the same."""
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, cwd=self.folder, env=self.environment(), check=False, timeout=120)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("infeasible: ttft: 0.0001 s are asked for", done.stderr)
        return done.stdout


class Solve(QueryTest):
    def test_the_json_has_what_scripts_rely_on(self):
        result = json.loads(self.run_program("solve", self.query(), "--format", "json")[0])
        self.assertEqual(result["schema"], "tokenomics.solution/1")
        self.assertLessEqual({"status", "infeasible_reason", "deployment", "price", "cost", "service", "binding", "shadow_prices", "evaluator_gap", "searched"}, result.keys())
        self.assertEqual(result["status"], "ok")
        self.assertIsNone(result["infeasible_reason"])
        self.assertLessEqual({"input", "input_cached", "output", "blended_3_1", "own_mix"}, result["price"]["usd_per_mtok"].keys())
        self.assertLessEqual({"ttft_s", "interactivity_tok_s_user", "context"}, result["service"].keys())
        self.assertLessEqual({"ttft_s", "interactivity_tok_s_user", "context_tokens", "gpu_price"}, result["shadow_prices"].keys())
        self.assertTrue(result["evaluator_gap"]["slo_held"])
        self.assertAlmostEqual(result["price"]["usd_per_mtok"]["own_mix"] * 0.7 / result["cost"]["usd_per_mtok"]["own_mix"], 1, places=6)

    def test_formats_tell_the_same(self):
        query = self.query()
        result = json.loads(self.run_program("solve", query, "--format", "json")[0])
        rows = list(csv.DictReader(io.StringIO(self.run_program("solve", query, "--format", "csv")[0])))
        self.assertEqual(len(rows), 1)
        self.assertEqual(float(rows[0]["price.usd_per_mtok.own_mix"]), result["price"]["usd_per_mtok"]["own_mix"])
        page, err = self.run_program("solve", query)
        self.assertIn("USD/Mtok", page.splitlines()[0])
        self.assertIn(f"bound by {result['binding'][0]}", page.splitlines()[0])
        self.assertIn(result["deployment"]["name"], page)
        self.assertEqual(err, "")
        self.assertLessEqual(max(map(len, page.splitlines())), 100)

    def test_the_bytes_do_not_depend_on_the_number_of_threads(self):
        query = self.query()
        for command in ("solve", "frontier"):
            outputs = {self.run_program(command, query, "--format", "json", "--jobs", jobs)[0] for jobs in (1, 2, 5)}
            self.assertEqual(len(outputs), 1, command)

    def test_the_scenario_of_a_solution_runs(self):
        result = json.loads(self.run_program("solve", self.query(), "--format", "json")[0])
        scenario = self.write("scenario.json", result["scenario"])
        run = json.loads(self.run_program("run", scenario, "--format", "json")[0])
        simulated = result["evaluator_gap"]
        self.assertAlmostEqual(run["latency"]["ttft_s"]["p90"] / simulated["ttft_s"]["simulated"], 1, delta=0.1)
        self.assertAlmostEqual(run["interactivity_tok_s_user"]["p10"] / simulated["interactivity_tok_s_user"]["simulated"], 1, delta=0.1)
        self.assertAlmostEqual(run["price"]["usd_per_mtok"]["own_mix"] / result["price"]["usd_per_mtok"]["own_mix"], 1, delta=0.1)

    def test_an_override_changes_the_question(self):
        query = self.query()
        base, looser = (json.loads(self.run_program("solve", query, "--format", "json", "--no-shadow-prices", *sets)[0])
                        for sets in ([], ["--set", "slo.interactivity_tok_s_user.min=15", "--set", '/hardware=["h100-sxm"]']))
        self.assertLess(looser["price"]["usd_per_mtok"]["own_mix"], base["price"]["usd_per_mtok"]["own_mix"])
        self.assertEqual(looser["deployment"]["hardware"], "h100-sxm")
        self.assertEqual(json.loads(self.run_program("solve", query, "--format", "json", "--seed", 7)[0])["seed"], 7)

    def test_an_inverse_question_has_an_answer_with_its_unit(self):
        query = self.query()
        for what, price, unit in [("ttft", 2, "s"), ("interactivity", 2, "tok/s/user"), ("context", 2, "tokens")]:
            out, _ = self.run_program("solve", query, "--format", "json", "--set", f"solve_for={what}", "--set", f"price={price}")
            self.assertEqual(json.loads(out)["answer"]["unit"], unit)
            self.assertGreater(json.loads(out)["answer"]["value"], 0)
        self.assertIn("solved for demand", self.run_program("solve", query, "--set", "solve_for=demand", "--set", "fleet_cap=8")[0])
        self.assertIn("break-even", self.run_program("solve", query, "--set", "solve_for=gpu_price")[0])

    def test_parts_can_be_left_out(self):
        out, _ = self.run_program("solve", self.query(), "--format", "json", "--no-simulation", "--no-shadow-prices")
        result = json.loads(out)
        self.assertIsNone(result["evaluator_gap"])
        self.assertEqual(result["searched"]["simulations"], 0)
        self.assertIsNone(result["shadow_prices"]["gpu_price"])

    def test_no_solution_is_a_result_with_its_reason_and_exit_code_3(self):
        query = self.query()
        result = json.loads(self.infeasible("solve", query, "--format", "json", *IMPOSSIBLE))
        self.assertEqual(result["status"], "infeasible")
        self.assertIn("ttft", result["infeasible_reason"])
        self.assertIsNone(result["price"])
        self.assertIn("infeasible: ttft", self.infeasible("solve", query, *IMPOSSIBLE).splitlines()[0])
        self.assertEqual(json.loads(self.infeasible("frontier", query, "--format", "json", *IMPOSSIBLE))["points"], [])

    def test_reads_standard_input(self):
        out, _ = self.run_program("solve", "-", "--format", "json", stdin=json.dumps(QUERY))
        self.assertEqual(json.loads(out), json.loads(self.run_program("solve", self.query(), "--format", "json")[0]))


class Frontier(QueryTest):
    def test_formats_tell_the_same(self):
        query = self.query()
        result = json.loads(self.run_program("frontier", query, "--format", "json")[0])
        self.assertEqual(result["schema"], "tokenomics.frontier/1")
        rows = list(csv.DictReader(io.StringIO(self.run_program("frontier", query, "--format", "csv")[0])))
        self.assertEqual(len(rows), len(result["points_by_hardware"]))
        self.assertEqual(sum(row["on_front"] == "1" for row in rows), len(result["points"]))
        page, err = self.run_program("frontier", query)
        self.assertIn(f"{len(result['points'])} points", page.splitlines()[0])
        self.assertEqual(err, "")
        self.assertLessEqual(max(map(len, page.splitlines())), 100)

    def test_several_networks_are_told_one_after_the_other(self):
        query = self.query()
        several = json.loads(self.run_program("frontier", query, "--model", "qwen3-30b-a3b", "--format", "json")[0])
        self.assertEqual([one["model"] for one in several], ["llama-3.3-70b", "qwen3-30b-a3b"])
        alone = json.loads(self.run_program("frontier", query, "--format", "json")[0])
        self.assertEqual(several[0], alone)
        rows = list(csv.DictReader(io.StringIO(self.run_program("frontier", query, "--model", "qwen3-30b-a3b", "--format", "csv")[0])))
        self.assertEqual({row["model"] for row in rows}, {"llama-3.3-70b", "qwen3-30b-a3b"})

    def test_no_point_beats_another(self):
        result = json.loads(self.run_program("frontier", self.query(contexts=[16384, 32768]), "--format", "json")[0])
        qualities = [(p["price"]["usd_per_mtok"]["own_mix"], p["service"]["ttft_s"], -p["service"]["interactivity_tok_s_user"], -p["service"]["context"])
                     for p in result["points"]]
        self.assertGreater(len(qualities), 3)
        for a in qualities:
            for b in qualities:
                self.assertFalse(a != b and all(x <= y for x, y in zip(a, b)), f"{a} beats {b}")
        self.assertEqual(qualities, sorted(qualities))

    def test_more_loads_give_more_points(self):
        query = self.query()
        few, many = (json.loads(self.run_program("frontier", query, "--format", "json", "--loads", n)[0]) for n in (3, 40))
        self.assertLess(few["searched"]["evaluated"], many["searched"]["evaluated"])
        self.run_program("frontier", query, "--loads", 1, expect=2)


class Files(QueryTest):
    def test_the_result_goes_to_a_file_whole(self):
        query = self.query()
        for command in ("solve", "frontier"):
            out, _ = self.run_program(command, query, "--format", "json", "--out", "result.json")
            self.assertEqual(out, "")
            self.assertEqual((self.folder / "result.json").read_text(), self.run_program(command, query, "--format", "json")[0])

    def test_bad_input_writes_no_file_and_an_old_one_stays(self):
        query = self.query()
        self.write("old.json", "old")
        for command in ("solve", "frontier"):
            for bad in (["--set", "slo.ttft_s.max=0"], ["--set", "modl=1"], ["--set", 'hardware=["h900"]'], ["--set", "solve_for=ttft"], ["--format", "xml"]):
                _, err = self.run_program(command, query, "--out", "old.json", *bad, expect=2)
                self.assertEqual((self.folder / "old.json").read_text(), "old")
            self.run_program(command, "nobody", "--out", "new.json", expect=2)
            self.run_program(command, "--out", "new.json", expect=2)
        self.assertEqual(self.files(), ["old.json", "query.json"])

    def test_all_problems_of_a_query_come_at_once(self):
        query = self.query(modell="x", hardware=["h90-sxm"], slo={"ttft_ms": {"max": 1}})
        _, err = self.run_program("solve", query, expect=2)
        for text in ("/modell", "did you mean model?", "/slo/ttft_ms", "ttft_s"):
            self.assertIn(text, err)

    def test_shipped_queries_are_listed_and_their_schemas_printed(self):
        self.assertIn("r1-interactive", self.run_program("list", "queries")[0])
        for name in ("query", "solution", "frontier"):
            self.assertEqual(json.loads(self.run_program("schema", name)[0])["$schema"], "http://json-schema.org/draft-07/schema#")


if __name__ == "__main__":
    main()
