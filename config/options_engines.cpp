#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>
#include <string_view>

namespace jessica::config {
namespace {

using namespace rows;
using engine = section<&settings::engine>;
using tools = section<&settings::tools>;
using inference = section<&settings::inference>;

constexpr auto prefills = std::array<std::string_view, 3>{"none", "assistant", "vllm"};
constexpr auto engines = std::array<std::string_view, 2>{"auto", "builtin"};

constexpr auto engine_rows = std::array{
    engine::text<&engine_settings::url>(
        "engine.url",
        "A server with OpenAI's chat completions, up to `/v1`; empty: the "
        "built-in engine answers, or `[[providers]]` do."),
    hidden(engine::text<&engine_settings::key>("engine.key", "Its key.")),
    engine::path<&engine_settings::key_file>("engine.key_file",
                                             "A file that holds the key."),
    engine::text<&engine_settings::model>(
        "engine.model", "The model of conversations that name none; empty: the first "
                        "one that the server lists."),
    engine::text<&engine_settings::proxy>(
        "engine.proxy", "An HTTP proxy on the way, like `http://proxy:3128`."),
    engine::path<&engine_settings::ca_file>(
        "engine.ca_file",
        "Certificates its own must descend from; empty: the system's."),
    one_of(engine::text<&engine_settings::prefill>(
               "engine.prefill",
               "How the server goes on with a reply that was cut: not at all, when its "
               "text is the last message, or with vLLM's `continue_final_message`."),
           prefills),
    engine::count<&engine_settings::context_tokens>(
        "engine.context_tokens", 0, 10'000'000,
        "What a model is shown of a conversation and may answer, together, by "
        "estimate: older turns are left out; 0: all that was loaded."),
    engine::count<&engine_settings::reply_tokens>(
        "engine.reply_tokens", 1, 1'000'000,
        "Of these, kept for the reply when it names no max_tokens; at most half."),
    engine::count<&engine_settings::max_concurrency>(
        "engine.max_concurrency", 1, max_count, "Replies it writes at once."),
    engine::count<&engine_settings::queue>(
        "engine.queue", 0, max_count,
        "Replies that may wait for that; further ones go to the next provider."),
    engine::time<&engine_settings::queue_timeout>("engine.queue_timeout", 10, hour,
                                                  "How long they may wait."),
    engine::time<&engine_settings::connect_timeout>(
        "engine.connect_timeout", 10, hour, "To find, reach and verify the server."),
    engine::time<&engine_settings::first_token_timeout>(
        "engine.first_token_timeout", 10, hour,
        "From the question to the first token; local models may have to be loaded."),
    engine::time<&engine_settings::token_timeout>("engine.token_timeout", 10, hour,
                                                  "Between two tokens."),
    engine::time<&engine_settings::total_timeout>("engine.total_timeout", 10, 24 * hour,
                                                  "For one answer."),
    engine::bytes<&engine_settings::max_reply_bytes>(
        "engine.max_reply_bytes", 1, 256 * kib,
        "One reply; a message cannot hold more. A longer one fails."),
    engine::count<&engine_settings::keep_alive_connections>(
        "engine.keep_alive_connections", 0, 10'000,
        "Connections kept open for the next reply."),
    engine::time<&engine_settings::keep_alive>("engine.keep_alive", 10, hour,
                                               "How long they are kept."),
    engine::count<&engine_settings::breaker_failures>(
        "engine.breaker_failures", 1, max_count,
        "Failures in a row after which a provider is left alone."),
    engine::time<&engine_settings::breaker_pause>(
        "engine.breaker_pause", 10, hour,
        "How long it is left alone; then one reply tries it."),
    engine::toggle<&engine_settings::tools>(
        "engine.tools", "Whether it is told of tools; some servers refuse them."),
    tools::count<&tools_settings::rounds>(
        "engine.tool_rounds", 0, 20,
        "How often one reply may call tools; then it has to be written. 0: no tools."),
    tools::count<&tools_settings::at_once>("engine.tools_at_once", 1, 16,
                                           "Calls of one reply at once."),
    tools::toggle<&tools_settings::search_memory>(
        "engine.search_memory_tool",
        "Whether engines may search the user's memory, where there is one."),
};

constexpr auto inference_rows = std::array{
    one_of(inference::text<&inference_settings::engine>(
               "inference.engine",
               "What writes the replies: the providers when there are any, else the "
               "built-in engine; or that alone."),
           engines),
    inference::count<&inference_settings::slots>("inference.slots", 1, max_count,
                                                 "Replies written at once."),
    inference::count<&inference_settings::per_user>(
        "inference.per_user", 1, max_count,
        "Replies to one user written at once; further ones wait, users take turns."),
    inference::time<&inference_settings::lease>(
        "inference.lease", 2 * second, 60 * second,
        "A node that is silent this long loses its jobs; at least 3 heartbeats."),
    inference::time<&inference_settings::heartbeat>(
        "inference.heartbeat", 100, 20 * second,
        "How often a node renews its lease and looks for jobs."),
    inference::time<&inference_settings::checkpoint_every>(
        "inference.checkpoint_every", 100, hour,
        "How often the text of a running reply is stored."),
    inference::count<&inference_settings::history_turns>(
        "inference.history_turns", 0, 1000,
        "Earlier messages that are loaded for a reply; the model is shown those that "
        "fit engine.context_tokens."),
    inference::toggle<&inference_settings::titles>(
        "inference.titles",
        "Whether a language model names conversations after their first exchange."),
    inference::count<&inference_settings::titles_at_once>(
        "inference.titles_at_once", 1, max_count, "Titles written at once."),
    inference::count<&inference_settings::title_queue>(
        "inference.title_queue", 0, max_count,
        "Conversations that may wait for that; the others keep their first words."),
    inference::bytes<&inference_settings::max_content_bytes>(
        "inference.max_content_bytes", 1, 16 * mib, "One message."),
    inference::count<&inference_settings::tokens_per_second>(
        "inference.tokens_per_second", 0, 100'000,
        "Pace of the built-in engine; 0: no pause."),
};

} // namespace

std::span<const option> engine_options() {
  return engine_rows;
}

std::span<const option> inference_options() {
  return inference_rows;
}

} // namespace jessica::config
