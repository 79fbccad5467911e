#include "sweep_axes.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "overrides.hpp"
#include "pointer.hpp"
#include "sweep_ranges.hpp"
#include "tokenomics/base/expression.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

constexpr std::size_t kMostWrittenOut = 1'000'000;  // values of one axis

std::vector<std::string> pointers_of(const json& file) {
  if (file["pointer"].is_string()) return {file["pointer"].get<std::string>()};
  return file["pointer"].get<std::vector<std::string>>();
}

/// "/cost/usd_per_gpu_hour" -> "cost.usd_per_gpu_hour".
std::string dotted(const std::string& path) {
  std::string name = path;
  if (name.starts_with('/')) name.erase(0, 1);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

/// Column of a number that is drawn: a name that no metric has, and that expressions can read.
std::string drawn_name(const std::string& path) {
  std::string name = "drawn." + dotted(path);
  const auto is_odd = [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '.'; };
  std::replace_if(name.begin(), name.end(), is_odd, '_');
  return name;
}

std::string last_key(const std::string& path) {
  const std::string name = dotted(path);
  return name.substr(name.rfind('.') + 1);
}

/// Keys of {path: value} in an order in which nothing undoes what stands before it.
std::vector<std::string> whole_before_parts(const json& set) {
  std::vector<std::string> paths;
  for (const auto& item : set.items()) paths.push_back(item.key());
  std::sort(paths.begin(), paths.end(),
            [](const std::string& a, const std::string& b) { return as_pointer(a) < as_pointer(b); });
  return paths;
}

}  // namespace

json SweepAxesReader::take_ranges_out_of_base(const Reporter& report) {
  std::vector<std::string> found;
  find_ranges(base_.value, "", found);
  json ranges = json::object();
  for (const std::string& pointer : found) {
    Problem none;
    const auto kind = field_kind(base_, pointer, catalogue_, schema_, none);
    if (!kind || !kind->is_number) continue;  // a length law has these keys too
    json& place = base_.value[json::json_pointer(pointer)];
    const std::size_t before = report.problems().size();
    const RangeLaw law = range_law_from(place, report);
    if (report.problems().size() != before) continue;
    ranges[pointer] = place;
    place = rounded(centre(law), kind->is_whole);
  }
  return ranges;
}

/// The base as the axes so far leave it: by their first options, then by their last.
std::vector<Document> SweepAxesReader::documents() const {
  std::vector<Document> all;
  for (const bool is_first : {true, false}) {
    Document& document = all.emplace_back(base_);
    std::vector<Problem> none;
    for (const std::string& set : spec_.sets) apply_override(document, set, catalogue_, none, schema_);
    for (std::size_t i = 0; i < spec_.axes.size(); ++i) {
      const SweepAxis& axis = spec_.axes[i];
      if (axis.options.empty()) continue;
      const SweepOption* option = is_first ? &axis.options.front() : &axis.options.back();
      for (const SweepCondition& condition : conditions_) {
        if (condition.axis != i || condition.values.empty()) continue;
        const auto match = std::find_if(axis.options.begin(), axis.options.end(), [&](const SweepOption& one) {
          return one.shown[condition.column] == (is_first ? condition.values.front() : condition.values.back());
        });
        if (match != axis.options.end()) option = &*match;
      }
      for (const std::string& set : option->sets) apply_override(document, set, catalogue_, none, schema_);
    }
  }
  return all;
}

SweepAxesReader::Field SweepAxesReader::field(const std::string& path, const Reporter& where) {
  if (const auto known = fields_.find(path); known != fields_.end()) return known->second;
  Problem unknown;
  for (const Document& document : documents()) {
    const auto kind = field_kind(document, path, catalogue_, schema_, unknown);
    if (kind) return fields_[path] = {kind->is_number, kind->is_whole};
  }
  where.add(json(path).dump(), fmt::format("a field of the {} ({})", schema_, unknown.expected), unknown.nearest);
  return {};
}

/// Whether the axis that is being read never applies together with one under the other conditions.
bool SweepAxesReader::excludes(const std::vector<SweepCondition>& other) const {
  const auto contradict = [](const SweepCondition& a, const SweepCondition& b) {
    return a.axis == b.axis && a.column == b.column &&
           std::none_of(a.values.begin(), a.values.end(), [&](const auto& value) {
             return std::find(b.values.begin(), b.values.end(), value) != b.values.end();
           });
  };
  return std::any_of(conditions_.begin(), conditions_.end(), [&](const SweepCondition& mine) {
    return std::any_of(other.begin(), other.end(), [&](const SweepCondition& theirs) { return contradict(mine, theirs); });
  });
}

/// A field that two places set, or set again as part of something larger, would take one of the values without a word.
/// The other way round is fine: something is set as a whole, then a part of it.
void SweepAxesReader::claim(const std::string& path, const Reporter& where) {
  const std::string pointer = as_pointer(path);
  for (const Claim& earlier : claimed_) {
    if (!is_within(earlier.pointer, pointer) || excludes(earlier.when)) continue;
    where.add(json(path).dump(), earlier.pointer == pointer
                                     ? "a field that one axis, or set, sets: it is set twice"
                                     : "a field of which no part is set before: " + earlier.pointer + " is");
    break;
  }
  claimed_.push_back({pointer, conditions_});
}

std::size_t SweepAxesReader::input_named(const std::string& path) {
  const std::string name = drawn_name(path);
  const auto found = std::find(spec_.inputs.begin(), spec_.inputs.end(), name);
  if (found == spec_.inputs.end()) {
    spec_.inputs.push_back(name);
    return spec_.inputs.size() - 1;
  }
  return static_cast<std::size_t>(found - spec_.inputs.begin());
}

void SweepAxesReader::add_value(std::vector<std::string>& sets, std::vector<SweepRange>& ranges, const std::string& path,
                                const json& value, const Reporter& where) {
  const Field kind = field(path, where);
  if (!looks_like_range(value) || !kind.is_number) return sets.push_back(path + "=" + value.dump());
  ranges.push_back({path, input_named(path), range_law_from(value, where), kind.is_whole});
}

void SweepAxesReader::read_set(const json& set, const Reporter& report) {
  for (const std::string& path : whole_before_parts(set)) {
    claim(path, report.at(path));
    add_value(spec_.sets, spec_.ranges, path, set[path], report.at(path));
  }
}

void SweepAxesReader::read_axes(const json& axes, const Reporter& report) {
  for (std::size_t i = 0; i < axes.size(); ++i) read_axis(axes[i], report.at(std::to_string(i)));
}

void SweepAxesReader::read_axis(const json& file, const Reporter& report) {
  SweepAxis axis;
  conditions_.clear();
  fields_.clear();
  read_conditions(axis, file, report);
  conditions_ = axis.when;
  if (file.contains("pointer")) read_options(axis, file, report);
  else if (file.contains("zip")) read_zip(axis, file, report.at("zip"));
  else if (file.contains("list")) read_list(axis, file, report);
  else read_box(axis, file, report);
  spec_.axes.push_back(std::move(axis));
}

void SweepAxesReader::name_column(SweepAxis& axis, const std::string& name, const Reporter& report) {
  static const std::set<std::string> taken{"point", "sample", "status", "reason"};
  const std::vector<std::string> known = spec_.axis_columns();
  const bool is_known = std::find(known.begin(), known.end(), name) != known.end() ||
                        std::find(axis.columns.begin(), axis.columns.end(), name) != axis.columns.end();
  if (is_known || taken.contains(name))
    report.add(json(name).dump(), "a name that no other column has: give the axis another \"name\"");
  const auto& functions = Expression::function_names();
  if (std::find(functions.begin(), functions.end(), name) != functions.end())
    report.add(json(name).dump(), "a name that is no function of expressions: give the axis another \"name\"");
  axis.columns.push_back(name);
}

std::vector<json> SweepAxesReader::values_of(const json& file, const Field& field, const Reporter& report) {
  const bool has_values = file.contains("values");
  const bool has_steps = file.contains("from") && file.contains("to") && file.contains("count");
  const bool has_any_step =
      file.contains("from") || file.contains("to") || file.contains("count") || file.contains("spacing");
  if (has_values == has_any_step || (has_any_step && !has_steps)) {
    report.add("", "either values, or from, to and count (and spacing)");
    return {};
  }
  if (has_values) return file["values"];
  const double from = file["from"], to = file["to"];
  const bool is_log = file.value("spacing", "linear") == "log";
  const std::size_t count = file["count"];
  if (count > kMostWrittenOut)
    report.at("count").add(file["count"].dump(), fmt::format("at most {} values", kMostWrittenOut));
  if (count == 1 && from != to) report.at("count").add("1", "at least 2: from and to differ");
  if (is_log && !(from > 0 && to > 0)) report.at("spacing").add("\"log\"", "linear: from and to are not both above 0");
  std::vector<json> values;
  for (std::size_t i = 0; i < std::min(count, kMostWrittenOut); ++i) {
    const double share = count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
    const double value = is_log ? from * std::pow(to / from, share) : from + share * (to - from);
    values.push_back(i + 1 == count && count > 1 ? rounded(to, field.is_whole) : rounded(value, field.is_whole));
    if (i > 0 && values[i] == values[i - 1]) {
      report.at("count").add(file["count"].dump(), field.is_whole
                                                       ? "fewer values: rounded to whole numbers, two are the same"
                                                       : "1: two of the values are the same");
      break;
    }
  }
  return values;
}

void SweepAxesReader::read_options(SweepAxis& axis, const json& file, const Reporter& report) {
  const std::vector<std::string> paths = pointers_of(file);
  Field kind;
  for (const std::string& path : paths) {
    kind = field(path, report.at("pointer"));
    claim(path, report.at("pointer"));
  }
  name_column(axis, file.value("name", last_key(paths.front())), report.at("name"));
  const std::vector<json> values = values_of(file, kind, report);
  const json labels = file.value("labels", json());
  if (labels.is_array() && labels.size() != values.size())
    report.at("labels").add(fmt::format("{}", labels.size()), fmt::format("{} labels, one a value", values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Reporter where = report.at("values").at(std::to_string(i));
    if (axis.options.size() <= i) axis.options.resize(i + 1);
    SweepOption& option = axis.options[i];
    const bool is_range = looks_like_range(values[i]) && kind.is_number;
    if (labels.is_array() && i < labels.size()) option.shown.push_back(labels[i].dump());
    else if (is_range) option.shown.push_back(shown_range(values[i]));
    else if (values[i].is_primitive()) option.shown.push_back(values[i].dump());
    else where.add(shown(values[i]), "a number, text, true or false; for objects and lists give the axis \"labels\"");
    if (option.shown.empty()) option.shown.emplace_back("null");  // has been reported
    for (const std::string& path : paths) {
      if (is_range)
        option.ranges.push_back({path, input_named(paths.front()), range_law_from(values[i], where), kind.is_whole});
      else option.sets.push_back(path + "=" + values[i].dump());
    }
  }
}

void SweepAxesReader::read_zip(SweepAxis& axis, const json& file, const Reporter& report) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < file["zip"].size(); ++i) {
    const Reporter at = report.at(std::to_string(i));
    SweepAxis part;
    part.columns = axis.columns;
    if (file["zip"][i].contains("when")) at.at("when").add(shown(file["zip"][i]["when"]), "when beside zip, not inside it");
    read_options(part, file["zip"][i], at);
    axis.columns = part.columns;
    if (i == 0) length = part.options.size();
    if (part.options.size() != length)
      at.add(fmt::format("{} values", part.options.size()),
             fmt::format("{} values, as the first axis of the zip has", length));
    axis.options.resize(length);
    for (std::size_t k = 0; k < std::min(length, part.options.size()); ++k) {
      SweepOption& option = axis.options[k];
      option.shown.push_back(part.options[k].shown.back());
      option.sets.insert(option.sets.end(), part.options[k].sets.begin(), part.options[k].sets.end());
      option.ranges.insert(option.ranges.end(), part.options[k].ranges.begin(), part.options[k].ranges.end());
    }
  }
}

void SweepAxesReader::read_list(SweepAxis& axis, const json& file, const Reporter& report) {
  name_column(axis, file["name"], report.at("name"));
  std::set<std::string> labels;
  std::map<std::string, Reporter> paths;  // of all cases, each once
  for (std::size_t i = 0; i < file["list"].size(); ++i) {
    const json& entry = file["list"][i];
    const Reporter at = report.at("list").at(std::to_string(i));
    SweepOption option;
    option.shown.push_back(entry["label"].dump());
    if (!labels.insert(option.shown.back()).second) at.at("label").add(entry["label"].dump(), "a label that stands once");
    std::set<std::string> own;
    for (const std::string& path : whole_before_parts(entry["set"])) {
      const Reporter place = at.at("set").at(path);
      if (!own.insert(as_pointer(path)).second) place.add(json(path).dump(), "a field that this case sets once");
      paths.emplace(as_pointer(path), place);
      add_value(option.sets, option.ranges, path, entry["set"][path], place);
    }
    axis.options.push_back(std::move(option));
  }
  for (const auto& [pointer, place] : paths) claim(pointer, place);
}

void SweepAxesReader::read_box(SweepAxis& axis, const json& file, const Reporter& report) {
  axis.kind = file["sample"] == "sobol" ? SweepAxis::Kind::Sobol : SweepAxis::Kind::Random;
  axis.count = file["count"];
  for (const auto& [path, range] : file["ranges"].items()) {
    const Reporter at = report.at("ranges").at(path);
    claim(path, at);
    const Field kind = field(path, at);
    if (!kind.is_number) at.add(json(path).dump(), "a field that is a number");
    name_column(axis, drawn_name(path), at);
    axis.box.push_back({path, axis.box.size(), range_law_from(range, at), kind.is_whole});
  }
}

void SweepAxesReader::read_conditions(SweepAxis& axis, const json& file, const Reporter& report) {
  const json when = file.value("when", json::object());
  for (const auto& [name, wanted] : when.items()) {
    const Reporter at = report.at("when").at(name);
    SweepCondition condition;
    bool is_found = false;
    std::vector<std::string> known;
    for (std::size_t i = 0; i < spec_.axes.size(); ++i) {
      if (spec_.axes[i].kind != SweepAxis::Kind::Options) continue;
      const auto& columns = spec_.axes[i].columns;
      known.insert(known.end(), columns.begin(), columns.end());
      const auto found = std::find(columns.begin(), columns.end(), name);
      if (found == columns.end()) continue;
      condition.axis = i;
      condition.column = static_cast<std::size_t>(found - columns.begin());
      is_found = true;
    }
    if (!is_found) {
      at.add("", "the name of an axis above that has values", nearest_name(name, known));
      continue;
    }
    for (const json& value : wanted.is_array() ? wanted : json::array({wanted})) {
      condition.values.push_back(value.dump());
      const auto& options = spec_.axes[condition.axis].options;
      const bool exists = std::any_of(options.begin(), options.end(), [&](const SweepOption& option) {
        return option.shown[condition.column] == condition.values.back();
      });
      if (!exists) at.add(value.dump(), "one of the values of the axis " + name);
    }
    if (condition.values.empty()) at.add("[]", "at least one value");
    axis.when.push_back(std::move(condition));
  }
  if (axis.when.size() != when.size()) axis.when.clear();
}

}  // namespace tokenomics
