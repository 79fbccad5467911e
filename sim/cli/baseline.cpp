#include "baseline.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "options.hpp"
#include "output.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

namespace fs = std::filesystem;

/// The format that a name promises; empty when it promises none.
std::string promised(const std::string& path) {
  const std::string ending = fs::path(path).extension().string();
  return ending == ".csv" || ending == ".jsonl" || ending == ".json" ? ending.substr(1) : "";
}

void check_format(const std::string& base, const std::string& is, const ResultFile& now) {
  if (is.empty() || is == to_string(now.format)) return;
  throw UsageError(
      fmt::format("--update-baseline: {} is {}, {} is {}; nothing is converted: name a baseline that ends in .{}", base, is,
                  now.path, to_string(now.format), to_string(now.format)));
}

std::string bytes_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  if (!stream.is_open() || stream.bad()) throw IoError("cannot read " + path);
  return bytes;
}

/// "points.csv" of a directory; NEW's manifest beside it.
BaselinePlan plan_directory(const std::string& directory, const ResultFile& now, bool must_be_made) {
  const fs::path place(directory);
  BaselinePlan plan{must_be_made ? directory : "", (place / fs::path(now.path).filename()).string(), ""};
  if (!now.manifest.empty()) plan.manifest = (place / "manifest.json").string();
  return plan;
}

}  // namespace

BaselinePlan plan_baseline(const std::string& base_argument, const ResultFile* base, const ResultFile& now) {
  if (base_argument == "-") throw UsageError("--update-baseline: BASE is standard input; expected a path");
  if (base != nullptr) {
    check_format(base->path, to_string(base->format), now);
    if (!base->manifest.empty() && now.manifest.empty())
      throw UsageError(fmt::format("--update-baseline: {} says what {} are; expected a NEW with a manifest too",
                                   base->manifest, base->path));
    if (base->directory.empty()) return {"", base->path, ""};
    BaselinePlan plan = plan_directory(base_argument, now, false);
    plan.path = base->path;
    return plan;
  }
  check_format(base_argument, promised(base_argument), now);
  if (!now.directory.empty() && promised(base_argument).empty()) return plan_directory(base_argument, now, true);
  return {"", base_argument, ""};
}

std::string write_baseline(const BaselinePlan& plan, const ResultFile& now) {
  if (!plan.directory.empty()) fs::create_directories(plan.directory);
  OutputFile points(plan.path);
  points.write(now.text);
  if (plan.manifest.empty()) {
    points.commit();
    return fmt::format("wrote {} ({} bytes) from {}", plan.path, now.text.size(), now.path);
  }
  OutputFile manifest(plan.manifest);
  manifest.write(bytes_of(now.manifest));
  points.commit();
  manifest.commit();
  return fmt::format("wrote {} ({} bytes) and {} from {}", plan.path, now.text.size(), plan.manifest, now.directory);
}

}  // namespace tokenomics::cli
