#include "child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

std::string all_of(int pipe) {
  std::string text;
  std::array<char, 4096> block{};
  for (;;) {
    const ssize_t got = read(pipe, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
}

int exit_status(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The error number. The child sees nothing of us but the writing end and standard error.
int spawn(const std::vector<std::string>& words, int writing, Complaints complaints, pid_t& pid) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing, STDOUT_FILENO);
  if (complaints == Complaints::Dropped) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const int error = posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Child run_child(const std::vector<std::string>& words, Complaints complaints) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw IoError(fmt::format("cannot run {}: {}", words.front(), std::strerror(errno)));
  pid_t pid = 0;
  const int error = spawn(words, ends[1], complaints, pid);
  close(ends[1]);
  Child child;
  if (error == 0) {
    child.output = all_of(ends[0]);
    child.status = exit_status(pid);
  }
  close(ends[0]);
  if (error == ENOENT) return {false, 127, ""};
  if (error != 0) throw IoError(fmt::format("cannot run {}: {}", words.front(), std::strerror(error)));
  return child;
}

}  // namespace tokenomics::cli
