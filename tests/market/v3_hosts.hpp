#pragma once

#include <array>

/// The 17 hosts of DeepSeek V3-0324 on OpenRouter on 2025-06-27. Prices, context, median time to first token and median
/// output speed: SiddarthNach/Modelz.io (GitHub, d564fd2, 2025-06-27), Model_Provider_csv_output/
/// deepseek_deepseek-chat-v3-0324.csv, a scrape of OpenRouter's endpoint statistics; requests in the statistics' window:
/// the same repository and scrape, Testing_APIs_Diff_Methods/output.json.
struct V3Host {
  const char* name;
  double input_usd_per_mtok;
  double output_usd_per_mtok;
  double context_tokens;
  double ttft_s;
  double tok_s;
  double requests;
};

inline constexpr std::array<V3Host, 17> kV3Hosts = {{
    {"DeepInfra", 0.28, 0.88, 163840, 0.385, 17.647, 28771},
    {"Crusoe", 0.28, 1.15, 131072, 1.12, 26.67, 4490},
    {"Kluster", 0.28, 1.15, 163840, 0.957, 38.538, 3049},
    {"Atoma", 0.33, 1.25, 100000, 2.387, 18.6425, 1620},
    {"Novita", 0.33, 1.3, 131072, 1.385, 29.7315, 24843},
    {"Lambda", 0.34, 0.88, 163840, 0.693, 29.133, 4541},
    {"InferenceNet", 0.45, 1.45, 128000, 1.038, 34.277, 1457},
    {"Nebius", 0.5, 1.5, 163840, 0.87, 29.409, 1027},
    {"GMICloud", 0.74, 0.9, 131072, 0.5105, 102.551, 1440},
    {"BaseTen", 0.77, 0.77, 163840, 0.33, 132.318, 2427},
    {"Phala", 0.78, 1.14, 131072, 1.016, 33.173, 1047},
    {"Parasail", 0.79, 1.15, 163840, 0.661, 94.317, 1683},
    {"Fireworks", 0.9, 0.9, 163840, 0.6885, 89.855, 714},
    {"Hyperbolic", 1.25, 1.25, 163840, 1.671, 34.686, 174},
    {"Together", 1.25, 1.25, 131072, 1.0355, 28.122, 446},
    {"SambaNova", 3.0, 4.5, 32768, 1.896, 153.009, 435},
    {"DeepSeek", 0.27, 1.1, 64000, 3.087, 23.087, 2167},
}};
