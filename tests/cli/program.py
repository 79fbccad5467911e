"""Runs the built program for the tests of the command line."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ.get("TOKENOMICS_BINARY", "tokenomics")
CATALOGUE = Path(os.environ.get("TOKENOMICS_TEST_CATALOGUE", "scenarios"))

# Runs in some milliseconds.
SMALL = {
    "name": "small",
    "model": "llama-3.3-70b",
    "workload": "chat-2023",
    "deployment": {"pools": [{"hardware": "h100-sxm", "parallelism": {"tp": 4}, "instances": 2}]},
    "cost": {"usd_per_gpu_hour": 2},
    "slo": {"ttft_s": {"max": 60}, "interactivity_tok_s_user": {"min": 1}},
    "measure": {"requests": 300, "warm_up_requests": 20},
}


class ProgramTest(unittest.TestCase):
    """A test in an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def environment(self, **extra):
        kept = {key: value for key, value in os.environ.items() if key not in ("TOKENOMICS_CATALOGUE", "NO_COLOR")}
        return {**kept, "TOKENOMICS_CATALOGUE": str(CATALOGUE), **extra}

    def run_program(self, *words, stdin="", expect=0, **environment):
        """Standard output and error; fails unless the program exits with `expect`."""
        done = subprocess.run([BINARY, *map(str, words)], input=stdin, capture_output=True, text=True, cwd=self.folder, check=False,
                              env=self.environment(**environment), timeout=120)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout[-500:]}{done.stderr}")
        if expect not in (0, 1):
            self.assertEqual(done.stdout, "", "nothing but results on standard output")
            self.assertTrue(done.stderr.strip(), "an error says why")
        return done.stdout, done.stderr

    def write(self, name, content):
        """Writes JSON or text and returns the file's name."""
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def small(self, **changes):
        return self.write("small.json", {**SMALL, **changes})

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


def main():
    unittest.main(verbosity=0)
