#pragma once

#include <string>

#include "tokenomics/report/sweep_folder.hpp"

namespace tokenomics {

std::string text_of(const SweepManifest& manifest);
/// Throws FolderError naming `path` when it is broken.
SweepManifest manifest_from(const std::string& text, const std::string& path);

/// Hash of the running program's file: two builds of one version may differ.
std::string program_fingerprint();

}  // namespace tokenomics
