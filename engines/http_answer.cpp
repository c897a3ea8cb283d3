#include "engines/http_answer.hpp"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace jessica::engines {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
namespace {

constexpr auto most_header_bytes = std::uint32_t{32'768};
constexpr auto interim = 100U; ///< 1xx: the answer is still to come

/// A body that is handed on piece by piece.
struct handed_on_body {
  using value_type = const http_answer::body_sink*;

  class reader {
  public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>&, value_type& to) : to_(to) {}
    void init(const boost::optional<std::uint64_t>&, error_code& ec) { ec = {}; }
    template <class Buffers> std::size_t put(const Buffers& from, error_code& ec) {
      ec = {};
      auto size = std::size_t{0};
      for (const auto piece : boost::beast::buffers_range_ref(from)) {
        (*to_)({static_cast<const char*>(piece.data()), piece.size()});
        size += piece.size();
      }
      return size;
    }
    void finish(error_code& ec) { ec = {}; }

  private:
    value_type to_;
  };
};

using parser = http::response_parser<handed_on_body>;

} // namespace

struct http_answer::state {
  explicit state(body_sink sink) : to(std::move(sink)) { begin(); }

  void begin() {
    reading.emplace(std::piecewise_construct, std::make_tuple(&to));
    reading->eager(true);
    reading->header_limit(most_header_bytes);
    reading->body_limit(boost::none);
  }

  /// Gives the parser what it takes of `bytes`; returns how much that was.
  [[nodiscard]] std::size_t take(std::string_view bytes, error_code& ec) {
    auto used = std::size_t{0};
    while (used < bytes.size() && !reading->is_done()) {
      used += reading->put(asio::const_buffer{bytes.data() + used, bytes.size() - used},
                           ec);
      if (ec)
        break;
      if (reading->is_done() && reading->get().result_int() / 100 == interim / 100)
        begin();
    }
    if (ec == http::error::need_more)
      ec = {};
    return used;
  }

  body_sink to;
  std::optional<parser> reading;
  std::string rest; ///< bytes the parser needs more for
  bool trailing = false;
};

http_answer::http_answer(body_sink to)
    : state_(std::make_unique<state>(std::move(to))) {}
http_answer::~http_answer() = default;

result<void> http_answer::feed(std::string_view bytes) {
  auto& s = *state_;
  const auto joined = !s.rest.empty();
  const auto all = joined ? std::string_view{s.rest += bytes} : bytes;
  auto ec = error_code{};
  const auto used = s.take(all, ec);
  if (ec)
    return fail(errc::invalid_input, "not an HTTP answer: " + ec.message());
  s.trailing = s.trailing || (whole() && used < all.size());
  if (whole())
    s.rest.clear();
  else if (joined)
    s.rest.erase(0, used);
  else
    s.rest = all.substr(used);
  if (s.rest.size() > most_header_bytes)
    return fail(errc::invalid_input, "not an HTTP answer: a line without end");
  return {};
}

result<void> http_answer::end() {
  auto ec = error_code{};
  if (whole())
    return {};
  if (!has_header() || !state_->reading->need_eof())
    return fail(errc::invalid_input, "the connection ended before the answer");
  state_->reading->put_eof(ec);
  if (ec)
    return fail(errc::invalid_input, "the answer ended early: " + ec.message());
  return {};
}

bool http_answer::has_header() const noexcept {
  return state_->reading->is_header_done();
}
bool http_answer::whole() const noexcept {
  return state_->reading->is_done();
}
bool http_answer::keep_alive() const noexcept {
  return whole() && !state_->trailing && state_->reading->keep_alive();
}
unsigned http_answer::status() const noexcept {
  return state_->reading->get().result_int();
}
std::string_view http_answer::field(std::string_view name) const {
  return state_->reading->get()[name];
}

} // namespace jessica::engines
