#include "engines/openai.hpp"

#include "engines/chat_run.hpp"
#include "ops/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <semaphore>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;

namespace {

/// Until the provider has said what it has; then reply.model tells.
constexpr auto any_model = std::string_view{"default"};

/// The loop and all that lives on it.
class engine_loop {
public:
  engine_loop() = default;
  /// Frames that never ended are dropped while what they refer to still stands.
  ~engine_loop() {
    stop();
    context_.shutdown();
    providers_.clear(); // their timers are the loop's
  }
  engine_loop(const engine_loop&) = delete;
  engine_loop& operator=(const engine_loop&) = delete;

  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] provider_list& providers() noexcept { return providers_; }

  void start() {
    thread_ = std::thread{[this] { run(); }};
  }

  /// Any thread.
  void add(std::shared_ptr<chat_run> what) {
    asio::post(context_, [this, what = std::move(what)]() mutable {
      if (stopping_)
        return;
      runs_.insert(what);
      asio::co_spawn(context_, chat_run::run(what),
                     [this, what](const std::exception_ptr& broken) {
                       runs_.erase(what);
                       report(broken, *what);
                     });
    });
  }
  /// Any thread.
  void remove(std::shared_ptr<chat_run> what) {
    asio::post(context_, [what = std::move(what)] { what->stop(); });
  }

  /// Ends all runs and the thread; what has not ended after a second is dropped.
  void stop() {
    if (!thread_.joinable())
      return;
    asio::post(context_, [this] {
      stopping_ = true;
      for (const auto& one : runs_)
        one->stop();
      for (const auto& one : providers_)
        one->idle().close_all();
      work_.reset();
    });
    constexpr auto patience = std::chrono::seconds{1};
    if (!done_.try_acquire_for(patience))
      context_.stop();
    thread_.join();
  }

private:
  struct loop : asio::io_context {
    loop() : io_context(1) {}
    using asio::execution_context::shutdown;
  };

  void run() {
    while (!context_.stopped()) {
      try {
        context_.run();
      } catch (const std::exception& what) { // a bug in one handler; the others go on
        ops::error("engine.exception", {{"what", what.what()}});
      }
    }
    done_.release();
  }

  static void report(const std::exception_ptr& broken, chat_run& of) {
    if (!broken)
      return;
    try {
      std::rethrow_exception(broken);
    } catch (const std::exception& what) {
      ops::error("engine.exception", {{"what", what.what()}});
    }
    if (!of.progress().over())
      of.progress().failed({"The engine failed.", true});
  }

  provider_list providers_; ///< first, so that frames may refer to them to their end
  loop context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::unordered_set<std::shared_ptr<chat_run>> runs_;
  bool stopping_ = false;
  std::binary_semaphore done_{0};
  std::thread thread_;
};

class openai_generation final : public generation {
public:
  openai_generation(std::shared_ptr<engine_loop> on, std::shared_ptr<chat_run> what)
      : on_(std::move(on)), what_(std::move(what)) {}
  ~openai_generation() override {
    what_->progress().close();
    on_->remove(std::move(what_));
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
    auto progress = std::make_unique<chat_progress>(std::move(sink), model_of(asked),
                                                    limits.max_reply_bytes);
    auto made = std::make_shared<chat_run>(on_->context(), all, std::move(asked),
                                           std::move(progress));
    on_->add(made);
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
    auto opened = provider::open(one, on->context());
    if (!opened)
      return fail(errc::invalid_input,
                  "provider " + one.name + ": " + opened.error().what);
    on->providers().push_back(std::move(*opened));
  }
  on->start();
  return std::make_unique<openai>(std::move(on));
}

} // namespace jessica::engines
