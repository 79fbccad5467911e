#include <cstdio>
#include <exception>
#include <new>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <fmt/format.h>

#include "commands.hpp"
#include "output.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/sweep_folder.hpp"

namespace tokenomics::cli {
namespace {

enum ExitCode { kOk = 0, kUsage = 2, kInfeasible = 3, kInternal = 4 };

const Command* find_command(const std::string& name) {
  for (const Command& command : commands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

const Command& known_command(const std::string& name) {
  if (const Command* command = find_command(name)) return *command;
  std::vector<std::string> known;
  for (const Command& command : commands()) known.emplace_back(command.name);
  const std::string nearest = nearest_name(name, known);
  throw UsageError(
      fmt::format("unknown command \"{}\"{}", name, nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

int print(const std::string& text) {
  write_standard_output(text);
  return kOk;
}

/// Options before the command's name. Nothing when the command comes next.
std::optional<int> handle_global(const std::string& word) {
  if (word == "--help" || word == "-h") return print(help_of_program());
  if (word == "--version") return print(fmt::format("tokenomics {}\n", TOKENOMICS_VERSION));
  const std::string nearest = nearest_name(word, {"--help", "--version"});
  throw UsageError(fmt::format("unknown option {} before the command{}", word,
                               nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

/// Cut at the first word without a dash: what stands before it is for the program, what follows for the command.
int dispatch(const std::vector<std::string>& words) {
  if (words.empty()) throw UsageError("no command");
  if (words.front().starts_with('-')) return *handle_global(words.front());
  const bool asks_help = words.front() == "help";
  if (asks_help && words.size() == 1) return print(help_of_program());
  auto rest = words.begin() + (asks_help ? 1 : 0);
  const Command* two_words = rest + 1 < words.end() ? find_command(*rest + " " + *(rest + 1)) : nullptr;
  const Command& command = two_words != nullptr ? *two_words : known_command(*rest);
  rest += two_words != nullptr ? 2 : 1;
  if (asks_help) return print(help_of(command));
  const Options options = parse(command, {rest, words.end()});
  return options.has("help") ? print(help_of(command)) : command.run(options);
}

/// glibc gives large blocks, and the end of the heap, back to the system as soon as they are free. A run frees and takes
/// the same megabyte again and again, and threads then wait for each other in the kernel: sweeps of short runs were a
/// third slower on two threads.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 256 * kMiB);
  mallopt(M_TOP_PAD, 4 * kMiB);
#endif
}

int complain(int code, const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", text);
  return code;
}

int run_program(const std::vector<std::string>& words) {
  try {
    return dispatch(words);
  } catch (const UsageError& error) {
    const bool has_command = !words.empty() && find_command(words.front()) != nullptr;
    return complain(kUsage, fmt::format("tokenomics: {}\nSee tokenomics {}--help", error.what(),
                                        has_command ? words.front() + " " : ""));
  } catch (const ScenarioError& error) {
    return complain(kUsage, error.what());
  } catch (const FolderError& error) {
    return complain(kUsage, fmt::format("tokenomics: {}", error.what()));
  } catch (const Infeasible& error) {
    return complain(kInfeasible, fmt::format("tokenomics: infeasible: {}", error.what()));
  } catch (const std::bad_alloc&) {
    return complain(kInternal, "tokenomics: out of memory");
  } catch (const IoError& error) {
    return complain(kInternal, fmt::format("tokenomics: {}", error.what()));
  } catch (const std::exception& error) {
    return complain(kInternal, fmt::format("tokenomics: internal error: {}", error.what()));
  }
}

}  // namespace
}  // namespace tokenomics::cli

int main(int argc, char** argv) {
  tokenomics::cli::keep_freed_memory();
  tokenomics::cli::handle_interrupts();
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return tokenomics::cli::run_program(words);
}
