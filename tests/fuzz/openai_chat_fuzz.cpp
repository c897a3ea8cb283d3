// Feeds the readers of /v1's bodies whatever libFuzzer thinks of.
#include "wire/json_reader.hpp"
#include "wire/openai_chat.hpp"
#include "wire/openai_embeddings.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void check_refusal(const wire::openai_refusal& why) {
  demand(why.status == 400 || why.status == 413);
  demand(!why.code.empty() && !why.message.empty());
  demand(wire::valid_json(wire::openai_error_json(why)));
}

void read_chat(std::string_view body) {
  const auto read = wire::read_completion(body);
  if (!read) {
    return check_refusal(read.error());
  }
  const auto& asked = read->asked;
  demand(!asked.turns.empty());
  for (const auto& one : asked.turns) {
    demand(one.role == "user" || one.role == "assistant" || one.role == "system");
  }
  const auto& params = asked.params;
  demand(!params.model || (!params.model->empty() && params.model->size() <= 128));
  demand(params.temperature.value_or(0) >= 0 && params.temperature.value_or(0) <= 2);
  demand(params.top_p.value_or(0) >= 0 && params.top_p.value_or(0) <= 1);
  demand(params.max_tokens.value_or(1) >= 1);
  demand(params.stop.size() <= 4);
  demand(read->streamed || !read->with_usage);
}

void read_embeddings(std::string_view body) {
  constexpr auto limits = wire::embed_limits{4, 100};
  const auto read = wire::read_embeddings(body, limits);
  if (!read) {
    return check_refusal(read.error());
  }
  demand(!read->texts.empty() && read->texts.size() <= limits.texts);
  for (const auto& one : read->texts) {
    demand(!one.empty() && one.size() <= limits.bytes);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = std::string_view{reinterpret_cast<const char*>(data), size};
  read_chat(body);
  read_embeddings(body);
  return 0;
}
