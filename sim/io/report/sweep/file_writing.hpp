#pragma once

#include <string>

namespace tokenomics {

/// Writes a file that appears whole or not at all, also when the machine stops. With `is_exclusive`, false when the file
/// is there already, decided once even among machines that share the folder. Throws IoError.
bool write_whole(const std::string& path, const std::string& text, bool is_exclusive = false);

/// Returns once the file's content is on the disk. Throws IoError.
void sync_file(const std::string& path);

/// "cannot write PATH: No space left on device".
[[noreturn]] void fail_to_write(const std::string& path, int error);

}  // namespace tokenomics
