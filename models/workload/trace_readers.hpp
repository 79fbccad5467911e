#pragma once

#include <string>
#include <string_view>

#include "tokenomics/workload/trace.hpp"

namespace tokenomics {

Trace read_azure(const std::string& path);
Trace read_mooncake(const std::string& path);
Trace read_claude_code(const std::string& path);
Trace read_vllm(const std::string& path);

inline constexpr int kMooncakeBlockTokens = 512;
inline constexpr int kClaudeCodeBlockTokens = 64;

/// Nanoseconds since 1970 of "YYYY-MM-DD hh:mm:ss[.fraction of up to 9 digits]"; false when it is anything else.
bool parse_timestamp(std::string_view text, std::int64_t& nanoseconds);

}  // namespace tokenomics
