// The built page from a folder on disk, kept in memory: no path outside the folder can
// be named, and a reactor reads a file once, not at each hit.
#pragma once

#include "net/http_message.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::net {

/// Undoes percent escapes, once. nullopt on a broken escape. '+' stays a plus.
[[nodiscard]] std::optional<std::string> decode_path(std::string_view encoded);

/// The file a URL path names, relative to the page's folder ("" for "/"). nullopt for
/// whatever could leave the folder or is not meant to be seen: "..", dot files, NUL and
/// other control bytes, backslashes, empty segments.
[[nodiscard]] std::optional<std::string> page_file(std::string_view path);

/// The folder's files. Lives on one thread. A change on disk is seen at the next hit.
class static_files {
public:
  /// `root` may be empty or missing: then "/" says how to build the page.
  explicit static_files(std::filesystem::path root);

  [[nodiscard]] const std::filesystem::path& root() const noexcept { return root_; }

  /// Answers a GET or HEAD: the file (200 or 304), the page itself for an unknown path
  /// without an extension that a browser visits; nullopt: there is no such file, or it
  /// is over 4 MiB.
  [[nodiscard]] std::optional<http_response> serve(const http_request& what);

private:
  struct kept_file {
    std::string body;
    std::string etag;
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
  };
  const kept_file* find(const std::string& name);
  const kept_file* keep(const std::string& name, kept_file file);
  void drop(const std::string& name);

  std::filesystem::path root_;
  std::map<std::string, kept_file, std::less<>> kept_;
  std::uintmax_t kept_bytes_ = 0;
};

} // namespace jessica::net
