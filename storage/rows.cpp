#include "storage/connection.hpp"

#include <libpq-fe.h>

#include <charconv>

namespace jessica::storage {

rows::rows(void* pg_result)
    : result_(pg_result, [](void* got) { PQclear(static_cast<::pg_result*>(got)); }) {}

int rows::size() const noexcept {
  return PQntuples(static_cast<const PGresult*>(result_.get()));
}

bool rows::null(int row, int column) const noexcept {
  return PQgetisnull(static_cast<const PGresult*>(result_.get()), row, column) != 0;
}

std::string_view rows::text(int row, int column) const noexcept {
  const auto* const got = static_cast<const PGresult*>(result_.get());
  const auto* const value = PQgetvalue(got, row, column);
  if (value == nullptr) {
    return {};
  }
  return {value, static_cast<std::size_t>(PQgetlength(got, row, column))};
}

std::int64_t rows::integer(int row, int column) const noexcept {
  const auto digits = text(row, column);
  auto value = std::int64_t{0};
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::int64_t rows::affected() const noexcept {
  if (result_ == nullptr) {
    return 0;
  }
  const auto digits =
      std::string_view{PQcmdTuples(static_cast<PGresult*>(result_.get()))};
  auto value = std::int64_t{0};
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string array_literal(std::span<const parameter> items) {
  auto text = std::string{"{"};
  for (const auto& item : items) {
    if (text.size() > 1) {
      text += ',';
    }
    if (!item) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const auto c : *item) {
      if (c == '"' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += '"';
  }
  text += '}';
  return text;
}

} // namespace jessica::storage
