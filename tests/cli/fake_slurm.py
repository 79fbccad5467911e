"""Scripts that answer like Slurm's commands, for tests that need none."""

import os

SBATCH = r"""#!/bin/bash
[[ $1 != --version ]] || exit 0
# One call a line, its words between bars; the id is the number of the line.
printf '|%s' "$@" >>"$FAKE/calls"; echo '|' >>"$FAKE/calls"
if [[ -e $FAKE/refuse ]]; then echo "sbatch: error: Batch job submission failed: Invalid account" >&2; exit 1; fi
id=$(wc -l <"$FAKE/calls")
if [[ -e $FAKE/run ]]; then
  for word in "$@"; do
    case $word in --array=*) indices=${word#--array=} ;; *.sh) script=$word ;; esac
  done
  indices=${indices%\%*}
  for ((task = ${indices%-*}; task <= ${indices#*-}; ++task)); do SLURM_ARRAY_TASK_ID=$task bash "$script" 0 >&2; done
fi
echo "$id;cluster"
"""
SQUEUE = """#!/bin/bash
cat "$FAKE/queue" 2>/dev/null || true
"""
SCONTROL = """#!/bin/bash
if [[ -e $FAKE/limit ]]; then echo "MaxArraySize            = $(cat "$FAKE/limit")"; else exit 1; fi
"""


class FakeSlurm:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scontrol", SCONTROL)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.environment = {"PATH": f"{folder}:{os.environ['PATH']}", "FAKE": str(folder)}

    def set(self, name, text=""):
        """limit: MaxArraySize; queue: what squeue prints; refuse: sbatch fails; run: sbatch runs the tasks."""
        (self.folder / name).write_text(text)

    def unset(self, name):
        (self.folder / name).unlink()

    def calls(self):
        """Words of each call of sbatch so far, forgotten then."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.strip("|").split("|") for line in lines]
