#!/usr/bin/env python3
"""Checks that the top level of the tree holds only what belongs there; prints what does not and exits 1.

Looks at what git tracks; in a tree without git, at the folder itself, build folders left out.
"""

import subprocess
import sys
from pathlib import Path

ALLOWED = {
    "CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE",
    "include", "models", "scenarios", "scripts", "sim", "tests",
}  # fmt: skip
GENERATED = {"build", "out"}


def tracked(root):
    """Top-level names that git tracks, or None where git cannot tell."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout.decode()
        top = subprocess.run(["git", "rev-parse", "--show-prefix"], cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {name.split("/")[0] for name in listed.split("\0") if name}
    return names if names and not top.strip() else None


def strangers(root):
    """Names at the top level that are neither allowed nor dot files."""
    names = tracked(root)
    if names is None:
        names = {entry.name for entry in root.iterdir()} - GENERATED
    return sorted(name for name in names - ALLOWED if not name.startswith("."))


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    found = strangers(root)
    for name in found:
        print(f"{name}: does not belong at the top level")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
