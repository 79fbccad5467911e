// The only file that includes valijson: it takes long to compile, and without this definition a bad reference in a
// schema would abort the process.
#ifndef VALIJSON_USE_EXCEPTIONS
#define VALIJSON_USE_EXCEPTIONS 1
#endif
#include "schema_engine.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

#include "pointer.hpp"

namespace tokenomics {

struct CompiledSchema::Impl {
  valijson::Schema schema;
};

CompiledSchema::CompiledSchema(const nlohmann::json& schema) : impl_(std::make_unique<Impl>()) {
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), impl_->schema);
}
CompiledSchema::~CompiledSchema() = default;
CompiledSchema::CompiledSchema(CompiledSchema&&) noexcept = default;

namespace {

/// "<root>", "[deployment]", "[pools]", "[0]" -> "/deployment/pools/0".
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (const std::string& step : context) {
    if (step.size() >= 2 && step.front() == '[' && step.back() == ']') {
      pointer = pointer_append(pointer, step.substr(1, step.size() - 2));
    }
  }
  return pointer;
}

/// The library names keys only in its text: "Missing required property 'x'." and "Object contains a property that could
/// not be validated ...: 'x'." (the first unknown key only).
SchemaComplaint understood(const valijson::ValidationResults::Error& error) {
  SchemaComplaint complaint{SchemaComplaint::Kind::Value, pointer_of(error.context), ""};
  const std::string& text = error.description;
  const std::size_t open = text.find(" '");
  if (text.starts_with("Missing required property")) {
    complaint.kind = SchemaComplaint::Kind::MissingKey;
    complaint.key = text.substr(open + 2, text.rfind('\'') - open - 2);
  } else if (text.starts_with("Object contains a property that could not be validated")) {
    complaint.kind = SchemaComplaint::Kind::UnknownKey;
  }
  return complaint;
}

/// Says only that something beneath, or a branch, failed.
bool is_consequence(const std::string& text) { return text.starts_with("Failed to validate "); }

}  // namespace

std::vector<SchemaComplaint> CompiledSchema::complaints(const nlohmann::json& document) const {
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(impl_->schema, valijson::adapters::NlohmannJsonAdapter(document), &results)) return {};
  std::vector<SchemaComplaint> causes;
  for (const auto& error : results) {
    if (!is_consequence(error.description)) causes.push_back(understood(error));
  }
  for (const auto& error : results) {
    const std::string pointer = pointer_of(error.context);
    const bool explained =
        std::any_of(causes.begin(), causes.end(), [&](const auto& cause) { return is_within(cause.pointer, pointer); });
    if (!explained) causes.push_back(understood(error));
  }
  return causes;
}

}  // namespace tokenomics
