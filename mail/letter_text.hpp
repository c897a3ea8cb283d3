// What a letter says: subject, link, code; as plain text and as HTML.
#pragma once

#include "domain/letter.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace jessica::mail {

struct letter_text {
  std::string subject;
  std::string plain; ///< lines end in \n
  std::string html;
};

/// `site`: who writes, as readers know it; `lifetime`: of code and link.
[[nodiscard]] letter_text word(const letter& what, std::string_view site,
                               std::chrono::seconds lifetime);

/// The whole link; empty: the letter has none.
[[nodiscard]] std::string link_of(const letter& what);

} // namespace jessica::mail
