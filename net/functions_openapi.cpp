#include "net/functions_openapi.hpp"

#include "wire/json_writer.hpp"

#include <array>
#include <format>

namespace jessica::net {

namespace {

using wire::object_writer;

constexpr auto uuid = std::string_view{R"({"type":"string","format":"uuid"})"};

constexpr auto enqueue_fields = std::to_array<described_field>({
    {"content", R"({"type":"string","minLength":1})", R"("Hello")", true},
    {"conversation_id", uuid, R"("33333333-3333-4333-8333-333333333333")"},
    {"client_id", R"({"type":"string","minLength":1,"maxLength":128})", R"("c-1")"},
    {"params",
     R"({"type":"object","properties":{"model":{"type":"string"},)"
     R"("system":{"type":"string"},"temperature":{"type":"number"},)"
     R"("top_p":{"type":"number"},"max_tokens":{"type":"integer"},)"
     R"("stop":{"type":"array","items":{"type":"string"}}}})",
     R"({"temperature":0.5})"},
});
constexpr auto stop_fields = std::to_array<described_field>({
    {"reply_id", uuid, R"("55555555-5555-4555-8555-555555555555")", true},
});
constexpr auto worker_fields = std::to_array<described_field>({
    {"max", R"({"type":"integer","minimum":1})", "5"},
});
constexpr auto embed_fields = std::to_array<described_field>({
    {"text", R"({"type":"string","minLength":1})", R"("Hello")", false, true},
    {"texts", R"({"type":"array","items":{"type":"string"}})", R"(["Hello"])", false,
     true},
    {"message_id", uuid, R"("44444444-4444-4444-8444-444444444444")", false, true},
    {"purpose", R"({"type":"string","enum":["query","document"]})", R"("query")"},
});

constexpr auto search_fields = std::to_array<described_field>({
    {"query", R"({"type":"string"})", R"("What is my dog called?")"},
    {"embedding", R"({"type":"array","items":{"type":"number"}})", "[0.6,0.8]"},
    {"k", R"({"type":"integer","minimum":1,"maximum":100})", "8"},
    {"filter",
     R"({"type":"object","properties":{"conversation_id":{"type":"string","format":"uuid"},)"
     R"("exclude_conversation_id":{"type":"string","format":"uuid"},)"
     R"("role":{"type":"string","enum":["user","assistant","system","tool"]},)"
     R"("since":{"type":"string","format":"date-time"},)"
     R"("before":{"type":"string","format":"date-time"}}})",
     R"({"role":"user"})"},
    {"hybrid", R"({"type":"boolean"})", "false"},
    {"min_score", R"({"type":"number","minimum":-1,"maximum":1})", "0"},
    {"after_lsn", R"({"type":"string"})", R"("0/0")"},
});

constexpr auto params_schema =
    std::string_view{R"({"type":"object","description":"as in enqueue-inference"})"};
constexpr auto edit_fields = std::to_array<described_field>({
    {"message_id", uuid, R"("44444444-4444-4444-8444-444444444444")", true},
    {"content", R"({"type":"string","minLength":1})", R"("Hello again")", true},
    {"client_id", R"({"type":"string","minLength":1,"maxLength":128})", R"("c-2")"},
    {"params", params_schema, R"({"temperature":0.5})"},
});
constexpr auto reply_fields = std::to_array<described_field>({
    {"reply_id", uuid, R"("55555555-5555-4555-8555-555555555555")", true},
    {"params", params_schema, R"({"temperature":0.5})"},
});
constexpr auto select_fields = std::to_array<described_field>({
    {"message_id", uuid, R"("44444444-4444-4444-8444-444444444444")", true},
});
constexpr auto receipt_schema = std::string_view{
    R"({"type":"object","properties":{"conversation_id":{"type":"string"},)"
    R"("message_id":{"type":"string"},"reply_id":{"type":"string"},)"
    R"("job_id":{"type":"integer"},"topic":{"type":"string"}}})"};

constexpr auto functions = std::to_array<described_function>({
    {"post", "enqueue-inference",
     "Stores a message, the reply's row and its job in one commit; the reply streams "
     "on the Realtime topic",
     false, enqueue_fields, "202", receipt_schema},
    {"post", "stop-inference",
     "Ends a reply wherever it runs; what there is of it is kept. Idempotent", false,
     stop_fields, "200",
     R"({"type":"object","properties":{"status":{"type":"string"}}})"},
    {"post", "edit-message",
     "Stores another version of a message beside it, and begins its reply", false,
     edit_fields, "202", receipt_schema},
    {"post", "regenerate-reply", "Begins another reply to the same message", false,
     reply_fields, "202", receipt_schema},
    {"post", "continue-reply", "Lets a reply go on from where it ended", false,
     reply_fields, "202", receipt_schema},
    {"post", "select-branch",
     "The conversation goes on below this message, after the newest one there", false,
     select_fields, "200",
     R"({"type":"object","properties":{"conversation_id":{"type":"string"},)"
     R"("message_id":{"type":"string"}}})"},
    {"post", "search-memory",
     "The messages of a user that are nearest to a text (query) or a vector "
     "(embedding); "
     "the service role says whose (user_id)",
     false, search_fields, "200",
     R"({"type":"array","items":{"type":"object","properties":{)"
     R"("message_id":{"type":"string"},"score":{"type":"number"},)"
     R"("content":{"type":"string"},"created_at":{"type":"string"},)"
     R"("conversation_id":{"type":"string"},"role":{"type":"string"},)"
     R"("excerpt":{"type":"string"},"truncated":{"type":"boolean"}}}})"},
    {"post", "run-inference-worker", "Claims queued jobs now and runs them", true,
     worker_fields, "200",
     R"({"type":"object","properties":{"claimed":{"type":"integer"},)"
     R"("running":{"type":"integer"},"waiting":{"type":"integer"}}})"},
    {"post", "embed-generator",
     "Vectors of texts (text or texts); or embeds a message now and stores its vectors "
     "(message_id, or the body of a database webhook)",
     false, embed_fields, "200",
     R"({"type":"object","properties":{"model":{"type":"string"},)"
     R"("dim":{"type":"integer"},"embeddings":{"type":"array","items":)"
     R"({"type":"array","items":{"type":"number"}}},)"
     R"("message_id":{"type":"string"},"chunks":{"type":"integer"},)"
     R"("lsn":{"type":"string"}}})"},
    {"get",
     "auth-proxy",
     "Who the token says the caller is; in X-User-Id and X-User-Role too",
     false,
     {},
     "200",
     R"({"type":"object","properties":{"user_id":{"type":"string"},)"
     R"("role":{"type":"string"},"email":{"type":"string"},)"
     R"("session_id":{"type":"string","nullable":true},)"
     R"("expires_at":{"type":"integer"}}})"},
});

constexpr auto components = std::string_view{
    R"({"securitySchemes":{"apikey":{"type":"apiKey","in":"header","name":"apikey"},)"
    R"("bearer":{"type":"http","scheme":"bearer","bearerFormat":"JWT"}},)"
    R"("schemas":{"Error":{"type":"object","required":["code","message"],)"
    R"("properties":{"code":{"type":"string"},"message":{"type":"string"}}}},)"
    R"("responses":{"Error":{"description":"Refused or failed",)"
    R"("headers":{"X-Relay-Error":{"schema":{"type":"string"},)"
    R"("description":"true: the server could not do it now"}},)"
    R"("content":{"application/json":{"schema":)"
    R"({"$ref":"#/components/schemas/Error"}}}}}})"};

[[nodiscard]] std::string json_content(std::string_view schema,
                                       std::string_view example) {
  auto media = object_writer{};
  media.json("schema", schema);
  if (!example.empty())
    media.json("example", example);
  return object_writer{}.json("application/json", media.done()).done();
}

[[nodiscard]] std::string body_of(const described_function& what) {
  auto properties = object_writer{};
  auto examples = object_writer{};
  auto required = std::string{};
  auto choices = std::string{};
  for (const auto& one : what.takes) {
    properties.json(one.name, one.schema);
    if (!one.choice || choices.empty())
      examples.json(one.name, one.example);
    if (one.choice)
      choices += std::format(R"({}{{"required":["{}"]}})", choices.empty() ? "" : ",",
                             one.name);
    if (one.required)
      required += std::format("{}\"{}\"", required.empty() ? "" : ",", one.name);
  }
  auto schema = object_writer{};
  schema.text("type", "object").json("properties", properties.done());
  if (!required.empty())
    schema.json("required", "[" + required + "]");
  if (!choices.empty())
    schema.json("oneOf", "[" + choices + "]");
  return object_writer{}
      .flag("required", true)
      .json("content", json_content(schema.done(), examples.done()))
      .done();
}

[[nodiscard]] std::string operation_of(const described_function& what) {
  const auto good = object_writer{}
                        .text("description", "Done")
                        .json("content", json_content(what.gives, {}))
                        .done();
  const auto answers =
      object_writer{}
          .json(what.status, good)
          .json("default", R"({"$ref":"#/components/responses/Error"})")
          .done();
  auto made = object_writer{};
  made.text("operationId", what.name).text("summary", what.summary);
  // A service key says everything; users come with their token beside the key.
  made.json("security",
            what.service ? R"([{"apikey":[]}])" : R"([{"apikey":[],"bearer":[]}])");
  if (!what.takes.empty())
    made.json("requestBody", body_of(what));
  return made.json("responses", answers).done();
}

} // namespace

std::span<const described_function> described_functions() {
  return functions;
}

std::string functions_openapi(const config::settings& settings) {
  auto paths = object_writer{};
  for (const auto& one : functions)
    paths.json(std::format("/{}", one.name),
               object_writer{}.json(one.method, operation_of(one)).done());
  const auto server =
      object_writer{}.text("url", settings.net.public_url + "/functions/v1").done();
  return object_writer{}
      .text("openapi", "3.0.3")
      .json("info", R"({"title":"Jessica functions","version":"1"})")
      .json("servers", "[" + server + "]")
      .json("paths", paths.done())
      .json("components", components)
      .done();
}

} // namespace jessica::net
