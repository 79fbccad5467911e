#!/usr/bin/env python3
"""Checks the shape of the source tree; prints one line for each violation and exits 1 if there is any.

A header or source of a layer includes only its own layer and lower ones. The order of the layers and where their
sources lie are read from CMakeLists.txt, so that they are written down once. Public headers start with #pragma once and
keep heavy third-party headers out; files and folders have snake_case names.
"""

import argparse
import re
import sys
from pathlib import Path

HEADER_ONLY_LAYERS = ["units"]  # below everything in CMakeLists.txt
TOP = "cli"  # the binary may include every layer, and no layer may include the binary
TOP_FOLDER = "sim/cli"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SNAKE_CASE_FILE = re.compile(r"[a-z0-9_]+\.(hpp|cpp)")
SNAKE_CASE_FOLDER = re.compile(r"[a-z0-9_]+")
# Users of the library must not pay for what only the sources need.
HEAVY = re.compile(r"(nlohmann/(?!json_fwd\.hpp$)|Eigen/|boost/|valijson/|Random123/|muParser|catch2/)")


class Layers:
    """Order of the layers, and the layer that a file belongs to."""

    def __init__(self, root):
        self.root = root
        text = (root / "CMakeLists.txt").read_text(encoding="utf-8")
        listed = re.search(r"set\(TOKENOMICS_LAYERS ([^)]*)\)", text)
        if not listed:
            raise SystemExit("CMakeLists.txt: no set(TOKENOMICS_LAYERS ...)")
        self.order = HEADER_ONLY_LAYERS + listed.group(1).split() + [TOP]
        self.folders = {TOP_FOLDER: TOP}
        for layer, globs in re.findall(r"set\(TOKENOMICS_SOURCES_(\w+) ([^)]*)\)", text):
            for glob in re.findall(r'"([^"]+)/\*\.cpp"', globs):
                self.folders[glob] = layer
        for layer in self.order[:-1]:
            self.folders["include/tokenomics/" + layer] = layer

    def of(self, path):
        """Layer of a path inside the tree, or None when it belongs to none."""
        parents = path.relative_to(self.root).parents
        return next((self.folders[p.as_posix()] for p in parents if p.as_posix() in self.folders), None)

    def rank(self, layer):
        return self.order.index(layer)


def includes_of(path):
    """Yields (line number, name, written in quotes) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def resolve(root, includer, name, quoted):
    """The file of this tree that an include means, or None for a foreign one."""
    bases = ([includer.parent] if quoted else []) + [root / "include", root]
    return next((found for base in bases if (found := (base / name).resolve()).is_file()), None)


def check_includes(root, layers, path, layer):
    public = path.is_relative_to(root / "include")
    for number, name, quoted in includes_of(path):
        where = f"{path.relative_to(root)}:{number}"
        if public and HEAVY.match(name):
            yield f"{where}: public header includes the heavy <{name}>"
        target = resolve(root, path, name, quoted)
        if target is None:
            if quoted or name.startswith("tokenomics/"):
                yield f"{where}: include of {name}, which does not exist"
            continue
        other = layers.of(target) if target.is_relative_to(root) else None
        if other is None:
            yield f"{where}: include of {name}, which belongs to no layer"
        elif layers.rank(other) > layers.rank(layer):
            yield f"{where}: layer {layer} includes {name} of the higher layer {other}"
        elif public and not target.is_relative_to(root / "include"):
            yield f"{where}: public header includes {name}, which is not installed"


def check_name(root, path):
    relative = path.relative_to(root)
    if not SNAKE_CASE_FILE.fullmatch(path.name) or not all(map(SNAKE_CASE_FOLDER.fullmatch, relative.parts[:-1])):
        yield f"{relative}: name is not snake_case ending in .hpp or .cpp"


def sources(root, folders, suffixes=(".hpp", ".cpp", ".h", ".cc", ".cxx", ".hxx")):
    for folder in folders:
        yield from (p for p in sorted((root / folder).rglob("*")) if p.suffix in suffixes)


def check_tree(root):
    """All violations of the tree at `root`, as lines."""
    layers = Layers(root)
    for path in sources(root, ["include", "models", "sim"]):
        yield from check_name(root, path)
        if path.suffix == ".hpp" and "#pragma once" not in path.read_text(encoding="utf-8").splitlines():
            yield f"{path.relative_to(root)}: header without #pragma once"
        layer = layers.of(path)
        if layer is None:
            yield f"{path.relative_to(root)}: belongs to no layer of CMakeLists.txt"
        else:
            yield from check_includes(root, layers, path, layer)
    for path in sources(root, ["tests"]):
        yield from check_name(root, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    violations = list(check_tree(parser.parse_args().root.resolve()))
    for line in violations:
        print(line)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
