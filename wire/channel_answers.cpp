#include "wire/channel_answers.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace jessica::wire {
namespace {

/// A binding is a JSON object's text: the id goes in before its last brace.
[[nodiscard]] std::string with_id(std::string_view binding, std::size_t id) {
  auto text = std::string{binding.substr(0, binding.rfind('}'))};
  if (text.find_first_not_of(" \t\r\n", 1) != std::string::npos)
    text += ',';
  return text + "\"id\":" + std::to_string(id) + '}';
}

} // namespace

std::string join_response(const std::vector<std::string>& bindings) {
  auto text = std::string{R"({"postgres_changes":[)"};
  for (auto i = std::size_t{0}; i < bindings.size(); ++i) {
    if (i > 0)
      text += ',';
    text += with_id(bindings[i], i + 1);
  }
  return text + "]}";
}

std::string system_message(std::string_view extension, bool ok,
                           std::string_view message, std::string_view channel) {
  return boost::json::serialize(boost::json::object{{"extension", extension},
                                                    {"status", ok ? "ok" : "error"},
                                                    {"message", message},
                                                    {"channel", channel}});
}

} // namespace jessica::wire
