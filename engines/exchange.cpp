#include "engines/exchange.hpp"

#include <algorithm>
#include <format>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;

namespace {

/// Thousands of streams hold one each.
constexpr auto read_bytes = std::size_t{4096};

} // namespace

exchange::exchange(asio::io_context& loop, peer& with, interruption& by)
    : loop_(loop), with_(with), by_(by), buffer_(read_bytes) {}

exchange::~exchange() {
  by_.watch(nullptr);
}

std::string exchange::text_of(const question& what) const {
  const auto& settings = with_.settings();
  const auto& url = with_.url();
  // A proxy that is not asked for a tunnel wants the whole address.
  const auto whole = with_.proxy() && !url.tls;
  auto text = std::format("{} {}{}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: jessica\r\n",
                          what.body.empty() ? "GET" : "POST",
                          whole ? "http://" + url.authority() : "", url.path, what.path,
                          url.authority());
  text.append("Accept: ").append(what.accept).append("\r\n").append(what.headers);
  if (!settings.key.empty())
    text += "Authorization: Bearer " + settings.key + "\r\n";
  for (const auto& [name, value] : settings.headers)
    text += name + ": " + value + "\r\n";
  if (!what.body.empty())
    text += std::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                        what.body.size());
  return text + "\r\n" + what.body;
}

asio::awaitable<exchange::outcome> exchange::reach(clock::time_point until) {
  const auto& url = with_.url();
  const auto& proxy = with_.proxy();
  const auto& first = proxy ? *proxy : url;
  const auto found = co_await with_.names().find(first.host, first.port, by_);
  if (!found)
    co_return found.error();
  link_ = std::make_unique<connection>(loop_);
  by_.watch(link_.get());
  if (auto failed = co_await link_->connect(*found, until)) {
    if (proxy)
      failed->kind = fault_kind::proxy_failed;
    co_return failed;
  }
  if (!url.tls || by_.why())
    co_return std::nullopt;
  if (proxy)
    if (auto failed = co_await link_->tunnel(url); failed || by_.why())
      co_return failed;
  co_return co_await link_->secure(with_.trust(), url.host);
}

/// A new connection, within its limit.
asio::awaitable<exchange::outcome> exchange::open() {
  const auto until = std::min(clock::now() + with_.settings().connect_timeout, last_);
  by_.set_limit(until);
  auto failed = co_await reach(until);
  by_.clear_limit();
  if (by_.why() == cut_reason::late)
    co_return provider_fault{fault_kind::connect_timeout};
  co_return failed;
}

/// Sends the request and reads until the header is there.
asio::awaitable<exchange::outcome> exchange::talk(const std::string& request) {
  body_.clear();
  heard_ = false;
  answer_ =
      std::make_unique<http_answer>([this](std::string_view piece) { body_ += piece; });
  // Who refuses a long question may answer before all of it is sent, and hang up.
  const auto sent = co_await link_->write(request);
  auto failed = outcome{};
  while (!failed && !answer_->has_header() && !by_.why())
    failed = co_await read_more();
  if (failed && !sent)
    failed->detail = sent.error();
  co_return failed;
}

asio::awaitable<exchange::outcome>
exchange::ask(const question& what, std::chrono::milliseconds answer_within) {
  const auto request = text_of(what);
  link_ = with_.idle().take();
  by_.watch(link_.get());
  if (link_) {
    by_.set_limit(std::min<clock::time_point>(clock::now() + answer_within, last_));
    auto failed = co_await talk(request);
    if (!failed || heard_ || by_.why())
      co_return failed;
  }
  if (auto failed = co_await open(); failed || by_.why())
    co_return failed;
  by_.set_limit(std::min<clock::time_point>(clock::now() + answer_within, last_));
  co_return co_await talk(request);
}

asio::awaitable<exchange::outcome> exchange::read_more() {
  if (answer_->whole())
    co_return std::nullopt;
  const auto got = co_await link_->read(asio::buffer(buffer_));
  if (!got)
    co_return provider_fault{fault_kind::cut, got.error()};
  heard_ = heard_ || *got > 0;
  const auto fed = *got > 0 ? answer_->feed({buffer_.data(), *got}) : answer_->end();
  if (!fed)
    co_return provider_fault{*got > 0 ? fault_kind::malformed : fault_kind::cut,
                             fed.error().what};
  co_return std::nullopt;
}

asio::awaitable<exchange::outcome> exchange::read_all(std::size_t limit) {
  while (!answer_->whole() && !by_.why()) {
    if (auto failed = co_await read_more())
      co_return failed;
    if (body_.size() > limit)
      co_return provider_fault{fault_kind::too_long, "an endless answer"};
  }
  co_return std::nullopt;
}

void exchange::finish() {
  by_.watch(nullptr);
  if (link_ && answer_ && answer_->keep_alive() && !by_.why())
    with_.idle().give(std::move(link_));
}

} // namespace jessica::engines
