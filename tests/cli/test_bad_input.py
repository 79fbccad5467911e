"""Broken scenarios: the exit code, every problem at once, file and pointer, the nearest known name, no partial output."""

import copy

from program import SMALL, ProgramTest, main


def changed(change):
    scenario = copy.deepcopy(SMALL)
    change(scenario)
    return scenario


class BadInput(ProgramTest):
    def refuse(self, scenario, *expected, expect=2):
        file = self.write("scenario.json", scenario)
        _, err = self.run_program("run", file, "--out", "result.json", "--requests", "requests.csv", expect=expect)
        for text in expected:
            self.assertIn(text, err)
        self.assertEqual(self.files(), ["scenario.json"])
        return err

    def test_unknown_key(self):
        self.refuse({**SMALL, "deploymnt": {}}, "scenario.json", "/deploymnt", "did you mean deployment?")

    def test_missing_key(self):
        self.refuse({key: value for key, value in SMALL.items() if key != "workload"}, "/workload")

    def test_duplicate_key(self):
        self.refuse('{"model": "llama-3.3-70b", "model": "deepseek-v3", "workload": "chat-2023", "deployment": {"pools": []}}', "/model")

    def test_wrong_unit(self):
        self.refuse(changed(lambda s: s["slo"].update(ttft_ms={"max": 1})), "/slo/ttft_ms", "ttft_s")

    def test_not_a_number(self):
        self.refuse('{"model": "llama-3.3-70b", "workload": "chat-2023", "deployment": {"pools": []}, "seed": NaN}', "/seed")

    def test_negative_rate(self):
        workload = {"base": "chat-2023", "arrivals": {"kind": "poisson", "rate_per_s": -3}}
        self.refuse({**SMALL, "workload": workload}, "/workload/arrivals/rate_per_s", "-3")

    def test_context_limit_above_the_networks(self):
        self.refuse({**SMALL, "limits": {"context_tokens": 200000}}, "/limits/context_tokens", "131072")

    def test_unknown_gpu(self):
        self.refuse(changed(lambda s: s["deployment"]["pools"][0].update(hardware="h10-sxm")), "/deployment/pools/0/hardware", "h100-sxm")

    def test_unknown_model(self):
        self.refuse({**SMALL, "model": "lama-3.3-70b"}, "/model", "llama-3.3-70b")

    def test_a_network_that_does_not_fit_is_infeasible_with_the_numbers(self):
        err = self.refuse(changed(lambda s: s["deployment"]["pools"][0].update(parallelism={"tp": 1})), "GB", expect=3)
        for word in ["needs", "has", "attention", "embedding"]:
            self.assertIn(word, err)

    def test_all_problems_come_at_once_one_a_line(self):
        scenario = changed(lambda s: s.update(seed=-1, deploymnt={}, slo={"ttft_ms": {"max": 1}}))
        self.assertGreaterEqual(len(self.refuse(scenario).splitlines()), 3)

    def test_not_json_at_all(self):
        for text in ["", "{", "[]", "nonsense", '{"model": }', "\x00\x01"]:
            self.refuse(text)

    def test_overrides_are_checked_like_the_file(self):
        file = self.write("scenario.json", SMALL)
        for override, expected in [("deployment.pools.0.instnces=3", "instances"), ("/sed=1", "seed"), ("cost.usd_per_gpu_hour=-1", "-1"),
                                   ("nothing", "POINTER=VALUE"), ("deployment.pools.7.instances=1", "/deployment/pools/7")]:
            _, err = self.run_program("run", file, "--set", override, expect=2)
            self.assertIn(expected, err)

    def test_files_that_cannot_be_read_are_io_errors(self):
        self.run_program("run", "./nothing.json", expect=4)
        (self.folder / "folder.json").mkdir()
        self.run_program("run", "./folder.json", expect=4)


if __name__ == "__main__":
    main()
