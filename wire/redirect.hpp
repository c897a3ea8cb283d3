// Where a link in an e-mail may lead in the end, and what it brings there.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {

/// May a client be sent to `url`? It may to the site itself (same scheme, host and
/// port; any port on loopback), and to what one of the patterns between commas fits,
/// with or without its query: '*' is any text without '.' and '/', '**' any text, '?'
/// one character of the first kind. Never to a URL with control characters, spaces,
/// backslashes or a user's name in it, or to a host that is a bare number.
[[nodiscard]] bool may_redirect(std::string_view url, std::string_view site,
                                std::string_view patterns);

using url_values = std::vector<std::pair<std::string_view, std::string>>;

/// `url` with the values in its fragment, which is replaced, sorted by name.
[[nodiscard]] std::string with_fragment(std::string_view url, url_values values);
/// `url` with the values added to its query; a fragment is kept.
[[nodiscard]] std::string with_query(std::string_view url, url_values values);

} // namespace jessica::wire
