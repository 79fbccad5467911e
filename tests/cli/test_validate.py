"""`validate`: measured points predicted, errors by group, the gate, one row a point."""

import csv
import json

from program import CATALOGUE, ProgramTest, main

HEAD = (
    "model,gpu,num_gpus,framework,framework_image,precision,spec_decode,isl,osl,concurrency,tp,ep,dp,dp_attention,disagg,"
    "output_tok_s_per_gpu,median_ttft_s,median_tpot_ms,mean_tpot_ms,date,source,flags_id\n"
)


def row(**changes):
    """A small network with few users: some milliseconds of work."""
    cells = {"model": "Llama-3.1-8B", "gpu": "h100", "num_gpus": 1, "framework": "vllm", "precision": "", "spec_decode": "none",
             "isl": 256, "osl": 64, "concurrency": 2, "tp": 1, "ep": 1, "dp": 1, "dp_attention": 0, "disagg": 0,
             "output_tok_s_per_gpu": 200, "median_ttft_s": 0.05, "median_tpot_ms": 7, "date": "2026-01-05", **changes}
    return ",".join(str(cells.get(name, "")) for name in HEAD.strip().split(",")) + "\n"


class Validate(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("points.csv", HEAD + row() + row(concurrency=4) + row(gpu="tpu-v9") + row(concurrency=""))

    def validate(self, *words, expect=0, **more):
        return self.run_program("validate", *words, expect=expect, **more)

    def json_of(self, *words, expect=0):
        return json.loads(self.validate(*words, "--format", "json", expect=expect)[0])

    def refused(self, *words):
        return self.validate(*words, expect=2)[1]

    def test_points_are_predicted_and_what_cannot_be_run_counts(self):
        result = self.json_of("points.csv")
        self.assertEqual(result["schema"], "tokenomics.validation/1")
        self.assertEqual((result["all"]["points"], result["all"]["infeasible"], result["all"]["skipped"]), (3, 1, 1))
        self.assertEqual([one["outcome"] for one in result["predictions"]], ["predicted", "predicted", "infeasible", "invalid"])
        self.assertEqual(result["predictions"][2]["error_tpot_percent"], -100)
        self.assertIn("tpu-v9", result["predictions"][2]["reason"])
        self.assertEqual(result["predictions"][3]["reason"], "the concurrency is missing")
        for one in result["predictions"][:2]:
            self.assertAlmostEqual(one["error_tpot_percent"], 100 * (one["predicted_tpot_ms"] / one["measured_tpot_ms"] - 1), places=4)
        groups = {group["key"]["gpu"]: group for group in result["groups"]}
        self.assertEqual(groups["tpu-v9"]["tok_s_per_gpu"], {"points": 1, "mdape": 100, "p90ape": 100, "bias": -100})

    def test_the_page_says_what_could_not_be_run_and_which_calibrations_were_used(self):
        page, err = self.validate("points.csv")
        self.assertEqual(err, "")
        self.assertTrue(page.startswith("3 points: median absolute error "))
        self.assertIn("points.csv:4", page)
        self.assertRegex(page, r"h100 +vllm +2 +[a-z ]+ [a-z0-9-]+\n")

    def test_several_files_are_pooled_and_jobs_change_nothing(self):
        self.write("more.csv", HEAD + row(concurrency=8))
        one = self.validate("points.csv", "more.csv", "--jobs", "1", "--format", "json")
        self.assertEqual(one, self.validate("points.csv", "more.csv", "--jobs", "2", "--format", "json"))
        self.assertEqual(json.loads(one[0])["all"]["points"], 4)
        rows = list(csv.DictReader(self.validate("points.csv", "more.csv", "--format", "csv")[0].splitlines()))
        self.assertEqual([one["scope"] for one in rows], ["group", "group", "all", "deepseek", "macro"])

    def test_the_file_of_predictions_has_one_row_a_point(self):
        self.validate("points.csv", "--predictions", "predictions.csv", "--out", "page.txt")
        rows = list(csv.DictReader((self.folder / "predictions.csv").read_text().splitlines()))
        self.assertEqual([(one["line"], one["outcome"]) for one in rows],
                         [("2", "predicted"), ("3", "predicted"), ("4", "infeasible"), ("5", "invalid")])
        self.assertEqual(rows[0]["measured_tpot_ms"], "7.0")
        self.assertGreater(float(rows[0]["predicted_tok_s_per_gpu"]), 0)
        self.assertEqual(rows[2]["predicted_tok_s_per_gpu"], "")

    def test_thresholds_are_a_gate(self):
        self.write("sound.csv", HEAD + row())
        self.validate("sound.csv", "--threshold", "tok_s_per_gpu=1000/1000,tpot=1000", "--threshold", "ttft=1000/1000")
        page, err = self.validate("sound.csv", "--threshold", "tpot=0/0,ttft=100000", expect=1)
        self.assertTrue(page.startswith("1 points: median absolute error "))
        self.assertRegex(err, r"the median error of tpot is [0-9.]+%, [0-9.]+ above 0%\n")
        self.assertNotIn("ttft", err)
        self.write("no_ttft.csv", HEAD + row(median_ttft_s=""))
        self.assertIn("ttft was measured at no point", self.validate("no_ttft.csv", "--threshold", "ttft=50", expect=1)[1])

    def test_thresholds_that_say_nothing_are_refused(self):
        for text in ["tpot", "tpot=", "tpot=a", "tpot=-1", "tpot=1/2/3", "=8", "tpot=8,,ttft=3", ""]:
            self.assertIn("expected NAME=MEDIAN[/P90]", self.refused("points.csv", "--threshold", text))
        self.assertIn("did you mean tpot?", self.refused("points.csv", "--threshold", "tpott=8"))

    def test_thresholds_of_groups(self):
        def gate(limit, **where):
            return self.write("gates.json", {"gates": [{"where": where, "tpot": {"median": limit, "p90": 1000}}]})

        self.validate("points.csv", "--thresholds", gate(99, gpu="h100", engine="vllm", drafts=False))
        err = self.validate("points.csv", "--thresholds", gate(99, gpu="tpu-v9"), expect=1)[1]
        self.assertEqual(err, "tokenomics: gpu tpu-v9: the median error of tpot is 100.00%, 1.00 above 99%\n")
        err = self.validate("points.csv", "--thresholds", gate(99, model="DeepSeek-R1"), expect=1)[1]
        self.assertEqual(err, "tokenomics: model DeepSeek-R1: tpot was measured at no point\n")
        self.write("gates.json", {"gates": [{"where": {"gpus": "h100"}, "tpot": {"p90": -1}}]})
        err = self.refused("points.csv", "--thresholds", "gates.json")
        self.assertIn("did you mean gpu?", err)
        self.assertIn("/gates/0/tpot/median", err)

    def test_flags_are_joined(self):
        self.write("points.csv", HEAD + row(flags_id="EF1", concurrency=16))
        self.write("flags.csv", "flags_id,kv_cache_dtype,max_running,mem_fraction\nEF1,auto,2,0.9\n")
        free = self.json_of("points.csv")["predictions"][0]
        held = self.json_of("points.csv", "--flags", "flags.csv")["predictions"][0]
        self.assertGreater(held["predicted_ttft_s"], 2 * free["predicted_ttft_s"])  # 14 of 16 users wait for a place

    def test_one_calibration_for_all(self):
        result = self.json_of("points.csv", "--calibration", "generic")
        self.assertEqual({(one["calibration"], one["fit"]) for one in result["calibrations"]}, {("generic", "given")})
        self.assertIn("did you mean hopper?", self.refused("points.csv", "--calibration", "hoppr"))

    def test_wrong_files_are_told(self):
        self.write("wrong.csv", HEAD.replace("concurrency", "concurency") + row())
        self.assertIn("wrong.csv: concurrency (missing); expected a column of that name; did you mean concurency?", self.refused("wrong.csv"))
        self.write("wrong.csv", HEAD + row() + row(isl="many"))
        self.assertIn("wrong.csv:3: isl: many; expected a number", self.refused("wrong.csv"))
        self.validate("nowhere.csv", expect=4)
        self.refused()
        self.refused("points.csv", "--out", "points.csv")
        self.refused("points.csv", "--predictions", "-")
        self.refused("points.csv", "--out", "same", "--predictions", "same")
        self.assertEqual(self.files(), ["points.csv", "wrong.csv"])

    def test_a_gpu_of_a_folder_of_ones_own_takes_its_familys_numbers(self):
        hardware = json.loads((CATALOGUE / "hardware" / "h100-sxm.json").read_text(encoding="utf-8"))
        hardware.update(name="h99-mini", aliases=["h99"], hbm_bandwidth_TBps=1.0)
        (self.folder / "mine" / "hardware").mkdir(parents=True)
        self.write("mine/hardware/h99-mini.json", hardware)
        self.write("points.csv", HEAD + row(gpu="h99") + row())
        mine, shipped = self.json_of("points.csv", "--catalogue", "mine")["predictions"]
        self.assertEqual(mine["outcome"], "predicted")
        self.assertIn(mine["calibration_fit"], ["family", "vendor", "kernels only"])
        self.assertGreater(mine["predicted_tpot_ms"], 2 * shipped["predicted_tpot_ms"])  # memory is less than a third as fast

    def test_a_gpu_that_lacks_a_number_costs_its_points_not_the_run(self):
        hardware = json.loads((CATALOGUE / "hardware" / "h100-sxm.json").read_text(encoding="utf-8"))
        hardware.update(name="h99-mini", aliases=["h99"])
        del hardware["scale_up"]
        (self.folder / "mine" / "hardware").mkdir(parents=True)
        self.write("mine/hardware/h99-mini.json", hardware)
        self.write("points.csv", HEAD + row(gpu="h99", num_gpus=2, tp=2, output_tok_s_per_gpu=100) + row())
        lacking, sound = self.json_of("points.csv", "--catalogue", "mine")["predictions"]
        self.assertEqual((lacking["outcome"], sound["outcome"]), ("infeasible", "predicted"))
        self.assertIn("scale_up", lacking["reason"])

    def test_compare_reads_what_it_writes(self):
        self.validate("points.csv", "--format", "json", "--out", "base.json")
        self.run_program("compare", "base.json", "base.json")


if __name__ == "__main__":
    main()
