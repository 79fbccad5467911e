#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "document.hpp"
#include "reporter.hpp"
#include "tokenomics/scenario/catalogue.hpp"
#include "tokenomics/scenario/sweep_spec.hpp"

namespace tokenomics {

/// Reads the axes of a sweep against the scenario or query that they change.
///
/// A field that is known only once an earlier axis has chosen something (the keys of another kind of arrivals) is looked
/// for in the file as the first options leave it, then as the last do; where a condition names options, as those do.
class SweepAxesReader {
 public:
  /// `base` is the scenario or query, `schema` the name of its schema. `spec` and `catalogue` must outlive the reader.
  SweepAxesReader(SweepSpec& spec, Document base, std::string schema, const Catalogue& catalogue)
      : spec_(spec), base_(std::move(base)), schema_(std::move(schema)), catalogue_(catalogue) {}

  /// Ranges that stand inside the base: {pointer: range}. Their middles take their place.
  nlohmann::json take_ranges_out_of_base(const Reporter& report);
  [[nodiscard]] const Document& base() const { return base_; }
  void read_set(const nlohmann::json& set, const Reporter& report);
  /// Nothing but the sweep itself may set this field from now on.
  void reserve(const std::string& pointer, const Reporter& where) { claim(pointer, where); }
  void read_axes(const nlohmann::json& axes, const Reporter& report);

 private:
  struct Field {
    bool is_number = false, is_whole = false;
  };

  void read_axis(const nlohmann::json& file, const Reporter& report);
  void read_options(SweepAxis& axis, const nlohmann::json& file, const Reporter& report);
  void read_zip(SweepAxis& axis, const nlohmann::json& file, const Reporter& report);
  void read_list(SweepAxis& axis, const nlohmann::json& file, const Reporter& report);
  void read_box(SweepAxis& axis, const nlohmann::json& file, const Reporter& report);
  void read_conditions(SweepAxis& axis, const nlohmann::json& file, const Reporter& report);
  void name_column(SweepAxis& axis, const std::string& name, const Reporter& report);
  /// One value at one place, as a set or as a range; `where` is its place in the sweep's file.
  void add_value(std::vector<std::string>& sets, std::vector<SweepRange>& ranges, const std::string& path,
                 const nlohmann::json& value, const Reporter& where);
  [[nodiscard]] Field field(const std::string& path, const Reporter& where);
  [[nodiscard]] std::vector<Document> documents() const;
  [[nodiscard]] std::size_t input_named(const std::string& path);
  std::vector<nlohmann::json> values_of(const nlohmann::json& file, const Field& field, const Reporter& report);
  void claim(const std::string& path, const Reporter& where);
  [[nodiscard]] bool excludes(const std::vector<SweepCondition>& other) const;

  SweepSpec& spec_;
  Document base_;
  std::string schema_;
  const Catalogue& catalogue_;
  std::vector<SweepCondition> conditions_;  ///< of the axis that is being read
  std::map<std::string, Field> fields_;     ///< paths that this axis has asked for
  /// A pointer that an axis or `set` writes, and where the axis applies.
  struct Claim {
    std::string pointer;
    std::vector<SweepCondition> when;
  };
  std::vector<Claim> claimed_;
};

}  // namespace tokenomics
