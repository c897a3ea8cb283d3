# Carries storage/migrations/*.sql in the binary: one raw string a file, in name order.
file(GLOB migration_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/storage/migrations/*.sql)
list(SORT migration_files)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${migration_files})
set(migrations_source ${CMAKE_BINARY_DIR}/migrations.cpp)
set(migrations_text "// Made from storage/migrations by cmake/migrations.cmake.\n")
string(APPEND migrations_text "#include \"storage/migrate.hpp\"\n#include <array>\n\n")
string(APPEND migrations_text "namespace jessica::storage {\nnamespace {\n")
set(migrations_rows "")
set(migrations_count 0)
foreach(file IN LISTS migration_files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} sql)
  # A first line "-- self-hosted only" marks what a hosted project has already.
  if(sql MATCHES "^-- [Ss]elf-hosted only")
    set(self_hosted true)
  else()
    set(self_hosted false)
  endif()
  string(APPEND migrations_text
    "constexpr auto file_${migrations_count} = std::string_view{R\"jessica_sql(${sql})jessica_sql\"};\n")
  string(APPEND migrations_rows "    migration{\"${name}\", file_${migrations_count}, ${self_hosted}},\n")
  math(EXPR migrations_count "${migrations_count} + 1")
endforeach()
string(APPEND migrations_text
  "constexpr auto all = std::array<migration, ${migrations_count}>{\n${migrations_rows}};\n} // namespace\n\n"
  "std::span<migration const> migrations() {\n  return all;\n}\n\n} // namespace jessica::storage\n")
file(CONFIGURE OUTPUT ${migrations_source} CONTENT "${migrations_text}" @ONLY)
