#include "slurm.hpp"

#include <algorithm>
#include <charconv>
#include <regex>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "child.hpp"
#include "tokenomics/base/error.hpp"

namespace tokenomics::cli {
namespace {

/// Far below what Linux takes as one argument (128 KiB), with room for what a site's plugins copy it into.
constexpr std::size_t kLongestList = 60'000;

std::string range_text(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

/// Last position of the run of consecutive numbers of one array that begins at `begin`.
std::size_t end_of_run(const std::vector<std::uint64_t>& shards, std::size_t begin, std::uint64_t size) {
  std::size_t last = begin;
  while (last + 1 < shards.size() && shards[last + 1] == shards[last] + 1 && shards[last + 1] / size == shards[begin] / size)
    ++last;
  return last;
}

}  // namespace

std::vector<ArrayPart> array_parts(const std::vector<std::uint64_t>& shards, std::uint64_t max_array_size) {
  std::vector<ArrayPart> parts;
  for (std::size_t i = 0; i < shards.size();) {
    const std::uint64_t offset = shards[i] / max_array_size * max_array_size;
    if (parts.empty() || parts.back().offset != offset || parts.back().indices.size() > kLongestList)
      parts.push_back({offset, "", 0});
    const std::size_t last = end_of_run(shards, i, max_array_size);
    ArrayPart& part = parts.back();
    part.indices += (part.indices.empty() ? "" : ",") + range_text(shards[i] - offset, shards[last] - offset);
    part.tasks += last - i + 1;
    i = last + 1;
  }
  return parts;
}

std::uint64_t max_array_size() {
  constexpr std::uint64_t kDefault = 1001;
  const Child answer = run_child({"scontrol", "show", "config"}, Complaints::Dropped);
  std::smatch found;
  if (!std::regex_search(answer.output, found, std::regex("MaxArraySize *= *([0-9]+)"))) return kDefault;
  const std::uint64_t size = std::strtoull(found[1].str().c_str(), nullptr, 10);
  if (size == 0) throw IoError("this Slurm takes no job arrays (MaxArraySize is 0)");
  return size;
}

bool has_slurm() { return run_child({"sbatch", "--version"}, Complaints::Dropped).is_found; }

std::string submit(const std::vector<std::string>& sbatch_words) {
  const Child answer = run_child(sbatch_words);
  if (!answer.is_found) throw IoError("there is no sbatch in PATH");
  if (answer.status != 0) throw IoError(fmt::format("sbatch ended with {}", answer.status));
  // "id" or "id;cluster", as a line of its own: a site's plugins may say something before.
  const std::regex line("(^|\n)([0-9]+)(;[^\n]*)?\n");
  std::smatch found;
  if (!std::regex_search(answer.output, found, line))
    throw IoError(fmt::format("sbatch answered no job id: {}", answer.output));
  return found[2];
}

std::optional<std::vector<std::string>> jobs_in_queue(const std::vector<std::string>& names) {
  const Child answer =
      run_child({"squeue", "--noheader", "--array", "--format=%i", fmt::format("--name={}", fmt::join(names, ","))});
  if (!answer.is_found || answer.status != 0) return std::nullopt;
  std::istringstream words(answer.output);
  std::vector<std::string> jobs;
  for (std::string job; words >> job;) jobs.push_back(job);
  return jobs;
}

}  // namespace tokenomics::cli
