#include "tokenomics/report/sweep_folder.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "file_writing.hpp"
#include "manifest.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/base/histogram.hpp"

namespace tokenomics {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kShards = "shards";

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string in(const std::string& folder, const std::string& name) { return (fs::path(folder) / name).string(); }

void make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw IoError(fmt::format("cannot make the folder {}: {}", path, error.message()));
}

/// Nothing but what a process that was killed while it made a manifest has left, or one that makes it now.
bool is_empty_folder(const std::string& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kManifest) || !name.ends_with(".tmp")) return false;
  }
  return !error;
}

FolderError holds_a_sweep(const std::string& path, const SweepManifest& there) {
  if (there.is_complete)
    return FolderError(fmt::format("{} holds a finished sweep ({}): choose another folder, or remove it", path, there.name));
  return FolderError(fmt::format(
      "{} holds a sweep that is not finished ({}): go on with tokenomics sweep resume {}, or choose another folder", path,
      there.name, path));
}

/// What a shard says of itself: enough to refuse it among others.
std::string shard_text(const SweepManifest& manifest, std::uint64_t index, std::uint64_t of) {
  const auto [first, last] = shard_rows(manifest.rows, index, of);
  return ordered_json{{"schema", "tokenomics.sweep_shard/1"},
                      {"version", manifest.version},
                      {"program", manifest.program},
                      {"hash", manifest.hash},
                      {"index", index},
                      {"of", of},
                      {"first", first},
                      {"last", last}}
             .dump() +
         "\n";
}

}  // namespace

std::pair<std::uint64_t, std::uint64_t> shard_rows(std::uint64_t rows, std::uint64_t index, std::uint64_t of) {
  // 128 bits: rows * index may be beyond 64.
  const auto cut = [&](std::uint64_t i) {
    return static_cast<std::uint64_t>(static_cast<int128>(rows) * static_cast<int128>(i) / static_cast<int128>(of));
  };
  return {cut(index), cut(index + 1)};
}

SweepFolder SweepFolder::make(const std::string& path, const SweepManifest& manifest) {
  make_directory(path);
  const std::string file = in(path, kManifest);
  if (const auto text = content_of(file)) throw holds_a_sweep(path, manifest_from(*text, file));
  if (!is_empty_folder(path))
    throw FolderError(fmt::format("{} is not empty and holds no sweep: choose another folder", path));
  if (!write_whole(file, text_of(manifest), true))
    throw FolderError(fmt::format("another process has just begun a sweep in {}", path));
  return {path, manifest};
}

SweepFolder SweepFolder::make_or_join(const std::string& path, const SweepManifest& manifest) {
  make_directory(path);
  const std::string file = in(path, kManifest);
  // The manifest may come while this looks whether the folder is empty.
  const bool is_free = is_empty_folder(path);
  if (!content_of(file)) {
    if (!is_free) throw FolderError(fmt::format("{} is not empty and holds no sweep: choose another folder", path));
    write_whole(file, text_of(manifest), true);
  }
  SweepFolder folder = open(path);
  folder.check_same(manifest);
  if (folder.manifest_.shards != manifest.shards)
    throw FolderError(fmt::format("{} is cut into {} shards, not {}", path, folder.manifest_.shards, manifest.shards));
  return folder;
}

SweepFolder SweepFolder::open(const std::string& path) {
  const std::string file = in(path, kManifest);
  const auto text = content_of(file);
  if (!text) throw FolderError(fmt::format("{} holds no sweep: there is no {}", path, file));
  return {path, manifest_from(*text, file)};
}

void SweepFolder::check_same(const SweepManifest& now) const {
  const auto refuse = [&](const std::string& what) {
    throw FolderError(fmt::format(
        "{}: {}. Rows of two are not mixed: finish it as it was begun, or start anew in another folder", path_, what));
  };
  if (manifest_.version != now.version)
    refuse(fmt::format("begun by version {}, this is {}", manifest_.version, now.version));
  if (manifest_.program != now.program) refuse(fmt::format("begun by another build of version {}", now.version));
  if (manifest_.hash != now.hash) refuse("it holds another sweep, or another version of this one");
  for (const auto& [kind, hash] : now.catalogue)
    if (manifest_.catalogue.contains(kind) && manifest_.catalogue.at(kind) != hash)
      refuse(fmt::format("the catalogue's {} have changed since it was begun", kind));
  for (const auto& [name, hash] : now.files)
    if (!manifest_.files.contains(name) || manifest_.files.at(name) != hash)
      refuse(fmt::format("{} has changed since it was begun", name));
  for (const auto& [name, hash] : manifest_.files)
    if (!now.files.contains(name)) refuse(fmt::format("{} is not there any more", name));
  if (manifest_.first_scenario != now.first_scenario) refuse("the scenario of its first point has changed");
  if (manifest_.format != now.format) refuse(fmt::format("its rows are {}", to_string(manifest_.format)));
}

std::string SweepFolder::points_path() const { return in(path_, fmt::format("points.{}", to_string(manifest_.format))); }

std::string SweepFolder::shard_path(std::uint64_t index, std::uint64_t of) const {
  if (of == 1) return points_path();
  return in(path_, fmt::format("{}/{:06}-of-{:06}.{}", kShards, index, of, to_string(manifest_.format)));
}

void SweepFolder::claim_shard(std::uint64_t index, std::uint64_t of) const {
  if (of == 1) return;
  make_directory(in(path_, kShards));
  const std::string file = shard_path(index, of) + ".json", mine = shard_text(manifest_, index, of);
  const auto there = content_of(file);
  if (!there) {
    write_whole(file, mine);
  } else if (*there != mine) {
    throw FolderError(
        fmt::format("{} is of another sweep, program or cut: remove it and its rows to make the shard anew", file));
  }
}

std::vector<std::pair<std::uint64_t, std::string>> SweepFolder::missing_shards(const RowBeginning& beginning) const {
  std::vector<std::pair<std::uint64_t, std::string>> missing;
  const std::string head = head_of(manifest_);
  for (std::uint64_t index = 0; index < manifest_.shards; ++index) {
    const std::string path = shard_path(index, manifest_.shards);
    const auto [first, last] = shard_rows(manifest_.rows, index, manifest_.shards);
    if (first == last) continue;  // more shards than rows
    const bool is_labelled = manifest_.shards > 1;
    const auto label = is_labelled ? content_of(path + ".json") : std::nullopt;
    if (is_labelled && !label) {
      missing.emplace_back(index, "has not begun");
    } else if (is_labelled && *label != shard_text(manifest_, index, manifest_.shards)) {
      missing.emplace_back(index, "is of another sweep or program");
    } else if (const auto found = RowsFile::look(path, head, first, last - first, beginning); !found) {
      missing.emplace_back(index, "has no rows");
    } else if (!found->fault.empty()) {
      missing.emplace_back(index, fmt::format("{}: remove {} to make it anew", found->fault, path));
    } else if (found->rows != last - first) {
      missing.emplace_back(index, fmt::format("has {} of {} rows", found->rows, last - first));
    }
  }
  return missing;
}

void SweepFolder::merge_shards() const {
  if (manifest_.shards == 1) return;
  const std::string path = points_path(), temporary = path + ".tmp";
  const std::string head = head_of(manifest_);
  std::ofstream all(temporary, std::ios::binary | std::ios::trunc);
  all << head;
  for (std::uint64_t index = 0; index < manifest_.shards; ++index) {
    const auto [first, last] = shard_rows(manifest_.rows, index, manifest_.shards);
    std::ifstream rows(shard_path(index, manifest_.shards), std::ios::binary);
    std::string line;
    if (manifest_.format == RowFormat::Csv) std::getline(rows, line);
    for (std::uint64_t row = first; row < last && std::getline(rows, line); ++row) all << line << '\n';
  }
  all.close();
  // The shards go once the folder is complete: their rows have to be on the disk by then, not on their way.
  if (all) sync_file(temporary);
  std::error_code error;
  if (all) fs::rename(temporary, path, error);
  if (all && !error) return;
  const int reason = error ? error.value() : errno;
  fs::remove(temporary, error);
  fail_to_write(path, reason);
}

void SweepFolder::write(const std::string& name, const std::string& text) const { write_whole(in(path_, name), text); }

void SweepFolder::complete() {
  manifest_.is_complete = true;
  write_whole(in(path_, kManifest), text_of(manifest_));
  std::error_code none;
  fs::remove_all(in(path_, kShards), none);
}

}  // namespace tokenomics
