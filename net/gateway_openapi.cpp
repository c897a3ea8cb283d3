#include "net/gateway_openapi.hpp"

#include "wire/json_writer.hpp"

#include <string_view>

namespace jessica::net {

namespace {

using wire::object_writer;

constexpr auto chat_body = std::string_view{
    R"({"type":"object","required":["messages"],"properties":{)"
    R"("messages":{"type":"array","minItems":1,"items":{"type":"object",)"
    R"("required":["role","content"],"properties":{)"
    R"("role":{"type":"string","enum":["system","developer","user","assistant"]},)"
    R"("content":{"oneOf":[{"type":"string"},{"type":"array","items":)"
    R"({"type":"object","properties":{"type":{"type":"string","enum":["text"]},)"
    R"("text":{"type":"string"}}}}]}}}},)"
    R"("model":{"type":"string"},)"
    R"("temperature":{"type":"number","minimum":0,"maximum":2},)"
    R"("top_p":{"type":"number","minimum":0,"maximum":1},)"
    R"("max_tokens":{"type":"integer","minimum":1},)"
    R"("max_completion_tokens":{"type":"integer","minimum":1},)"
    R"("stop":{"oneOf":[{"type":"string"},{"type":"array","maxItems":4,)"
    R"("items":{"type":"string"}}]},)"
    R"("stream":{"type":"boolean"},)"
    R"("stream_options":{"type":"object","properties":)"
    R"({"include_usage":{"type":"boolean"}}},)"
    R"("memory":{"type":"boolean","description":)"
    R"("Whether the caller's memories are added to the prompt"}}})"};

constexpr auto embeddings_body =
    std::string_view{R"({"type":"object","required":["input"],"properties":{)"
                     R"("input":{"oneOf":[{"type":"string"},{"type":"array","items":)"
                     R"({"type":"string"}}]},"model":{"type":"string"},)"
                     R"("encoding_format":{"type":"string","enum":["float","base64"]},)"
                     R"("dimensions":{"type":"integer"},)"
                     R"("purpose":{"type":"string","enum":["document","query"]}}})"};

constexpr auto components = std::string_view{
    R"({"securitySchemes":{"bearer":{"type":"http","scheme":"bearer",)"
    R"("description":"A user's access token, or a service key"}},)"
    R"("schemas":{"Error":{"type":"object","required":["error"],"properties":{)"
    R"("error":{"type":"object","required":["message","type","param","code"],)"
    R"("properties":{"message":{"type":"string"},"type":{"type":"string"},)"
    R"("param":{"type":"string","nullable":true},)"
    R"("code":{"type":"string"}}}}}},)"
    R"("responses":{"Error":{"description":"Refused or failed","content":)"
    R"({"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}})"};

constexpr auto model_name = std::string_view{
    R"([{"name":"id","in":"path","required":true,"schema":{"type":"string"}}])"};

[[nodiscard]] object_writer operation(std::string_view id, std::string_view summary,
                                      bool streams) {
  constexpr auto json = std::string_view{R"("application/json":{"schema":)"
                                         R"({"type":"object"}})"};
  auto content = std::string{"{"}.append(json);
  if (streams)
    content += R"(,"text/event-stream":{"schema":{"type":"string"}})";
  const auto done =
      object_writer{}.text("description", "Done").json("content", content + "}").done();
  auto made = object_writer{};
  made.text("operationId", id)
      .text("summary", summary)
      .json("responses",
            object_writer{}
                .json("200", done)
                .json("default", R"({"$ref":"#/components/responses/Error"})")
                .done());
  return made;
}

[[nodiscard]] std::string body_of(std::string_view schema) {
  return object_writer{}
      .flag("required", true)
      .json("content",
            object_writer{}
                .json("application/json", object_writer{}.json("schema", schema).done())
                .done())
      .done();
}

[[nodiscard]] std::string paths() {
  const auto get = [](std::string what) {
    return object_writer{}.json("get", what).done();
  };
  const auto post = [](std::string what) {
    return object_writer{}.json("post", what).done();
  };
  return object_writer{}
      .json("/chat/completions",
            post(operation("create-chat-completion",
                           "A model's answer, whole or as a stream of events", true)
                     .json("requestBody", body_of(chat_body))
                     .done()))
      .json("/embeddings", post(operation("create-embedding", "Vectors of texts", false)
                                    .json("requestBody", body_of(embeddings_body))
                                    .done()))
      .json(
          "/models",
          get(operation("list-models", "What can be asked for by name", false).done()))
      .json("/models/{id}", get(operation("retrieve-model", "One of them", false)
                                    .json("parameters", model_name)
                                    .done()))
      .done();
}

} // namespace

std::string gateway_openapi(const config::settings& settings) {
  const auto server =
      object_writer{}.text("url", settings.net.public_url + "/v1").done();
  return object_writer{}
      .text("openapi", "3.0.3")
      .json("info", R"({"title":"Jessica for tools that speak OpenAI","version":"1"})")
      .json("servers", "[" + server + "]")
      .json("security", R"([{"bearer":[]}])")
      .json("paths", paths())
      .json("components", components)
      .done();
}

} // namespace jessica::net
