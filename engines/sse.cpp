#include "engines/sse.hpp"

#include <algorithm>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto mark = std::string_view{"\xef\xbb\xbf"};

} // namespace

bool sse_splitter::give_up() {
  too_long_ = true;
  line_.clear();
  data_.clear();
  return false;
}

void sse_splitter::skip_mark(std::string_view& bytes) {
  while (!began_ && !bytes.empty()) {
    mark_ += bytes.front();
    bytes.remove_prefix(1);
    if (mark == mark_)
      mark_.clear();
    else if (mark.starts_with(mark_))
      continue;
    began_ = true;
  }
}

bool sse_splitter::feed(std::string_view bytes, const data_sink& to) {
  if (too_long_)
    return false;
  if (!began_) {
    skip_mark(bytes);
    if (!began_)
      return true;
    // What looked like the start of a BOM is text.
    if (const auto text = std::exchange(mark_, {}); !text.empty() && !feed(text, to))
      return false;
  }
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    const auto piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > limit_)
      return give_up();
    if (end == bytes.size()) {
      line_ += piece;
      return true;
    }
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    const auto whole = line_.empty() ? piece : std::string_view{line_ += piece};
    if (!take_line(whole, to))
      return give_up();
    line_.clear();
  }
  return true;
}

bool sse_splitter::take_line(std::string_view line, const data_sink& to) {
  if (line.empty()) {
    if (data_.empty())
      return true;
    auto data = std::exchange(data_, {});
    data.pop_back(); // the last line's newline
    to(data);
    return true;
  }
  const auto colon = line.find(':');
  if (line.substr(0, colon) != "data")
    return true;
  auto value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (data_.size() + value.size() > limit_)
    return false;
  data_ += value;
  data_ += '\n';
  return true;
}

void sse_splitter::end(const data_sink& to) {
  if (line_.empty() && !too_long_)
    (void)take_line({}, to);
}

} // namespace jessica::engines
