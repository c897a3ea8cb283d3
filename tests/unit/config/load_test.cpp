#include "config/load.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

using namespace jessica;
using namespace std::chrono_literals;

namespace {

/// An empty directory that is the working directory for the time of a test.
class workplace {
public:
  workplace() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(here_.path);
  }
  ~workplace() { std::filesystem::current_path(before_); }
  workplace(const workplace&) = delete;
  workplace& operator=(const workplace&) = delete;

  static void write(const std::string& file, const std::string& text) {
    std::ofstream{file, std::ios::binary} << text;
  }

private:
  std::filesystem::path before_;
  test::temp_folder here_{"config"};
};

using variables = std::map<std::string, std::string>;

result<config::loaded> load(const std::vector<std::string>& arguments,
                            const variables& environment = {}) {
  auto names = std::vector<std::string>{};
  for (const auto& [name, value] : environment)
    names.push_back(name);
  const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional{found->second};
  };
  return config::load(arguments, lookup, names);
}

config::loaded good(const std::vector<std::string>& arguments,
                    const variables& environment = {}) {
  auto done = load(arguments, environment);
  REQUIRE_MESSAGE(done.has_value(), done.error().what);
  return std::move(*done);
}

std::string mistakes(const std::vector<std::string>& arguments,
                     const variables& environment = {}) {
  const auto done = load(arguments, environment);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == errc::invalid_input);
  return done.error().what;
}

config::option_report row(const config::loaded& of, const std::string& name) {
  const auto found = std::ranges::find(of.report, name, &config::option_report::name);
  REQUIRE(found != of.report.end());
  return *found;
}

} // namespace

TEST_SUITE("config.load") {
  TEST_CASE_FIXTURE(workplace, "without any source the defaults hold") {
    const auto done = good({});
    CHECK(done.values.net.port == 54321);
    CHECK(done.values.auth.token_lifetime == 3600s);
    CHECK(done.line.words.empty());
    CHECK(row(done, "net.port").origin == "default");
  }

  TEST_CASE_FIXTURE(workplace, "a flag is read in each of its spellings") {
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"--net-port", "1234"},
                                               {"--net-port=1234"},
                                               {"--net.port=1234"},
                                               {"--net.port", "1234"},
                                               {"--net_port=1234"}})
      CHECK(good(arguments).values.net.port == 1234);
    CHECK(good({"--net-max-connections", "7"}).values.net.max_connections == 7);
    CHECK(good({"--net.max_connections=7"}).values.net.max_connections == 7);
  }

  TEST_CASE_FIXTURE(workplace, "flags win over variables, variables over the file") {
    write("jessica.toml", "[net]\nport = 1\nhost = \"::1\"\nthreads = 3\n");
    const auto done = good({"--net-port=3"}, {{"JESSICA_NET_PORT", "2"},
                                              {"JESSICA_NET_HOST", "10.0.0.1"}});
    CHECK(done.values.net.port == 3);
    CHECK(done.values.net.host == "10.0.0.1");
    CHECK(done.values.net.threads == 3);
    CHECK(row(done, "net.port").origin == "flag");
    CHECK(row(done, "net.host").origin == "JESSICA_NET_HOST");
    CHECK(row(done, "net.threads").origin == "jessica.toml:4");
    CHECK(row(done, "net.threads").value == "3");
  }

  TEST_CASE_FIXTURE(workplace, "of a flag given twice the last one counts") {
    CHECK(good({"--net-port=1", "--net-port", "2"}).values.net.port == 2);
  }

  TEST_CASE_FIXTURE(workplace, "an empty variable is one that is not set") {
    CHECK(good({}, {{"JESSICA_NET_HOST", ""}}).values.net.host == "127.0.0.1");
  }

  TEST_CASE_FIXTURE(workplace, "words are what is neither a flag nor its value") {
    const auto done = good({"user", "--net-port", "1", "add", "-", "--check", "ann"});
    CHECK(done.line.words == std::vector<std::string>{"user", "add", "-", "ann"});
    CHECK(done.line.check);
    CHECK(done.values.net.port == 1);
  }

  TEST_CASE_FIXTURE(workplace, "after two dashes everything is a word") {
    const auto done = good({"chat", "--", "--net-port", "--"});
    CHECK(done.line.words == std::vector<std::string>{"chat", "--net-port", "--"});
  }

  TEST_CASE_FIXTURE(workplace, "a switch takes a value, or alone means true") {
    CHECK_FALSE(good({"--auth-signup-enabled=false"}).values.auth.signup_enabled);
    CHECK_FALSE(good({"--auth-signup-enabled", "no"}).values.auth.signup_enabled);
    const auto alone =
        good({"--auth-signup-enabled", "up"}, {{"JESSICA_AUTH_SIGNUP_ENABLED", "off"}});
    CHECK(alone.values.auth.signup_enabled);
    CHECK(alone.line.words == std::vector<std::string>{"up"});
  }

  TEST_CASE_FIXTURE(workplace, "the switches of the command line are recognised") {
    CHECK(good({"--print-config"}).line.print_config);
    CHECK(good({"--help"}).line.help);
    CHECK(good({"-h"}).line.help);
    CHECK(good({"--version"}).line.version);
    CHECK_FALSE(good({}).line.help);
  }

  TEST_CASE_FIXTURE(workplace, "help is given in spite of mistakes") {
    CHECK(good({"--nonsense", "--help"}).line.help);
  }

  TEST_CASE_FIXTURE(workplace, "durations and sizes carry units in every source") {
    write("jessica.toml", "[net]\nkeep_alive = \"2m\"\nheader_timeout = 7\n"
                          "max_body_bytes = \"64KiB\"\nmax_header_bytes = 2048\n");
    const auto done = good({"--inference-heartbeat", "500ms"},
                           {{"JESSICA_INFERENCE_CHECKPOINT_EVERY", "2"}});
    CHECK(done.values.net.keep_alive == 120s);
    CHECK(done.values.net.header_timeout == 7s);
    CHECK(done.values.net.max_body_bytes == 65'536);
    CHECK(done.values.net.max_header_bytes == 2048);
    CHECK(done.values.inference.heartbeat == 500ms);
    CHECK(done.values.inference.checkpoint_every == 2s);
  }

  TEST_CASE_FIXTURE(workplace, "all mistakes of all sources are told at once") {
    write("jessica.toml", "[net]\nprot = 1\n[log]\nlevel = \"loud\"\n");
    const auto told =
        mistakes({"--net-prot=5", "--net-port", "70000"},
                 {{"JESSICA_NET_HSOT", "x"}, {"JESSICA_AUTH_TOKEN_LIFETIME", "90"}});
    CHECK(
        told ==
        "--net-prot is not an option (did you mean --net-port?)\n"
        "jessica.toml:2: net.prot is not an option (did you mean net.port?)\n"
        "jessica.toml:4: log.level: \"loud\" is not one of: debug, info, warn, error\n"
        "JESSICA_NET_HSOT is not an option (did you mean JESSICA_NET_HOST?)\n"
        "JESSICA_AUTH_TOKEN_LIFETIME: \"90\" is not in 91s to 604800s\n"
        "--net-port: \"70000\" is not in 0 to 65535");
  }

  TEST_CASE_FIXTURE(workplace, "a name that resembles none gets no suggestion") {
    CHECK(mistakes({"--frobnicate"}) == "--frobnicate is not an option");
    CHECK(mistakes({"-x"}) == "-x is not an option");
    CHECK(mistakes({"--chekc"}).contains("(did you mean --check?)"));
  }

  TEST_CASE_FIXTURE(workplace, "a flag without its value is a mistake") {
    CHECK(mistakes({"--net-port"}) == "--net-port needs a value");
    CHECK(mistakes({"--net-port", "--check"}) == "--net-port needs a value");
    CHECK(mistakes({"--config"}) == "--config needs a value");
  }

  TEST_CASE_FIXTURE(workplace, "bad values are named with their source") {
    CHECK(mistakes({"--net-port="}) == "--net-port: \"\" is not a whole number");
    CHECK(mistakes({"--net-port=-1"}).contains("is not a whole number"));
    CHECK(mistakes({"--net-port=1e3"}).contains("is not a whole number"));
    CHECK(mistakes({"--net-keep-alive=1d"}).contains("is not a duration"));
    CHECK(mistakes({"--net-keep-alive=1500ms"}).contains("whole number of seconds"));
    CHECK(mistakes({"--net-max-body-bytes=1MB"}).contains("is not a size"));
    CHECK(mistakes({"--auth-signup-enabled=maybe"}).contains("neither true nor false"));
    CHECK(mistakes({"--net-keep-alive=99999999999999999h"}).contains("not a duration"));
    CHECK(mistakes({"--inference-engine=oracle"})
              .contains("is not one of: auto, builtin"));
  }

  TEST_CASE_FIXTURE(workplace,
                    "a token must live longer than the client's 90 s margin") {
    CHECK(good({"--auth-token-lifetime=91"}).values.auth.token_lifetime == 91s);
    CHECK(mistakes({"--auth-token-lifetime=90s"}).contains("is not in 91s to"));
  }

  TEST_CASE_FIXTURE(workplace, "a lease must outlast three heartbeats") {
    CHECK(mistakes({"--inference-lease=5s", "--inference-heartbeat=2s"}) ==
          "inference.lease is 5s: must be at least 3 times inference.heartbeat, which "
          "is 2s");
    CHECK(good({"--inference-lease=6s", "--inference-heartbeat=2s"})
              .values.inference.lease == 6s);
  }

  TEST_CASE_FIXTURE(workplace, "the database's URL goes by two names") {
    const auto url = std::string{"postgres://ann:secret@db/app"};
    CHECK(good({"--database-url", url}).values.storage.url == url);
    CHECK(good({"--storage-url", url}).values.storage.url == url);
    CHECK(good({}, {{"JESSICA_DATABASE_URL", url}}).values.storage.url == url);
    CHECK(good({}, {{"JESSICA_STORAGE_URL", url}}).values.storage.url == url);
    write("jessica.toml", "[database]\nurl = \"" + url + "\"\n");
    const auto done = good({});
    CHECK(done.values.storage.url == url);
    CHECK(row(done, "storage.url").origin == "jessica.toml:2");
  }

  TEST_CASE_FIXTURE(workplace, "neither reports nor mistakes show a password") {
    const auto done = good({"--database-url=postgres://ann:secret@db/app"});
    CHECK(row(done, "storage.url").value == "postgres://ann:***@db/app");
    CHECK_FALSE(mistakes({"--database-url=mysql://ann:secret@db"}).contains("secret"));
    CHECK_FALSE(mistakes({"--databse-url=postgres://a:secret@db"}).contains("secret"));
    write("jessica.toml", "[database]\nurll = \"postgres://ann:secret@db/app\"\n");
    CHECK_FALSE(mistakes({}).contains("secret"));
  }

  TEST_CASE_FIXTURE(workplace, "a password of its own is not shown at all") {
    const auto done = good({"--mail-smtp-password", "p4ssword"});
    CHECK(done.values.mail.smtp_password == "p4ssword");
    CHECK(row(done, "mail.smtp_password").value == "***");
    CHECK(row(good({}), "mail.smtp_password").value == "");
  }

  TEST_CASE_FIXTURE(workplace, "what sends mail must be told where and as whom") {
    CHECK(mistakes({"--auth-autoconfirm=false"}) ==
          "auth.autoconfirm is false: auth.mail_mode must be sink or smtp");
    CHECK(mistakes({"--auth-require-reauthentication"})
              .contains("auth.mail_mode must be sink or smtp"));
    CHECK(
        good({"--auth-autoconfirm=false", "--auth-mail-mode=sink"}).values.mail.from ==
        "");
    const auto none = mistakes({"--auth-mail-mode=smtp"});
    CHECK(none.contains("mail.smtp_host is needed"));
    CHECK(none.contains("mail.from is needed"));
    const auto smtp = [&](std::string host) {
      return std::vector<std::string>{
          "--auth-mail-mode=smtp", "--mail-from=a@b.example",
          "--mail-smtp-host=" + host, "--mail-smtp-tls=none"};
    };
    CHECK(mistakes(smtp("mail.example")).contains("must be this machine's loopback"));
    CHECK(mistakes(smtp("127.0.0.1.example")).contains("loopback"));
    CHECK(good(smtp("127.0.0.1")).values.mail.smtp_port == 587);
    CHECK(mistakes({"--auth-mail-mode=post"}).contains("is not one of"));
  }

  TEST_CASE_FIXTURE(workplace, "--config names the file instead of jessica.toml") {
    write("jessica.toml", "[net]\nport = 1\n");
    write("other.toml", "[net]\nhost = \"::1\"\n");
    const auto done = good({"--config", "other.toml"});
    CHECK(done.values.net.port == 54321);
    CHECK(row(done, "net.host").origin == "other.toml:2");
    CHECK(mistakes({"--config=none.toml"}).starts_with("none.toml: cannot be read"));
  }

  TEST_CASE_FIXTURE(workplace, "a broken file is told with its line") {
    write("jessica.toml", "[net]\nport = \n");
    CHECK(mistakes({}).starts_with("jessica.toml:2: is not TOML: "));
  }

  TEST_CASE_FIXTURE(workplace,
                    "values of a kind no option has are told with their line") {
    write("jessica.toml", "port = 1\n[net]\nhost = 5\nport = [1]\nthreads = 1.5\n"
                          "[net.deep]\nx = 1\n");
    const auto told = mistakes({});
    CHECK(told.contains("jessica.toml:1: port is not an option"));
    CHECK(told.contains("jessica.toml:3: net.host must be a text in quotes"));
    CHECK(told.contains("jessica.toml:4: net.port must be a text, a whole number"));
    CHECK(told.contains("jessica.toml:5: net.threads must be a text, a whole number"));
    CHECK(told.contains("net.deep is not an option"));
  }

  TEST_CASE_FIXTURE(workplace, "the report has every option once, with its meaning") {
    const auto done = good({});
    auto names = std::vector<std::string>{};
    for (const auto& one : done.report) {
      CHECK_FALSE(one.meaning.empty());
      names.push_back(one.name);
    }
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
    CHECK(names.size() > 40);
  }

  TEST_CASE("an embedding server needs a URL, a model and its width, told at once") {
    const auto bad = load(
        {"--embedding-engine", "openai", "--embedding-openai-url", "ollama:11434"});
    REQUIRE_FALSE(bad.has_value());
    for (const auto* const one : {"embedding.openai_url", "embedding.openai_model",
                                  "embedding.openai_dimensions"})
      CHECK(bad.error().what.contains(one));
    const auto set =
        good({"--embedding-engine=openai", "--embedding-openai-url=http://ollama:11434",
              "--embedding-openai-model=m", "--embedding-openai-dimensions=768"});
    const auto refused = mistakes(
        {"--embedding-engine=openai", "--embedding-openai-url=http://ann:secret@ollama",
         "--embedding-openai-key=sesame\r\nX: y", "--embedding-openai-model=m",
         "--embedding-openai-dimensions=768"});
    CHECK(refused.contains("embedding.openai_url must be"));
    CHECK(refused.contains("embedding.openai_key holds characters"));
    CHECK_FALSE(refused.contains("secret"));
    CHECK_FALSE(refused.contains("sesame"));
    CHECK(set.values.embedding.openai_dimensions == 768);
  }

  TEST_CASE("flags of `models` stay among its words, and are none of other commands") {
    const auto found = good({"models", "import", "package", "--to", "there", "--int8",
                             "--log-level", "warn"});
    CHECK(found.line.words == std::vector<std::string>{"models", "import", "package",
                                                       "--to", "there", "--int8"});
    CHECK(found.values.log.level == "warn");
    CHECK_FALSE(load({"up", "--int8"}).has_value());
    CHECK_FALSE(load({"--to", "there", "models", "import"}).has_value());
  }
}
