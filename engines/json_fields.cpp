#include "engines/json_fields.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;

void each_leaf(const json::value& in, const std::string& name,
               const std::function<void(const std::string&)>& take) {
  const auto* const object = in.if_object();
  if (object == nullptr || object->empty())
    return take(name);
  for (const auto& [key, value] : *object)
    each_leaf(value, name.empty() ? std::string{key} : name + '.' + std::string{key},
              take);
}

} // namespace

result<json_fields> json_fields::read(const std::filesystem::path& file) {
  auto made = json_fields{};
  made.file_ = file;
  auto failed = std::error_code{};
  if (!std::filesystem::exists(file, failed))
    return made;
  if (!std::filesystem::is_regular_file(file, failed))
    return fail(errc::invalid_input, file.string() + " is no file");
  auto in = std::ifstream{file, std::ios::binary};
  const auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return fail(errc::invalid_input, file.string() + " cannot be read");
  auto wrong = boost::system::error_code{};
  made.root_ = json::parse(text, wrong);
  if (wrong)
    return fail(errc::invalid_input,
                file.string() + " is not JSON: " + wrong.message());
  if (!made.root_.is_object() && !made.root_.is_array())
    return fail(errc::invalid_input, file.string() + " holds no JSON object");
  made.exists_ = true;
  return made;
}

const json::value* json_fields::at(std::string_view field) const {
  const auto* found = &root_;
  while (true) {
    const auto dot = field.find('.');
    const auto* const object = found->if_object();
    found = object == nullptr ? nullptr : object->if_contains(field.substr(0, dot));
    if (found == nullptr || found->is_null())
      return nullptr;
    if (dot == field.npos)
      return found;
    field.remove_prefix(dot + 1);
  }
}

std::optional<std::string> json_fields::text(std::string_view field) {
  const auto* const value = at(field);
  if (value == nullptr)
    return std::nullopt;
  if (const auto* const text = value->if_string())
    return std::string{*text};
  mistake(field, "must be a text");
  return std::nullopt;
}

std::optional<bool> json_fields::toggle(std::string_view field) {
  const auto* const value = at(field);
  if (value == nullptr)
    return std::nullopt;
  if (const auto* const set = value->if_bool())
    return *set;
  mistake(field, "must be true or false");
  return std::nullopt;
}

std::optional<std::size_t> json_fields::count(std::string_view field) {
  const auto* const value = at(field);
  if (value == nullptr)
    return std::nullopt;
  auto wrong = boost::system::error_code{};
  const auto found = value->is_number() ? value->to_number<std::size_t>(wrong) : 0;
  if (value->is_number() && !wrong)
    return found;
  mistake(field, "must be a whole number");
  return std::nullopt;
}

std::optional<double> json_fields::number(std::string_view field) {
  const auto* const value = at(field);
  if (value == nullptr)
    return std::nullopt;
  if (value->is_number())
    return value->to_number<double>();
  mistake(field, "must be a number");
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> json_fields::ids(std::string_view field) {
  const auto* const value = at(field);
  if (value == nullptr)
    return std::nullopt;
  auto made = std::vector<std::int64_t>{};
  const auto* const list = value->if_array();
  if (list != nullptr)
    for (const auto& one : *list)
      if (const auto* const id = one.if_int64(); id != nullptr && *id >= 0)
        made.push_back(*id);
  if (list != nullptr && made.size() == list->size())
    return made;
  mistake(field, "must be a list of ids");
  return std::nullopt;
}

void json_fields::mistake(std::string_view field, std::string_view what) {
  if (mistake_.empty())
    mistake_.append(field).append(" ").append(what);
}

void json_fields::allow_only(std::span<const std::string_view> known) {
  if (!exists_)
    return;
  each_leaf(root_, "", [&](const std::string& name) {
    const auto leads_here = [&](std::string_view one) {
      return name == one || (name.starts_with(one) && name[one.size()] == '.') ||
             (one.starts_with(name) && name.size() < one.size() &&
              (name.empty() || one[name.size()] == '.'));
    };
    if (std::ranges::none_of(known, leads_here))
      mistake(name, "is not a field of this file");
  });
}

result<void> json_fields::verdict() const {
  if (mistake_.empty())
    return {};
  return fail(errc::invalid_input, file_.string() + ": " + mistake_);
}

} // namespace jessica::engines
