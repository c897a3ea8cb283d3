#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>
#include <string_view>

namespace jessica::config {
namespace {

using namespace rows;
using storage = section<&settings::storage>;
using rest = section<&settings::rest>;

constexpr auto send_rules = std::array<std::string_view, 2>{"owner", "policies"};

constexpr auto storage_rows = std::array{
    storage::path<&storage_settings::directory>(
        "storage.directory", "Where state lives: the database, the keys."),
    secret(storage::text<&storage_settings::url>(
               "storage.url", "PostgreSQL to use (URL or keywords); empty: our own."),
           "database.url"),
    storage::path<&storage_settings::bin_dir>(
        "storage.bin_dir", "Folder of PostgreSQL's programs; empty: looked up."),
    storage::count<&storage_settings::writers>(
        "storage.writers", 1, 64, "Connections that store messages and replies."),
    storage::count<&storage_settings::readers>(
        "storage.readers", 1, 256,
        "Connections for prompts, logins and stored broadcasts."),
    storage::count<&storage_settings::read_queue>(
        "storage.read_queue", 1, max_count,
        "Reads that may wait for a connection; then 429."),
    storage::count<&storage_settings::write_queue>(
        "storage.write_queue", 1, max_count,
        "Writes that may wait for a connection; then 429."),
    storage::count<&storage_settings::batch_rows>("storage.batch_rows", 1, 10'000,
                                                  "Rows that share one commit."),
    one_of(storage::text<&storage_settings::send_rule>(
               "storage.send_rule",
               "What decides who may send: conversation ownership, in one statement "
               "for many, or every row's policies, for projects that changed them."),
           send_rules),
    storage::count<&storage_settings::max_rows>("storage.max_rows", 1, 100'000,
                                                "Rows of one REST answer."),
    storage::time<&storage_settings::connect_timeout>(
        "storage.connect_timeout", second, hour, "To connect to the database."),
    storage::time<&storage_settings::start_timeout>(
        "storage.start_timeout", second, hour,
        "To wait for the database when the server starts."),
    storage::time<&storage_settings::statement_timeout>(
        "storage.statement_timeout", second, 25 * second,
        "For one statement of a REST request, unless its role has a limit of its own."),
};

constexpr auto rest_rows = std::array{
    rest::count<&rest_settings::readers>(
        "rest.readers", 1, 256, "Connections for REST requests that only read."),
    rest::count<&rest_settings::writers>(
        "rest.writers", 1, 256, "Connections for REST requests that may write."),
    rest::count<&rest_settings::queue>(
        "rest.queue", 1, max_count,
        "REST requests of each kind that may wait for a connection; then 503."),
};

} // namespace

std::span<const option> storage_options() {
  return storage_rows;
}

std::span<const option> rest_options() {
  return rest_rows;
}

} // namespace jessica::config
