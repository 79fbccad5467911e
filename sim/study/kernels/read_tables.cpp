#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "csv_table.hpp"
#include "row_work.hpp"
#include "tokenomics/base/error.hpp"
#include "tokenomics/roofline/collectives.hpp"

namespace tokenomics {
namespace {

constexpr std::string_view kDryRun = "dry-run";

/// One line, asked by column. Problems are collected; a row with any is dropped.
class Cells {
 public:
  Cells(const PlainTable& table, const PlainTable::Line& line, std::vector<Problem>& problems)
      : table_(table), line_(line), problems_(problems) {}

  [[nodiscard]] const std::string& text(std::string_view column) const {
    const auto at = std::find(table_.columns.begin(), table_.columns.end(), column);
    TOKENOMICS_CHECK(at != table_.columns.end(), std::string(column));
    return line_.cells[static_cast<std::size_t>(at - table_.columns.begin())];
  }
  double number(std::string_view column, bool may_be_zero = false) {
    const std::string& cell = text(column);
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const bool sound = error == std::errc{} && end == cell.data() + cell.size() && std::isfinite(value) &&
                       (value > 0 || (may_be_zero && value == 0));
    if (!sound) {
      refuse(cell, fmt::format("a number {} in column {}", may_be_zero ? "of at least 0" : "above 0", column));
      return 1;
    }
    return value;
  }
  NumberFormat format(std::string_view column) {
    if (const auto known = number_format(text(column))) return *known;
    const auto names = number_format_names();
    refuse(text(column), fmt::format("a number format in column {}: {}", column, fmt::join(names, ", ")),
           nearest_name(text(column), names));
    return {Precision::Bf16, 2, 2};
  }
  void refuse(const std::string& value, const std::string& expected, const std::string& nearest = "") {
    problems_.push_back({table_.file, fmt::format("line {}", line_.number), value, expected, nearest});
    sound_ = false;
  }
  [[nodiscard]] bool sound() const { return sound_; }

 private:
  const PlainTable& table_;
  const PlainTable::Line& line_;
  std::vector<Problem>& problems_;
  bool sound_ = true;
};

using Fill = void (*)(Cells&, const NetworkNamed&, KernelRow&);

void fill_gemm(Cells& cells, const NetworkNamed&, KernelRow& row) {
  row.kernel = KernelFamily::DenseGemm;
  row.dtype = cells.text("dtype");
  row.launches = {gemm_launch(cells.format("dtype"), 1, cells.number("m"), cells.number("n"), cells.number("k"))};
}

/// Products of many small matrices: an engine's routed experts ("grouped") or absorbed MLA products ("batched").
void fill_grouped(Cells& cells, const NetworkNamed&, KernelRow& row) {
  const std::string& op = cells.text("op");
  if (op != "grouped" && op != "batched")
    cells.refuse(op, "grouped or batched in column op", nearest_name(op, {"grouped", "batched"}));
  row.kernel = op == "batched" ? KernelFamily::BatchedGemm : KernelFamily::GroupedGemm;
  row.dtype = cells.text("dtype");
  row.launches = {
      gemm_launch(cells.format("dtype"), cells.number("groups"), cells.number("m"), cells.number("n"), cells.number("k"))};
}

void fill_experts(Cells& cells, const NetworkNamed& network_named, KernelRow& row) {
  row.kernel = KernelFamily::GroupedGemm;
  row.dtype = cells.text("dtype");
  const NumberFormat format = cells.format("dtype");
  const double tp = cells.number("moe_tp"), ep = cells.number("moe_ep"), tokens = cells.number("tokens");
  const std::optional<Network> network = network_named(cells.text("model_shape"));
  if (!network || network->moe() == nullptr) {
    row.left_out = "no network with experts is called " + cells.text("model_shape");
    row.kernel.reset();
    return;
  }
  row.launches = expert_launches(format, network->hidden, *network->moe(), tp, tokens);
  if (ep > 1) {
    row.left_out = "whether tokens count before or after the expert split is not known";
    row.kernel.reset();
  } else if (cells.text("routing") != "bal") {
    row.left_out = "routing is uneven";
    row.kernel.reset();
  } else if (format.weight_only) {
    row.left_out = "weights are widened before they are multiplied: other kernels";
  }
}

/// DeepSeek's latent attention: 512 + 64 cached elements a token, heads of 128 + 64 and 128 (DeepSeek-V3, 2024).
void fill_mla(Cells& cells, const NetworkNamed&, KernelRow& row) {
  constexpr double kLatent = 512, kRope = 64, kNope = 128, kValue = 128;
  const NumberFormat arithmetic = cells.format("compute_dtype"), kv = cells.format("kv_dtype");
  const double heads = cells.number("num_heads"), batch = cells.number("batch"), isl = cells.number("isl");
  const std::string& phase = cells.text("phase");
  row.dtype = cells.text("compute_dtype");
  if (cells.text("kv_dtype") != cells.text("compute_dtype")) {
    row.dtype += ", " + cells.text("kv_dtype") + " KV";
    row.left_out = "KV is stored in another format than it is computed in: a choice of kernel";
  }
  if (phase == "decode") {
    const double context = isl + cells.number("step", true);
    row.kernel = KernelFamily::AttentionDecode;
    row.launches = {decode_launch(arithmetic.arithmetic, heads, 1, kLatent + kRope, kLatent, (kLatent + kRope) * kv.weight_B,
                                  batch, context)};
  } else if (phase == "prefill") {
    row.kernel = KernelFamily::AttentionPrefill;
    row.launches = {prefill_launch(arithmetic.arithmetic, heads, heads, kNope + kRope, kValue, batch, isl)};
  } else {
    cells.refuse(phase, "prefill or decode in column phase", nearest_name(phase, {"prefill", "decode"}));
  }
}

void fill_attention(Cells& cells, const NetworkNamed&, KernelRow& row) {
  const NumberFormat format = cells.format("dtype");
  const double heads = cells.number("heads"), kv_heads = cells.number("kv_heads"), qk = cells.number("qk_dim"),
               v = cells.number("v_dim"), batch = cells.number("batch"), context = cells.number("context");
  const std::string& phase = cells.text("phase");
  row.dtype = cells.text("dtype");
  if (phase == "decode") {
    row.kernel = KernelFamily::AttentionDecode;
    row.launches = {
        decode_launch(format.arithmetic, heads, kv_heads, qk, v, kv_heads * (qk + v) * format.weight_B, batch, context)};
  } else if (phase == "prefill") {
    row.kernel = KernelFamily::AttentionPrefill;
    row.launches = {prefill_launch(format.arithmetic, heads, kv_heads, qk, v, batch, context)};
  } else {
    cells.refuse(phase, "prefill or decode in column phase", nearest_name(phase, {"prefill", "decode"}));
  }
}

/// Bytes only; of a launch of nothing, none.
void fill_memory(Cells& cells, const NetworkNamed&, KernelRow& row) {
  row.kernel = KernelFamily::Elementwise;
  row.dtype = cells.text("op");
  row.launches = {{Precision::Bf16, 0, 1, 1, cells.number("bytes", true)}};
}

/// "topk8/E256" of an all-to-all.
std::optional<MoeFfn> experts_of(const std::string& text) {
  MoeFfn moe;
  int length = 0;
  if (std::sscanf(text.c_str(), "topk%d/E%d%n", &moe.experts_per_token, &moe.routed_experts, &length) < 2)
    return std::nullopt;
  if (moe.experts_per_token < 1 || moe.routed_experts < moe.experts_per_token) return std::nullopt;
  return moe;
}

void fill_all_to_all(Cells& cells, LinkFamily family, KernelRow& row) {
  constexpr double kHidden = 7168;  // DeepSeek-V3's, which these benchmarks send
  const NumberFormat format = cells.format("dtype");
  const std::optional<MoeFfn> moe = experts_of(cells.text("moe"));
  if (!moe) cells.refuse(cells.text("moe"), "topk8/E256 or the like in column moe");
  const double element = format.arithmetic == Precision::Fp8 ? wire_bytes_per_element(Precision::Fp8) : format.activation_B;
  row.framework = "deepep";
  row.message = {family, static_cast<int>(cells.number("num_gpus")), cells.number("tokens_per_rank"), kHidden * element,
                 moe.value_or(MoeFfn{})};
}

void fill_comm(Cells& cells, const NetworkNamed&, KernelRow& row) {
  const std::string& library = cells.text("library");
  const std::string& op = cells.text("op");
  row.dtype = op + " " + cells.text("dtype");
  row.framework = library.substr(0, library.find_first_of("_:("));
  if (library.starts_with("deepep_ll")) return fill_all_to_all(cells, LinkFamily::AllToAllLowLatency, row);
  if (library.starts_with("deepep_normal")) return fill_all_to_all(cells, LinkFamily::AllToAllNormal, row);
  if (op != "all_reduce") {
    row.left_out = op + ": a calibration has no numbers of its own for it";
    return;
  }
  if (cells.text("dtype") != "half" && cells.text("dtype") != "bfloat16") {
    row.left_out = "whether message_size_elems counts elements of other than 2 bytes is not known";
    return;
  }
  const double bytes = 2 * cells.number("message_size_elems");
  row.message = {LinkFamily::AllReduce, static_cast<int>(cells.number("num_gpus")), 0, bytes, {}};
  // Custom kernels change their algorithm with size; what lies between serves prompts and large batches.
  if (bytes < 256 * 1024.0 || bytes > 64 * 1024 * 1024.0) row.left_out = "messages below 256 KiB or above 64 MiB";
}

struct Format {
  std::string name;
  std::string columns;
  Fill fill;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> all{
      {"ops_gemm.csv", "gpu,framework,dtype,m,n,k,latency_us", fill_gemm},
      {"ops_grouped_gemm.csv", "gpu,framework,op,dtype,groups,m,n,k,latency_us", fill_grouped},
      {"ops_moe_grouped_gemm.csv", "gpu,framework,kernel,model_shape,dtype,moe_tp,moe_ep,routing,tokens,latency_us",
       fill_experts},
      {"ops_mla_attention.csv", "gpu,framework,phase,compute_dtype,kv_dtype,num_heads,batch,isl,step,latency_us", fill_mla},
      {"ops_attention.csv", "gpu,framework,phase,dtype,heads,kv_heads,qk_dim,v_dim,batch,context,latency_us",
       fill_attention},
      {"ops_memory.csv", "gpu,framework,op,bytes,latency_us", fill_memory},
      {"ops_comm.csv", "gpu,library,op,dtype,num_gpus,message_size_elems,tokens_per_rank,moe,latency_us", fill_comm}};
  return all;
}

std::vector<std::string> split(const std::string& columns) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= columns.size();) {
    const std::size_t comma = std::min(columns.find(',', begin), columns.size());
    names.push_back(columns.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return names;
}

/// The format that shares most columns with the header, of equally near ones the first.
const Format& nearest_format(const std::vector<std::string>& columns) {
  const auto shared = [&](const Format& format) {
    const std::vector<std::string> names = split(format.columns);
    return std::count_if(names.begin(), names.end(), [&](const std::string& n) {
      return std::find(columns.begin(), columns.end(), n) != columns.end();
    });
  };
  return *std::max_element(formats().begin(), formats().end(),
                           [&](const Format& a, const Format& b) { return shared(a) < shared(b); });
}

const Format& format_of(const PlainTable& table) {
  const std::string header = fmt::format("{}", fmt::join(table.columns, ","));
  for (const Format& format : formats()) {
    if (format.columns == header) return format;
  }
  const Format& near = nearest_format(table.columns);
  throw ScenarioError(
      Problem{table.file, "header", header, "the columns of a table of timed kernels", near.name + ": " + near.columns});
}

/// The cells that say what was timed, without who timed it, how and how long it took.
std::string work_of(const PlainTable& table, const PlainTable::Line& line) {
  std::string work;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    if (column == "kernel" || column == "library" || column == "latency_us") continue;
    work += line.cells[i] + ",";
  }
  return work;
}

void append(KernelTables& tables, const PlainTable& table, const NetworkNamed& network_named) {
  const Format& format = format_of(table);
  std::vector<Problem> problems;
  if (table.lines.empty()) problems.push_back({table.file, "line 2", "", "rows below the header", ""});
  for (const PlainTable::Line& line : table.lines) {
    Cells cells(table, line, problems);
    KernelRow row;
    row.gpu = cells.text("gpu");
    row.file = tables.files.size();
    row.line = line.number;
    row.latency_us = cells.number("latency_us");
    if (format.fill != fill_comm) row.framework = cells.text("framework");
    if (row.framework == kDryRun) cells.refuse(row.framework, "a measurement: a dry run measures nothing");
    format.fill(cells, network_named, row);
    row.work = format.name + ": " + work_of(table, line);
    if (cells.sound()) tables.rows.push_back(std::move(row));
  }
  if (!problems.empty()) throw ScenarioError(first_problems(std::move(problems)));
  tables.files.push_back(table.file);
}

}  // namespace

std::string_view name_of(LinkFamily family) {
  switch (family) {
    case LinkFamily::AllToAllLowLatency: return "all_to_all_low_latency";
    case LinkFamily::AllToAllNormal: return "all_to_all_normal";
    case LinkFamily::AllReduce: return "all_reduce";
  }
  TOKENOMICS_CHECK(false, "unknown link family");
}

std::string KernelRow::family() const {
  if (message) return std::string(name_of(message->family));
  return kernel ? std::string(name_of(*kernel)) : "";
}

std::vector<TableFormat> kernel_table_formats() {
  std::vector<TableFormat> result;
  for (const Format& format : formats()) result.push_back({format.name, format.columns});
  return result;
}

KernelTables read_kernel_tables(const std::vector<std::string>& paths, const NetworkNamed& network_named) {
  KernelTables tables;
  for (const std::string& path : paths) append(tables, read_csv(path), network_named);
  return tables;
}

}  // namespace tokenomics
