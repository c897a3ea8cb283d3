// Walks the steps of tokenizer.json: normalizers, pre-tokenizers and their like.
#pragma once

#include "engines/json_fields.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace jessica::engines {

/// "" when there is no such text.
[[nodiscard]] inline std::string text_of(const boost::json::object& in,
                                         std::string_view key) {
  const auto* const value = in.if_contains(key);
  const auto* const text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{*text};
}

[[nodiscard]] inline std::optional<bool> toggle_of(const boost::json::object& in,
                                                   std::string_view key) {
  const auto* const value = in.if_contains(key);
  const auto* const set = value == nullptr ? nullptr : value->if_bool();
  return set == nullptr ? std::nullopt : std::optional{*set};
}

/// Calls `take(type, object)` with a step, or with each step of a sequence, whose list
/// is called `members`. None for null.
template <class Take>
void each_step(const boost::json::value* step, std::string_view members,
               const Take& take) {
  const auto* const object = step == nullptr ? nullptr : step->if_object();
  if (object == nullptr)
    return;
  const auto* const list = object->if_contains(members);
  if (text_of(*object, "type") != "Sequence" || list == nullptr || !list->is_array())
    return take(text_of(*object, "type"), *object);
  for (const auto& one : list->get_array())
    each_step(&one, members, take);
}

inline void not_understood(json_fields& file, std::string_view field,
                           std::string_view type) {
  file.mistake(field, "is " + std::string{type} + ", which is not understood");
}

} // namespace jessica::engines
