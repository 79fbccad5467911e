"""Published claims: every outcome is reproduced, only with its mechanism, and README.md says what the program says."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ["TOKENOMICS_BINARY"]


class Claims(unittest.TestCase):
    def test_readme_has_the_programs_table_and_every_outcome_is_reproduced(self):
        check = [sys.executable, "-B", str(ROOT / "scripts" / "claims_table.py"), BINARY, "--check"]
        run = subprocess.run(check, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_an_unknown_file_of_claims_is_told_with_the_nearest(self):
        run = subprocess.run([BINARY, "claims", "semianalysis-2025-07-04"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("semianalysis-2025-07-03", run.stderr)

    def test_answers_tell_whose_order_turns_round(self):
        run = subprocess.run([BINARY, "answers"], capture_output=True, text=True, check=True)
        self.assertIn("claude-sonnet-4 at anthropic", run.stdout)
        self.assertIn("turn round in time", run.stdout)


    def test_weights_tell_what_the_hosts_counts_do_not_identify(self):
        run = subprocess.run([BINARY, "weights"], capture_output=True, text=True, check=True)
        self.assertIn("price: 1 free parameters, 15 degrees of freedom", run.stdout)
        self.assertIn("not identified", run.stdout)


if __name__ == "__main__":
    unittest.main()
