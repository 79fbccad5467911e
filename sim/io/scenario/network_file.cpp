#include <map>

#include "parts.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

Precision precision_at(const json& object, const char* key, Precision otherwise) {
  return object.contains(key) ? precision_named(object[key].get<std::string>()).value_or(otherwise) : otherwise;
}

MlaAttention mla_from(const json& file) {
  return {.heads = file["heads"],
          .q_lora_rank = file.value("q_lora_rank", 0),
          .kv_lora_rank = file["kv_lora_rank"],
          .qk_rope_head_dim = file["qk_rope_head_dim"],
          .qk_nope_head_dim = file["qk_nope_head_dim"],
          .v_head_dim = file["v_head_dim"]};
}

GqaAttention gqa_from(const json& file, const Reporter& report) {
  const GqaAttention attention{.heads = file["heads"], .kv_heads = file["kv_heads"], .head_dim = file["head_dim"]};
  if (attention.heads % attention.kv_heads != 0) {
    report.at("kv_heads").add(file["kv_heads"].dump(), "a divisor of the " + file["heads"].dump() + " heads");
  }
  return attention;
}

DenseFfn dense_from(const json& file, const char* key) { return {.intermediate = file.value(key, 0)}; }

MoeFfn moe_from(const json& file, const Reporter& report) {
  MoeFfn ffn{.routed_experts = file["routed_experts"],
             .experts_per_token = file["experts_per_token"],
             .shared_experts = file.value("shared_experts", 0),
             .intermediate = file["intermediate"],
             .groups = file.value("groups", 1),
             .top_groups = file.value("top_groups", 1)};
  ffn.shared_intermediate = file.value("shared_intermediate", ffn.shared_experts * ffn.intermediate);
  if (ffn.experts_per_token > ffn.routed_experts) {
    report.at("experts_per_token")
        .add(file["experts_per_token"].dump(), "at most the " + file["routed_experts"].dump() + " routed experts");
  }
  if (ffn.top_groups > ffn.groups) {
    report.at("top_groups").add(file["top_groups"].dump(), "at most the " + std::to_string(ffn.groups) + " groups");
  }
  if (ffn.routed_experts % ffn.groups != 0) {
    report.at("groups").add(file["groups"].dump(), "a divisor of the " + file["routed_experts"].dump() + " routed experts");
  }
  return ffn;
}

std::variant<DenseFfn, MoeFfn> ffn_from(const json& file, const Reporter& report) {
  if (file["kind"] == "dense") return dense_from(file, "intermediate");
  return moe_from(file, report);
}

/// Number of layers with a dense FFN, and which they are: the first ones, or all but every n-th.
int dense_layer_count(const json& ffn, int layers, const Reporter& report) {
  const int every = ffn.value("moe_every_n_layers", 1);
  const int spread = every > 1 ? layers - layers / every : 0;
  const int dense = ffn.value("dense_layers", spread);
  if (dense > layers)
    report.at("dense_layers").add(std::to_string(dense), "at most the " + std::to_string(layers) + " layers");
  if (every > 1 && dense != spread) {
    report.at("dense_layers")
        .add(std::to_string(dense), std::to_string(spread) + ": all layers but every one in " + std::to_string(every));
  }
  if (dense > 0 && ffn.value("dense_intermediate", 0) == 0) {
    report.at("dense_intermediate").add("", "the width of the " + std::to_string(dense) + " dense layers (missing)");
  }
  return dense;
}

/// Walks over the layers and counts those that are alike. Sliding windows: every n-th layer has full attention.
std::vector<LayerGroup> layers_from(const json& file, const Reporter& report) {
  const int count = file["layers"];
  const json& attention = file["attention"];
  const json& ffn = file["ffn"];
  const bool is_moe = ffn["kind"] == "moe";
  const std::int64_t window = attention.value("window_tokens", std::int64_t{0});
  const int full_every = attention.value("full_attention_every", 0);
  const int dense = is_moe ? dense_layer_count(ffn, count, report.at("ffn")) : count;
  const int moe_every = is_moe ? ffn.value("moe_every_n_layers", 1) : 1;
  std::map<std::pair<bool, bool>, int> alike;  // (windowed, dense) -> layers
  for (int layer = 1; layer <= count; ++layer) {
    const bool is_full = window == 0 || (full_every > 0 && layer % full_every == 0);
    const bool is_dense = moe_every > 1 ? layer % moe_every != 0 : layer <= dense;
    ++alike[{!is_full, is_dense}];
  }
  const auto main_ffn = ffn_from(ffn, report.at("ffn"));
  std::vector<LayerGroup> groups;
  for (const auto& [kind, number] : alike) {
    LayerGroup group{.count = number, .window_tokens = kind.first ? window : 0, .ffn = main_ffn};
    if (kind.second && is_moe) group.ffn = dense_from(ffn, "dense_intermediate");
    groups.push_back(group);
  }
  return groups;
}

std::vector<LayerGroup> explicit_layers_from(const json& list, const Reporter& report) {
  std::vector<LayerGroup> groups;
  for (std::size_t i = 0; i < list.size(); ++i) {
    groups.push_back({.count = list[i]["count"],
                      .window_tokens = list[i].value("window_tokens", std::int64_t{0}),
                      .ffn = ffn_from(list[i]["ffn"], report.at(std::to_string(i)).at("ffn"))});
  }
  return groups;
}

std::string not_modelled(const json& file) {
  const json& attention = file["attention"];
  const int linear = attention.value("linear_layers", 0);
  const int share = attention.value("cross_layer_kv_share", 1);
  std::string text = file.value("not_modelled", "");
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (linear > 0)
    add("linear attention in " + std::to_string(linear) + (file.contains("layers") ? " of " + file["layers"].dump() : "") +
        " layers");
  if (share > 1) add("keys and values shared by every " + std::to_string(share) + " layers");
  return text;
}

std::optional<SparseIndexer> sparse_from(const json& attention) {
  if (!attention.contains("sparse")) return std::nullopt;
  const json& file = attention["sparse"];
  return SparseIndexer{.top_k = file["index_topk"], .heads = file["index_heads"], .head_dim = file["index_head_dim"]};
}

std::optional<double> published(const json& file, const char* key) {
  if (!file.contains("published") || !file["published"].contains(key)) return std::nullopt;
  return file["published"][key].get<double>();
}

json attention_json(const MlaAttention& a) {
  return {{"kind", "mla"},
          {"heads", a.heads},
          {"q_lora_rank", a.q_lora_rank},
          {"kv_lora_rank", a.kv_lora_rank},
          {"qk_rope_head_dim", a.qk_rope_head_dim},
          {"qk_nope_head_dim", a.qk_nope_head_dim},
          {"v_head_dim", a.v_head_dim}};
}

json attention_json(const GqaAttention& a) {
  return {{"kind", "gqa"}, {"heads", a.heads}, {"kv_heads", a.kv_heads}, {"head_dim", a.head_dim}};
}

json ffn_json(const DenseFfn& f) { return {{"kind", "dense"}, {"intermediate", f.intermediate}}; }

json ffn_json(const MoeFfn& f) {
  return {{"kind", "moe"},
          {"routed_experts", f.routed_experts},
          {"experts_per_token", f.experts_per_token},
          {"shared_experts", f.shared_experts},
          {"intermediate", f.intermediate},
          {"shared_intermediate", f.shared_intermediate},
          {"groups", f.groups},
          {"top_groups", f.top_groups}};
}

json layer_groups_json(const std::vector<LayerGroup>& groups) {
  json list = json::array();
  for (const LayerGroup& group : groups) {
    list.push_back({{"count", group.count},
                    {"window_tokens", group.window_tokens},
                    {"ffn", std::visit([](const auto& ffn) { return ffn_json(ffn); }, group.ffn)}});
  }
  return list;
}

}  // namespace

Network network_from(const json& file, const Reporter& report) {
  Network network;
  network.name = file["name"];
  network.hidden = file["hidden"];
  network.vocab = file["vocab"];
  network.tied_embeddings = file.value("tied_embeddings", false);
  network.max_context_tokens = file["max_context_tokens"];
  const json& attention = file["attention"];
  if (attention["kind"] == "mla") {
    network.attention = mla_from(attention);
  } else {
    network.attention = gqa_from(attention, report.at("attention"));
  }
  network.sparse = sparse_from(attention);
  network.layers = file.contains("layer_groups") ? explicit_layers_from(file["layer_groups"], report.at("layer_groups"))
                                                 : layers_from(file, report);
  if (file.contains("mtp_layers")) network.mtp_layers = file["mtp_layers"].get<int>();
  const json precision = file.value("native_precision", json::object());
  network.native_weights = precision_at(precision, "weights", Precision::Bf16);
  network.native_experts = precision_at(precision, "experts", network.native_weights);
  network.published_parameters_total = published(file, "parameters_total");
  network.published_parameters_active = published(file, "parameters_active");
  network.not_modelled = not_modelled(file);
  return network;
}

json json_of(const Network& network) {
  json attention = std::visit([](const auto& kind) { return attention_json(kind); }, network.attention);
  if (network.sparse) {
    attention["sparse"] = {{"kind", "dsa"},
                           {"index_topk", network.sparse->top_k},
                           {"index_heads", network.sparse->heads},
                           {"index_head_dim", network.sparse->head_dim}};
  }
  json file{
      {"name", network.name},
      {"hidden", network.hidden},
      {"vocab", network.vocab},
      {"tied_embeddings", network.tied_embeddings},
      {"max_context_tokens", network.max_context_tokens},
      {"attention", attention},
      {"layer_groups", layer_groups_json(network.layers)},
      {"native_precision", {{"weights", name_of(network.native_weights)}, {"experts", name_of(network.native_experts)}}}};
  if (network.mtp_layers) file["mtp_layers"] = *network.mtp_layers;
  if (network.published_parameters_total) file["published"]["parameters_total"] = *network.published_parameters_total;
  if (network.published_parameters_active) file["published"]["parameters_active"] = *network.published_parameters_active;
  if (!network.not_modelled.empty()) file["not_modelled"] = network.not_modelled;
  return file;
}

}  // namespace tokenomics
