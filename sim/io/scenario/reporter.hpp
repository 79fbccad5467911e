#pragma once

#include <string>
#include <vector>

#include "document.hpp"

namespace tokenomics {

/// Adds problems about one place of a document.
class Reporter {
 public:
  Reporter(const Document& document, std::vector<Problem>& problems, std::string pointer = "")
      : document_(&document), problems_(&problems), pointer_(std::move(pointer)) {}

  [[nodiscard]] Reporter at(std::string_view key) const;
  [[nodiscard]] const std::string& pointer() const { return pointer_; }
  [[nodiscard]] const Document& document() const { return *document_; }
  [[nodiscard]] std::vector<Problem>& problems() const { return *problems_; }

  /// `value` as JSON text, empty when something is missing.
  void add(const std::string& value, const std::string& expected, const std::string& nearest = "") const;
  /// Problems whose pointers start here, such as those of Catalogue::check.
  void add_beneath(const std::vector<Problem>& relative) const;
  /// True while nothing was reported here or beneath.
  [[nodiscard]] bool clean() const;

 private:
  const Document* document_;
  std::vector<Problem>* problems_;
  std::string pointer_;
};

}  // namespace tokenomics
