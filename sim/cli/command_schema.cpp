#include "commands.hpp"
#include "support.hpp"

namespace tokenomics::cli {
namespace {

int schema(const Options& options) {
  const Catalogue catalogue = open_catalogue(options);
  std::string text;
  if (const auto name = options.argument(0)) {
    text = catalogue.schema_text(*name);
  } else {
    for (const std::string& known : catalogue.schema_names()) text += known + "\n";
  }
  ResultOutput(options).finish(text);
  return 0;
}

}  // namespace

Command schema_command() {
  return {"schema",
          "JSON Schema of a file that the program reads or writes",
          {"tokenomics schema", "tokenomics schema scenario > scenario.schema.json"},
          {{"NAME", "without it, the names are listed", false}},
          {kOut, kQuiet, kHelp},
          schema};
}

}  // namespace tokenomics::cli
