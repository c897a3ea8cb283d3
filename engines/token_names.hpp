// Tokens by their names, and the special ones that a model wants around a text.
#pragma once

#include "engines/json_fields.hpp"
#include "engines/tokenizer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jessica::engines {

struct token_template {
  std::vector<token_id> before;
  std::vector<token_id> after;
};

class token_names {
public:
  void add(std::string name, token_id id) { ids_.emplace(std::move(name), id); }
  /// Those of tokenizer.json's `added_tokens`.
  void add_added_tokens(json_fields& file);

  [[nodiscard]] std::optional<token_id> find(const std::string& name) const;
  /// Added tokens that are no text.
  [[nodiscard]] const std::vector<token_id>& special() const noexcept {
    return special_;
  }

  /// What tokenizer.json's `post_processor` puts around one text.
  [[nodiscard]] token_template template_of(json_fields& file) const;

private:
  [[nodiscard]] token_template of_pieces(const boost::json::object& step,
                                         json_fields& file) const;

  std::unordered_map<std::string, token_id> ids_;
  std::vector<token_id> special_;
};

} // namespace jessica::engines
