#include "engines/http_tools.hpp"

#include "engines/http_tool_call.hpp"
#include "engines/task_loop.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto no_arguments = std::string_view{R"({"type":"object","properties":{}})"};

/// The loop and the tools that live on it.
class tool_loop {
public:
  tool_loop() = default;
  ~tool_loop() {
    stop();
    loop_.drop();
    tools_.clear(); // their timers are the loop's
  }
  tool_loop(const tool_loop&) = delete;
  tool_loop& operator=(const tool_loop&) = delete;

  [[nodiscard]] task_loop& loop() noexcept { return loop_; }
  [[nodiscard]] std::vector<http_tool>& tools() noexcept { return tools_; }

  void stop() {
    loop_.stop([this] {
      for (const auto& one : tools_)
        one.server->idle().close_all();
    });
  }

private:
  std::vector<http_tool> tools_; ///< first, so that frames may refer to them
  task_loop loop_;
};

class running_http_call final : public running_call {
public:
  running_http_call(std::shared_ptr<tool_loop> on, std::shared_ptr<http_tool_call> what)
      : on_(std::move(on)), what_(std::move(what)) {}
  ~running_http_call() override {
    what_->close();
    on_->loop().remove(std::move(what_));
  }

private:
  std::shared_ptr<tool_loop> on_;
  std::shared_ptr<http_tool_call> what_;
};

class http_tools final : public tool_runner {
public:
  http_tools(std::shared_ptr<tool_loop> on, std::vector<tool> told)
      : on_(std::move(on)), told_(std::move(told)) {}
  ~http_tools() override { on_->stop(); }

  [[nodiscard]] const std::vector<tool>& tools() const noexcept override {
    return told_;
  }

  [[nodiscard]] std::unique_ptr<running_call> start(tool_question what,
                                                    tool_sink sink) override {
    auto& all = on_->tools();
    const auto with = std::ranges::find(
        all, what.call.name, [](const auto& one) { return one.settings.name; });
    auto body = with == all.end() ? fail(errc::not_found, "there is no such tool")
                                  : tool_body(what);
    if (!body) {
      sink({std::move(what.call), std::move(body.error().what), true, {}});
      return nullptr;
    }
    auto made =
        std::make_shared<http_tool_call>(on_->loop().context(), *with, std::move(what),
                                         std::move(*body), std::move(sink));
    on_->loop().add(made);
    return std::make_unique<running_http_call>(on_, std::move(made));
  }

private:
  std::shared_ptr<tool_loop> on_;
  std::vector<tool> told_;
};

[[nodiscard]] config::provider_settings server_of(const config::tool_settings& tool) {
  auto server = config::provider_settings{};
  server.name = tool.name;
  server.url = tool.url;
  server.key = tool.key;
  server.headers = tool.headers;
  server.ca_file = tool.ca_file;
  server.connect_timeout = tool.timeout;
  return server;
}

[[nodiscard]] bool is_json_object(std::string_view text) {
  auto broken = boost::system::error_code{};
  const auto parsed = boost::json::parse(text, broken);
  return !broken && parsed.is_object();
}

} // namespace

result<std::unique_ptr<tool_runner>>
open_http_tools(const std::vector<config::tool_settings>& tools) {
  auto on = std::make_shared<tool_loop>();
  auto told = std::vector<tool>{};
  for (const auto& one : tools) {
    auto schema = one.parameters.empty() ? std::string{no_arguments} : one.parameters;
    if (!is_json_object(schema))
      return fail(errc::invalid_input,
                  "tool " + one.name + ": parameters must be a JSON object");
    auto server = peer::open(server_of(one), on->loop().context());
    if (!server)
      return fail(errc::invalid_input, "tool " + one.name + ": " + server.error().what);
    on->tools().push_back({one, std::move(*server)});
    told.push_back({one.name, one.description, std::move(schema)});
  }
  on->loop().start();
  return std::make_unique<http_tools>(std::move(on), std::move(told));
}

} // namespace jessica::engines
