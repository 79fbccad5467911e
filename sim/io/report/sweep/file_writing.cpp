#include "file_writing.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "tokenomics/base/error.hpp"

namespace tokenomics {

void fail_to_write(const std::string& path, int error) {
  throw IoError(fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

void sync_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_done = file >= 0 && fsync(file) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (!is_done) fail_to_write(path, error);
}

bool write_whole(const std::string& path, const std::string& text, bool is_exclusive) {
  // The host's name keeps processes of two machines apart that have the same number.
  char host[64] = {};
  gethostname(host, sizeof host - 1);
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path, host, getpid());
  const int file = open(temporary.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
  if (file < 0) fail_to_write(path, errno);
  const auto give_up = [&](int error) {
    close(file);
    unlink(temporary.c_str());
    fail_to_write(path, error);
  };
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) give_up(errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  if (fsync(file) != 0) give_up(errno);
  close(file);
  // A link, unlike a rename, fails where the name is taken.
  const int moved = is_exclusive ? link(temporary.c_str(), path.c_str()) : std::rename(temporary.c_str(), path.c_str());
  const int error = errno;
  if (is_exclusive || moved != 0) unlink(temporary.c_str());
  if (moved == 0) return true;
  if (is_exclusive && error == EEXIST) return false;
  fail_to_write(path, error);
}

}  // namespace tokenomics
