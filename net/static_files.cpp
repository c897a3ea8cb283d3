#include "net/static_files.hpp"

#include "ops/log.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace jessica::net {

namespace {

constexpr auto max_file_bytes = std::uintmax_t{4} << 20;
/// All kept files of one reactor; a built page is far below.
constexpr auto max_kept_bytes = std::uintmax_t{32} << 20;
constexpr auto page = std::string_view{"index.html"};
/// Shortest content hash that build tools put into names.
constexpr auto hash_letters = std::size_t{8};

constexpr auto not_built = std::string_view{
    "Jessica is running, but there is no page to show.\n\n"
    "In a checkout, ./dev up builds the page and starts the server with it.\n"
    "Otherwise set JESSICA_NET_WEB_ROOT to the folder that holds its index.html.\n"};

constexpr auto media_types =
    std::to_array<std::pair<std::string_view, std::string_view>>({
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".woff2", "font/woff2"},
        {".webmanifest", "application/manifest+json"},
    });

[[nodiscard]] std::string_view extension(std::string_view name) {
  const auto file = name.substr(name.rfind('/') + 1);
  const auto dot = file.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : file.substr(dot);
}

[[nodiscard]] std::string_view media_type(std::string_view name) {
  const auto* found =
      std::ranges::find(media_types, extension(name),
                        &std::pair<std::string_view, std::string_view>::first);
  return found == media_types.end() ? "application/octet-stream" : found->second;
}

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// name-<hash>.ext: the name changes with the content. A digit is asked for, so that a
/// word after a dash (chat-interface.js) is not taken for a hash.
[[nodiscard]] bool has_hash(std::string_view name) {
  auto file = name.substr(name.rfind('/') + 1);
  if (file.ends_with(".map"))
    file.remove_suffix(4);
  const auto dot = file.rfind('.');
  const auto stem = file.substr(0, dot);
  const auto dash = stem.rfind('-');
  if (dot == std::string_view::npos || dash == std::string_view::npos || dash == 0)
    return false;
  const auto hash = stem.substr(dash + 1);
  return hash.size() >= hash_letters && std::ranges::any_of(hash, is_digit) &&
         std::ranges::all_of(hash, [](char c) { return is_digit(c) || is_letter(c); });
}

/// FNV-1a over the content: the same file has the same tag on every node.
[[nodiscard]] std::string etag_of(std::string_view body) {
  auto hash = std::uint64_t{14695981039346656037U};
  for (const auto byte : body)
    hash = (hash ^ static_cast<unsigned char>(byte)) * std::uint64_t{1099511628211U};
  return std::format("\"{:016x}-{:x}\"", hash, body.size());
}

[[nodiscard]] bool matches(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    const auto comma = if_none_match.find(',');
    auto tag = if_none_match.substr(0, comma);
    if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size()
                                                                : comma + 1);
    while (tag.starts_with(' '))
      tag.remove_prefix(1);
    while (tag.ends_with(' '))
      tag.remove_suffix(1);
    if (tag.starts_with("W/"))
      tag.remove_prefix(2);
    if (tag == etag || tag == "*")
      return true;
  }
  return false;
}

/// Where the page may connect to: its own origin, also by WebSocket. Some browsers do
/// not count ws: as 'self', hence the host by name.
[[nodiscard]] std::string own_origin(std::string_view host) {
  const auto plain = [](char c) {
    return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == ':' ||
           c == '[' || c == ']';
  };
  if (host.empty() || !std::ranges::all_of(host, plain))
    return "'self'";
  return std::format("'self' ws://{0} wss://{0}", host);
}

void add_security_headers(http_response& answer, std::string_view host) {
  answer.headers.emplace_back(
      "Content-Security-Policy",
      std::format("default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                  "'self' data:; font-src 'self'; connect-src {}; base-uri 'none'; "
                  "form-action 'self'; frame-ancestors 'none'; manifest-src 'self'",
                  own_origin(host)));
  answer.headers.emplace_back("X-Content-Type-Options", "nosniff");
  answer.headers.emplace_back("Referrer-Policy", "no-referrer");
  answer.headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
  answer.headers.emplace_back(
      "Permissions-Policy",
      "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
}

[[nodiscard]] std::optional<std::string> read_whole(const std::filesystem::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  auto body = std::string{std::istreambuf_iterator<char>{in}, {}};
  return in.bad() || !in.is_open() ? std::nullopt : std::optional{std::move(body)};
}

[[nodiscard]] std::optional<unsigned> hex_digit(char c) {
  if (is_digit(c))
    return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

/// Somebody's browser, and no probe that would take any page for a healthy answer.
[[nodiscard]] bool is_visit(const http_request& what) {
  return what.header("accept").contains("text/html");
}

[[nodiscard]] http_response how_to_build() {
  auto answer = http_response{};
  answer.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                    {"Cache-Control", "no-store"}};
  answer.body = not_built;
  return answer;
}

} // namespace

std::optional<std::string> decode_path(std::string_view encoded) {
  auto decoded = std::string{};
  decoded.reserve(encoded.size());
  for (auto i = std::size_t{0}; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      decoded += encoded[i];
      continue;
    }
    if (encoded.size() - i < 3)
      return std::nullopt;
    const auto high = hex_digit(encoded[i + 1]);
    const auto low = hex_digit(encoded[i + 2]);
    if (!high || !low)
      return std::nullopt;
    decoded += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return decoded;
}

std::optional<std::string> page_file(std::string_view path) {
  const auto decoded = decode_path(path);
  if (!decoded || !decoded->starts_with('/'))
    return std::nullopt;
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '\\';
  };
  if (std::ranges::any_of(*decoded, forbidden))
    return std::nullopt;
  auto name = decoded->substr(1);
  if (name.ends_with('/'))
    name.pop_back();
  if (name.empty())
    return decoded->size() == 1 ? std::optional{std::string{}} : std::nullopt;
  for (auto rest = std::string_view{name};;) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    if (segment.empty() || segment.starts_with('.'))
      return std::nullopt;
    if (slash == std::string_view::npos)
      return name;
    rest.remove_prefix(slash + 1);
  }
}

static_files::static_files(std::filesystem::path root) : root_(std::move(root)) {}

std::optional<http_response> static_files::serve(const http_request& what) {
  auto name = page_file(what.path);
  if (!name)
    return std::nullopt;
  const auto is_root = name->empty();
  const auto* file = is_root ? nullptr : find(*name);
  if (file == nullptr && extension(*name).empty() && (is_root || is_visit(what))) {
    name = page;
    file = find(*name);
  }
  if (file == nullptr)
    return is_root ? std::optional{how_to_build()} : std::nullopt;

  auto answer = http_response{};
  answer.headers.emplace_back("ETag", file->etag);
  answer.headers.emplace_back("Cache-Control",
                              has_hash(*name) ? "public, max-age=31536000, immutable"
                                              : "no-cache");
  add_security_headers(answer, what.header("host"));
  if (matches(what.header("if-none-match"), file->etag)) {
    answer.status = 304;
    return answer;
  }
  answer.headers.emplace_back("Content-Type", media_type(*name));
  answer.body = file->body;
  return answer;
}

/// The file as it is on disk now; nullptr when there is none that may be served.
const static_files::kept_file* static_files::find(const std::string& name) {
  if (root_.empty())
    return nullptr;
  const auto file = root_ / name;
  auto failed = std::error_code{};
  const auto bytes = std::filesystem::file_size(file, failed);
  const auto written =
      failed ? std::filesystem::file_time_type{} : last_write_time(file, failed);
  if (failed || !is_regular_file(file, failed)) {
    drop(name);
    return nullptr;
  }
  const auto known = kept_.find(name);
  if (known != kept_.end() && known->second.written == written &&
      known->second.bytes == bytes)
    return &known->second;
  drop(name);
  if (bytes > max_file_bytes) {
    ops::warn("page.refused", {{"file", name}, {"bytes", bytes}});
    return nullptr;
  }
  auto body = read_whole(file);
  if (!body || body->size() != bytes) // it is being written right now
    return nullptr;
  auto etag = etag_of(*body);
  return keep(name, {std::move(*body), std::move(etag), written, bytes});
}

const static_files::kept_file* static_files::keep(const std::string& name,
                                                  kept_file file) {
  if (kept_bytes_ + file.bytes > max_kept_bytes) {
    kept_.clear();
    kept_bytes_ = 0;
  }
  kept_bytes_ += file.bytes;
  return &kept_.insert_or_assign(name, std::move(file)).first->second;
}

void static_files::drop(const std::string& name) {
  const auto known = kept_.find(name);
  if (known == kept_.end())
    return;
  kept_bytes_ -= known->second.bytes;
  kept_.erase(known);
}

} // namespace jessica::net
