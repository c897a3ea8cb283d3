#include "engines/token_names.hpp"

#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;

[[nodiscard]] std::string text_at(const json::value& in, std::string_view pointer) {
  auto wrong = boost::system::error_code{};
  const auto* const value = in.find_pointer(pointer, wrong);
  return value != nullptr && value->is_string() ? std::string{value->get_string()}
                                                : std::string{};
}

[[nodiscard]] std::optional<token_id> id_at(const json::value& in,
                                            std::string_view pointer) {
  auto wrong = boost::system::error_code{};
  const auto* const value = in.find_pointer(pointer, wrong);
  return value != nullptr && value->is_int64() && value->get_int64() >= 0
             ? std::optional{value->get_int64()}
             : std::nullopt;
}

/// "cls": ["[CLS]", 101]
[[nodiscard]] token_template of_pair(const json::value& step, json_fields& file) {
  const auto first = id_at(step, "/cls/1");
  const auto last = id_at(step, "/sep/1");
  if (!first || !last) {
    file.mistake("post_processor.cls", "and sep must be pairs of a token and its id");
    return {};
  }
  return {{*first}, {*last}};
}

} // namespace

void token_names::add_added_tokens(json_fields& file) {
  const auto* const list = file.at("added_tokens");
  if (list == nullptr)
    return;
  if (!list->is_array())
    return file.mistake("added_tokens", "must be a list");
  for (const auto& one : list->get_array()) {
    const auto id = id_at(one, "/id");
    if (!id)
      return file.mistake("added_tokens", "must each have an id");
    add(text_at(one, "/content"), *id);
    const auto* const object = one.if_object();
    const auto* const special = object->if_contains("special");
    if (special != nullptr && special->is_bool() && special->get_bool())
      special_.push_back(*id);
  }
}

std::optional<token_id> token_names::find(const std::string& name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? std::nullopt : std::optional{found->second};
}

token_template token_names::of_pieces(const json::object& step,
                                      json_fields& file) const {
  auto made = token_template{};
  const auto* const pieces = step.if_contains("single");
  if (pieces == nullptr || !pieces->is_array()) {
    file.mistake("post_processor.single", "must be a list");
    return made;
  }
  auto* side = &made.before;
  for (const auto& piece : pieces->get_array()) {
    const auto name = text_at(piece, "/SpecialToken/id");
    if (name.empty()) {
      side = &made.after; // what is not special is the text
      continue;
    }
    const auto* const known = step.if_contains("special_tokens");
    const auto* const one = known == nullptr || !known->is_object()
                                ? nullptr
                                : known->get_object().if_contains(name);
    const auto id = one == nullptr ? find(name) : id_at(*one, "/ids/0");
    if (id)
      side->push_back(*id);
    else
      file.mistake("post_processor.special_tokens", "has no id of " + name);
  }
  return made;
}

token_template token_names::template_of(json_fields& file) const {
  const auto* step = file.at("post_processor");
  const auto type = text_at(*step, "/type");
  if (type == "Sequence") {
    auto wrong = boost::system::error_code{};
    const auto* const list = step->find_pointer("/processors", wrong);
    if (list != nullptr && list->is_array())
      for (const auto& one : list->get_array())
        if (text_at(one, "/type") == "TemplateProcessing")
          return of_pieces(one.get_object(), file);
  }
  if (type == "TemplateProcessing")
    return of_pieces(step->get_object(), file);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return of_pair(*step, file);
  file.mistake("post_processor.type", "is " + type + ", which is not understood");
  return {};
}

} // namespace jessica::engines
