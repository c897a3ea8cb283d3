#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>
#include <string_view>

namespace jessica::config {
namespace {

using namespace rows;
using embedding = section<&settings::embedding>;
using memory = section<&settings::memory>;

constexpr auto embedders = std::array<std::string_view, 3>{"onnx", "openai", "none"};
constexpr auto vector_forms = std::array<std::string_view, 2>{"float32", "int8"};

constexpr auto embedding_rows = std::array{
    one_of(embedding::text<&embedding_settings::engine>(
               "embedding.engine",
               "What turns texts into vectors: a model of this machine, an "
               "OpenAI-compatible server, or nothing, which is without memory."),
           embedders),
    embedding::path<&embedding_settings::model_directory>(
        "embedding.model_directory",
        "Folder of the model's files; empty: `models/use-lite` in "
        "`storage.directory`."),
    embedding::toggle<&embedding_settings::quantized>(
        "embedding.quantized",
        "Whether the folder's int8 weights are used: smaller, faster, a little less "
        "exact."),
    embedding::count<&embedding_settings::threads>(
        "embedding.threads", 0, 256,
        "Threads of one run of the model; 0: what its folder says, else 1."),
    embedding::count<&embedding_settings::match_percent>(
        "embedding.match_percent", 0, 100,
        "Least cosine, in hundredths, of texts that count as alike; 0: what the "
        "model's folder says."),
    embedding::text<&embedding_settings::openai_url>(
        "embedding.openai_url",
        "The server; `/v1/embeddings` is appended. Needed for `openai`."),
    hidden(embedding::text<&embedding_settings::openai_key>(
        "embedding.openai_key", "Its API key; empty: none is sent.")),
    embedding::text<&embedding_settings::openai_model>(
        "embedding.openai_model", "The model's name there. Needed for `openai`."),
    embedding::count<&embedding_settings::openai_dimensions>(
        "embedding.openai_dimensions", 0, 16'000,
        "Numbers of one of its vectors. Needed for `openai`."),
    embedding::toggle<&embedding_settings::openai_ask_dimensions>(
        "embedding.openai_ask_dimensions",
        "Whether the server is asked to shorten its vectors to that."),
    embedding::count<&embedding_settings::openai_max_tokens>(
        "embedding.openai_max_tokens", 32, 100'000,
        "Tokens of one text, as estimated here; longer ones are cut into pieces."),
    embedding::text<&embedding_settings::openai_query_prefix>(
        "embedding.openai_query_prefix", "Put before a text that is searched for."),
    embedding::text<&embedding_settings::openai_document_prefix>(
        "embedding.openai_document_prefix", "Put before a text that may be found."),
    embedding::count<&embedding_settings::openai_batch>("embedding.openai_batch", 1,
                                                        2048, "Texts of one request."),
    embedding::count<&embedding_settings::openai_attempts>(
        "embedding.openai_attempts", 1, 10, "Times one request is tried."),
    embedding::time<&embedding_settings::openai_retry_after>(
        "embedding.openai_retry_after", 10, hour,
        "Pause before the second; each further one is twice as long, or what the "
        "server asks for."),
    embedding::time<&embedding_settings::openai_connect_timeout>(
        "embedding.openai_connect_timeout", second, hour, "To connect to the server."),
    embedding::time<&embedding_settings::openai_timeout>(
        "embedding.openai_timeout", second, hour, "For one attempt as a whole."),
    embedding::count<&embedding_settings::batch>(
        "embedding.batch", 1, 1024,
        "Messages taken at once to be embedded, and pieces of them given to the model "
        "together."),
    embedding::count<&embedding_settings::query_threads>(
        "embedding.query_threads", 1, 64,
        "Threads that embed what somebody waits for: queries, embed-generator."),
    embedding::count<&embedding_settings::query_queue>(
        "embedding.query_queue", 1, max_count,
        "Such requests that may wait for one of them; then 429."),
    embedding::count<&embedding_settings::max_texts>("embedding.max_texts", 1, 2048,
                                                     "Texts of one such request."),
    embedding::bytes<&embedding_settings::max_text_bytes>(
        "embedding.max_text_bytes", 1, 16 * mib, "One of its texts."),
};

constexpr auto memory_rows = std::array{
    memory::count<&memory_settings::shards>(
        "memory.shards", 0, 256,
        "Parts of the index, each with a thread; 0: one a core."),
    one_of(memory::text<&memory_settings::form>(
               "memory.form",
               "Vectors in memory: exact, or a quarter of the size and a "
               "little less exact."),
           vector_forms),
    memory::count<&memory_settings::graph_from>(
        "memory.graph_from", 100, 100 * max_count,
        "Pieces of one user from which they are searched by a graph (HNSW)."),
    memory::count<&memory_settings::budget_mb>(
        "memory.budget_mb", 0, max_count,
        "Memory of all vectors, in MiB; beyond it users that were not searched lately "
        "are read again when they are; 0: no limit."),
    memory::time<&memory_settings::save_every>(
        "memory.save_every", second, 24 * hour,
        "How often the index's files are written."),
    memory::count<&memory_settings::save_after>(
        "memory.save_after", 1, 100 * max_count,
        "Changes of a part after which its file is written sooner."),
    memory::count<&memory_settings::queue>("memory.queue", 1, max_count,
                                           "Searches at once; then 429."),
    memory::count<&memory_settings::readers>(
        "memory.readers", 1, 256, "Connections that fetch what searches found."),
    memory::text<&memory_settings::language>(
        "memory.language",
        "PostgreSQL's text search configuration for hybrid searches."),
    memory::time<&memory_settings::wait>(
        "memory.wait", 0, 60 * second,
        "How long a search waits for the index to reach its `after_lsn`."),
    memory::count<&memory_settings::max_results>("memory.max_results", 1, 1000,
                                                 "Messages that one search finds."),
    memory::count<&memory_settings::prompt_memories>(
        "memory.prompt_memories", 0, 50,
        "Memories that the engine is given with a message; 0: none."),
    memory::count<&memory_settings::prompt_tokens>("memory.prompt_tokens", 0, 100'000,
                                                   "All of them together, about."),
    memory::time<&memory_settings::prompt_timeout>(
        "memory.prompt_timeout", 1, 60 * second,
        "How long a reply waits for memories; then it is written without."),
};

} // namespace

std::span<const option> embedding_options() {
  return embedding_rows;
}

std::span<const option> memory_options() {
  return memory_rows;
}

} // namespace jessica::config
