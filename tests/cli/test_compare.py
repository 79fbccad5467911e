"""What `compare` finds between two results, how it says so, and what --update-baseline writes."""

import csv
import io
import json
import time
import xml.etree.ElementTree as ET

from program import ProgramTest, main

HEAD = "point,gpu,n,status,reason,cost.usd_per_mtok.own_mix,latency.ttft_s.mean,latency.ttft_s.ci95,binding\n"
BASE = HEAD + "0,h100,1,ok,,1,0.5,0.03,ttft\n1,h100,4,ok,,2,0.5,0.03,ttft\n2,h200,1,ok,,3,0.5,0.03,ttft\n3,h200,4,infeasible,no room,,,,\n"
# h100 at 4 is 10% dearer; h200 at 1 is 0.04 s later, inside sqrt(2) 0.03 s.
NEW = HEAD + "0,h100,1.0,ok,,1,0.5,0.03,ttft\n1,h100,4e0,ok,,2.2,0.5,0.03,ttft\n2,h200,1,ok,,3,0.54,0.03,ttft\n3,h200,4,infeasible,still none,,,,\n"

# A query of some hundredths of a second.
QUERY = {
    "name": "small",
    "model": "llama-3.3-70b",
    "workload": "chat-2023",
    "hardware": ["h100-sxm", "h200-sxm"],
    "usd_per_gpu_hour": 2,
    "limits": {"context": 32768},
    "search": {"gpus_per_instance": [4], "policies": ["chunked_mixed"], "tokens_per_step": [8192]},
}


def validation(mdape):
    group = {"points": 3, "tok_s_per_gpu": {"mdape": mdape, "p90ape": 30, "bias": -4}, "infeasible": 0, "skipped": 1}
    return {"groups": [{"key": {"hardware": "h100-sxm", "isl": 1024}, **group}], "all": group, "predictions": [{"any": 1}]}


class CompareTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("base.csv", BASE)
        self.write("new.csv", NEW)

    def compare(self, *words, expect=0, **more):
        return self.run_program("compare", *words, expect=expect, **more)[0]

    def findings(self, *words, expect=1):
        return json.loads(self.compare(*words, "--format", "json", expect=expect))

    def refused(self, *words):
        return self.run_program("compare", *words, expect=2)[1]

    def text(self, name):
        return (self.folder / name).read_text(encoding="utf-8")


class Points(CompareTest):
    def test_what_moved_where_and_by_how_much(self):
        page = self.compare("base.csv", "new.csv", expect=1)
        self.assertEqual(page.splitlines()[0], "1 of 4 points moved on 1 of 2 curves: furthest gpu=h100: n=4: cost.usd_per_mtok.own_mix 2.000 ->")
        self.assertIn("1 difference past the tolerance but inside the 95% intervals", page)
        result = self.findings("base.csv", "new.csv")
        self.assertEqual(result["schema"], "tokenomics.comparison/1")
        self.assertEqual((result["points"], result["moved"], result["within_noise"], result["x"]), (4, 1, 1, "n"))
        self.assertEqual([one["change"] for one in result["findings"]], [0.1])
        rows = list(csv.DictReader(io.StringIO(self.compare("base.csv", "new.csv", "--format", "csv", expect=1))))
        self.assertEqual([(row["finding"], row["gpu"], row["n"], row["new"]) for row in rows], [("moved", "h100", "4", "2.2")])

    def test_nothing_moved_against_itself(self):
        self.assertTrue(self.compare("base.csv", "base.csv").startswith("no point moved: 4 points, 3 metrics, 2 curves\n"))

    def test_tolerances_of_metrics_patterns_and_all(self):
        for words in [["--tolerance", "0.1"], ["--tolerance", "cost.*=0.1"], ["--tolerance", "*own_mix=0,0.2"], ["--ignore", "cost.*"],
                      ["--tolerance", "cost.*=0", "--tolerance", "cost.usd*=0.1"]]:
            self.compare("base.csv", "new.csv", *words)
        self.compare("base.csv", "new.csv", "--tolerance", "0.1", "--tolerance", "cost.*=0.01", expect=1)

    def test_tolerances_beside_the_baseline_are_used_and_named(self):
        self.write("base.tolerances.json", {"metrics": {"cost.*": {"relative": 0.2}}, "ignore": ["binding"]})
        self.assertIn("base.tolerances.json", self.compare("base.csv", "new.csv"))
        self.compare("base.csv", "new.csv", "--tolerance", "cost.*=0.01", expect=1)
        self.write("strict.json", {"default": {"relative": 0, "absolute": 0}})
        self.compare("base.csv", "new.csv", "--tolerances", "strict.json", expect=1)
        self.write("strict.json", {"defaults": {}})
        self.assertIn("strict.json:1: /defaults: {}; expected a known key; did you mean default?", self.refused("base.csv", "new.csv", "--tolerances", "strict.json"))

    def test_worse_lets_what_is_cheaper_pass(self):
        self.compare("new.csv", "base.csv", expect=1)
        self.assertIn("1 change for the better let pass", self.compare("new.csv", "base.csv", "--direction", "worse"))
        self.compare("base.csv", "new.csv", "--direction", "worse", expect=1)

    def test_points_columns_states_and_texts_that_differ(self):
        lines = NEW.splitlines(keepends=True)
        self.write("other.csv", HEAD.replace("binding", "bound") + lines[1] + lines[3] + "3,h200,4,ok,,1,1,1,x\n4,b200,1,ok,,1,1,1,x\n")
        kinds = [one["finding"] for one in self.findings("base.csv", "other.csv")["findings"]]
        self.assertEqual(kinds, ["missing_metric", "extra_metric", "missing_point", "status_changed", "extra_point"])
        self.write("other.csv", BASE.replace("3,0.5,0.03,ttft", "3,,0.03,context"))
        kinds = [(one["finding"], one["metric"]) for one in self.findings("base.csv", "other.csv")["findings"]]
        self.assertEqual(kinds, [("vanished", "latency.ttft_s.mean"), ("text_changed", "binding")])

    def test_directories_jsonl_and_standard_input(self):
        rows = csv.DictReader(io.StringIO(BASE))
        lines = [{key: None if value == "" else float(value) if key.count(".") or key in ("point", "n") else value for key, value in row.items()}
                 for row in rows]
        (self.folder / "sweep").mkdir()
        self.write("sweep/points.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        self.write("sweep/manifest.json", {"state": "complete"})
        self.compare("base.csv", "sweep")
        self.write("sweep/tolerances.json", {"default": {"relative": 0.2}})
        self.assertIn("sweep/tolerances.json", self.compare("sweep", "new.csv"))
        self.compare("base.csv", "-", stdin=BASE)
        self.write("sweep/manifest.json", {"state": "interrupted"})
        self.assertIn("the sweep in sweep is not finished: tokenomics sweep resume sweep", self.refused("base.csv", "sweep"))

    def test_a_table_without_a_status_needs_axes(self):
        self.write("a.csv", "gpu,n,usd\nh100,1,2\n")
        self.write("b.csv", "gpu,n,usd\nh100,1,3\n")
        self.assertIn("--axes", self.refused("a.csv", "b.csv"))
        self.compare("a.csv", "b.csv", "--axes", "gpu,n", expect=1)
        self.compare("a.csv", "a.csv", "--axes", "gpu,n")
        self.assertIn("did you mean gpu?", self.refused("a.csv", "b.csv", "--axes", "gpi,n"))

    def test_large_sweeps_take_seconds(self):
        metrics = 40
        head = "point,gpu,n,status,reason," + ",".join(f"m.{i}" for i in range(metrics)) + "\n"
        rows = [f"{i},g{i // 100},{i % 100},ok,," + ",".join(f"{i + j}.25" for j in range(metrics)) for i in range(20000)]
        self.write("large.csv", head + "\n".join(rows) + "\n")
        start = time.monotonic()
        self.assertTrue(self.compare("large.csv", "large.csv").startswith("no point moved: 20,000 points, 40 metrics, 200 curves"))
        self.assertLess(time.monotonic() - start, 20)  # a fifth of a second; whatever else the machine does


class Kinds(CompareTest):
    def test_runs_of_the_program(self):
        small = self.small()
        for seed in "1", "2":
            self.run_program("run", small, "--seed", seed, "--format", "json", "--out", f"{seed}.json")
        self.compare("1.json", "1.json")
        result = self.findings("1.json", "2.json")
        self.assertEqual(result["of"], "a run")
        self.assertIn("latency.ttft_s.p99", [one["metric"] for one in result["findings"]])
        self.compare("1.json", "2.json", "--tolerance", "1e9")
        self.run_program("run", small, "--seed", "1", "--set", "cost.usd_per_gpu_hour=3", "--format", "json", "--out", "dear.json")
        moved = [one["metric"] for one in self.findings("1.json", "dear.json")["findings"]]
        self.assertTrue(all("usd" in name for name in moved), moved)
        self.compare("dear.json", "1.json", "--direction", "worse", "--ignore", "*revenue_*usd")

    def test_solutions_and_frontiers_of_the_program(self):
        query = self.write("query.json", QUERY)
        for name, price in ("cheap", "2"), ("dear", "3"):
            self.run_program("frontier", query, "--loads", "4", "--set", f"usd_per_gpu_hour={price}", "--format", "json", "--out", f"{name}.json")
        self.compare("cheap.json", "cheap.json")
        result = self.findings("cheap.json", "dear.json")
        self.assertEqual({one["finding"] for one in result["findings"]}, {"moved"})
        self.assertEqual([curve["axes"]["hardware"] for curve in result["curves"]], ["h100-sxm", "h200-sxm"])
        self.assertAlmostEqual(max(one["change"] for one in result["findings"]), 0.5, places=6)
        self.compare("dear.json", "cheap.json", "--direction", "worse")
        self.compare("cheap.json", "dear.json", "--tolerance", "price*=0.5")
        self.assertIn("context, interactivity_tok_s_user".replace(" ", ""), self.compare("cheap.json", "dear.json", "--format", "csv", expect=1))
        self.run_program("solve", query, "--no-simulation", "--no-shadow-prices", "--format", "json", "--out", "s.json")
        self.compare("s.json", "s.json")
        self.assertIn("a solution; expected frontiers as in cheap.json", self.refused("cheap.json", "s.json"))

    def test_validations(self):
        self.write("base.json", validation(10))
        self.write("new.json", validation(12))
        result = self.findings("base.json", "new.json")
        self.assertEqual([(one["point"]["hardware"], one["metric"]) for one in result["findings"]],
                         [("h100-sxm", "tok_s_per_gpu.mdape"), ("all", "tok_s_per_gpu.mdape")])
        self.compare("new.json", "base.json", "--direction", "worse")


class Reports(CompareTest):
    def test_junit_has_a_case_for_each_curve(self):
        suite = ET.fromstring(self.compare("base.csv", "new.csv", "--format", "junit", expect=1)).find("testsuite")
        self.assertEqual((suite.get("name"), suite.get("tests"), suite.get("failures")), ("new.csv against base.csv", "2", "1"))
        cases = {case.get("name"): case.find("failure") for case in suite.findall("testcase")}
        self.assertIn("n=4: cost.usd_per_mtok.own_mix 2.000 -> 2.200, +10.0%", cases["gpu=h100"].text)
        self.assertIsNone(cases["gpu=h200"])

    def test_github_annotations_name_the_baseline(self):
        lines = self.compare("base.csv", "new.csv", "--format", "github", expect=1).splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[0].startswith("::error file=base.csv,title=gpu=h100%3A 1 finding::n=4: cost.usd_per_mtok.own_mix"))
        self.assertTrue(lines[1].startswith("::notice title=tokenomics compare::1 of 4 points moved"))
        self.assertIn("::notice title=tokenomics compare::no point moved", self.compare("base.csv", "base.csv", "--format", "github"))

    def test_out_gets_the_report_and_the_exit_code_stays(self):
        self.assertEqual(self.compare("base.csv", "new.csv", "--format", "junit", "--out", "r.xml", expect=1), "")
        ET.fromstring(self.text("r.xml"))

    def test_schemas_are_printed(self):
        for name in "comparison", "tolerances":
            self.assertIn("title", json.loads(self.run_program("schema", name)[0]))


class Baselines(CompareTest):
    def test_a_file_over_a_file(self):
        out, err = self.run_program("compare", "base.csv", "new.csv", "--update-baseline")
        self.assertTrue(out.startswith("1 of 4 points moved"))
        self.assertIn("wrote base.csv", err)
        self.assertEqual(self.text("base.csv"), NEW)
        self.compare("base.csv", "new.csv")
        self.assertEqual(self.run_program("compare", "base.csv", "new.csv", "--update-baseline", "--quiet")[1], "")

    def test_a_baseline_that_is_not_there_is_made(self):
        self.assertIn("first.csv; expected a file or a directory of results: there is none", self.refused("first.csv", "new.csv"))
        out = self.compare("first.csv", "new.csv", "--update-baseline")
        self.assertTrue(out.startswith("4 points extra; no point moved: 0 points"), out)
        self.assertEqual(self.text("first.csv"), NEW)

    def test_directories(self):
        (self.folder / "sweep").mkdir()
        self.write("sweep/points.csv", NEW)
        self.write("sweep/manifest.json", {"state": "complete", "of": "new"})
        self.compare("kept", "sweep", "--update-baseline")
        self.assertEqual((self.text("kept/points.csv"), json.loads(self.text("kept/manifest.json"))["of"]), (NEW, "new"))
        self.compare("base.csv", "sweep", "--update-baseline")
        self.assertEqual(self.text("base.csv"), NEW)
        self.write("sweep/points.csv", BASE)
        self.compare("kept", "sweep", "--update-baseline")
        self.assertEqual(self.text("kept/points.csv"), BASE)
        self.assertEqual(sorted(path.name for path in (self.folder / "kept").iterdir()), ["manifest.json", "points.csv"])

    def test_formats_are_not_converted(self):
        self.write("new.jsonl", '{"point": 0, "gpu": "h100", "n": 1, "status": "ok", "reason": null, "cost.usd_per_mtok.own_mix": 1}\n')
        self.assertIn("base.csv is csv, new.jsonl is jsonl; nothing is converted", self.refused("base.csv", "new.jsonl", "--update-baseline"))
        self.assertIn("nothing is converted", self.refused("none.csv", "new.jsonl", "--update-baseline"))
        self.assertEqual(self.text("base.csv"), BASE)

    def test_a_broken_result_never_becomes_the_baseline(self):
        self.write("broken.csv", NEW.replace("infeasible", "unknown"))
        self.refused("base.csv", "broken.csv", "--update-baseline")
        self.assertEqual(self.text("base.csv"), BASE)


class WrongInput(CompareTest):
    def test_flags_are_never_ignored(self):
        for words, expected in [(["--tolerance", "udd=0.1"], "--tolerance: \"udd\"; expected a metric that is compared"),
                                (["--tolerance", "latency.ttft_s.ci95=1"], "did you mean latency.ttft_s.mean?"),
                                (["--ignore", "latency.tpt*"], "--ignore: \"latency.tpt*\""),
                                (["--tolerance", "bindng=1"], "did you mean binding?"),
                                (["--tolerance", "cost.*=-1"], "numbers from 0 on"), (["--tolerance", "cost.*"], "numbers from 0 on"),
                                (["--tolerance", "1,2,3"], "numbers from 0 on"), (["--tolerance", "nan"], "numbers from 0 on"),
                                (["--direction", "wors"], "did you mean worse?"), (["--axes", "gpu,"], "--axes"), (["--format", "xml"], "junit")]:
            self.assertIn(expected, self.refused("base.csv", "new.csv", *words))

    def test_a_report_does_not_replace_what_it_is_about(self):
        for words in (["--out", "base.csv"], ["--out", "./new.csv"], ["--out", "base.csv", "--update-baseline"]):
            self.assertIn("one of the files that are compared", self.refused("base.csv", "new.csv", *words))
        self.assertEqual((self.text("base.csv"), self.text("new.csv")), (BASE, NEW))
        self.assertIn("no metric", self.refused("base.csv", "new.csv", "--ignore", "*"))

    def test_a_baseline_folder_keeps_a_manifest_that_is_true(self):
        (self.folder / "base").mkdir()
        self.write("base/points.csv", BASE)
        self.write("base/manifest.json", {"state": "complete", "rows": 4})
        self.assertIn("manifest", self.refused("base", "new.csv", "--update-baseline"))
        self.assertEqual(self.text("base/points.csv"), BASE)

    def test_broken_files_say_where(self):
        self.write("broken.csv", HEAD + "0,h100,1,ok,,1,0.5,nan,ttft\n1,h100,1,fine,,1,0.5,1,ttft\n")
        self.assertEqual(self.refused("base.csv", "broken.csv"),
                         "broken.csv:2: nan; expected a finite number in column latency.ttft_s.ci95, or nothing\n"
                         "broken.csv:3: \"fine\"; expected ok, infeasible or error in column status\n")
        self.write("other.csv", BASE.replace("gpu", "chip"))
        self.assertIn("other.csv: the axes chip, n; expected those of base.csv: gpu, n", self.refused("base.csv", "other.csv"))
        self.write("x.json", {"schema": "tokenomics.market/1"})
        self.assertIn("/schema: \"tokenomics.market/1\"", self.refused("x.json", "x.json"))
        self.refused("-", "-")


if __name__ == "__main__":
    main()
