// The wall behind which libpqxx throws: its exceptions end here as errors.
#pragma once

#include "domain/error.hpp"
#include "storage/session.hpp"

#include <pqxx/except>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace jessica::storage {

/// libpqxx forgets the SQLSTATE of some of its own types.
[[nodiscard]] inline std::string state_of(const pqxx::sql_error& why) {
  if (why.sqlstate().empty() &&
      dynamic_cast<const pqxx::insufficient_privilege*>(&why) != nullptr)
    return "42501";
  return why.sqlstate();
}

/// Runs `what` and returns its value; what libpqxx throws becomes unavailable (lost
/// connection) or the code of its SQLSTATE with `sql` filled.
template <class Function>
[[nodiscard]] auto guarded(Function&& what) -> result<std::invoke_result_t<Function>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
      what();
      return {};
    } else {
      return what();
    }
  } catch (const pqxx::broken_connection& e) {
    return fail(errc::unavailable, e.what());
  } catch (const pqxx::sql_error& e) {
    auto fault = sql_fault{state_of(e), e.what(), {}, {}};
    return std::unexpected{error{code_of(fault.sqlstate),
                                 e.what(),
                                 {},
                                 std::make_shared<const sql_fault>(std::move(fault))}};
  } catch (const std::exception& e) {
    return fail(errc::internal, e.what());
  }
}

} // namespace jessica::storage
