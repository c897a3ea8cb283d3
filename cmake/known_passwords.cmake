# Carries domain/known_passwords.txt in the binary: one string a line, in the file's order.
set(known_passwords_file ${CMAKE_SOURCE_DIR}/domain/known_passwords.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${known_passwords_file})
set(known_passwords_source ${CMAKE_BINARY_DIR}/known_passwords.cpp)
if(NOT EXISTS ${known_passwords_source}
   OR ${known_passwords_file} IS_NEWER_THAN ${known_passwords_source})
  file(STRINGS ${known_passwords_file} known_passwords_lines REGEX "^[^#]")
  list(LENGTH known_passwords_lines known_passwords_count)
  list(TRANSFORM known_passwords_lines REPLACE "(.+)" "    \"\\1\",\n")
  string(CONCAT known_passwords_rows ${known_passwords_lines})
  file(WRITE ${known_passwords_source}
    "// Made from domain/known_passwords.txt by cmake/known_passwords.cmake.\n"
    "#include \"domain/known_passwords.hpp\"\n\n#include <array>\n\n"
    "namespace jessica {\nnamespace {\n"
    "constexpr auto all = std::array<std::string_view, ${known_passwords_count}>{\n"
    "${known_passwords_rows}};\n} // namespace\n\n"
    "std::span<const std::string_view> known_passwords() noexcept { return all; }\n\n"
    "} // namespace jessica\n")
endif()
