"""The shipped market of January to June 2025: what is known of it, and what would have been otherwise."""

import json

from program import CATALOGUE, ProgramTest, main

MARKET = json.loads((CATALOGUE / "markets" / "deepseek-2025.json").read_text(encoding="utf-8"))


def share(result):
    return result["measures"]["deepseek_share"]["values"]


def week(result, begin):
    return [period["begin"] for period in result["periods"]].index(begin)


def hosts_as_seen():
    """The same market to its users: hosts hold the same service at the same prices, only what it costs them is not solved for."""
    market = json.loads(json.dumps(MARKET))
    for provider in market["providers"]:
        if provider["service"]["kind"] == "held":
            del provider["service"]["query"]
            provider["service"]["kind"] = "observed"
    return market


class DeepSeekMarket(ProgramTest):
    def told(self, market, *words):
        out, _ = self.run_program("market", market, "--quiet", "--format", "json", *words)
        return json.loads(out)

    @classmethod
    def setUpClass(cls):
        cls.base = None

    def shipped(self):
        if type(self).base is None:
            type(self).base = self.told("deepseek-2025", "--samples", "40")
        return type(self).base

    def test_what_happened(self):
        result = self.shipped()
        measures = result["measures"]
        self.assertTrue(result["converged"])
        self.assertLess(result["spread_of_fixed_points"], 1e-6)
        self.assertTrue(measures["deepseek_share"]["falls_every_period"])
        growth = measures["third_party_tokens_per_day"]["last_over_first"]  # "nearly 20 times": SemiAnalysis, 2025-07-03
        self.assertTrue(15 < growth < 25, growth)
        self.assertLess(measures["app_requests_per_day"]["last"], measures["app_requests_per_day"]["first"])
        self.assertGreater(measures["rival_app_requests_per_day"]["last"], measures["rival_app_requests_per_day"]["first"])

    def test_the_interval_of_the_end_of_may_holds_what_was_published(self):
        result = self.shipped()
        intervals = result["measures"]["deepseek_share"]["intervals"]
        for begin in ["2025-05-05", "2025-05-12", "2025-05-19", "2025-05-26"]:
            at = intervals[week(result, begin)]
            self.assertLess(at["p95"] - at["p5"], 0.30, begin)
        at = intervals[week(result, "2025-05-26")]
        self.assertTrue(at["p5"] < 0.16 < at["p95"], at)  # SemiAnalysis, 2025-07-03

    def test_users_who_do_not_care_for_service_leave_half_as_much_at_most(self):
        # What is left are prices, brands, and the hosts who join: service makes more than half of the fall. DeepSeek's own
        # service is then nobody's concern and need not be simulated.
        market = hosts_as_seen()
        market["providers"][0]["service"] = {"kind": "observed", "ttft_s": 3, "tok_s": 24}
        name = self.write("market.json", market)
        careless = self.told(name, "--samples", "0", "--set", "weights.service_factor=0")
        base, end = share(self.shipped()), week(careless, "2025-05-26")
        fall = share(careless)[0] - share(careless)[end]
        self.assertTrue(0 < fall <= (base[0] - base[end]) / 2, fall)

    def test_batching_less_keeps_users(self):
        # At 40 tok/s instead of 20 an answer takes half as long, at the same price and first token.
        name = self.write("market.json", hosts_as_seen())
        quick = self.told(name, "--samples", "0", "--set", "providers.0.service.least_tok_s=40")
        base = self.shipped()
        for k in (0, -1):
            self.assertGreater(share(quick)[k], share(base)[k])
        gpus = [result["periods"][0]["providers"][0]["gpus"] for result in (base, quick)]
        self.assertGreater(gpus[1], gpus[0])  # at the price of GPUs that research does not have

    def test_a_larger_fleet_alone_changes_little(self):
        # The cap does not bind: who keeps GPUs for research takes the fewest that serve the load however many there are. The
        # share moves by some points because fleets are whole units, and are simulated at other loads under another cap.
        name = self.write("market.json", hosts_as_seen())
        large = self.told(name, "--samples", "0", "--set", "providers.0.service.fleet_gpus=4448")
        base = self.shipped()
        self.assertLess(max(period["providers"][0]["gpus"] for period in base["periods"]), 2224)
        self.assertAlmostEqual(share(large)[0], share(base)[0], delta=0.01)
        self.assertAlmostEqual(share(large)[-1], share(base)[-1], delta=0.05)

    def test_hosts_at_cost_take_more(self):
        # All hosts but two have cards above what their service costs, and draw users as they go down to it. The two (whose
        # service is fast, at DeepSeek's prices) become dearer and keep less than half of theirs, mostly to the other hosts.
        at_cost = self.told("deepseek-2025", "--samples", "0", "--set", 'pricing_groups.hosts={"rule":"target_margin"}')
        base = self.shipped()
        self.assertEqual(share(at_cost)[0], share(base)[0])  # prices answer the period before
        self.assertLess(share(at_cost)[-1], share(base)[-1])
        hosts = [p for p in at_cost["periods"][-1]["providers"] if p["name"] in ("together", "fireworks", "nebius", "lambda")]
        for host in hosts:
            self.assertAlmostEqual(host["margin_usd"] / host["revenue_usd"], 0, delta=0.02, msg=host["name"])


if __name__ == "__main__":
    main()
