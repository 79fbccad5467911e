#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "../scenario/document.hpp"
#include "../scenario/reporter.hpp"
#include "csv.hpp"
#include "points_table.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// What says where a result comes from, or is said for people, and is no result.
constexpr std::array kNotMetrics{"schema",    "version", "seed",  "scenario", "performance", "notes",
                                 "published", "windows", "query", "searched", "assumptions", "binding_details"};

void put_cell(ResultPoints& points, const std::string& name, const ordered_json& value) {
  auto column = points.find(name);
  if (!column) {
    column = points.metrics.size();
    points.metrics.push_back({name, std::vector<double>(points.size(), kNone), {}});
  }
  ResultColumn& metric = points.metrics[*column];
  const std::size_t point = points.size() - 1;
  if (value.is_number()) metric.numbers[point] = value.get<double>();
  const std::string text = value.is_number() ? "" : csv_value(value);
  if (!text.empty()) metric.texts[point] = text;
}

void begin_point(ResultPoints& points, const std::string& status, const std::string& reason) {
  points.status.push_back(status);
  points.reason.push_back(reason);
  for (ResultColumn& metric : points.metrics) metric.numbers.push_back(kNone);
}

std::string text_at(const ordered_json& file, const char* key) {
  return file.contains(key) && file[key].is_string() ? file[key].get<std::string>() : "";
}

/// A run or a solution: one point.
ResultPoints one_point(ResultKind kind, ordered_json file, const Reporter& report) {
  ResultPoints points;
  points.kind = kind;
  begin_point(points, text_at(file, "status"), text_at(file, "infeasible_reason"));
  for (const char* key : kNotMetrics) file.erase(key);
  file.erase("status");
  file.erase("infeasible_reason");
  for (const FlatValue& flat : flattened(file)) put_cell(points, flat.name, flat.value);
  if (points.metrics.empty()) report.add("", "the blocks of " + std::string(to_string(kind)) + " (missing)");
  return points;
}

/// The member, which must be of a type.
const json* member(const json& object, const char* key, const Reporter& report, bool (json::*is_type)() const noexcept,
                   const char* expected) {
  if (!object.is_object() || !object.contains(key)) {
    report.at(key).add("", std::string(expected) + " (missing)");
  } else if (!(object[key].*is_type)()) {
    report.at(key).add(shown(object[key]), expected);
  } else {
    return &object[key];
  }
  return nullptr;
}

double number_at(const json& point, const char* block, const std::string& key, const Reporter& report) {
  const json* object = member(point, block, report, &json::is_object, "an object");
  const json* number =
      object == nullptr ? nullptr : member(*object, key.c_str(), report.at(block), &json::is_number, "a number");
  return number == nullptr ? kNone : number->get<double>();
}

void frontier_point(ResultPoints& points, const std::string& model, const json& point, const Reporter& report,
                    const std::string& objective) {
  const json* deployment = member(point, "deployment", report, &json::is_object, "an object");
  const json* hardware = deployment == nullptr ? nullptr
                                               : member(*deployment, "hardware", report.at("deployment"), &json::is_string,
                                                        "the name of a chip");
  const json* price = member(point, "price", report, &json::is_object, "an object");
  double value = kNone;
  if (price != nullptr && objective == "per_answer") value = number_at(point, "price", "usd_per_answer", report);
  if (price != nullptr && objective != "per_answer")
    value = number_at(*price, "usd_per_mtok", objective, report.at("price"));
  begin_point(points, "ok", "");
  points.axis_values[0].push_back(model);
  points.axis_values[1].push_back(hardware == nullptr ? "" : hardware->get<std::string>());
  points.metrics[kFrontierPrice].numbers.back() = value;
  points.metrics[kFrontierTtft].numbers.back() = number_at(point, "service", "ttft_s", report);
  points.metrics[kFrontierInteractivity].numbers.back() = number_at(point, "service", "interactivity_tok_s_user", report);
  points.metrics[kFrontierContext].numbers.back() = number_at(point, "service", "context", report);
}

void add_frontier(ResultPoints& points, const json& frontier, const Reporter& report, std::string& objective) {
  const json* schema = member(frontier, "schema", report, &json::is_string, "\"tokenomics.frontier/1\"");
  if (schema == nullptr) return;
  if (*schema != "tokenomics.frontier/1") return report.at("schema").add(shown(*schema), "\"tokenomics.frontier/1\"");
  const json* own = member(frontier, "objective", report, &json::is_string, "own_mix, blended_3_1, output or per_answer");
  const json* model = member(frontier, "model", report, &json::is_string, "the name of a network");
  const json* list = member(frontier, "points_by_hardware", report, &json::is_array, "a list of points");
  if (own == nullptr || model == nullptr || list == nullptr) return;
  if (objective.empty()) objective = own->get<std::string>();
  if (*own != objective)
    return report.at("objective").add(shown(*own), shown(objective) + ", the objective of the first frontier");
  const Reporter at_list = report.at("points_by_hardware");
  for (std::size_t i = 0; i < list->size(); ++i)
    frontier_point(points, model->get<std::string>(), (*list)[i], at_list.at(std::to_string(i)), objective);
}

ResultPoints frontier_points(const json& file, const Reporter& report) {
  ResultPoints points;
  points.kind = ResultKind::Frontier;
  points.axes = {"model", "hardware"};
  points.axis_values.resize(2);
  for (const char* name : {"price", "service.ttft_s", "service.interactivity_tok_s_user", "service.context"})
    points.metrics.push_back({name, {}, {}});
  std::string objective;
  if (file.is_array() && file.empty()) report.add("[]", "at least one frontier");
  if (file.is_array()) {
    for (std::size_t i = 0; i < file.size(); ++i) add_frontier(points, file[i], report.at(std::to_string(i)), objective);
  } else {
    add_frontier(points, file, report, objective);
  }
  points.metrics[kFrontierPrice].name =
      objective == "per_answer" ? "price.usd_per_answer" : "price.usd_per_mtok." + objective;
  return points;
}

/// Names of the members of all keys, in order of appearance.
std::vector<std::string> group_axes(const ordered_json& groups) {
  std::vector<std::string> axes;
  for (const ordered_json& group : groups) {
    for (const FlatValue& flat : flattened(group["key"])) {
      if (std::find(axes.begin(), axes.end(), flat.name) == axes.end()) axes.push_back(flat.name);
    }
  }
  if (axes.empty()) axes.emplace_back("group");
  return axes;
}

void add_group(ResultPoints& points, ordered_json group, const std::string& otherwise) {
  std::map<std::string, std::string> key;
  if (group.contains("key"))
    for (const FlatValue& flat : flattened(group["key"])) key[flat.name] = csv_value(flat.value);
  for (std::size_t axis = 0; axis < points.axes.size(); ++axis) {
    const auto found = key.find(points.axes[axis]);
    points.axis_values[axis].push_back(found == key.end() ? otherwise : found->second);
  }
  group.erase("key");
  begin_point(points, "", "");
  for (const FlatValue& flat : flattened(group)) put_cell(points, flat.name, flat.value);
}

ResultPoints validation_points(const ordered_json& file, const Reporter& report) {
  ResultPoints points;
  points.kind = ResultKind::Validation;
  if (!file["groups"].is_array()) {
    report.at("groups").add(shown(json(file["groups"])), "a list of groups");
    return points;
  }
  for (std::size_t i = 0; i < file["groups"].size(); ++i) {
    const Reporter at = report.at("groups").at(std::to_string(i));
    member(json(file["groups"][i]), "key", at, &json::is_object, "an object");
  }
  if (!report.clean()) return points;
  points.axes = group_axes(file["groups"]);
  points.axis_values.resize(points.axes.size());
  for (const ordered_json& group : file["groups"]) add_group(points, group, "");
  if (file.contains("all") && file["all"].is_object()) add_group(points, file["all"], "all");
  if (points.metrics.empty()) report.add("", "at least one metric");
  return points;
}

bool is_frontier(const json& file) {
  const json& first = file.is_array() && !file.empty() ? file.front() : file;
  return file.is_array() || (first.contains("schema") && first["schema"] == "tokenomics.frontier/1");
}

constexpr const char* kKnown =
    "a result of run, solve, frontier or validate as JSON (\"schema\": tokenomics.result/1, tokenomics.solution/1 or "
    "tokenomics.frontier/1, or \"groups\"), or sweep points";

ResultPoints points_of(const Document& document, const Reporter& report) {
  const json& file = document.value;
  if (!file.is_structured()) {
    report.add(shown(file), kKnown);
    return {};
  }
  if (is_frontier(file)) return frontier_points(file, report);
  const ordered_json in_order = ordered_json::parse(document.text);  // metrics are told in the order of the file
  if (file.contains("groups")) return validation_points(in_order, report);
  const json schema = file.value("schema", json());
  if (schema == "tokenomics.result/1") return one_point(ResultKind::Run, in_order, report);
  if (schema == "tokenomics.solution/1") return one_point(ResultKind::Solution, in_order, report);
  report.at("schema").add(schema.is_null() ? "" : shown(schema), kKnown);
  return {};
}

}  // namespace

ResultPoints points_from_json(const std::string& text, const std::string& file) {
  const Document document = parse_document(text, file);
  std::vector<Problem> problems = document.problems;
  ResultPoints points;
  if (problems.empty()) points = points_of(document, Reporter(document, problems));
  if (!problems.empty()) throw ScenarioError(problems);
  return points;
}

}  // namespace tokenomics
