#include "engines/openai.hpp"

#include "engines/chat_run.hpp"
#include "engines/task_loop.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::engines {

namespace {

/// Until the provider has said what it has; then reply.model tells.
constexpr auto any_model = std::string_view{"default"};

/// The loop and the providers that live on it.
class engine_loop {
public:
  engine_loop() = default;
  /// Frames that never ended are dropped while what they refer to still stands.
  ~engine_loop() {
    stop();
    loop_.drop();
    providers_.clear(); // their timers are the loop's
  }
  engine_loop(const engine_loop&) = delete;
  engine_loop& operator=(const engine_loop&) = delete;

  [[nodiscard]] task_loop& loop() noexcept { return loop_; }
  [[nodiscard]] provider_list& providers() noexcept { return providers_; }

  /// Ends all runs and the thread.
  void stop() {
    loop_.stop([this] {
      for (const auto& one : providers_)
        one->server().idle().close_all();
    });
  }

private:
  provider_list providers_; ///< first, so that frames may refer to them to their end
  task_loop loop_;
};

class openai_generation final : public generation {
public:
  openai_generation(std::shared_ptr<engine_loop> on, std::shared_ptr<chat_run> what)
      : on_(std::move(on)), what_(std::move(what)) {}
  ~openai_generation() override {
    what_->progress().close();
    on_->loop().remove(std::move(what_));
  }

private:
  std::shared_ptr<engine_loop> on_;
  std::shared_ptr<chat_run> what_;
};

class openai final : public text_generator {
public:
  explicit openai(std::shared_ptr<engine_loop> on)
      : on_(std::move(on)), model_(on_->providers().front()->own_model()) {
    if (model_.empty())
      model_ = any_model;
  }
  ~openai() override { on_->stop(); }

  [[nodiscard]] std::string_view model() const noexcept override { return model_; }

  [[nodiscard]] std::string model_of(const prompt& asked) const override {
    return named_model(asked).value_or(model_);
  }

  [[nodiscard]] std::vector<std::string> models() const override {
    auto names = std::vector<std::string>{model_};
    const auto add = [&names](const std::string& name) {
      if (!name.empty() && !name.ends_with('*') && !std::ranges::contains(names, name))
        names.push_back(name);
    };
    for (const auto& one : on_->providers()) {
      add(one->settings().model);
      std::ranges::for_each(one->settings().models, add);
    }
    return names;
  }

  [[nodiscard]] bool offers(std::string_view name) const override {
    return name == model_ ||
           std::ranges::any_of(on_->providers(),
                               [&](const auto& one) { return one->offers(name); });
  }

  [[nodiscard]] std::unique_ptr<generation> start(prompt asked,
                                                  event_sink sink) override {
    if (model_ == any_model && asked.params.model == any_model)
      asked.params.model.reset(); // it is nobody's name
    const auto& all = on_->providers();
    const auto routes = route(all, asked);
    const auto& limits = (routes.empty() ? *all.front() : *routes.front()).settings();
    // What the reply has already counts, too.
    const auto room =
        limits.max_reply_bytes - std::min(limits.max_reply_bytes, asked.so_far.size());
    auto progress =
        std::make_unique<chat_progress>(std::move(sink), model_of(asked), room);
    auto made = std::make_shared<chat_run>(on_->loop().context(), all, std::move(asked),
                                           std::move(progress));
    on_->loop().add(made);
    return std::make_unique<openai_generation>(on_, std::move(made));
  }

private:
  std::shared_ptr<engine_loop> on_;
  std::string model_;
};

} // namespace

result<std::unique_ptr<text_generator>>
make_openai(const std::vector<config::provider_settings>& providers) {
  if (providers.empty())
    return fail(errc::invalid_input, "no provider is given");
  auto on = std::make_shared<engine_loop>();
  for (const auto& one : providers) {
    auto opened = provider::open(one, on->loop().context());
    if (!opened)
      return fail(errc::invalid_input,
                  "provider " + one.name + ": " + opened.error().what);
    on->providers().push_back(std::move(*opened));
  }
  on->loop().start();
  return std::make_unique<openai>(std::move(on));
}

} // namespace jessica::engines
