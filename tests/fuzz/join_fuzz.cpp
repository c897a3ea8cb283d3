// Feeds the decoder of a join's payload whatever libFuzzer thinks of: what it asks for,
// the changes it wants to follow, and the answer made of both.
#include "wire/change_binding.hpp"
#include "wire/channel.hpp"
#include "wire/channel_answers.hpp"
#include "wire/json_reader.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void demand_reason(const error& why) {
  demand(why.code == errc::invalid_input && !why.what.empty());
}

/// The reason travels to the client in JSON.
void demand_tellable(std::string_view text) {
  demand(wire::valid_json(wire::system_message("postgres_changes", false, text, "c")));
}

void check_binding(const std::string& json) {
  demand(wire::valid_json(json) && json.starts_with('{'));
  const auto read = wire::read_change_binding(json);
  if (!read) {
    demand_reason(read.error());
    return demand_tellable(read.error().what);
  }
  demand(!read->table || (!read->table->empty() && *read->table != "*"));
  demand(read->table || (read->filter.empty() && read->select.empty()));
  demand_tellable(wire::describe(*read));
}

/// Entry i of the answer is entry i of the question, with its id.
void check_answer(const wire::join_request& asked) {
  const auto text = wire::join_response(asked.postgres_changes);
  const auto parsed = wire::parse_object(text);
  demand(parsed.has_value());
  const auto& list = parsed->at("postgres_changes").as_array();
  demand(list.size() == asked.postgres_changes.size());
  for (auto i = std::size_t{0}; i < list.size(); ++i) {
    demand(list[i].as_object().at("id").to_number<std::size_t>() == i + 1);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto asked = wire::read_join(input);
  const auto token = wire::read_access_token(input);
  if (!asked) {
    demand_reason(asked.error());
    demand_tellable(asked.error().what);
    return 0;
  }
  demand(asked->presence_key.size() <= 255);
  demand(asked->changes_timeout > std::chrono::milliseconds{0} &&
         asked->changes_timeout <= std::chrono::seconds{20});
  demand(token && asked->access_token == *token);
  for (const auto& binding : asked->postgres_changes) {
    check_binding(binding);
  }
  check_answer(*asked);
  return 0;
}
