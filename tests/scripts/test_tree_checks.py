"""The checks of the tree find each kind of violation in a small tree made for it, and pass the tree without one."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

CMAKE = """
set(TOKENOMICS_LAYERS base hw sim report)
set(TOKENOMICS_SOURCES_base "models/base/*.cpp")
set(TOKENOMICS_SOURCES_hw "models/hw/*.cpp")
set(TOKENOMICS_SOURCES_sim "sim/core/*.cpp" "sim/serving/*.cpp")
set(TOKENOMICS_SOURCES_report "sim/io/report/*.cpp")
"""

GOOD = {
    "CMakeLists.txt": CMAKE,
    "include/tokenomics/units/quantity.hpp": "#pragma once\n",
    "include/tokenomics/base/error.hpp": '#pragma once\n#include "tokenomics/units/quantity.hpp"\n',
    "include/tokenomics/hw/gpu.hpp": '#pragma once\n#include <nlohmann/json_fwd.hpp>\n#include "tokenomics/base/error.hpp"\n',
    "models/hw/gpu.cpp": '#include "tokenomics/hw/gpu.hpp"\n#include <Eigen/Dense>\n',
    "sim/core/clock.cpp": '#include "heap.hpp"\n#include "tokenomics/hw/gpu.hpp"\n',
    "sim/core/heap.hpp": "#pragma once\n",
    "sim/cli/main.cpp": '#include "tokenomics/hw/gpu.hpp"\n',
}


class CheckCase(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="tree check "))
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in GOOD.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def check(self, script):
        done = subprocess.run([sys.executable, SCRIPTS / script, self.root], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def expect(self, script, line):
        self.assertEqual(self.check(script), (1, line + "\n"))


class Layers(CheckCase):
    def test_a_tree_without_violation_passes(self):
        self.assertEqual(self.check("check_layers.py"), (0, ""))

    def test_a_header_that_includes_a_higher_layer_fails(self):
        self.write("include/tokenomics/base/error.hpp", '#pragma once\n\n#include "tokenomics/hw/gpu.hpp"\n')
        self.expect("check_layers.py", "include/tokenomics/base/error.hpp:3: "
                    "layer base includes tokenomics/hw/gpu.hpp of the higher layer hw")

    def test_a_source_that_includes_a_higher_layer_in_angle_brackets_fails(self):
        self.write("include/tokenomics/report/table.hpp", "#pragma once\n")
        self.write("sim/serving/pool.cpp", "#include <tokenomics/report/table.hpp>\n")
        self.expect("check_layers.py", "sim/serving/pool.cpp:1: "
                    "layer sim includes tokenomics/report/table.hpp of the higher layer report")

    def test_a_private_header_of_a_higher_layer_fails(self):
        self.write("models/hw/gpu.cpp", '#include "../../sim/core/heap.hpp"\n')
        self.expect("check_layers.py", "models/hw/gpu.cpp:1: "
                    "layer hw includes ../../sim/core/heap.hpp of the higher layer sim")

    def test_a_public_header_that_includes_a_private_one_fails(self):
        self.write("include/tokenomics/sim/run.hpp", '#pragma once\n#include "sim/core/heap.hpp"\n')
        self.expect("check_layers.py", "include/tokenomics/sim/run.hpp:2: "
                    "public header includes sim/core/heap.hpp, which is not installed")

    def test_a_header_without_pragma_once_fails(self):
        self.write("sim/core/heap.hpp", "// #pragma once is missing\n")
        self.expect("check_layers.py", "sim/core/heap.hpp: header without #pragma once")

    def test_a_heavy_third_party_header_in_a_public_header_fails(self):
        for heavy in ["nlohmann/json.hpp", "Eigen/Dense", "boost/program_options.hpp", "valijson/schema.hpp"]:
            with self.subTest(heavy):
                self.write("include/tokenomics/hw/gpu.hpp", f"#pragma once\n#include <{heavy}>\n")
                self.expect("check_layers.py",
                            f"include/tokenomics/hw/gpu.hpp:2: public header includes the heavy <{heavy}>")

    def test_a_name_that_is_not_snake_case_fails(self):
        self.write("models/hw/GpuTable.cpp", "")
        self.expect("check_layers.py", "models/hw/GpuTable.cpp: name is not snake_case ending in .hpp or .cpp")

    def test_a_source_outside_every_layer_fails(self):
        self.write("models/magic/spell.cpp", "")
        self.expect("check_layers.py", "models/magic/spell.cpp: belongs to no layer of CMakeLists.txt")

    def test_an_include_that_does_not_exist_fails(self):
        self.write("models/hw/gpu.cpp", '#include "tokenomics/hw/tpu.hpp"\n')
        self.expect("check_layers.py", "models/hw/gpu.cpp:1: include of tokenomics/hw/tpu.hpp, which does not exist")


class TopLevel(CheckCase):
    def test_the_allowed_entries_dot_files_and_build_folders_pass(self):
        self.write(".clang-format", "")
        self.write("build/release/build.ninja", "")
        self.assertEqual(self.check("check_top_level.py"), (0, ""))

    def test_anything_else_fails(self):
        self.write("notes.txt", "")
        self.write("tools/helper.py", "")
        self.expect("check_top_level.py", "notes.txt: does not belong at the top level\n"
                    "tools: does not belong at the top level")


if __name__ == "__main__":
    unittest.main()
