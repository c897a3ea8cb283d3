// A value that fields of one column are compared with, as PostgreSQL's types compare.
#pragma once

#include "domain/error.hpp"
#include "wire/decimal.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace jessica::wire {

/// The type named `type` (pg_type.typname) as SQL and PostgreSQL's errors spell it:
/// "int4" is "integer".
[[nodiscard]] std::string_view sql_name(std::string_view type) noexcept;

class comparand {
public:
  /// Reads what a client wrote for a column of this type. Fails: invalid_input in
  /// PostgreSQL's words.
  [[nodiscard]] static result<comparand> read(std::string_view type,
                                              std::string_view text);

  /// How a field, in PostgreSQL's text form, stands to this value: integers and numeric
  /// exactly, timestamps and dates as moments, NaN equal to itself and above all else,
  /// char(n) without its padding, the rest by bytes. Nothing for a field that is no
  /// value of the type.
  [[nodiscard]] std::optional<std::weak_ordering> order(std::string_view field) const;

private:
  enum class kind : std::uint8_t {
    text,
    padded, ///< char(n)
    integer,
    single_float,
    double_float,
    numeric,
    zoned_moment,
    moment,
    date,
  };
  using value = std::variant<std::string, std::int64_t, double, decimal>;

  comparand(kind what, value of);
  [[nodiscard]] static kind kind_of(std::string_view type) noexcept;
  [[nodiscard]] static std::optional<value> read_field(kind what,
                                                       std::string_view text);

  kind kind_;
  value value_;
};

} // namespace jessica::wire
