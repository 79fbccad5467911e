#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tokenomics/report/sweep_rows.hpp"

namespace tokenomics {

/// How the line of a row begins: row_beginning().
using RowBeginning = std::function<std::string(std::uint64_t row)>;

/// A result folder that must not be written to, or not like this: it holds another sweep, of another program, or not
/// all of it. Nothing in it has been changed.
class FolderError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a result folder says of itself, in manifest.json ("tokenomics.sweep/1"). Enough to go on with the sweep anywhere
/// the same program and catalogue are.
struct SweepManifest {
  std::string version;  ///< of the program
  std::string program;  ///< fingerprint of the binary: rows of two builds are not mixed
  std::string name;
  std::string hash;                              ///< of the sweep and its scenario or query
  std::string first_scenario;                    ///< hash of the resolved scenario of the first point; empty for queries
  std::map<std::string, std::string> catalogue;  ///< hash of each kind of catalogue file that points may name
  std::map<std::string, std::string> files;      ///< hash of each file that the sweep names by its path
  std::string text, file, base_text, base_file;  ///< see load_sweep_parts()
  std::vector<std::string> columns;
  RowFormat format = RowFormat::Csv;
  std::uint64_t rows = 0, points = 0;
  std::uint64_t shards = 1;
  std::string engine = "local";
  bool is_complete = false;
};

/// First line of every rows file of the sweep; empty for JSON Lines.
std::string head_of(const SweepManifest& manifest);

/// Fills in everything that follows from the sweep. Reads the catalogue's files.
SweepManifest manifest_of(const SweepSpec& spec, const SweepPlan& plan, const Catalogue& catalogue);

/// Rows [first, last) of shard `index` of `of`: contiguous, sizes differ by one at most.
std::pair<std::uint64_t, std::uint64_t> shard_rows(std::uint64_t rows, std::uint64_t index, std::uint64_t of);

/// A result folder: manifest.json, points.csv or .jsonl, summary.json, intervals.csv where something is uncertain, and
/// until they are merged shards/.
class SweepFolder {
 public:
  /// Makes the folder, or takes an empty one, and writes the manifest. Of several processes that try this at once exactly
  /// one succeeds. Throws FolderError when something is there already, IoError when it cannot be written.
  static SweepFolder make(const std::string& path, const SweepManifest& manifest);
  /// The same, but a manifest of the same sweep and program is taken as it is: for shards that start together.
  static SweepFolder make_or_join(const std::string& path, const SweepManifest& manifest);
  /// Throws FolderError when it holds no sweep or a broken manifest.
  static SweepFolder open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const SweepManifest& manifest() const { return manifest_; }
  /// Refuses to mix: another version, build, sweep or catalogue, naming what differs. Throws FolderError.
  void check_same(const SweepManifest& now) const;

  [[nodiscard]] std::string points_path() const;
  /// Where a shard's rows go; the folder's points file when the sweep is not cut.
  [[nodiscard]] std::string shard_path(std::uint64_t index, std::uint64_t of) const;
  /// Writes what a shard is beside its rows, or checks what is there. Throws FolderError when that is of something else.
  void claim_shard(std::uint64_t index, std::uint64_t of) const;
  /// Shards that are not there, not finished, or of another sweep or program: (index, why).
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> missing_shards(const RowBeginning& beginning) const;
  /// Puts all shards' rows into the points file, in order. The shards' files stay until the folder is complete.
  void merge_shards() const;
  /// Writes the file as a whole or not at all.
  void write(const std::string& name, const std::string& text) const;
  /// The manifest says that the sweep is complete; shards are removed.
  void complete();

 private:
  SweepFolder(std::string path, SweepManifest manifest) : path_(std::move(path)), manifest_(std::move(manifest)) {}

  std::string path_;
  SweepManifest manifest_;
};

/// Rows [first, last) of a sweep in a file that is always whole lines up to some row, in order, whenever the process is
/// killed: each row is one write, and half a last line is cut off at the next start. Rows that are ready before their
/// turn go to a file beside it (".early"), so that they need not be made again. Lines that are there are compared with how
/// their rows begin.
class RowsFile {
 public:
  /// Opens or makes the file and locks it. Throws FolderError when another process writes to it, or when it has other
  /// columns or rows; IoError when it cannot be written.
  RowsFile(const std::string& path, const std::string& head, std::uint64_t first, std::uint64_t last,
           const RowBeginning& beginning);
  ~RowsFile();
  RowsFile(const RowsFile&) = delete;
  RowsFile& operator=(const RowsFile&) = delete;

  /// The first row that is not in the file.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// Rows beyond it that have been made.
  [[nodiscard]] std::map<std::uint64_t, std::string> early() const;

  void append(std::uint64_t row, const std::string& line);
  void keep_early(std::uint64_t row, const std::string& line);
  /// All rows are in: nothing is buffered any more, not even by the system; the file beside it is removed.
  void finish();

  struct Found {
    std::uint64_t rows = 0;   ///< complete ones
    std::uint64_t bytes = 0;  ///< of them and the head
    std::string fault;        ///< other columns, or a row that is not the one that is due; empty: none
  };
  /// What is in a file, without locking or changing it; nothing when there is none. At most `most` rows are right.
  static std::optional<Found> look(const std::string& path, const std::string& head, std::uint64_t first, std::uint64_t most,
                                   const RowBeginning& beginning);

 private:
  void rewrite_early();
  void put(int file, const std::string& path, std::uint64_t& size, const std::string& text) const;

  std::string path_, early_path_;
  int file_ = -1, early_file_ = -1;
  std::uint64_t size_ = 0, early_size_ = 0;
  std::uint64_t next_, last_;
  std::map<std::uint64_t, std::string> found_early_;
  std::vector<std::uint64_t> waiting_;  ///< rows in the early file that are not yet in the other
};

/// All rows of a folder's points file, in order, with their fields. Throws FolderError when a row is missing, or is not the
/// one that is due.
void read_rows(const SweepFolder& folder, const SweepColumns& columns, const RowBeginning& beginning,
               const std::function<void(const SweepFields&)>& row);

}  // namespace tokenomics
