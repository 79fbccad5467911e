#include "sweep_columns.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "schema_view.hpp"
#include "tokenomics/base/expression.hpp"

namespace tokenomics {
namespace {

using nlohmann::json;

std::vector<std::string> split_dots(const std::string& name) {
  std::vector<std::string> keys;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    keys.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return keys;
}

/// A figure's dotted name against the schema of results: some number, text or list of texts that may be there.
void check_metric(const std::string& name, const json& schema, const Reporter& report) {
  for (const char* block : {"scenario", "performance"})  // what was asked, and how long it took
    if (split_dots(name).front() == block) return report.add(json(name).dump(), "a figure of what came out");
  SchemaNodes nodes = nodes_about(schema, schema, json::object());
  std::string path;
  for (const std::string& key : split_dots(name)) {
    SchemaNodes beneath = nodes_beneath(schema, nodes, key, json::object());
    if (beneath.empty()) {
      const KeyHint hint = hint_for_unknown_key(key, known_keys(nodes).names);
      const std::string nearest = hint.nearest.empty() ? "" : path + hint.nearest;
      return report.add(json(name).dump(), "a figure of the result (" + hint.expected + ")", nearest);
    }
    path += key + ".";
    nodes = std::move(beneath);
  }
  if (const KnownKeys keys = known_keys(nodes); !keys.names.empty())
    report.add(json(name).dump(), "one figure, not a group of them", name + "." + keys.names.front());
}

/// Columns that expressions may use.
class Columns {
 public:
  explicit Columns(const SweepSpec& spec) : numeric(spec.numeric_columns()), spec_(spec) {}

  std::vector<std::string> numeric;

  void check_expression(const std::string& text, const Reporter& report) const {
    try {
      const Expression expression(text, numeric);
    } catch (const std::invalid_argument& error) {
      report.add(json(text).dump(), error.what());
    }
  }
  void check_number(const std::string& name, const Reporter& report) const {
    if (std::find(numeric.begin(), numeric.end(), name) == numeric.end())
      report.add(json(name).dump(), "a metric, a derived column, or an axis or uncertain number",
                 nearest_name(name, numeric));
  }
  void check_axes(const std::vector<std::string>& names, const Reporter& report) const {
    const std::vector<std::string> known = spec_.axis_columns();
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::find(known.begin(), known.end(), names[i]) == known.end())
        report.at(std::to_string(i)).add(json(names[i]).dump(), "the name of an axis", nearest_name(names[i], known));
  }

 private:
  const SweepSpec& spec_;
};

void read_metrics(SweepSpec& spec, const json& file, const Reporter& report, const Catalogue& catalogue) {
  if (!file.contains("metrics")) {
    spec.metrics = usual_metrics(spec.subject);
    return;
  }
  const json& schema = catalogue.schema(spec.subject == SweepSubject::Scenario ? "result" : "solution");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < file["metrics"].size(); ++i) {
    const std::string name = file["metrics"][i];
    const Reporter at = report.at("metrics").at(std::to_string(i));
    check_metric(name, schema, at);
    if (!seen.insert(name).second) at.add(json(name).dump(), "a figure that stands once");
    spec.metrics.push_back(name);
  }
}

bool is_column_name(const std::string& name) {
  const auto& functions = Expression::function_names();
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  return !name.empty() && is_letter(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) {
                       return is_letter(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)) != 0 ||
                              c == '.';
                     }) &&
         std::find(functions.begin(), functions.end(), name) == functions.end();
}

void read_derived(SweepSpec& spec, const json& file, const Reporter& report) {
  const Columns columns(spec);
  std::vector<std::string> taken = spec.axis_columns();
  taken.insert(taken.end(), {"point", "sample", "status", "reason"});
  for (const std::string& axis : taken)
    if (std::find(spec.metrics.begin(), spec.metrics.end(), axis) != spec.metrics.end())
      report.at("axes").add(json(axis).dump(), "a name that no metric has: give the axis another \"name\"");
  taken.insert(taken.end(), spec.inputs.begin(), spec.inputs.end());
  taken.insert(taken.end(), spec.metrics.begin(), spec.metrics.end());
  const json derived = file.value("derived", json::object());
  for (const auto& [name, text] : derived.items()) {
    if (!is_column_name(name))
      report.at("derived").at(name).add(json(name).dump(), "a name of letters, digits, _ and ., and no function's");
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
      report.at("derived").at(name).add(json(name).dump(), "a name that no other column has");
    columns.check_expression(text, report.at("derived").at(name));
    spec.derived.push_back({name, text});
  }
}

void read_objective(SweepSpec& spec, const json& file, const Reporter& report, const Columns& columns) {
  if (!file.contains("objective")) return;
  const json& object = file["objective"];
  const Reporter at = report.at("objective");
  if (object.contains("minimize") == object.contains("maximize"))
    return at.add(shown(object), "minimize or maximize, one of them");
  SweepObjective objective;
  objective.maximize = object.contains("maximize");
  const char* key = objective.maximize ? "maximize" : "minimize";
  objective.expression = object[key];
  columns.check_expression(objective.expression, at.at(key));
  objective.where = object.value("where", std::vector<std::string>{});
  for (std::size_t i = 0; i < objective.where.size(); ++i)
    columns.check_expression(objective.where[i], at.at("where").at(std::to_string(i)));
  objective.top = object.value("top", objective.top);
  objective.per = object.value("per", std::vector<std::string>{});
  columns.check_axes(objective.per, at.at("per"));
  spec.objective = std::move(objective);
}

void check_reference(const SweepCurves& curves, const SweepSpec& spec, const Reporter& report) {
  for (const auto& [name, value] : curves.reference) {
    if (std::find(curves.by.begin(), curves.by.end(), name) == curves.by.end()) {
      report.at(name).add(value, "an axis that \"by\" names", nearest_name(name, curves.by));
      continue;
    }
    for (const SweepAxis& axis : spec.axes) {
      const auto column = std::find(axis.columns.begin(), axis.columns.end(), name);
      if (column == axis.columns.end() || axis.kind != SweepAxis::Kind::Options) continue;
      const auto index = static_cast<std::size_t>(column - axis.columns.begin());
      const bool exists =
          std::any_of(axis.options.begin(), axis.options.end(),
                      [&, &wanted = value](const SweepOption& option) { return option.shown[index] == wanted; });
      if (!exists) report.at(name).add(value, "one of the axis's values");
    }
  }
  if (curves.reference.size() != curves.by.size() && !curves.reference.empty())
    report.add("", "a value for each axis that \"by\" names");
}

void read_curves(SweepSpec& spec, const json& file, const Reporter& report, const Columns& columns) {
  const json list = file.value("curves", json::array());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json& object = list[i];
    const Reporter at = report.at("curves").at(std::to_string(i));
    SweepCurves curves;
    curves.x = object["x"];
    curves.y = object["y"];
    curves.name = object.value("name", curves.y + " over " + curves.x);
    columns.check_number(curves.x, at.at("x"));
    columns.check_number(curves.y, at.at("y"));
    curves.by = object["by"].get<std::vector<std::string>>();
    curves.per = object.value("per", std::vector<std::string>{});
    columns.check_axes(curves.by, at.at("by"));
    columns.check_axes(curves.per, at.at("per"));
    const json reference = object.value("reference", json::object());
    for (const auto& [name, value] : reference.items()) curves.reference.emplace_back(name, value.dump());
    check_reference(curves, spec, at.at("reference"));
    curves.gpu_price = object.value("gpu_price", "");
    if (!curves.gpu_price.empty()) {
      columns.check_number(curves.gpu_price, at.at("gpu_price"));
      if (curves.reference.empty()) at.at("reference").add("", "the curve to break even with (missing)");
    }
    spec.curves.push_back(std::move(curves));
  }
}

}  // namespace

std::vector<std::string> usual_metrics(SweepSubject subject) {
  if (subject == SweepSubject::Query) {
    return {"deployment.name",
            "deployment.hardware",
            "price.usd_per_mtok.input",
            "price.usd_per_mtok.output",
            "price.usd_per_mtok.blended_3_1",
            "price.usd_per_mtok.own_mix",
            "cost.usd_per_gpu_hour",
            "cost.usd_per_mtok.own_mix",
            "service.ttft_s",
            "service.interactivity_tok_s_user",
            "service.context",
            "service.gpus",
            "service.batch_per_instance",
            "service.output_tok_s_per_gpu",
            "answer.value",
            "binding"};
  }
  return {"requests.arrived",
          "requests.completed",
          "requests.unfinished",
          "latency.ttft_s.mean",
          "latency.ttft_s.p50",
          "latency.ttft_s.p90",
          "latency.ttft_s.p99",
          "latency.ttft_s.ci95",
          "latency.tpot_ms.mean",
          "latency.tpot_ms.p90",
          "latency.tpot_ms.ci95",
          "latency.e2e_s.p50",
          "latency.e2e_s.p90",
          "interactivity_tok_s_user.mean",
          "interactivity_tok_s_user.p10",
          "throughput.requests_s",
          "throughput.output_tok_s",
          "throughput.output_tok_s_per_gpu",
          "throughput.total_tok_s_per_gpu",
          "fleet.gpus_mean",
          "cost.usd_per_gpu_hour",
          "cost.usd_per_mtok.input",
          "cost.usd_per_mtok.output",
          "cost.usd_per_mtok.blended_3_1",
          "cost.usd_per_mtok.own_mix",
          "price.usd_per_mtok.own_mix",
          "price.margin_over_revenue",
          "slo.met",
          "slo.attainment.all",
          "binding"};
}

void read_columns(SweepSpec& spec, const json& file, const Reporter& report, const Catalogue& catalogue) {
  read_metrics(spec, file, report, catalogue);
  read_derived(spec, file, report);
  Columns columns(spec);
  for (const SweepDerived& derived : spec.derived) columns.numeric.push_back(derived.name);
  read_objective(spec, file, report, columns);
  read_curves(spec, file, report, columns);
}

}  // namespace tokenomics
