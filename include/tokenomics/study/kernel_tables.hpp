#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tokenomics/llm/network.hpp"
#include "tokenomics/roofline/calibration.hpp"

namespace tokenomics {

/// One launch of a timed row, counted as the roofline counts an operator: FLOPs of `groups` matrices with `rows` in the
/// dimension that fills tiles, and bytes moved once.
struct TimedLaunch {
  Precision arithmetic = Precision::Bf16;
  double flops_per_row = 0;  ///< of one group
  double rows = 0;
  double groups = 1;
  double bytes = 0;
};

enum class LinkFamily { AllToAllLowLatency, AllToAllNormal, AllReduce };
std::string_view name_of(LinkFamily family);

/// One timed collective. `bytes` are a token's for an all-to-all, the message's for an all-reduce.
struct TimedMessage {
  LinkFamily family = LinkFamily::AllReduce;
  int ranks = 1;
  double tokens = 0;
  double bytes = 0;
  MoeFfn moe;  ///< of an all-to-all: experts and how many a token chooses
};

/// One row of a table of timed kernels: either launches of a family or a message.
struct KernelRow {
  std::string gpu;        ///< as written
  std::string framework;  ///< engine; of collectives "nccl" and "deepep" serve every engine
  std::string dtype;      ///< number format, and what else sets rows apart
  std::optional<KernelFamily> kernel;
  std::vector<TimedLaunch> launches;
  std::optional<TimedMessage> message;
  double latency_us = 0;
  std::string work;      ///< equal for rows that time the same work
  std::string left_out;  ///< why no fit uses it; empty: it may be used
  std::size_t file = 0;  ///< in KernelTables::files
  int line = 0;

  /// "dense_gemm", "all_reduce" ...; empty for rows whose work is not modelled.
  [[nodiscard]] std::string family() const;
};

struct KernelTables {
  std::vector<std::string> files;
  std::vector<KernelRow> rows;
};

/// A network by the name that a table calls it; nothing when it is not known.
using NetworkNamed = std::function<std::optional<Network>(const std::string&)>;

/// Names of the tables and their columns, in order: "ops_gemm.csv", "gpu,framework,...".
struct TableFormat {
  std::string name;
  std::string columns;
};
std::vector<TableFormat> kernel_table_formats();

/// Reads tables of timed kernels, each recognised by its header; lines that start with '#' are skipped. Latencies in
/// microseconds. Throws IoError when a file cannot be read and ScenarioError, with the line and what was expected, for an
/// unknown header, a line that is cut off, a cell that is no number above 0, an unknown number format, a table without
/// rows and rows of a dry run.
KernelTables read_kernel_tables(const std::vector<std::string>& paths, const NetworkNamed& network_named);

}  // namespace tokenomics
