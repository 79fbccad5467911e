"""measure_gpu.py writes the tables that the program reads, refuses what it cannot do in one line, and times as it says."""

import contextlib
import csv
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "measure_gpu.py"
MODELS = ROOT / "scenarios" / "models"


def load():
    spec = importlib.util.spec_from_file_location("measure_gpu", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="measure gpu "))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_script(self, *arguments):
        # A PyTorch that is not there, whatever the machine has.
        (self.folder / "none" / "torch").mkdir(parents=True, exist_ok=True)
        (self.folder / "none" / "torch" / "__init__.py").write_text("raise ImportError\n")
        done = subprocess.run(
            [sys.executable, "-B", SCRIPT, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(self.folder / "none"), "COLUMNS": "120"},
        )
        return done.returncode, done.stdout, done.stderr

    def dry(self, *arguments):
        out = self.folder / "out"
        code, text, errors = self.run_script("--dry-run", "--out", out, *arguments)
        self.assertEqual(code, 0, errors)
        return out, text

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Format(Case):
    def test_the_columns_are_those_that_the_program_reads(self):
        source = (ROOT / "sim" / "study" / "kernels" / "read_tables.cpp").read_text(encoding="utf-8")
        read = dict(re.findall(r'\{"(ops_\w+\.csv)",\s*"([\w,]+)"', source))
        for name, columns in load().COLUMNS.items():
            self.assertEqual(read[name], columns, name)

    def test_every_file_has_its_header_and_positive_times(self):
        out, _ = self.dry()
        for name, columns in load().COLUMNS.items():
            with open(out / name, encoding="utf-8") as file:
                self.assertEqual(file.readline(), columns + "\n")
            rows = self.rows(out / name)
            self.assertTrue(rows, name)
            for row in rows:
                self.assertGreater(float(row["latency_us"]), 0)
                self.assertEqual(row["framework"], "dry-run")
        self.assertEqual(json.loads((out / "about.json").read_text()), {"dry_run": True})

    def test_gemms_have_the_shapes_of_the_network(self):
        # DeepSeek-R1, one of 8: 16 heads of 128 + 64, latents 1536 and 512 + 64, experts shared 2048 / 8, dense 18432 / 8.
        out, _ = self.dry("--model", MODELS / "deepseek-r1-0528.json", "--tp", 8, "--tokens", "1,64", "--only", "gemm")
        rows = self.rows(out / "ops_gemm.csv")
        shapes = list(dict.fromkeys((int(r["n"]), int(r["k"])) for r in rows))
        self.assertEqual(
            shapes,
            [(1536, 7168), (3072, 1536), (576, 7168), (4096, 512), (7168, 2048), (256, 7168), (512, 7168), (7168, 256),
             (4608, 7168), (7168, 2304), (16160, 7168)],
        )  # fmt: skip
        self.assertEqual(len(rows), len(shapes) * 2 * 2)  # two formats, two token counts
        self.assertEqual({r["dtype"] for r in rows}, {"bf16", "fp8"})
        self.assertEqual({r["m"] for r in rows}, {"1", "64"})
        self.assertFalse((out / "ops_memory.csv").exists())

    def test_grouped_queries_are_measured_for_grouped_query_networks(self):
        out, _ = self.dry("--model", MODELS / "llama-3.1-8b.json", "--only", "gemm,attention", "--tokens", "1")
        shapes = {(r["n"], r["k"]) for r in self.rows(out / "ops_gemm.csv")}
        self.assertEqual(shapes, {("6144", "4096"), ("4096", "4096"), ("28672", "4096"), ("4096", "14336"), ("128256", "4096")})
        row = self.rows(out / "ops_attention.csv")[0]
        self.assertEqual([row[c] for c in ("heads", "kv_heads", "qk_dim", "v_dim")], ["32", "8", "128", "128"])
        self.assertFalse((out / "ops_mla_attention.csv").exists())

    def test_every_network_of_the_catalogue_has_shapes(self):
        module = load()
        for path in MODELS.glob("*.json"):
            for tp in (1, 8):
                for n, k in module.projections(module.read_network(path), tp):
                    self.assertTrue(n > 0 and k > 0, path)

    def test_a_dry_run_prints_what_it_writes_and_is_the_same_each_time(self):
        out, first = self.dry("--only", "memory,launch")
        rows = self.rows(out / "ops_memory.csv")
        self.assertEqual(first.splitlines(), [f"ops_memory.csv {r['op']} {r['bytes']}" for r in rows])
        text = (out / "ops_memory.csv").read_text()
        self.dry("--only", "memory,launch", "--force")
        self.assertEqual((out / "ops_memory.csv").read_text(), text)


class Refusals(Case):
    def refused(self, *arguments):
        code, out, errors = self.run_script(*arguments)
        self.assertEqual((code, out), (2, ""))
        self.assertNotIn("Traceback", errors)
        return errors.splitlines()[-1]

    def test_without_pytorch_it_says_so_and_writes_nothing(self):
        line = self.refused("--out", self.folder / "out")
        self.assertEqual(line, "measure_gpu: PyTorch is not installed: pip install torch, or --dry-run")
        self.assertFalse((self.folder / "out").exists())

    def test_old_files_are_not_replaced(self):
        out, _ = self.dry("--only", "launch")
        line = self.refused("--dry-run", "--only", "launch", "--out", out)
        self.assertEqual(line, f"measure_gpu: {out / 'ops_memory.csv'} exists: another --out, or --force to replace it")

    def test_bad_networks_and_options(self):
        bad = self.folder / "bad.json"
        bad.write_text("{")
        self.assertIn("bad.json: not JSON", self.refused("--dry-run", "--model", bad))
        bad.write_text("{}")
        self.assertIn("no network of the catalogue: 'attention' is missing", self.refused("--dry-run", "--model", bad))
        bad.write_text('{"attention": {"kind": "ring"}, "ffn": {"kind": "dense"}}')
        self.assertIn("attention ring with ffn dense; expected mla or gqa", self.refused("--dry-run", "--model", bad))
        self.assertIn("no.json: No such file", self.refused("--dry-run", "--model", self.folder / "no.json"))
        self.assertIn("expected some of bf16,fp8", self.refused("--dtypes", "fp16"))
        self.assertIn("expected whole numbers above 0", self.refused("--tokens", "1,x"))
        self.assertIn("marks made-up times", self.refused("--framework", "dry-run"))

    def test_help_has_examples(self):
        code, out, _ = self.run_script("--help")
        self.assertEqual(code, 0)
        self.assertIn("scripts/measure_gpu.py --model scenarios/models/qwen3-32b.json", out)


class FakeTorch(types.ModuleType):
    """As much of PyTorch as the timer uses. An operation "takes" the milliseconds of `times` in turn."""

    def __init__(self, times, available=True, free=1 << 40):
        super().__init__("torch")
        self.calls, self.times, self.__version__ = [], list(times), "0"
        self.uint8 = "uint8"
        self.version = types.SimpleNamespace(cuda="12", hip=None)
        fake = self

        class Event:
            def __init__(self, enable_timing):
                pass

            def record(self):
                fake.calls.append("event")

            def synchronize(self):
                pass

            def elapsed_time(self, _):
                return fake.times.pop(0)

        self.cuda = types.SimpleNamespace(
            is_available=lambda: available,
            set_device=lambda _: None,
            get_device_name=lambda: "NVIDIA H100 NVL",
            mem_get_info=lambda: (free, free),
            empty_cache=lambda: None,
            Event=Event,
        )

    def empty(self, count, device, dtype):
        return types.SimpleNamespace(zero_=lambda: self.calls.append("flush"))


class Timer(Case):
    def setUp(self):
        super().setUp()
        self.module = load()
        before = sys.modules.get("torch")
        self.addCleanup(lambda: sys.modules.pop("torch", None) if before is None else sys.modules.update(torch=before))

    def timer(self, torch, *arguments):
        sys.modules["torch"] = torch
        return self.module.DeviceTimer(self.module.parse(list(arguments)))

    def case(self, make, held=8):
        return self.module.Case("ops_memory.csv", ("launch", 0), held, make)

    def test_the_median_of_repeats_with_the_cache_overwritten_before_each(self):
        torch = FakeTorch([0.005, 0.9, 0.004])
        timer = self.timer(torch, "--repeats", "3", "--warm-up", "2")
        run = lambda: torch.calls.append("run")
        self.assertEqual(timer(self.case(lambda _: run)), 5.0)
        self.assertEqual(torch.calls, ["run", "run"] + 3 * ["flush", "event", "run", "event"])
        self.assertEqual(timer.gpu, "h100-nvl")

    def test_what_cannot_be_done_is_left_out_and_named(self):
        def impossible(_):
            raise RuntimeError("no such kernel\nmore")

        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            self.assertIsNone(self.timer(FakeTorch([]))(self.case(impossible)))
            self.assertIsNone(self.timer(FakeTorch([], free=10))(self.case(impossible)))
        self.assertEqual(
            errors.getvalue().splitlines(),
            ["left out: ops_memory.csv ('launch', 0): no such kernel",
             "left out: ops_memory.csv ('launch', 0): 8 bytes do not fit"],
        )  # fmt: skip

    def test_without_a_gpu_it_says_so(self):
        with self.assertRaisesRegex(self.module.Refused, "PyTorch sees no GPU"):
            self.timer(FakeTorch([], available=False))

    def test_devices_have_the_names_of_the_catalogue(self):
        for device, name in {
            "NVIDIA H200": "h200",
            "NVIDIA H100 80GB HBM3": "h100",
            "NVIDIA H100 PCIe": "h100-pcie",
            "NVIDIA GB200": "gb200",
            "NVIDIA A100-SXM4-80GB": "a100",
            "AMD Instinct MI300X": "mi300x",
            "NVIDIA GeForce RTX 4090": "rtx-4090",
            "Some Part, rev 2": "some-part-rev-2",
        }.items():
            self.assertEqual(self.module.short_name(device), name)


if __name__ == "__main__":
    unittest.main()
