#include "engines/chat_progress.hpp"

#include <utility>

namespace jessica::engines {

chat_progress::chat_progress(event_sink sink, std::string promised,
                             std::size_t max_bytes)
    : sink_(std::move(sink)), model_(std::move(promised)), max_bytes_(max_bytes) {}

void chat_progress::close() {
  const auto held = std::lock_guard{lock_};
  closed_ = true;
}

void chat_progress::tell(engine_event what) {
  const auto held = std::lock_guard{lock_};
  if (!closed_)
    sink_(std::move(what));
}

void chat_progress::answers(const std::string& model) {
  if (std::exchange(model_, model) != model)
    tell(model_changed{model});
}

bool chat_progress::text(std::string more, std::uint32_t tokens) {
  if (so_far_.size() + more.size() > max_bytes_)
    return false;
  so_far_ += more;
  tokens_ += tokens;
  tell(text_made{std::move(more), tokens});
  return true;
}

void chat_progress::reasoning(std::string more) {
  if (more.size() > max_bytes_ - thought_bytes_)
    return;
  thought_bytes_ += more.size();
  tell(reasoning_made{std::move(more)});
}

void chat_progress::ended(text_ended how) {
  over_ = true;
  tell(std::move(how));
}

void chat_progress::called(tools_called what) {
  over_ = true;
  tell(std::move(what));
}

void chat_progress::failed(text_failed why) {
  over_ = true;
  tell(std::move(why));
}

} // namespace jessica::engines
