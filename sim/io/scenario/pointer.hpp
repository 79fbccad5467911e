#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tokenomics {

/// JSON pointer (RFC 6901) one step further down: '~' and '/' inside the key are escaped.
std::string pointer_append(std::string_view pointer, std::string_view key);
/// Keys of a JSON pointer, unescaped; "" has none.
std::vector<std::string> pointer_keys(std::string_view pointer);
/// True when `pointer` is `ancestor` or lies beneath it.
bool is_within(std::string_view pointer, std::string_view ancestor);

}  // namespace tokenomics
