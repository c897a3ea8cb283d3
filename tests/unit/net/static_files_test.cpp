#include "net/static_files.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

using namespace jessica;
namespace fs = std::filesystem;

/// A page's folder beside a file that must never be served.
struct page_folder {
  test::temp_folder above{"web"};
  fs::path root = above.path / "web";
  net::static_files files{root};

  page_folder() {
    fs::create_directories(root / "assets");
    fs::create_directories(root / ".git");
    put("../secret.txt", "secret");
    put(".env", "secret");
    put(".git/config", "secret");
    put("index.html", "<!doctype html><title>page</title>");
    put("app.js", "let a = 1;");
    put("assets/app-4f9A31xc.js", "let b = 2;");
    put("assets/chat-interface.js", "let c = 3;");
    put("assets/two words.txt", "spaced");
    put("data.bin", "bytes");
  }

  void put(std::string_view name, std::string_view text) const {
    std::ofstream{root / name, std::ios::binary} << text;
  }

  std::optional<net::http_response> get(std::string path, std::string etag = {},
                                        std::string accept = "text/html,*/*;q=0.8") {
    auto what = net::http_request{};
    what.method = "GET";
    what.path = std::move(path);
    what.headers.emplace_back("host", "chat.example.org:8443");
    what.headers.emplace_back("accept", std::move(accept));
    if (!etag.empty())
      what.headers.emplace_back("if-none-match", etag);
    return files.serve(what);
  }
};

std::string header(const net::http_response& of, std::string_view name) {
  const auto found = std::ranges::find(
      of.headers, name, [](const auto& h) -> std::string_view { return h.first; });
  return found == of.headers.end() ? "<none>" : found->second;
}

} // namespace

TEST_SUITE("net.static_files") {

  TEST_CASE("percent escapes are undone once") {
    CHECK(net::decode_path("/a%20b") == "/a b");
    CHECK(net::decode_path("/%2e%2E") == "/..");
    CHECK(net::decode_path("/%252e") == "/%2e");
    CHECK(net::decode_path("/a+b") == "/a+b");
    CHECK(net::decode_path("") == "");
  }

  TEST_CASE("broken percent escapes are refused") {
    for (const auto* broken : {"/%", "/%2", "/%zz", "/a%2", "/%-1"})
      CHECK_FALSE(net::decode_path(broken).has_value());
  }

  TEST_CASE("paths name files below the folder") {
    CHECK(net::page_file("/") == "");
    CHECK(net::page_file("/app.js") == "app.js");
    CHECK(net::page_file("/assets/app.js") == "assets/app.js");
    CHECK(net::page_file("/chat/42/") == "chat/42");
  }

  TEST_CASE("no path leaves the folder or names what is hidden") {
    for (const auto* bad : {"/../secret.txt",
                            "/assets/../../secret.txt",
                            "/%2e%2e/secret.txt",
                            "/%2e%2e%2fsecret.txt",
                            "/..%2fsecret.txt",
                            "/..%5csecret.txt",
                            "/..\\secret.txt",
                            "/assets/./app.js",
                            "/.env",
                            "/.git/config",
                            "/assets/.hidden",
                            "//etc/passwd",
                            "/%2fetc/passwd",
                            "/assets//app.js",
                            "/app.js%00.html",
                            "/%0d%0aapp.js",
                            "/%7f",
                            "app.js",
                            "",
                            "//",
                            "/%",
                            "/index.html/../../secret.txt"})
      CHECK_MESSAGE(!net::page_file(bad).has_value(), bad);
  }

  TEST_CASE_FIXTURE(page_folder,
                    "a traversal is no file, also when the target exists") {
    CHECK_FALSE(get("/../secret.txt").has_value());
    CHECK_FALSE(get("/%2e%2e%2fsecret.txt").has_value());
    CHECK_FALSE(get("/.env").has_value());
    CHECK_FALSE(get("/.git/config").has_value());
  }

  TEST_CASE_FIXTURE(page_folder, "an escaped name is found") {
    CHECK(get("/assets/two%20words.txt").value().body == "spaced");
  }

  TEST_CASE_FIXTURE(page_folder, "files carry their type") {
    CHECK(header(get("/").value(), "Content-Type") == "text/html; charset=utf-8");
    CHECK(header(get("/app.js").value(), "Content-Type") ==
          "text/javascript; charset=utf-8");
    CHECK(header(get("/data.bin").value(), "Content-Type") ==
          "application/octet-stream");
  }

  TEST_CASE_FIXTURE(page_folder, "unknown paths without an extension are the page") {
    CHECK(get("/chat/42").value().body == get("/").value().body);
    CHECK(get("/assets/").value().body == get("/index.html").value().body);
    CHECK_FALSE(get("/missing.js").has_value());
  }

  TEST_CASE_FIXTURE(page_folder, "a probe that asks for no page gets none elsewhere") {
    for (const auto* const accept : {"*/*", "application/json", ""}) {
      CHECK_FALSE(get("/healthz", {}, accept).has_value());
      CHECK(get("/", {}, accept).value().body == get("/index.html").value().body);
      CHECK(get("/app.js", {}, accept).has_value());
    }
  }

  TEST_CASE_FIXTURE(page_folder, "a known tag is answered with 304 and no body") {
    const auto first = get("/app.js").value();
    const auto tag = header(first, "ETag");
    CHECK(tag.starts_with('"'));
    for (const auto& sent : {tag, "W/" + tag, "\"x\", " + tag, std::string{"*"}}) {
      const auto again = get("/app.js", sent).value();
      CHECK(again.status == 304);
      CHECK(again.body.empty());
      CHECK(header(again, "ETag") == tag);
    }
    CHECK(get("/app.js", "\"other\"").value().status == 200);
  }

  TEST_CASE_FIXTURE(page_folder, "only a name with a hash is kept for ever") {
    CHECK(header(get("/assets/app-4f9A31xc.js").value(), "Cache-Control") ==
          "public, max-age=31536000, immutable");
    CHECK(header(get("/assets/chat-interface.js").value(), "Cache-Control") ==
          "no-cache");
    CHECK(header(get("/app.js").value(), "Cache-Control") == "no-cache");
    CHECK(header(get("/").value(), "Cache-Control") == "no-cache");
  }

  TEST_CASE_FIXTURE(page_folder,
                    "the page may run only what comes from its own origin") {
    const auto page = get("/").value();
    CHECK(header(page, "Content-Security-Policy") ==
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
          "data:; "
          "font-src 'self'; connect-src 'self' ws://chat.example.org:8443 "
          "wss://chat.example.org:8443; base-uri 'none'; form-action 'self'; "
          "frame-ancestors 'none'; manifest-src 'self'");
    CHECK(header(page, "X-Content-Type-Options") == "nosniff");
    CHECK(header(page, "Referrer-Policy") == "no-referrer");
    CHECK(header(page, "Cross-Origin-Opener-Policy") == "same-origin");
    CHECK(header(page, "Permissions-Policy").contains("camera=()"));
  }

  TEST_CASE_FIXTURE(page_folder, "a host that is none adds nothing to the policy") {
    auto what = net::http_request{};
    what.path = "/";
    what.headers.emplace_back("host", "a; script-src *");
    CHECK(header(files.serve(what).value(), "Content-Security-Policy")
              .contains("connect-src 'self'; base-uri"));
  }

  TEST_CASE_FIXTURE(page_folder, "a file changed on disk is served anew") {
    const auto before = get("/app.js").value();
    put("app.js", "let a = 100;");
    const auto after = get("/app.js").value();
    CHECK(after.body == "let a = 100;");
    CHECK(header(after, "ETag") != header(before, "ETag"));
    fs::remove(root / "app.js");
    CHECK_FALSE(get("/app.js").has_value());
  }

  TEST_CASE_FIXTURE(page_folder, "the tag depends on the content, not on the time") {
    const auto before = header(get("/app.js").value(), "ETag");
    fs::last_write_time(root / "app.js",
                        fs::file_time_type::clock::now() - std::chrono::hours{1});
    CHECK(header(get("/app.js").value(), "ETag") == before);
  }

  TEST_CASE_FIXTURE(page_folder, "a file over the limit is not served") {
    put("big.txt", "");
    fs::resize_file(root / "big.txt", std::uintmax_t{4} << 20);
    CHECK(get("/big.txt").has_value());
    fs::resize_file(root / "big.txt", (std::uintmax_t{4} << 20) + 1);
    CHECK_FALSE(get("/big.txt").has_value());
  }

  TEST_CASE_FIXTURE(page_folder, "many files pass through the bounded memory") {
    for (auto i = 0; i < 12; ++i) {
      const auto name = "big" + std::to_string(i) + ".txt";
      put(name, "x");
      fs::resize_file(root / name, std::uintmax_t{4} << 20);
      REQUIRE(get("/" + name).value().body.front() == 'x');
    }
    CHECK(get("/app.js").value().body == "let a = 1;");
  }

  TEST_CASE("without a built page the root says how to build it") {
    for (const auto* root : {"", "/nonexistent/page"}) {
      auto files = net::static_files{root};
      auto what = net::http_request{};
      what.path = "/";
      const auto answer = files.serve(what).value();
      CHECK(answer.status == 200);
      CHECK(header(answer, "Content-Type") == "text/plain; charset=utf-8");
      CHECK(answer.body.contains("./dev up"));
      what.path = "/chat";
      CHECK_FALSE(files.serve(what).has_value());
    }
  }

} // TEST_SUITE
