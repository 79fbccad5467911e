#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace tokenomics {

/// Lines that are made on several threads and handed over in order.
///
/// Threads take numbers in rising order; one that is more than `window` ahead of the line that is due waits, so that
/// memory stays bounded however long one line takes.
struct OrderedLines {
  using Line = std::function<void(std::uint64_t, const std::string&)>;

  unsigned jobs = 1;  ///< at least 1; with 1, all on the calling thread. What is handed over does not depend on it.
  std::uint64_t first = 0, last = 0;  ///< lines first .. last - 1
  std::uint64_t window = 4096;
  std::function<std::string(std::uint64_t)> make;  ///< called from any thread
  Line due;                                        ///< in rising order, one call at a time
  Line early;  ///< may be empty: a line that was made before it is due, as soon as it is; one call at a time
  std::map<std::uint64_t, std::string> made;  ///< lines that need not be made, inside [first, last)

  /// Returns when all are handed over. When `make` or a line's receiver throws, no new line is begun and the
  /// exception is rethrown.
  void run();
};

}  // namespace tokenomics
