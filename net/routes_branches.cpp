// /functions/v1: edited messages, other replies, replies that go on, the branch to go
// on with (docs/branches.md).
#include "net/routes.hpp"
#include "wire/branch_json.hpp"
#include "wire/json_writer.hpp"
#include "wire/reply_events.hpp"

#include <array>
#include <memory>
#include <utility>

namespace jessica::net {

namespace {

boost::asio::awaitable<result<receipt>> change(const admitted& what, call in,
                                               branch_wish wish) {
  auto message = actors::change_branch{std::make_shared<const identity>(what.who),
                                       std::move(wish)};
  co_return co_await in.actors.ask<receipt>(in.with.readers, std::move(message),
                                            in.with.settings.net.request_timeout);
}

/// What begins a reply answers as enqueue-inference does; the job is queued.
answering begin_reply(const admitted& what, call in, branch_wish wish) {
  const auto begun = co_await change(what, in, std::move(wish));
  if (!begun)
    co_return refuse(begun.error(), what.request, true);
  co_return json_response(202, wire::receipt_json(*begun));
}

answering edit_message(const admitted& what, call in) {
  auto asked =
      wire::read_edit(what.request.body, in.with.settings.inference.max_content_bytes);
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  co_return co_await begin_reply(what, in, branch_wish{std::move(*asked)});
}

answering regenerate_reply(const admitted& what, call in) {
  auto asked = wire::read_regenerate(what.request.body);
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  co_return co_await begin_reply(what, in, branch_wish{std::move(*asked)});
}

answering continue_reply(const admitted& what, call in) {
  auto asked = wire::read_continue(what.request.body);
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  co_return co_await begin_reply(what, in, branch_wish{std::move(*asked)});
}

answering select_branch(const admitted& what, call in) {
  const auto asked = wire::read_choice(what.request.body);
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  const auto chosen = co_await change(what, in, branch_wish{*asked});
  if (!chosen)
    co_return refuse(chosen.error(), what.request, true);
  auto body = wire::object_writer{};
  body.text("conversation_id", chosen->conversation.str())
      .text("message_id", chosen->message.str());
  co_return json_response(200, body.done());
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/functions/v1/edit-message", caller::user, edit_message},
    {"POST", "/functions/v1/regenerate-reply", caller::user, regenerate_reply},
    {"POST", "/functions/v1/continue-reply", caller::user, continue_reply},
    {"POST", "/functions/v1/select-branch", caller::user, select_branch},
});

} // namespace

std::span<const route> branch_routes() {
  return routes;
}

} // namespace jessica::net
