#include "wire/key_ring.hpp"

#include "wire/json_reader.hpp"

#include <algorithm>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto most_keys = std::size_t{32};

/// The objects of {"keys":[...]}; nullptr: it has no such list.
[[nodiscard]] const json::array* keys_of(const json::object& set) {
  const auto* const found = set.if_contains("keys");
  return found != nullptr ? found->if_array() : nullptr;
}

[[nodiscard]] std::unexpected<error> bad(std::string what) {
  return fail(errc::invalid_input, std::move(what));
}

[[nodiscard]] bool is_secret(const json::object& key) {
  const auto* const kind = key.if_contains("kty");
  return kind != nullptr && kind->is_string() && kind->get_string() == "oct";
}

} // namespace

result<key_ring> key_ring::read_own(std::string_view text) {
  const auto parsed = parse_object(text);
  if (!parsed)
    return bad("it is no JSON object");
  auto found = json::array{};
  if (const auto* const list = keys_of(*parsed))
    found = *list;
  else
    found.emplace_back(*parsed);
  auto made = key_ring{};
  for (const auto& one : found) {
    auto key = one.is_object() ? jwk::read(one.get_object()) : bad("it is no object");
    const auto place = "key " + std::to_string(made.keys_.size() + 1) + ": ";
    if (!key)
      return bad(place + key.error().what);
    if (made.find(key->kid()) != nullptr)
      return bad(place + "another one has the same \"kid\"");
    made.keys_.push_back(std::move(*key));
  }
  if (made.keys_.empty())
    return bad("there is no key in it");
  return made;
}

result<key_ring> key_ring::read_public(std::string_view text) {
  const auto parsed = parse_object(text);
  const auto* const list = parsed ? keys_of(*parsed) : nullptr;
  if (list == nullptr)
    return bad("it is no set of keys");
  auto made = key_ring{};
  for (const auto& one : *list) {
    if (made.keys_.size() == most_keys)
      break;
    if (!one.is_object() || is_secret(one.get_object()))
      continue;
    const auto key = jwk::read(one.get_object());
    if (key && made.find(key->kid()) == nullptr)
      made.keys_.push_back(key->public_part());
  }
  return made;
}

const jwk* key_ring::find(std::string_view kid) const noexcept {
  const auto found = std::ranges::find(keys_, kid, &jwk::kid);
  return found == keys_.end() || kid.empty() ? nullptr : &*found;
}

const jwk* key_ring::signer() const noexcept {
  const auto found = std::ranges::find_if(keys_, &jwk::signs);
  return found == keys_.end() ? nullptr : &*found;
}

std::string key_ring::public_json() const {
  auto text = std::string{};
  for (const auto& one : keys_)
    if (!one.public_json().empty())
      text += (text.empty() ? "" : ",") + one.public_json();
  return R"({"keys":[)" + text + "]}";
}

} // namespace jessica::wire
