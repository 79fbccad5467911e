"""The shipped cost curves: they load and run, and keep the law of the curves: a constraint that is loosened never makes a token dearer."""

import csv
import itertools
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from program import BINARY, CATALOGUE

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = sorted(path.stem for path in (CATALOGUE / "sweeps").glob("*.json"))
PRICE, COST = "price.usd_per_mtok.own_mix", "cost.usd_per_mtok.own_mix"
# Search goes over loads in small steps, and figures are written with nine digits.
ROUNDING = 1e-8


def pairs(values):
    return zip(values, values[1:])


class ShippedCurves(unittest.TestCase):
    """Every sweep is run once, into a folder that all tests read."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.results = Path(folder.name)
        cls.runs = {name: subprocess.run([BINARY, "sweep", name, "--out", str(cls.results / name), "--quiet"],
                                         capture_output=True, text=True, check=False, timeout=300) for name in NAMES}

    def rows(self, name, file):
        with open(self.results / name / file, encoding="utf-8", newline="") as text:
            return list(csv.DictReader(text))

    def points(self, name):
        return self.rows(name, "points.csv")

    def summary(self, name):
        return json.loads((self.results / name / "summary.json").read_text(encoding="utf-8"))

    def along(self, name, axis, *by):
        """Points of each curve in the order of the axis, by the values of the axes that tell curves apart."""
        rows = [row for row in self.points(name) if row[axis]]
        key = lambda row: tuple(row[column] for column in by)
        rows.sort(key=lambda row: (key(row), float(row[axis])))
        curves = {curve: list(points) for curve, points in itertools.groupby(rows, key)}
        self.assertGreater(len(curves), 1, name)
        return curves

    def assert_loosening_never_makes_dearer(self, name, axis, *by, looser):
        """The price along each curve; points without an answer lie at the tight end."""
        for curve, points in self.along(name, axis, *by).items():
            ordered = points if looser == "higher" else points[::-1]
            is_feasible = [point["status"] == "ok" for point in ordered]
            self.assertEqual(is_feasible, sorted(is_feasible), f"{name} {curve}: feasible when tight, not when loose")
            prices = [float(point[PRICE]) for point in ordered if point["status"] == "ok"]
            self.assertGreater(len(prices), 2, f"{name} {curve}")
            for tight, loose in pairs(prices):
                self.assertLessEqual(loose, tight * (1 + ROUNDING), f"{name} {curve}: {prices}")
        

    def test_every_shipped_sweep_runs_without_an_error(self):
        self.assertGreaterEqual(len(NAMES), 7)
        for name, run in self.runs.items():
            self.assertEqual((run.returncode, run.stderr), (0, ""), name)
            self.assertNotIn("error", {row["status"] for row in self.points(name)}, name)
            self.assertIn("ok", {row["status"] for row in self.points(name)}, name)

    def test_every_shipped_sweep_says_what_it_shows_rests_on_and_assumes_and_has_a_baseline(self):
        readme = (CATALOGUE / "sweeps" / "README.md").read_text(encoding="utf-8")
        for name in NAMES:
            sweep = json.loads((CATALOGUE / "sweeps" / f"{name}.json").read_text(encoding="utf-8"))
            self.assertEqual(sweep["name"], name)
            for key in ("description", "sources", "assumptions"):
                self.assertTrue(sweep[key], f"{name}: {key}")
            self.assertEqual(self.summary(name)["assumptions"], sweep["assumptions"])
            self.assertIn(f"| `{name}` |", readme)
            self.assertTrue((CATALOGUE / "regression" / f"{name}.csv").exists(), name)
        self.assertEqual(sorted(path.stem for path in (CATALOGUE / "regression").glob("*.csv")), NAMES)

    def test_batching_makes_tokens_cheaper_and_answers_later_on_every_chip(self):
        curves = self.along("batching-amd-nvidia", "concurrency", "chip", "isl", "osl", "overheads")
        self.assertEqual({chip for chip, *_ in curves}, {"h200-sxm", "mi300x", "mi325x"})
        for curve, points in curves.items():
            for fewer, more in pairs(points):
                self.assertLess(float(more[COST]), float(fewer[COST]), curve)
                self.assertGreater(float(more["e2e_s"]), float(fewer["e2e_s"]), curve)
                self.assertGreater(float(more["latency.tpot_ms.p50"]), float(fewer["latency.tpot_ms.p50"]), curve)

    def test_the_more_users_the_fewer_drafts_pay(self):
        speed = lambda row: float(row["interactivity_tok_s_user.mean"])
        best, last_draft = [], []
        for _, points in sorted(self.along("drafts-against-batch", "drafts", "concurrency").items(), key=lambda item: float(item[0][0])):
            by_drafts = {int(row["drafts"]): speed(row) for row in points}
            self.assertGreater(by_drafts[1], by_drafts[0])
            best.append(max(by_drafts, key=by_drafts.get))
            last_draft.append(by_drafts[3] / by_drafts[1])
        self.assertEqual(best[0], 3)
        self.assertEqual(best[-1], 2)
        self.assertLess(last_draft[-1], 1)
        self.assertGreater(last_draft[0], 1.2)

    def test_a_node_of_h100_cannot_hold_the_network_and_the_reason_has_the_numbers(self):
        points = [row for row in self.points("batching-amd-nvidia") if row["status"] != "ok"]
        self.assertEqual({row["chip"] for row in points}, {"h100-sxm"})
        for row in points:
            self.assertRegex(row["reason"], r"needs 85\.\d GB per GPU, has 77\.0 GB")

    def test_amds_points_say_what_their_efficiencies_are(self):
        for row in self.points("batching-amd-nvidia"):
            calibrated = {"h200-sxm": ("h200-sxm-sglang", "false"), "mi300x": ("mi300x-sglang", "false"), "mi325x": ("cdna3", "true")}
            if row["status"] == "ok":
                said = row["pools.0.calibration"], row["pools.0.calibration_is_family_default"]
                self.assertEqual(said, calibrated[row["chip"]])

    def test_latency_is_the_publications_end_to_end(self):
        # E2E = TTFT + OSL x gap. Answers have 0.9 of the nominal length in the mean; the median of sums is not the sum of
        # medians, but near it.
        for row in self.points("batching-amd-nvidia"):
            if row["status"] == "ok":
                by_formula = float(row["latency.ttft_s.p50"]) + 0.9 * float(row["osl"]) * float(row["latency.tpot_ms.p50"]) / 1000
                self.assertAlmostEqual(float(row["e2e_s"]) / by_formula, 1, delta=0.03)

    def test_a_later_first_token_is_never_dearer(self):
        self.assert_loosening_never_makes_dearer("price-against-ttft", "ttft_s_max", "chip", looser="higher")

    def test_a_slower_answer_is_never_dearer(self):
        self.assert_loosening_never_makes_dearer("price-against-interactivity", "tok_s_user_min", "chip", looser="lower")

    def test_a_shorter_context_is_never_dearer_nor_is_memory_that_is_not_reserved(self):
        name = "price-against-context"
        self.assert_loosening_never_makes_dearer(name, "context_tokens", "chip", "kv_reserved", looser="lower")
        curves = self.along(name, "context_tokens", "chip", "kv_reserved")
        for (chip, reserved), points in curves.items():
            if reserved == "full":
                for point, free in zip(points, curves[chip, "none"]):
                    self.assertLessEqual(float(free[PRICE]), float(point[PRICE]) * (1 + ROUNDING), chip)
                # Reserved memory is what makes context dear.
                self.assertGreater(float(points[-1][PRICE]), 1.2 * float(points[0][PRICE]), chip)

    def test_the_price_of_a_token_is_proportional_to_that_of_a_gpu_hour(self):
        for curve, points in self.along("price-against-gpu-price", "usd_per_gpu_hour", "chip", "tok_s_user_min").items():
            per_dollar = [float(point[PRICE]) / float(point["usd_per_gpu_hour"]) for point in points]
            self.assertLess(max(per_dollar) / min(per_dollar) - 1, ROUNDING, curve)
        self.assert_loosening_never_makes_dearer("price-against-gpu-price", "usd_per_gpu_hour", "chip", "tok_s_user_min", looser="lower")
        cheapest = [row for row in self.points("price-against-gpu-price") if row["usd_per_gpu_hour"] == "1"]
        for chip in {row["chip"] for row in cheapest}:
            by_speed = [float(row[PRICE]) for row in cheapest if row["chip"] == chip]
            self.assertEqual(by_speed, sorted(by_speed), "faster is dearer")

    def test_load_makes_tokens_cheaper_until_the_node_is_full(self):
        for chip, points in self.along("price-against-utilization", "rate_per_s", "chip").items():
            is_taken = [float(point["throughput.requests_s"]) > 0.95 * float(point["rate_per_s"]) for point in points]
            self.assertEqual(is_taken, sorted(is_taken, reverse=True), chip)
            self.assertFalse(is_taken[-1], f"{chip}: the highest rate is more than the node takes")
            taken = points[:is_taken.count(True)]
            for less, more in pairs(taken):
                self.assertLess(float(more[COST]), float(less[COST]), chip)
                self.assertGreater(float(more["places_taken"]), float(less["places_taken"]), chip)
            # A node by the hour: the cost of a token is that of the GPUs over the tokens that they serve.
            for point in points:
                tokens_per_hour = 3600 * float(point["throughput.total_tok_s_per_gpu"])
                self.assertAlmostEqual(float(point[COST]) * tokens_per_hour / 1e6 / float(point["cost.usd_per_gpu_hour"]), 1, delta=ROUNDING)

    def test_uncertain_numbers_give_intervals_and_what_drives_them(self):
        chips = self.rows("uncertainty-r1-price", "intervals.csv")
        self.assertEqual([row["chip"] for row in chips], ["h200-sxm", "mi300x"])
        for row in chips:
            self.assertEqual(row["ok"], "128")
            for figure in (COST, "cost.usd_per_mtok.output", "interactivity_tok_s_user.mean", "latency.ttft_s.p90"):
                low, middle, high = (float(row[f"{figure}.{part}"]) for part in ("p10", "p50", "p90"))
                self.assertLess(low, middle, figure)
                self.assertLess(middle, high, figure)
                self.assertGreater(float(row[f"{figure}.driver_first_order"]), 0, figure)
            # What a GPU-hour costs cannot make an answer slower.
            self.assertEqual(row[f"{COST}.driver"], "drawn.cost.usd_per_gpu_hour")
            self.assertNotEqual(row["interactivity_tok_s_user.mean.driver"], "drawn.cost.usd_per_gpu_hour")

    def break_even(self, lengths, chip, overheads="calibrated"):
        for answer in self.summary("batching-amd-nvidia")["curves"]:
            if (answer["per"]["isl"], answer["per"]["osl"]) == lengths and answer["per"]["overheads"] == overheads:
                row = next(row for row in answer["break_even"] if row["curve"] == chip)
                return row["break_even_usd_per_gpu_hour"]["median"]
        self.fail(f"no curves of {lengths}")

    def test_the_readme_tells_the_published_chart_as_it_comes_out(self):
        check = [sys.executable, "-B", str(ROOT / "scripts" / "curves_table.py"), BINARY, "--check", "--results", str(self.results)]
        run = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_what_the_readme_concludes_from_the_chart(self):
        chat, answers, prompts = ("1024", "1024"), ("1024", "4096"), ("4096", "1024")
        for lengths in (chat, answers, prompts):
            self.assertGreater(self.break_even(lengths, "mi325x"), self.break_even(lengths, "mi300x"))
        for chip in ("mi300x", "mi325x"):
            self.assertGreater(self.break_even(prompts, chip), self.break_even(chat, chip))
        published = {("mi300x", chat): (1.9, 1.9), ("mi300x", answers): (2.1, 2.4), ("mi300x", prompts): (2.1, 2.4),
                     ("mi325x", answers): (2.75, 3.0), ("mi325x", prompts): (2.75, 3.0)}
        for (chip, lengths), (low, high) in published.items():
            self.assertLess(self.break_even(lengths, chip), low, "too low")
            self.assertGreater(self.break_even(lengths, chip, "other end"), high, "moves past the published value")
        crossings = [c for answer in self.summary("batching-amd-nvidia")["curves"] for c in answer["crossings"]
                     if answer["per"]["overheads"] == "calibrated" and "h200-sxm" in (c["a"], c["b"])]
        self.assertEqual(crossings, [], "AMD never passes H200")


if __name__ == "__main__":
    unittest.main(verbosity=0)
