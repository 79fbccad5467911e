#include "document.hpp"
#include "json_text.hpp"

namespace tokenomics {
namespace {

/// Skips everything beneath the top level.
class HeadReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeadReader(DocumentHead& head) : head_(head) {}
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& value) override {
    if (depth_ == 1) head_.texts[key_] = value;
    if (depth_ == 2 && in_list_) head_.lists[key_].push_back(value);
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(false); }
  bool start_array(std::size_t) override { return enter(true); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    key_ = name;
    head_.keys.insert(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    head_.problem = plain_syntax_message(error.what());
    return false;
  }

 private:
  bool enter(bool is_list) {
    if (++depth_ == 2) in_list_ = is_list;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }
  DocumentHead& head_;
  std::string key_;
  std::size_t depth_ = 0;
  bool in_list_ = false;
};

}  // namespace

DocumentHead read_document_head(const std::string& path) {
  DocumentHead head;
  HeadReader reader(head);
  nlohmann::json::sax_parse(text_of_file(path), &reader);
  return head;
}

}  // namespace tokenomics
