#include "number_text.hpp"
#include "parts.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr double kTera = 1e12;
constexpr double kGiga = 1e9;
constexpr double kGigabit = 1e9 / 8;  // Gbit/s -> B/s

template <typename Value>
void read(std::optional<Value>& field, const json& object, const char* key, double scale) {
  if (object.contains(key)) field = Value{object[key].get<double>() * scale};
}

template <typename Value>
void write(json& object, const char* key, const std::optional<Value>& field, double scale) {
  if (field) object[key] = in_file_unit(field->value(), scale);
}

}  // namespace

Gpu gpu_from(const json& file) {
  Gpu gpu;
  gpu.name = file["name"];
  gpu.vendor = file["vendor"];
  gpu.architecture = file["architecture"];
  const json peak = file.value("dense_peak_TFLOPS", json::object());
  read(gpu.peak_bf16, peak, "bf16", kTera);
  read(gpu.peak_fp8, peak, "fp8", kTera);
  read(gpu.peak_fp4, peak, "fp4", kTera);
  read(gpu.peak_int8, peak, "int8", kTera);
  read(gpu.hbm_capacity, file, "hbm_capacity_GB", kGiga);
  read(gpu.hbm_bandwidth, file, "hbm_bandwidth_TBps", kTera);
  const json scale_up = file.value("scale_up", json::object());
  if (scale_up.contains("domain_gpus")) gpu.scale_up_domain_gpus = scale_up["domain_gpus"].get<int>();
  read(gpu.scale_up_bandwidth, scale_up, "bandwidth_GBps_per_gpu", kGiga);
  read(gpu.scale_out_bandwidth, file, "scale_out_Gbps_per_gpu", kGigabit);
  read(gpu.thermal_design_power, file, "thermal_design_power_W", 1.0);
  if (file.contains("rental") && !file["rental"].empty()) {
    gpu.rental_price = usd_per_hour(file["rental"][0]["usd_per_gpu_hour"].get<double>());
  }
  return gpu;
}

json json_of(const Gpu& gpu) {
  json file{{"name", gpu.name}, {"vendor", gpu.vendor}, {"architecture", gpu.architecture}};
  json peak = json::object();
  write(peak, "bf16", gpu.peak_bf16, kTera);
  write(peak, "fp8", gpu.peak_fp8, kTera);
  write(peak, "fp4", gpu.peak_fp4, kTera);
  write(peak, "int8", gpu.peak_int8, kTera);
  file["dense_peak_TFLOPS"] = peak;
  write(file, "hbm_capacity_GB", gpu.hbm_capacity, kGiga);
  write(file, "hbm_bandwidth_TBps", gpu.hbm_bandwidth, kTera);
  json scale_up = json::object();
  if (gpu.scale_up_domain_gpus) scale_up["domain_gpus"] = *gpu.scale_up_domain_gpus;
  write(scale_up, "bandwidth_GBps_per_gpu", gpu.scale_up_bandwidth, kGiga);
  file["scale_up"] = scale_up;
  write(file, "scale_out_Gbps_per_gpu", gpu.scale_out_bandwidth, kGigabit);
  write(file, "thermal_design_power_W", gpu.thermal_design_power, 1.0);
  if (gpu.rental_price) {
    const double price = shortest_decimal(in_usd_per_hour(*gpu.rental_price), gpu.rental_price->value(),
                                          [](double usd) { return usd_per_hour(usd).value(); });
    file["rental"] = json::array({{{"usd_per_gpu_hour", price}}});
  }
  return file;
}

}  // namespace tokenomics
