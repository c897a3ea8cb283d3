// Reads optional fields of a JSON file and remembers the first mistake, so that a model
// that cannot be used says where.
#pragma once

#include "domain/error.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// Fields are named by their way from the root, "tokenizer.kind". A field that is not
/// there or null is nullopt; one of another kind is a mistake, and nullopt.
class json_fields {
public:
  /// A file that is not there has no fields. Fails: invalid_input (not readable, no
  /// JSON, no array or object at the root).
  [[nodiscard]] static result<json_fields> read(const std::filesystem::path& file);

  [[nodiscard]] bool exists() const noexcept { return exists_; }

  /// Null when there is no such field.
  [[nodiscard]] const boost::json::value* at(std::string_view field) const;
  [[nodiscard]] const boost::json::value& root() const noexcept { return root_; }

  [[nodiscard]] std::optional<std::string> text(std::string_view field);
  [[nodiscard]] std::optional<bool> toggle(std::string_view field);
  [[nodiscard]] std::optional<std::size_t> count(std::string_view field);
  [[nodiscard]] std::optional<double> number(std::string_view field);
  [[nodiscard]] std::optional<std::vector<std::int64_t>> ids(std::string_view field);

  /// "model.type is BPE: ..."; only the first is kept.
  void mistake(std::string_view field, std::string_view what);

  /// Every field that no name of `known` leads to is a mistake.
  void allow_only(std::span<const std::string_view> known);

  /// Fails: invalid_input with the file and its first mistake.
  [[nodiscard]] result<void> verdict() const;

private:
  std::filesystem::path file_;
  boost::json::value root_;
  bool exists_ = false;
  std::string mistake_;
};

} // namespace jessica::engines
