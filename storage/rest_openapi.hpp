// What the exposed schema offers to one asker, as an OpenAPI 2.0 document of the kind
// PostgREST answers at its root. Private to this room and its tests.
#pragma once

#include "storage/connection.hpp"
#include "storage/rest_schema.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace jessica::storage {

/// Which tables and functions the role of the transaction may use: kind, name, select,
/// insert, update, delete.
[[nodiscard]] statement rights_statement();

struct table_rights {
  bool select = false;
  bool insert = false;
  bool update = false;
  bool remove = false;
};
struct asker_rights {
  std::map<std::string, table_rights, std::less<>> tables;
  std::set<std::string, std::less<>> functions;
};
[[nodiscard]] asker_rights rights_of(const rows& answer);

/// Of what stands in both. `url` is where the REST API is: scheme, host and path.
[[nodiscard]] std::string openapi_of(const rest_schema& schema,
                                     const asker_rights& rights, std::string_view url);

} // namespace jessica::storage
