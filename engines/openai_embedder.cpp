#include "engines/openai_embedder.hpp"

#include "engines/embeddings_answer.hpp"
#include "engines/json_post.hpp"
#include "engines/split_text.hpp"
#include "engines/token_estimate.hpp"
#include "ops/log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <format>
#include <iterator>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// A server that asks for more is asked by somebody later.
constexpr auto longest_pause = std::chrono::seconds{30};
constexpr auto too_long_a_pause = longest_pause + std::chrono::seconds{1};

[[nodiscard]] std::string url_of(std::string_view given) {
  while (given.ends_with('/'))
    given.remove_suffix(1);
  if (given.ends_with("/v1"))
    given.remove_suffix(3);
  return std::string{given} + "/v1/embeddings";
}

/// Why an attempt failed, and whether another one may work.
struct refusal {
  error why;
  bool again = false;
  milliseconds pause{0}; ///< as the server asks
};

[[nodiscard]] refusal judge(const post_answer& answer, std::string_view key) {
  constexpr auto server_fault = 500L;
  const auto words = message_of(answer.body, key);
  auto why = std::format("the embedding server says {}: {}", answer.status, words);
  const auto status = answer.status;
  const auto wish = std::min(answer.retry_after, too_long_a_pause);
  if (status == 429)
    return {{errc::overloaded, std::move(why), {}, nullptr}, true, wish};
  if (status >= server_fault || status == 408)
    return {{errc::unavailable, std::move(why), {}, nullptr}, true, wish};
  // What somebody must set right (the key, the model's name) does not condemn the
  // texts.
  if (status != 400 && status != 413 && status != 422)
    return {{errc::unavailable, std::move(why), {}, nullptr}, false, {}};
  // Users are shown this one: the server's own words are for the log.
  ops::warn("embedder.refused", {{"status", status}, {"detail", words}});
  return {{errc::invalid_input, "the embedding server refuses the text", {}, nullptr},
          false,
          {}};
}

class openai_embedder final : public embedder {
public:
  explicit openai_embedder(const config::embedding_settings& how)
      : how_{how}, server_{url_of(how.openai_url), how.openai_key} {
    constexpr auto hundredths = 100.0F;
    traits_.id = std::format("{}@{}", how.openai_model, how.openai_dimensions);
    traits_.dimensions = how.openai_dimensions;
    traits_.max_tokens = how.openai_max_tokens;
    traits_.match_threshold = static_cast<float>(how.match_percent) / hundredths;
  }

  [[nodiscard]] const embedder_traits& traits() const noexcept override {
    return traits_;
  }

  [[nodiscard]] result<std::vector<std::vector<float>>>
  embed(std::span<const std::string> texts, text_purpose purpose) const override {
    auto vectors = std::vector<std::vector<float>>{};
    vectors.reserve(texts.size());
    while (!texts.empty()) {
      const auto part = texts.first(std::min(texts.size(), how_.openai_batch));
      texts = texts.subspan(part.size());
      auto made = ask(part, purpose);
      if (!made)
        return std::unexpected{std::move(made.error())};
      std::ranges::move(*made, std::back_inserter(vectors));
    }
    return vectors;
  }

  [[nodiscard]] std::vector<text_chunk> split(std::string_view text) const override {
    const auto prefix = estimated_tokens(how_.openai_document_prefix);
    const auto most = traits_.max_tokens > prefix ? traits_.max_tokens - prefix : 1;
    return split_text(text, {most, 0, estimated_tokens});
  }

  [[nodiscard]] std::size_t count_tokens(std::string_view text) const override {
    return estimated_tokens(text);
  }

  void stop() noexcept override { server_.stop(); }

private:
  [[nodiscard]] std::string body_of(std::span<const std::string> texts,
                                    text_purpose purpose) const {
    const auto& prefix = purpose == text_purpose::query ? how_.openai_query_prefix
                                                        : how_.openai_document_prefix;
    auto input = json::array{};
    for (const auto& text : texts) {
      const auto whole = prefix + text;
      const auto seen = start_within(whole, traits_.max_tokens);
      input.emplace_back(seen.empty() ? " " : seen); // "" is refused by servers
    }
    auto body = json::object{{"model", how_.openai_model},
                             {"input", std::move(input)},
                             {"encoding_format", "float"}};
    if (how_.openai_ask_dimensions)
      body["dimensions"] = how_.openai_dimensions;
    return json::serialize(body);
  }

  [[nodiscard]] post_limits limits_of(std::size_t texts) const {
    constexpr auto bytes_of_number = std::size_t{64}; // with indentation
    constexpr auto bytes_beside = std::size_t{65'536};
    return {how_.openai_connect_timeout, how_.openai_timeout,
            bytes_beside + texts * traits_.dimensions * bytes_of_number};
  }

  [[nodiscard]] result<std::vector<std::vector<float>>>
  ask(std::span<const std::string> texts, text_purpose purpose) const {
    const auto body = body_of(texts, purpose);
    auto pause = milliseconds{how_.openai_retry_after};
    for (auto attempt = std::size_t{1};; ++attempt) {
      constexpr auto good = 200L;
      auto answer = server_.send(body, limits_of(texts.size()));
      if (answer && answer->status == good)
        return read_embeddings(answer->body, texts.size(), traits_.dimensions);
      auto why =
          answer ? judge(*answer, how_.openai_key)
                 : refusal{answer.error(), answer.error().code != errc::internal, {}};
      const auto wait = std::max(pause, why.pause);
      if (!why.again || attempt >= how_.openai_attempts || wait > longest_pause ||
          !server_.pause(wait))
        return std::unexpected{std::move(why.why)};
      pause *= 2;
    }
  }

  config::embedding_settings how_;
  mutable json_post server_; ///< asking does not change the embedder
  embedder_traits traits_;
};

} // namespace

std::shared_ptr<embedder> open_openai_embedder(const config::embedding_settings& how) {
  return std::make_shared<openai_embedder>(how);
}

} // namespace jessica::engines
