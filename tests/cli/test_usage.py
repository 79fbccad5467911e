"""Words on the command line: help, versions, unknown words, options that a command does not have."""

import json

from program import CATALOGUE, ProgramTest, main

COMMANDS = ["run", "explain", "infer", "validate", "list", "show", "trace", "schema"]


class Usage(ProgramTest):
    def test_help_exists_at_every_level_with_examples_first(self):
        for words in [["--help"], ["-h"], ["help"], *([command, "--help"] for command in COMMANDS), ["help", "run"]]:
            out, err = self.run_program(*words)
            self.assertEqual(err, "")
            self.assertLess(out.index("Examples"), out.index("Options"), words)
        out, _ = self.run_program("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", out)

    def test_help_wins_over_missing_arguments(self):
        self.run_program("run", "--seed", "1", "--help")

    def test_version(self):
        out, _ = self.run_program("--version")
        self.assertRegex(out, r"^tokenomics \d+\.\d+\.\d+\n$")

    def test_unknown_words_are_refused_with_the_nearest_known_one(self):
        for words, nearest in [(["rnu"], "run"), (["run", "x", "--fromat", "json"], "--format"), (["--versoin"], "--version"),
                               (["run", "x", "--format", "jsn"], "json"), (["show", "modle", "x"], "model"),
                               (["show", "model", "deepsek-v3"], "deepseek-v3"), (["schema", "scenaro"], "scenario")]:
            _, err = self.run_program(*words, expect=2)
            self.assertIn(f"did you mean {nearest}?", err)

    def test_no_command_is_an_error(self):
        self.run_program(expect=2)
        self.run_program("", expect=2)

    def test_prefixes_are_not_guessed(self):
        self.run_program("run", self.small(), "--form", "json", expect=2)
        self.run_program("ru", self.small(), expect=2)

    def test_options_that_a_command_does_not_use_are_refused(self):
        for words in [["list", "--seed", "1"], ["explain", "x", "--requests", "r.csv"], ["trace", "x", "--jobs", "2"],
                      ["schema", "scenario", "--format", "csv"], ["show", "model", "deepseek-v3", "--set", "a=1"]]:
            self.run_program(*words, expect=2)

    def test_arguments_are_counted(self):
        for words in [["run"], ["run", "a", "b"], ["show", "model"], ["trace"], ["list", "models", "more"]]:
            self.run_program(*words, expect=2)

    def test_values_of_options_are_checked(self):
        small = self.small()
        for option in ["--seed=-1", "--seed=1.5", "--jobs=0", "--replications=0", "--format=xml", "--color=pink", "--set=-1"]:
            self.run_program("run", small, option, expect=2)
        self.run_program("run", small, "--seed", "1", "--seed", "2", expect=2)
        self.run_program("run", small, "--out", expect=2)

    def test_a_name_with_a_dash_comes_after_two(self):
        self.write("-x.json", (self.folder / self.small()).read_text())
        self.run_program("run", "--", "./-x.json")
        self.run_program("run", "-x.json", expect=2)


class Catalogue(ProgramTest):
    def test_lists_and_shows_every_kind(self):
        for kind in ["hardware", "models", "workloads", "calibrations", "scenarios", "overlaps", "engines"]:
            out, _ = self.run_program("list", kind, "--format", "csv")
            names = [line.split(",")[1] for line in out.splitlines()[1:]]
            if names:
                self.run_program("show", kind, names[0])
                self.run_program("show", kind, names[0], "--format", "json")

    def test_users_add_entries_without_code(self):
        entry = json.loads((CATALOGUE / "hardware" / "h100-sxm.json").read_text())
        (self.folder / "mine" / "hardware").mkdir(parents=True)
        self.write("mine/hardware/my-gpu.json", {**entry, "name": "my-gpu", "aliases": []})
        out, _ = self.run_program("list", "hardware", "--catalogue", "mine")
        self.assertIn("my-gpu", out)
        self.run_program("show", "gpu", "my-gpu", "--catalogue", "mine")
        self.run_program("show", "gpu", "my-gpu", expect=2)

    def test_a_catalogue_that_does_not_exist_is_an_io_error(self):
        self.run_program("list", "--catalogue", "nowhere", expect=4)
        self.run_program("list", TOKENOMICS_CATALOGUE="/nowhere", expect=4)

    def test_schemas_are_printed_as_they_are(self):
        out, _ = self.run_program("schema", "scenario")
        self.assertEqual(out, (CATALOGUE / "schemas" / "scenario.schema.json").read_text())

    def test_help_and_version_need_no_catalogue(self):
        self.run_program("--version", TOKENOMICS_CATALOGUE="/nowhere")
        self.run_program("run", "--help", TOKENOMICS_CATALOGUE="/nowhere")


if __name__ == "__main__":
    main()
