"""`tokenomics infer`: what a host's price and service imply."""

import csv
import io
import json
import re

from program import ProgramTest, main


class Infer(ProgramTest):
    def one(self, *words):
        out, _ = self.run_program("infer", *words, "--format", "json")
        return json.loads(out)

    def test_every_format_and_any_number_of_threads_tell_the_same(self):
        words = ["lambda", "--model", "llama-3.3-70b"]
        offer = self.one(*words)["offers"][0]
        out, _ = self.run_program("infer", *words, "--format", "csv", "--jobs", "3")
        row = next(csv.DictReader(io.StringIO(out)))
        self.assertEqual(row["verdict"], offer["verdict"])
        self.assertAlmostEqual(float(row["batch_per_gpu_max"]), offer["range"]["batch_per_gpu"]["max"])
        page, _ = self.run_program("infer", *words)
        self.assertIn(offer["cheapest"]["deployment"]["name"], re.sub(r"\s+", " ", page))

    def test_chips_workload_and_query_can_be_chosen(self):
        words = ["lambda", "--model", "llama-3.3-70b", "--hardware", "h100-sxm", "--workload", "inferencex-1k1k"]
        offer = self.one(*words, "--set", "search.precision.weights=fp8")["offers"][0]
        self.assertEqual([chip["name"] for chip in offer["assumed"]["hardware"]], ["h100-sxm"])
        self.assertEqual(offer["assumed"]["workload"], "inferencex-1k1k")
        as_released = self.one(*words)["offers"][0]
        self.assertGreater(offer["range"]["batch_per_gpu"]["max"], as_released["range"]["batch_per_gpu"]["max"])

    def test_of_closed_providers_only_what_is_observed_is_told(self):
        told = self.one("anthropic")
        self.assertEqual(told["offers"], [])
        self.assertIn("only price, speed, time to first token and tokens per answer", told["not_inferred"][0]["statement"])
        out, _ = self.run_program("infer", "openai")
        self.assertIn("gpt-4o", out)

    def test_wrong_words_are_refused(self):
        for words in [["lambada"], ["lambda", "--model", "no-such"], ["lambda", "--workload", "no-such"],
                      ["lambda", "--hardware", "no-such"], ["lambda", "--set", "no.such=1"]]:
            self.run_program("infer", *words, expect=2)


if __name__ == "__main__":
    main()
