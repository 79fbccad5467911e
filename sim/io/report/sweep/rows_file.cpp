#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <fmt/format.h>

#include "file_writing.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/report/sweep_folder.hpp"

namespace tokenomics {
namespace {

/// Opens for reading and writing, makes where missing, and locks.
int open_locked(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) fail_to_write(path, errno);
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  const int error = errno;
  close(file);
  if (error == EWOULDBLOCK)
    throw FolderError(fmt::format("another process is writing to {}: wait for it, or end it first", path));
  fail_to_write(path, error);
}

/// Calls back with each line that has its line end; returns the bytes of all of them.
std::uint64_t each_line(int file, const std::string& path, const std::function<void(std::string_view)>& line) {
  std::string rest;
  std::array<char, 1 << 16> block{};
  std::uint64_t whole = 0;
  for (;;) {
    const ssize_t got = read(file, block.data(), block.size());
    if (got < 0) throw IoError("cannot read " + path);
    if (got == 0) return whole;
    rest.append(block.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      line(std::string_view(rest).substr(begin, end + 1 - begin));
      begin = end + 1;
    }
    whole += begin;
    rest.erase(0, begin);
  }
}

RowsFile::Found found_in(int file, const std::string& path, const std::string& head, std::uint64_t first, std::uint64_t most,
                         const RowBeginning& beginning) {
  RowsFile::Found found;
  bool is_head = !head.empty();
  found.bytes = each_line(file, path, [&](std::string_view line) {
    if (!found.fault.empty()) return;
    if (is_head) {
      is_head = false;
      if (line != head) found.fault = "has other columns";
      return;
    }
    if (found.rows == most) found.fault = fmt::format("has more than {} rows", most);
    else if (!line.starts_with(beginning(first + found.rows)))
      found.fault = fmt::format("has another row where row {} is due", first + found.rows);
    else ++found.rows;
  });
  return found;
}

void cut(int file, const std::string& path, std::uint64_t size) {
  if (ftruncate(file, static_cast<off_t>(size)) != 0 || lseek(file, static_cast<off_t>(size), SEEK_SET) < 0)
    fail_to_write(path, errno);
}

}  // namespace

RowsFile::RowsFile(const std::string& path, const std::string& head, std::uint64_t first, std::uint64_t last,
                   const RowBeginning& beginning)
    : path_(path), early_path_(path + ".early"), file_(open_locked(path)), next_(first), last_(last) {
  const Found found = found_in(file_, path_, head, first, last - first, beginning);
  if (!found.fault.empty()) {
    close(file_);
    throw FolderError(fmt::format("{} {}: it has been changed, or is of another sweep", path_, found.fault));
  }
  size_ = found.bytes;
  next_ += found.rows;
  cut(file_, path_, size_);
  if (size_ == 0 && !head.empty()) put(file_, path_, size_, head);
  if (next_ == last_) return;
  early_file_ = open(early_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (early_file_ < 0) fail_to_write(early_path_, errno);
  each_line(early_file_, early_path_, [&](std::string_view line) {
    const std::size_t tab = line.find('\t');
    const std::uint64_t row = std::strtoull(std::string(line.substr(0, tab)).c_str(), nullptr, 10);
    const bool is_due = row >= next_ && row < last_ && tab != std::string_view::npos;
    if (is_due && line.substr(tab + 1).starts_with(beginning(row))) found_early_[row] = std::string(line.substr(tab + 1));
  });
  rewrite_early();
}

/// Without what is in the rows file by now, or half written. The old file is there until the new one is whole.
void RowsFile::rewrite_early() {
  std::string text;
  for (const auto& [row, line] : found_early_) {
    text += fmt::format("{}\t{}", row, line);
    waiting_.push_back(row);
  }
  write_whole(early_path_, text);
  close(early_file_);
  early_file_ = open(early_path_.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (early_file_ < 0) fail_to_write(early_path_, errno);
  early_size_ = text.size();
}

RowsFile::~RowsFile() {
  if (file_ >= 0) close(file_);
  if (early_file_ >= 0) close(early_file_);
}

std::map<std::uint64_t, std::string> RowsFile::early() const { return found_early_; }

void RowsFile::put(int file, const std::string& path, std::uint64_t& size, const std::string& text) const {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      cut(file, path, size);  // no half line is left behind
      fail_to_write(path, error);
    }
    done += static_cast<std::size_t>(written);
  }
  size += text.size();
}

void RowsFile::append(std::uint64_t row, const std::string& line) {
  TOKENOMICS_CHECK(row == next_ && row < last_, fmt::format("row {} where {} is due", row, next_));
  put(file_, path_, size_, line);
  ++next_;
  const auto found = std::find(waiting_.begin(), waiting_.end(), row);
  if (found != waiting_.end()) waiting_.erase(found);
  if (!waiting_.empty() || early_size_ == 0) return;
  early_size_ = 0;
  cut(early_file_, early_path_, 0);
}

void RowsFile::keep_early(std::uint64_t row, const std::string& line) {
  put(early_file_, early_path_, early_size_, fmt::format("{}\t{}", row, line));
  waiting_.push_back(row);
}

void RowsFile::finish() {
  TOKENOMICS_CHECK(next_ == last_, fmt::format("{} of {} rows", next_, last_));
  if (fsync(file_) != 0) fail_to_write(path_, errno);
  unlink(early_path_.c_str());
}

std::optional<RowsFile::Found> RowsFile::look(const std::string& path, const std::string& head, std::uint64_t first,
                                              std::uint64_t most, const RowBeginning& beginning) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  Found found = found_in(file, path, head, first, most, beginning);
  close(file);
  return found;
}

void read_rows(const SweepFolder& folder, const SweepColumns& columns, const RowBeginning& beginning,
               const std::function<void(const SweepFields&)>& row) {
  const std::string path = folder.points_path();
  const SweepManifest& manifest = folder.manifest();
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError("cannot read " + path);
  std::string line;
  if (manifest.format == RowFormat::Csv) std::getline(file, line);
  std::uint64_t number = 0;
  for (; std::getline(file, line); ++number) {
    const std::string where = fmt::format("{}: row {}", path, number);
    if (number >= manifest.rows || !line.starts_with(beginning(number)))
      throw FolderError(where + " is not the one that is due: the file has been changed");
    try {
      row(fields_of_row(line, manifest.format, columns.names.size()));
    } catch (const std::runtime_error& error) {
      throw FolderError(fmt::format("{}: {}", where, error.what()));
    }
  }
  if (number != manifest.rows)
    throw FolderError(fmt::format("{} has {} of {} rows: it has been changed", path, number, manifest.rows));
}

}  // namespace tokenomics
