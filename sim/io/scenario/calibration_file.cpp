#include <array>

#include "parts.hpp"
#include "tokenomics/scenario/served_calibration.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::array kFamilies{KernelFamily::DenseGemm,       KernelFamily::GroupedGemm,      KernelFamily::BatchedGemm,
                               KernelFamily::AttentionDecode, KernelFamily::AttentionPrefill, KernelFamily::Indexer,
                               KernelFamily::Elementwise};

// What each table of numbers holds: written down once for reading and writing.
constexpr std::array<std::pair<const char*, SourcedNumber KernelEfficiency::*>, 5> kKernelNumbers{
    {{"compute", &KernelEfficiency::compute},
     {"memory", &KernelEfficiency::memory},
     {"sharpness", &KernelEfficiency::sharpness},
     {"launch_us", &KernelEfficiency::launch_us},
     {"tile_m", &KernelEfficiency::tile_m}}};
constexpr std::array<std::pair<const char*, SourcedNumber LinkEfficiency::*>, 4> kLinkNumbers{
    {{"latency_us", &LinkEfficiency::latency_us},
     {"scale_up", &LinkEfficiency::scale_up},
     {"scale_out", &LinkEfficiency::scale_out},
     {"sm_hold_us", &LinkEfficiency::sm_hold_us}}};
constexpr std::array<std::pair<const char*, SourcedNumber FormatEfficiency::*>, 3> kFormatNumbers{
    {{"compute", &FormatEfficiency::compute}, {"memory", &FormatEfficiency::memory}, {"launch", &FormatEfficiency::launch}}};
constexpr std::array<std::pair<const char*, LinkEfficiency Calibration::*>, 3> kLinks{
    {{"all_to_all_low_latency", &Calibration::all_to_all_low_latency},
     {"all_to_all_normal", &Calibration::all_to_all_normal},
     {"all_reduce", &Calibration::all_reduce}}};
constexpr std::array<std::pair<const char*, SourcedNumber Calibration::*>, 3> kOverheads{
    {{"layer_overhead_us", &Calibration::layer_overhead_us},
     {"decode_host_gap_ms", &Calibration::decode_host_gap_ms},
     {"prefill_host_floor_ms", &Calibration::prefill_host_floor_ms}}};
/// Those that a file may leave out.
constexpr std::array<std::pair<const char*, SourcedNumber Calibration::*>, 4> kOptional{
    {{"sustained_clock", &Calibration::sustained_clock},
     {"launch_share", &Calibration::launch_share},
     {"prefill_host_us_per_kernel", &Calibration::prefill_host_us_per_kernel},
     {"request_latency_ms", &Calibration::request_latency_ms}}};

SourcedNumber number_from(const json& file) {
  return {file["value"], file["kind"], file["source"], file.value("standard_error", 0.0)};
}

json json_of_number(const SourcedNumber& number) {
  json file{{"value", number.value}, {"kind", number.kind}, {"source", number.source}};
  if (number.standard_error > 0) file["standard_error"] = number.standard_error;
  return file;
}

template <typename Table, typename Rows>
Table table_from(const json& file, const Rows& rows) {
  Table table;
  for (const auto& [key, member] : rows) {
    if (file.contains(key)) table.*member = number_from(file[key]);
  }
  return table;
}

template <typename Table, typename Rows>
json json_of_table(const Table& table, const Rows& rows) {
  json file = json::object();
  for (const auto& [key, member] : rows) file[key] = json_of_number(table.*member);
  return file;
}

}  // namespace

Calibration calibration_from(const json& file) {
  Calibration calibration;
  calibration.name = file["name"];
  calibration.gpu = file["gpu"];
  calibration.engine = file.value("engine", "");
  calibration.fitted_on = file.value("fitted_on", std::vector<std::string>{});
  for (const KernelFamily family : kFamilies) {
    calibration.kernels[family] =
        table_from<KernelEfficiency>(file["kernels"][std::string(name_of(family))], kKernelNumbers);
  }
  const json formats = file.value("formats", json::object());  // outlives the loop over its items
  for (const auto& [format, table] : formats.items()) {
    calibration.formats[precision_named(format).value()] = table_from<FormatEfficiency>(table, kFormatNumbers);
  }
  for (const auto& [key, member] : kLinks) calibration.*member = table_from<LinkEfficiency>(file[key], kLinkNumbers);
  for (const auto& [key, member] : kOverheads) calibration.*member = number_from(file[key]);
  for (const auto& [key, member] : kOptional) {
    if (file.contains(key)) calibration.*member = number_from(file[key]);
  }
  calibration.version = file.value("version", "");
  calibration.valid_from = file.value("valid_from", "");
  calibration.valid_to = file.value("valid_to", "");
  calibration.is_family_default = file.value("family_default", false);
  return calibration;
}

json json_of(const Calibration& calibration) {
  json file{{"name", calibration.name},
            {"gpu", calibration.gpu},
            {"engine", calibration.engine},
            {"fitted_on", calibration.fitted_on},
            {"family_default", calibration.is_family_default}};
  for (const auto& [family, table] : calibration.kernels) {
    file["kernels"][std::string(name_of(family))] = json_of_table(table, kKernelNumbers);
  }
  for (const auto& [format, table] : calibration.formats) {
    file["formats"][std::string(name_of(format))] = json_of_table(table, kFormatNumbers);
  }
  for (const auto& [key, member] : kLinks) file[key] = json_of_table(calibration.*member, kLinkNumbers);
  for (const auto& [key, member] : kOverheads) file[key] = json_of_number(calibration.*member);
  for (const auto& [key, member] : kOptional) file[key] = json_of_number(calibration.*member);
  if (!calibration.version.empty()) file["version"] = calibration.version;
  if (!calibration.valid_from.empty()) file["valid_from"] = calibration.valid_from;
  if (!calibration.valid_to.empty()) file["valid_to"] = calibration.valid_to;
  return file;
}

std::string calibration_text(const Calibration& calibration) { return json_of(calibration).dump(1) + "\n"; }

}  // namespace tokenomics
