// A whole REST request and its answer, between HTTP and SQL.
#pragma once

#include "domain/identity.hpp"
#include "domain/query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jessica {

/// `describe`: which tables and functions there are for the asker, as OpenAPI.
enum class rest_action : std::uint8_t { read, insert, update, remove, call, describe };

enum class row_count : std::uint8_t { none, exact, planned, estimated };
enum class result_wish : std::uint8_t { minimal, headers_only, representation };
enum class on_duplicate : std::uint8_t { fail, merge, ignore };
/// How the rows are written: an array, exactly one object, comma-separated values.
enum class result_shape : std::uint8_t { array, object, csv };

/// What a Prefer header asks for.
struct preferences {
  std::optional<result_wish> wish;
  row_count count = row_count::none;
  on_duplicate duplicates = on_duplicate::fail;
  std::optional<bool> missing_default; ///< keys a row lacks: the default, else null
  std::optional<bool> strict;          ///< handling=strict, handling=lenient
  std::optional<std::int64_t> max_affected; ///< counts only when strict
  std::string time_zone;
  std::optional<bool> undo;         ///< tx=rollback, tx=commit
  std::vector<std::string> unknown; ///< as sent

  [[nodiscard]] bool wants_rows() const noexcept {
    return wish == result_wish::representation;
  }
};

/// A JSON body as sent, and what stands in it.
/// A key of a flat object and its value: a string's characters, or a number or boolean
/// as it was written; nullopt is null.
struct json_field {
  std::string key;
  std::optional<std::string> value;

  friend bool operator==(const json_field&, const json_field&) = default;
};

struct json_body {
  std::string text;
  bool array = false;
  std::size_t rows = 0;          ///< objects
  bool uniform = true;           ///< all of them have the keys of the first
  bool objects = true;           ///< it is an object, or an array of objects
  std::vector<std::string> keys; ///< of the first, each once
  /// When it is one object without arrays, objects, keys that come twice, and zero
  /// bytes: what it says, in order.
  std::optional<std::vector<json_field>> flat{};
};

struct rest_request {
  identity who;
  rest_action action = rest_action::read;
  bool head = false;      ///< no body wanted
  bool read_only = false; ///< by its method
  std::string schema = "public";
  std::string target; ///< table, view or function; of describe: our URL
  selection what;
  preferences prefer;
  result_shape as = result_shape::array;
  bool strip_nulls = false;

  json_body body;
  std::optional<std::vector<std::string>> columns; ///< of an insert or update
  std::vector<std::string> on_conflict;            ///< empty: the primary key
  /// Of a call by GET, in order.
  std::vector<std::pair<std::string, std::string>> arguments;

  // What functions may read as settings of the transaction.
  std::string method;
  std::string path;
  std::string headers = "{}"; ///< JSON object, lower-case names
  std::string cookies = "{}"; ///< JSON object
};

struct rest_reply {
  std::string body; ///< JSON or CSV text
  std::int64_t rows = 0;
  std::optional<std::int64_t> total; ///< set when a count was asked for
  std::int64_t updated = 0;          ///< of an upsert: rows that were there before
  bool nothing = false;              ///< a function without a result
  /// Of return=headers-only with one row: its key's columns and values.
  std::vector<std::pair<std::string, std::string>> key;
  std::string headers; ///< response.headers as set by a function; empty: not set
  std::string status;  ///< response.status likewise
};

} // namespace jessica
