#include "helpers.hpp"

#include <unistd.h>
#include <boost/crc.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace workload_test {

TemporaryFile::TemporaryFile(const std::string& content, const std::string& suffix) {
  static int number = 0;
  const std::string name = "tokenomics_" + std::to_string(getpid()) + "_" + std::to_string(number++) + suffix;
  path_ = (std::filesystem::temp_directory_path() / name).string();
  std::ofstream(path_, std::ios::binary) << content;
}

TemporaryFile::~TemporaryFile() { std::remove(path_.c_str()); }

namespace {

void append_little_endian(std::string& bytes, std::uint32_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

/// One gzip member (RFC 1952) with one stored block (RFC 1951, 3.2.4): content of up to 65,535 bytes.
std::string gzipped(const std::string& content) {
  std::string bytes("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
  const auto size = static_cast<std::uint32_t>(content.size());
  append_little_endian(bytes, size, 2);
  append_little_endian(bytes, ~size, 2);
  bytes += content;
  boost::crc_32_type crc;
  crc.process_bytes(content.data(), content.size());
  append_little_endian(bytes, crc.checksum(), 4);
  append_little_endian(bytes, size, 4);
  return bytes;
}

WorkloadSpec with_fixed_lengths(ArrivalSpec arrivals) {
  WorkloadSpec spec;
  spec.name = "test";
  spec.arrivals = std::move(arrivals);
  spec.lengths = IndependentLengths{{FixedLaw{100}}, {FixedLaw{10}}};
  return spec;
}

WorkloadSpec replay_of(const std::string& file, TraceFormat format) {
  WorkloadSpec spec;
  spec.name = "test";
  spec.arrivals = TraceArrivals{};
  spec.trace = TraceSpec{};
  spec.trace->file = file;
  spec.trace->format = format;
  return spec;
}

std::vector<Request> drain(RequestSource& source, std::size_t most) {
  std::vector<Request> requests;
  while (requests.size() < most && source.next_arrival() != kNever) requests.push_back(source.take());
  return requests;
}

Moments moments(const std::vector<double>& values) {
  Moments m;
  m.n = values.size();
  for (const double v : values) m.mean += v / static_cast<double>(m.n);
  for (const double v : values) m.sd += (v - m.mean) * (v - m.mean);
  m.sd = std::sqrt(m.sd / static_cast<double>(m.n));
  return m;
}

std::vector<double> gaps_s(const std::vector<Request>& requests) {
  std::vector<double> gaps;
  for (std::size_t i = 1; i < requests.size(); ++i) {
    gaps.push_back(static_cast<double>(requests[i].arrival - requests[i - 1].arrival) * 1e-9);
  }
  return gaps;
}

}  // namespace workload_test
