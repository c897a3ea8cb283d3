#include "engines/use_lite_import.hpp"

#include "engines/use_lite_graph.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <unistd.h>

#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace jessica::engines {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

/// Rows that are no text: unknown, start, end and three that nobody uses.
constexpr auto special_rows = std::size_t{6};
constexpr auto match_threshold = 0.45; // between paraphrases and mere likeness of words

struct named_file {
  std::string name;
  std::string content;
};

[[nodiscard]] std::string embedder_file() {
  return json::serialize(json::object{
             {"name", "use-lite"},
             {"dimensions", use_lite_dimensions},
             {"max_tokens", use_lite_max_tokens},
             {"clean", {{"whitespace", true}, {"lower_if_all_caps", true}}},
             {"match_threshold", match_threshold},
         }) +
         '\n';
}

[[nodiscard]] result<void> write(const fs::path& directory, const named_file& one) {
  auto out = std::ofstream{directory / one.name, std::ios::binary | std::ios::trunc};
  out.write(one.content.data(), static_cast<std::streamsize>(one.content.size()));
  out.close();
  if (!out)
    return fail(errc::unavailable,
                (directory / one.name).string() + " cannot be written");
  return {};
}

/// Without a slash at its end: what is beside it is named by adding to its name.
[[nodiscard]] fs::path plain(const fs::path& given) {
  auto failed = std::error_code{};
  const auto whole = fs::absolute(given, failed).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

/// A folder beside the target, gone unless it has become the target.
class unfinished {
public:
  explicit unfinished(const fs::path& target)
      : path_{target.string() + ".new-" + std::to_string(::getpid())} {}
  ~unfinished() {
    auto failed = std::error_code{};
    fs::remove_all(path_, failed);
  }
  unfinished(const unfinished&) = delete;
  unfinished& operator=(const unfinished&) = delete;

  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

private:
  fs::path path_;
};

[[nodiscard]] result<void> put_in_place(const fs::path& made, const fs::path& target) {
  auto failed = std::error_code{};
  const auto old = fs::path{made.string() + "-old"};
  const auto replaces = fs::exists(target, failed);
  if (replaces)
    fs::rename(target, old, failed);
  if (!failed) {
    fs::rename(made, target, failed);
    auto undone = std::error_code{};
    if (failed && replaces)
      fs::rename(old, target, undone);
    if (undone)
      return fail(errc::unavailable,
                  target.string() + " cannot be put in place: " + failed.message() +
                      "; the one before is " + old.string());
  }
  if (failed)
    return fail(errc::unavailable,
                target.string() + " cannot be put in place: " + failed.message());
  fs::remove_all(old, failed);
  return {};
}

[[nodiscard]] result<std::vector<named_file>> files_of(const use_lite_package& package,
                                                       bool int8) {
  auto files = std::vector<named_file>{};
  for (const auto small : {false, true}) {
    if (small && !int8)
      continue;
    auto model = use_lite_onnx(package, small);
    if (!model)
      return std::unexpected{std::move(model.error())};
    files.push_back({small ? "model_quantized.onnx" : "model.onnx", std::move(*model)});
  }
  files.push_back({"tokenizer.json", use_lite_tokenizer(package)});
  files.push_back({"LICENSE", package.license});
  files.push_back({"embedder.json", embedder_file()});
  return files;
}

} // namespace

std::string use_lite_tokenizer(const use_lite_package& package) {
  auto special = json::array{};
  auto rows = json::array{};
  for (const auto& row : package.vocabulary) {
    if (rows.size() < special_rows)
      special.push_back(
          {{"id", rows.size()}, {"content", row.piece}, {"special", true}});
    rows.push_back(json::array{row.piece, row.score.value_or(0)});
  }
  return json::serialize(json::object{
             {"version", "1.0"},
             {"truncation",
              {{"direction", "Right"},
               {"max_length", use_lite_max_tokens},
               {"strategy", "LongestFirst"},
               {"stride", 0}}},
             {"added_tokens", std::move(special)},
             {"normalizer", {{"type", "NFKC"}}},
             {"pre_tokenizer",
              {{"type", "Metaspace"},
               {"replacement", "\u2581"},
               {"prepend_scheme", "always"}}},
             {"post_processor", nullptr},
             {"decoder",
              {{"type", "Metaspace"},
               {"replacement", "\u2581"},
               {"prepend_scheme", "always"}}},
             {"model",
              {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", std::move(rows)}}},
         }) +
         '\n';
}

result<void> import_use_lite(const fs::path& source, const fs::path& given, bool int8) {
  auto failed = std::error_code{};
  const auto target = plain(given);
  if (fs::exists(target, failed) && !fs::exists(target / "embedder.json", failed))
    return fail(errc::conflict, target.string() + " is there and no model directory");
  const auto package = read_use_lite_package(source);
  if (!package)
    return std::unexpected{package.error()};
  const auto files = files_of(*package, int8);
  if (!files)
    return std::unexpected{files.error()};
  const auto room = unfinished{target};
  fs::create_directories(room.path(), failed);
  if (failed)
    return fail(errc::unavailable,
                room.path().string() + " cannot be made: " + failed.message());
  for (const auto& one : *files)
    if (auto written = write(room.path(), one); !written)
      return written;
  return put_in_place(room.path(), target);
}

} // namespace jessica::engines
