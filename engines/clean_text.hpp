// Makes texts look like what embedding models were trained on. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jessica::engines {

struct cleaning {
  /// NFKC; runs of white space and control characters become one space, none at the
  /// ends; invisible characters go.
  bool whitespace = true;
  /// A text that has letters but no lower-case one becomes lower case: models that know
  /// case take shouting for something else.
  bool lower_if_all_caps = false;

  friend bool operator==(const cleaning&, const cleaning&) = default;
};

[[nodiscard]] std::string clean_text(std::string_view text, const cleaning& how);

} // namespace jessica::engines
