#include "engines/embeddings_answer.hpp"

#include "engines/extract.hpp"
#include "engines/fault.hpp"
#include "engines/unit_vector.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <format>
#include <optional>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;

[[nodiscard]] std::unexpected<error> wrong(std::string what) {
  return fail(errc::internal, "the embedding server's answer " + std::move(what));
}

[[nodiscard]] const json::value* member(const json::value& of, std::string_view name) {
  const auto* const object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

/// Some servers leave it out and answer in order.
[[nodiscard]] std::optional<std::size_t> index_of(const json::value& one,
                                                  std::size_t place) {
  const auto* const given = member(one, "index");
  if (given == nullptr)
    return place;
  auto failed = boost::system::error_code{};
  const auto index = given->is_number() ? given->to_number<std::size_t>(failed) : 0;
  return given->is_number() && !failed ? std::optional{index} : std::nullopt;
}

[[nodiscard]] result<std::vector<float>> vector_of(const json::value& one,
                                                   std::size_t dimensions) {
  const auto* const value = member(one, "embedding");
  const auto* const list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr)
    return wrong("holds no vector");
  if (list->size() != dimensions)
    return wrong(std::format("holds a vector of {} numbers instead of {} "
                             "(embedding.openai_dimensions)",
                             list->size(), dimensions));
  auto made = std::vector<float>{};
  made.reserve(dimensions);
  for (const auto& number : *list) {
    if (!number.is_number())
      return wrong("holds a vector with something that is no number");
    made.push_back(static_cast<float>(number.to_number<double>()));
  }
  if (!make_unit(made))
    return wrong("holds a vector without direction");
  return made;
}

} // namespace

result<std::vector<std::vector<float>>>
read_embeddings(std::string_view body, std::size_t texts, std::size_t dimensions) {
  auto failed = boost::system::error_code{};
  const auto root = json::parse(body, failed);
  if (failed)
    return wrong("is not JSON: " + failed.message());
  const auto* const data = member(root, "data");
  const auto* const list = data == nullptr ? nullptr : data->if_array();
  if (list == nullptr)
    return wrong("has no list `data`");
  if (list->size() != texts)
    return wrong(std::format("holds {} vectors for {} texts", list->size(), texts));
  auto made = std::vector<std::vector<float>>(texts);
  for (auto place = std::size_t{0}; place < texts; ++place) {
    const auto index = index_of((*list)[place], place);
    if (!index || *index >= texts || !made[*index].empty())
      return wrong("names a vector's index that is wrong or was there before");
    auto vector = vector_of((*list)[place], dimensions);
    if (!vector)
      return std::unexpected{std::move(vector.error())};
    made[*index] = std::move(*vector);
  }
  return made;
}

std::string message_of(std::string_view body, std::string_view secret) {
  constexpr auto most_words = std::size_t{40};
  constexpr auto most_bytes = std::size_t{300};
  auto failed = boost::system::error_code{};
  const auto root = json::parse(body, failed);
  const auto* said = failed ? nullptr : member(root, "error");
  if (said != nullptr && said->is_object())
    said = member(*said, "message");
  if (said == nullptr && !failed)
    said = member(root, "message");
  if (said != nullptr && said->is_string())
    body = said->get_string();
  return excerpt(quoted_words(body, secret), most_words, most_bytes);
}

} // namespace jessica::engines
