"""The command `calibrate`: fits of few points, cross-validation, tables of kernels, refusals."""

import json

from program import ProgramTest, main

HEADER = ("model,gpu,num_gpus,framework,precision,spec_decode,isl,osl,concurrency,tp,ep,dp,dp_attention,disagg,"
          "output_tok_s_per_gpu,median_ttft_s,median_tpot_ms,mean_tpot_ms,date,source,flags_id\n")


def row(concurrency, tok_s, ttft_s, tpot_ms, isl=1024):
    return (f"DeepSeek-R1-0528,h200,8,sglang,fp8,none,{isl},1024,{concurrency},8,1,1,0,0,{tok_s},{ttft_s},{tpot_ms},,"
            "2026-03-25,made by hand,\n")


class Calibrate(ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("points.csv", HEADER + row(4, 42, 0.15, 11.0) + row(16, 100, 0.2, 18.0) + row(4, 40, 0.4, 11.4, 8192))

    def json_of(self, *words):
        return json.loads(self.run_program(*words, "--format", "json", "--quiet")[0])

    def test_few_points_write_a_calibration_that_validate_takes(self):
        fit = self.json_of("calibrate", "points.csv", "--few", "--write", "mine")["fits"][0]
        self.assertEqual(len(fit["numbers"]), 9)
        self.assertEqual(len(fit["points"]), 3)
        written = list((self.folder / "mine").glob("*.json"))
        self.assertEqual(len(written), 1)
        errors = self.json_of("validate", "points.csv", "--calibration", written[0])["all"]
        self.assertLess(errors["tpot"]["mdape"], 10)

    def test_cross_validation_predicts_every_point(self):
        self.assertEqual(self.json_of("calibrate", "points.csv", "--cross-validate", "shape")["all"]["points"], 3)

    def test_wrong_use(self):
        for words, told in (
            ([], "--ops is missing"),
            (["points.csv", "--select", "gpus=h200"], "did you mean gpu?"),
            (["points.csv", "--select", "gpu"], "COLUMN=VALUE"),
            (["points.csv", "--select", "gpu=b200"], "no point"),
            (["points.csv", "--cross-validate", "shapes"], "shape"),
            (["points.csv", "--ops", "x.csv"], "no POINTS.csv"),
        ):
            self.assertIn(told, self.run_program("calibrate", *words, expect=2)[1])

    def test_tables_of_kernels(self):
        rows = "".join(f"h200,sglang,bf16,{m},4096,7168,{12 + m * 0.09}\n" for m in (1, 8, 64, 512, 2048, 8192))
        self.write("ops_gemm.csv", "gpu,framework,dtype,m,n,k,latency_us\n" + rows)
        self.assertIn("dense_gemm", self.run_program("calibrate", "--ops", "ops_gemm.csv", "--quiet")[0])


if __name__ == "__main__":
    main()
