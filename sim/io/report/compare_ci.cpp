#include <fmt/format.h>

#include "compare_text.hpp"
#include "tokenomics/report/compare_report.hpp"

namespace tokenomics {
namespace {

/// Length of the UTF-8 character that `text` starts with, 0 when it starts with none (RFC 3629).
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const unsigned first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((byte(at) & 0xC0U) != 0x80U) return 0;
  const bool is_overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool is_outside = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  const bool is_no_character = first == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE;  // U+FFFE, U+FFFF
  return is_overlong || is_outside || is_no_character ? 0 : length;
}

/// Text of an attribute or element. What XML 1.0 cannot hold (control characters, broken UTF-8) becomes '?'.
std::string xml(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const char c = text.front();
    const bool is_control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    if (bytes == 0 || is_control) {
      escaped += '?';
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else {
      escaped += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return escaped;
}

/// GitHub's own escapes: line ends and '%' everywhere, ':' and ',' inside properties.
std::string github(std::string_view text, bool is_property = false) {
  std::string escaped;
  for (const char c : text) {
    const bool is_escaped = c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    escaped += is_escaped ? fmt::format("%{:02X}", static_cast<unsigned>(c)) : std::string(1, c);
  }
  return escaped;
}

std::string finding_count(std::size_t count) { return fmt::format("{} finding{}", count, count == 1 ? "" : "s"); }

/// A curve with findings, or the columns.
struct Failure {
  std::string name;
  FindingRange findings;
};

std::string test_case(const Comparison& comparison, const Failure& of) {
  const std::string start = fmt::format("    <testcase classname=\"compare\" name=\"{}\"", xml(of.name));
  if (of.findings.count == 0) return start + "/>\n";
  const Finding& first = comparison.findings[of.findings.first];
  return fmt::format("{}>\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n", start,
                     parts_of(comparison, first).kind, xml(finding_count(of.findings.count)),
                     xml(sentences(comparison, of.findings, kMostFindingsShown)));
}

std::string error_line(const Comparison& comparison, const ComparedFiles& files, const Failure& of) {
  return fmt::format("::error file={},title={}::{}\n", github(files.base, true),
                     github(fmt::format("{}: {}", of.name, finding_count(of.findings.count)), true),
                     github(sentences(comparison, of.findings, kMostFindingsShown)));
}

std::vector<Failure> all_of(const Comparison& comparison) {
  std::vector<Failure> all;
  if (const FindingRange columns = column_findings(comparison); columns.count > 0) all.push_back({kColumnsName, columns});
  for (const ComparedCurve& curve : comparison.curves)
    all.push_back({curve_name(comparison, curve), {curve.first, curve.findings}});
  return all;
}

}  // namespace

std::string comparison_junit(const Comparison& comparison, const ComparedFiles& files) {
  const std::vector<Failure> all = all_of(comparison);
  std::size_t failures = 0;
  std::string cases;
  for (const Failure& one : all) {
    failures += one.findings.count > 0 ? 1 : 0;
    cases += test_case(comparison, one);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">\n{}"
      "    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>\n",
      xml(files.now + " against " + files.base), all.size(), failures, cases, xml(comparison_verdict(comparison)));
}

std::string comparison_github(const Comparison& comparison, const ComparedFiles& files) {
  std::string text;
  for (const Failure& one : all_of(comparison)) {
    if (one.findings.count > 0) text += error_line(comparison, files, one);
  }
  return text + fmt::format("::notice title=tokenomics compare::{}\n", github(comparison_verdict(comparison)));
}

}  // namespace tokenomics
