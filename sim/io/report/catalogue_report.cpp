#include "tokenomics/report/catalogue_report.hpp"

#include <nlohmann/json.hpp>

#include "csv.hpp"
#include "number_format.hpp"
#include "text_page.hpp"
#include "tokenomics/llm/counts.hpp"

namespace tokenomics {
namespace {

using nlohmann::ordered_json;

ordered_json parameters_by_part(const ParameterCount& count) {
  return {{"attention", exact(count.attention)},
          {"dense_ffn", exact(count.dense_ffn)},
          {"routed_experts", exact(count.routed_experts)},
          {"shared_experts", exact(count.shared_experts)},
          {"router", exact(count.router)},
          {"embedding", exact(count.embedding)},
          {"head", exact(count.head)},
          {"mtp", exact(count.mtp)}};
}

ordered_json weights_by_part(const Network& network, const ParameterCount& count) {
  const double weight = bytes_per_element(network.native_weights);
  const double expert = bytes_per_element(network.native_experts);
  const double bf16 = bytes_per_element(Precision::Bf16);
  return {{"attention", exact(count.attention * weight)},
          {"dense_ffn", exact(count.dense_ffn * weight)},
          {"routed_experts", exact(count.routed_experts * expert)},
          {"shared_experts", exact(count.shared_experts * weight)},
          {"router", exact(count.router * bf16)},
          {"embedding", exact(count.embedding * bf16)},
          {"head", exact(count.head * bf16)}};
}

/// A key inside a JSON pointer (RFC 6901).
std::string escaped(const std::string& key) {
  std::string text;
  for (const char c : key) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

void lines_of(const ordered_json& value, const std::string& pointer, std::vector<std::pair<std::string, std::string>>& out) {
  if (!value.is_structured()) {
    out.emplace_back(pointer, value.is_string() ? value.get<std::string>() : value.dump());
    return;
  }
  if (value.empty()) out.emplace_back(pointer, value.dump());
  std::size_t index = 0;
  for (const auto& [key, child] : value.items()) {
    lines_of(child, pointer + "/" + (value.is_array() ? std::to_string(index++) : escaped(key)), out);
  }
}

}  // namespace

ordered_json listing_json(const Listing& listing) {
  ordered_json list = ordered_json::array();
  for (const auto& [kind, entry] : listing) {
    list.push_back(
        {{"kind", folder_of(kind)}, {"name", entry.name}, {"description", entry.description}, {"path", entry.path}});
  }
  return list;
}

std::string listing_csv(const Listing& listing) {
  std::string text = csv_line({"kind", "name", "description", "path"});
  for (const auto& [kind, entry] : listing)
    text += csv_line({std::string(folder_of(kind)), entry.name, entry.description, entry.path});
  return text;
}

std::string listing_table(const Listing& listing, const ReportOptions& options) {
  TextPage page(options.color);
  for (std::size_t i = 0; i < listing.size();) {
    const CatalogueKind kind = listing[i].first;
    TextTable table{{{"", Align::Left}, {"", Align::Left}}, {}};
    for (; i < listing.size() && listing[i].first == kind; ++i)
      table.rows.push_back({listing[i].second.name, listing[i].second.description});
    page.heading(folder_of(kind));
    page.table(table);
  }
  return page.text().substr(page.text().empty() ? 0 : 1);  // no empty line at the top
}

ordered_json network_figures(const Network& network) {
  const ParameterCount count = count_parameters(network);
  const ordered_json weights = weights_by_part(network, count);
  double weights_total = 0;
  for (const auto& part : weights) weights_total += part.get<double>();
  return {{"name", network.name},
          {"parameters_total", exact(count.total())},
          {"parameters_active", exact(active_parameters(network))},
          {"parameters", parameters_by_part(count)},
          {"kv_bytes_per_token", exact(kv_bytes_per_token(network, Precision::Bf16).value())},
          {"kv_bytes_per_token_fp8", tidy(kv_bytes_per_token(network, Precision::Fp8).value())},
          {"weights_bytes", weights},
          {"weights_bytes_total", exact(weights_total)},
          {"native_precision", {{"weights", name_of(network.native_weights)}, {"experts", name_of(network.native_experts)}}},
          {"max_context_tokens", network.max_context_tokens},
          {"not_modelled", network.not_modelled.empty() ? ordered_json(nullptr) : ordered_json(network.not_modelled)}};
}

std::string document_csv(const ordered_json& document) {
  std::vector<std::pair<std::string, std::string>> lines;
  lines_of(document, "", lines);
  std::string text = csv_line({"pointer", "value"});
  for (const auto& [pointer, value] : lines) text += csv_line({pointer, value});
  return text;
}

std::string document_table(const std::string& title, const ordered_json& document, const ReportOptions& options) {
  std::vector<std::pair<std::string, std::string>> lines;
  lines_of(document, "", lines);
  TextTable table{{{"", Align::Left}, {"", Align::Left}}, {}};
  for (const auto& [pointer, value] : lines) table.rows.push_back({pointer, value});
  TextPage page(options.color);
  page.verdict(title);
  page.table(table);
  return page.text();
}

}  // namespace tokenomics
