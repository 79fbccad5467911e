#include "output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;

/// Names of unfinished files, where a signal handler may read them: no allocation, no locks.
constexpr std::size_t kSlots = 4;
std::array<std::array<char, 4096>, kSlots> unfinished_names;
std::array<volatile std::sig_atomic_t, kSlots> is_unfinished;

int remember(const std::string& name) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (is_unfinished[slot] || name.size() >= unfinished_names[slot].size()) continue;
    std::memcpy(unfinished_names[slot].data(), name.c_str(), name.size() + 1);
    is_unfinished[slot] = 1;
    return static_cast<int>(slot);
  }
  return -1;
}

void forget(int slot) {
  if (slot >= 0) is_unfinished[static_cast<std::size_t>(slot)] = 0;
}

std::array<char, 1024> advice_text;
volatile std::sig_atomic_t advice_size = 0;
volatile std::sig_atomic_t code_on_termination = 128 + SIGTERM;

extern "C" void end_on_signal(int signal) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (is_unfinished[slot]) unlink(unfinished_names[slot].data());
  }
  constexpr char kText[] = "tokenomics: interrupted\n";
  const bool is_told = write(STDERR_FILENO, kText, sizeof kText - 1) >= 0;
  if (is_told && write(STDERR_FILENO, advice_text.data(), static_cast<std::size_t>(advice_size)) < 0) {
    // Nobody is left to be told.
  }
  _exit(signal == SIGTERM ? code_on_termination : 128 + signal);
}

/// Where a link points, so that renaming does not replace the link itself.
fs::path target_of(const std::string& path) {
  std::error_code none;
  return fs::is_symlink(path, none) ? fs::weakly_canonical(path, none) : fs::path(path);
}

bool is_special(const fs::path& path) {
  std::error_code none;
  const fs::file_status status = fs::status(path, none);
  return fs::exists(status) && !fs::is_regular_file(status);
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(target_of(path).string()) {
  std::error_code none;
  if (fs::is_directory(path_, none)) throw IoError("cannot write " + path + ": is a directory");
  if (is_special(path_)) {
    file_ = std::fopen(path_.c_str(), "w");
    if (file_ == nullptr) fail("cannot write");
    return;
  }
  const fs::path place(path_);
  temporary_ = (place.parent_path() / fmt::format(".{}.{}.tmp", place.filename().string(), getpid())).string();
  slot_ = remember(temporary_);  // before the file is there: an interrupt may come right after open
  const int descriptor = open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    const int reason = errno;
    forget(slot_);
    errno = reason;
    fail("cannot write");
  }
  struct stat before = {};
  if (stat(path_.c_str(), &before) == 0 && fchmod(descriptor, before.st_mode & 07777) != 0) fail("cannot write");
  file_ = fdopen(descriptor, "w");
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
  forget(slot_);
}

void OutputFile::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail("cannot write");
}

void OutputFile::commit() {
  const bool is_complete = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!is_complete) fail("cannot write");
  if (temporary_.empty()) return;
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot write");
  temporary_.clear();
  forget(slot_);
  slot_ = -1;
}

void OutputFile::fail(const char* what) const { throw IoError(fmt::format("{} {}: {}", what, path_, std::strerror(errno))); }

void write_standard_output(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw IoError(fmt::format("cannot write standard output: {}", std::strerror(errno)));
  }
}

void handle_interrupts() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action = {};
    action.sa_handler = end_on_signal;
    sigaction(signal, &action, nullptr);
  }
  // A file that has grown to its limit is an error of that write, not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
}

void set_interrupt_advice(const std::string& advice) {
  const std::string line = advice.substr(0, advice_text.size() - 1) + "\n";
  std::memcpy(advice_text.data(), line.data(), line.size());
  advice_size = static_cast<std::sig_atomic_t>(line.size());
}

void ask_to_try_again_on_termination() {
  constexpr int kTryAgain = 75;  // EX_TEMPFAIL
  code_on_termination = kTryAgain;
}

bool wants_color(const Options& options) {
  const std::string when = options.choice("color", {"auto", "always", "never"});
  if (when != "auto") return when == "always";
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return options.text("out").value_or("-") == "-" && isatty(STDOUT_FILENO) == 1;
}

}  // namespace tokenomics::cli
