#include "engines/onnx_session.hpp"
#include "engines/schema_noise.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>

using namespace jessica;
using namespace jessica::engines;

namespace {

/// Set in the process that the last case starts.
constexpr auto child_mark = "ENGINES_TEST_CHILD";

/// std::cerr writes here while it lives.
class caught_errors {
public:
  caught_errors() : real_{std::cerr.rdbuf(text_.rdbuf())} {}
  ~caught_errors() { std::cerr.rdbuf(real_); }
  [[nodiscard]] std::string text() const { return text_.str(); }

private:
  std::ostringstream text_;
  std::streambuf* real_;
};

/// What this program writes to standard error when it runs one case alone.
[[nodiscard]] std::string errors_of_child(const std::string& test_case) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto command = std::string{child_mark} + "=1 '" + self + "' -tc='" + test_case +
                       "' 2>&1 >/dev/null";
  struct end_pipe {
    void operator()(FILE* pipe) const { ::pclose(pipe); }
  };
  const auto pipe = std::unique_ptr<FILE, end_pipe>{::popen(command.c_str(), "r")};
  REQUIRE(pipe);
  auto text = std::string{};
  auto piece = std::array<char, 4096>{};
  for (auto size = std::fread(piece.data(), 1, piece.size(), pipe.get()); size > 0;
       size = std::fread(piece.data(), 1, piece.size(), pipe.get()))
    text.append(piece.data(), size);
  return text;
}

} // namespace

TEST_SUITE("engines.schema_noise") {
  TEST_CASE("complaints about schemas are dropped with the empty line behind, all else "
            "passes") {
    const auto caught = caught_errors{};
    {
      const auto quiet = schema_noise_guard{};
      std::cerr << "first\n"
                << "Schema error: Trying to register " << 7 << '\n'
                << '\n'
                << "\nSchema error: again\nlast" << std::flush;
    }
    std::cerr << "\nSchema error: later\n";
    CHECK(caught.text() == "first\n\nlast\nSchema error: later\n");
  }

  TEST_CASE("a first model in a process" *
            doctest::skip(std::getenv("ENGINES_TEST_CHILD") == nullptr)) {
    std::cerr << "mark\n";
    const auto folder = test::model_folder{};
    folder.write("model.onnx", test::file_of(test::one_hot()));
    CHECK(onnx_session::open(folder.path() / "model.onnx", "", 1).has_value());
  }

  TEST_CASE("standard error stays empty while the first model of a process is loaded") {
    CHECK(errors_of_child("a first model in a process") == "mark\n");
  }
}
