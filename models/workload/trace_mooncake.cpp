#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "csv_reader.hpp"
#include "tokenomics/base/error.hpp"
#include "trace_readers.hpp"

namespace tokenomics {

namespace {

constexpr double kLatestMs = 1e15;
constexpr double kLargestHash = 4294967295.0;

/// One line at a time, with the file's name and line for complaints.
class MooncakeReader {
 public:
  explicit MooncakeReader(const std::string& path) : lines_(path) { trace_.block_tokens = kMooncakeBlockTokens; }

  Trace read() {
    std::string_view line;
    while (lines_.next(line)) trace_.rows.push_back(row(line));
    if (trace_.rows.empty()) {
      throw ScenarioError(Problem{lines_.path(), "line 1", "an empty file", "one JSON object per line", ""});
    }
    trace_.format = TraceFormat::Mooncake;
    return std::move(trace_);
  }

 private:
  TraceRow row(std::string_view line) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object()) lines_.fail(line, "one complete JSON object per line");
    TraceRow row;
    row.time_s = number(object, "timestamp") * 1e-3;
    if (!trace_.rows.empty() && row.time_s < trace_.rows.back().time_s) {
      lines_.fail(fmt::format("timestamp = {} ms", row.time_s * 1e3), "times that do not decrease");
    }
    row.input_tokens = whole(object, "input_length", 1);
    row.output_tokens = whole(object, "output_length", 1);
    read_hashes(object, row);
    return row;
  }

  const nlohmann::json& member(const nlohmann::json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end()) lines_.fail(object.dump(), fmt::format("a key \"{}\"", key));
    return *found;
  }

  double number(const nlohmann::json& object, const char* key) const {
    const nlohmann::json& value = member(object, key);
    if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= kLatestMs)) {
      lines_.fail(fmt::format("{} = {}", key, value.dump()), "milliseconds from 0 to 1e15");
    }
    return value.get<double>();
  }

  std::int64_t whole(const nlohmann::json& object, const char* key, std::int64_t low) const {
    const nlohmann::json& value = member(object, key);
    const bool good = value.is_number_integer() && value.get<double>() >= static_cast<double>(low) &&
                      value.get<double>() <= static_cast<double>(kMostTokens);
    if (!good) {
      lines_.fail(fmt::format("{} = {}", key, value.dump()), fmt::format("a whole number from {} to {}", low, kMostTokens));
    }
    return value.get<std::int64_t>();
  }

  void read_hashes(const nlohmann::json& object, TraceRow& row) {
    const nlohmann::json& hashes = member(object, "hash_ids");
    const auto blocks = (row.input_tokens + kMooncakeBlockTokens - 1) / kMooncakeBlockTokens;
    if (!hashes.is_array() || static_cast<std::int64_t>(hashes.size()) != blocks) {
      lines_.fail(fmt::format("hash_ids with {} entries", hashes.size()),
                  fmt::format("{}, one per {} tokens of input_length {}", blocks, kMooncakeBlockTokens, row.input_tokens));
    }
    row.first_hash = static_cast<std::uint32_t>(trace_.hashes.size());
    row.hash_count = static_cast<std::uint32_t>(hashes.size());
    std::int64_t hits = 0;
    bool hit = true;
    for (const nlohmann::json& id : hashes) {
      const bool good = id.is_number_integer() && id.get<double>() >= 0 && id.get<double>() <= kLargestHash;
      if (!good) lines_.fail(fmt::format("hash_ids with {}", id.dump()), "whole numbers from 0 to 4294967295");
      const auto hash = id.get<std::uint32_t>();
      trace_.hashes.push_back(hash);
      // Ids are chained, so the first unknown block ends the shared prefix.
      hit = !seen_.insert(hash).second && hit;
      hits += hit ? 1 : 0;
    }
    row.cached_tokens = std::min<std::int64_t>(hits * kMooncakeBlockTokens, row.input_tokens);
  }

  LineReader lines_;
  Trace trace_;
  std::unordered_set<std::uint32_t> seen_;
};

}  // namespace

Trace read_mooncake(const std::string& path) { return MooncakeReader(path).read(); }

}  // namespace tokenomics
