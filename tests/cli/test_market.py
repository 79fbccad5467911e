"""`tokenomics market`: the formats, the options, and what is refused."""

import csv
import io
import json

from program import ProgramTest, main

SEEN = {"kind": "observed", "ttft_s": 1, "tok_s": 50}

# Runs in some milliseconds.
MARKET = {
    "name": "twins",
    "seed": 3,
    "samples": 8,
    "calendar": {"start": "2025-01-06", "period": "week", "periods": 3},
    "weights": {"log_price": -1, "log_seconds": -1},
    "segments": [{"name": "chat", "requests_per_s": 10, "tokens": {"input": 1000, "output": 500}, "switching_share": 0.2,
                  "last_choices": {"alpha": 0.9, "beta": 0.1}}],
    "providers": [
        {"name": "alpha", "usd_per_mtok": {"input": 1, "output": 2}, "context": 64000, "service": SEEN},
        {"name": "beta", "usd_per_mtok": {"input": 0.5, "output": 1}, "context": 64000, "service": SEEN},
    ],
    "events": [{"date": "2025-01-20", "label": "beta is dearer", "provider": "beta", "usd_per_mtok": {"input": 2, "output": 4}}],
    "measures": [{"name": "share", "kind": "token_share", "provider": "alpha", "text": "alpha's share"}],
    "uncertain": [{"pointer": "/weights/log_price", "low": -2, "high": -0.5, "source": "assumed"}],
}
KEYS = ["schema", "version", "seed", "market", "measures", "free_parameters", "uncertain", "draws", "converged",
        "spread_of_fixed_points", "response_surfaces", "assumptions", "periods"]


class Market(ProgramTest):
    def told(self, *words, **changes):
        out, _ = self.run_program("market", self.write("market.json", {**MARKET, **changes}), *words, "--format", "json")
        return json.loads(out)

    def test_every_format_tells_the_same(self):
        result = self.told()
        self.assertEqual(list(result), KEYS)
        self.assertEqual(result["schema"], "tokenomics.market/1")
        self.assertEqual([result["market"], result["seed"], result["draws"]], ["twins", 3, {"made": 8, "kept": 8}])
        out, _ = self.run_program("market", "market.json", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), 3 * 2)
        cell = result["periods"][0]["providers"][0]["segments"][0]
        self.assertAlmostEqual(float(rows[0]["share"]), cell["share"])
        self.assertAlmostEqual(float(rows[0]["revenue_usd"]), cell["revenue_usd"], places=4)
        self.assertEqual(rows[0]["cost_usd"], "")
        page, _ = self.run_program("market", "market.json")
        for text in [f"{100 * result['measures']['share']['last']:.1f}", "2025-01-20 beta is dearer", "alpha's share"]:
            self.assertIn(text, page)

    def test_draws_and_seed_can_be_chosen(self):
        first = self.told()
        self.assertEqual(first, self.told("--seed", "3"))
        other = self.told("--seed", "4")
        self.assertEqual(other["seed"], 4)
        self.assertEqual(other["measures"]["share"]["values"], first["measures"]["share"]["values"])
        self.assertNotEqual(other["measures"]["share"]["intervals"], first["measures"]["share"]["intervals"])
        none = self.told("--samples", "0")
        self.assertEqual(none["measures"]["share"]["intervals"], [])
        self.assertEqual(none["draws"], {"made": 0, "kept": 0})
        self.assertEqual(self.told("--samples", "21")["draws"]["made"], 21)

    def test_a_market_may_come_from_standard_input_and_go_to_a_file(self):
        words = ["market", "-", "--format", "json", "--out", "result.json", "--quiet", "--jobs", "2"]
        out, _ = self.run_program(*words, stdin=json.dumps(MARKET))
        self.assertEqual(out, "")
        self.assertEqual(json.loads((self.folder / "result.json").read_text())["periods"][2]["events"], ["beta is dearer"])

    def test_bad_input_is_refused_with_its_place_and_nothing_is_written(self):
        bad = {
            "/events/0/provider: \"bita\"": {"events": [{**MARKET["events"][0], "provider": "bita"}]},
            "/calendar/start: \"2025-02-30\"": {"calendar": {**MARKET["calendar"], "start": "2025-02-30"}},
            "/uncertain/0: 1 to 2": {"uncertain": [{**MARKET["uncertain"][0], "low": 1, "high": 2}]},
            "did you mean segments?": {"segment": []},
        }
        for message, changes in bad.items():
            self.write("market.json", {**MARKET, **changes})
            _, error = self.run_program("market", "market.json", "--out", "result.json", expect=2)
            self.assertIn(message, error)
            self.assertEqual(self.files(), ["market.json"])
        self.write("market.json", MARKET)
        for words in [["--samples", "-1"], ["--samples", "many"], ["--set", "no.such=1"], ["--format", "yaml"], ["--seed", "x"]]:
            self.run_program("market", "market.json", "--out", "result.json", *words, expect=2)
        self.run_program("market", "no-such-market", "--out", "result.json", expect=2)
        self.assertEqual(self.files(), ["market.json"])

    def test_what_nothing_agrees_with_is_no_answer(self):
        seen = [{"measure": "share", "date": "2025-01-06", "low": 0.99, "high": 1, "source": "s"}]
        self.write("market.json", {**MARKET, "observed": seen})
        _, error = self.run_program("market", "market.json", expect=3)
        self.assertIn("no draw of the uncertain numbers agrees", error)


if __name__ == "__main__":
    main()
