// Splits an event stream (text/event-stream) into the data of its events. Pure: bytes
// come in pieces of any size, cut anywhere.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace jessica::engines {

/// After the WHATWG HTML standard, section 9.2.6: a BOM at the start, lines that end
/// with CR, LF or both, comments, data on several lines. Names and ids of events are
/// passed over.
class sse_splitter {
public:
  using data_sink = std::function<void(std::string_view)>;

  /// Lines and events may have this many bytes.
  explicit sse_splitter(std::size_t max_event_bytes) : limit_(max_event_bytes) {}

  /// Hands out the data of each event that is complete now. False: an event is too
  /// long; then nothing more is taken.
  [[nodiscard]] bool feed(std::string_view bytes, const data_sink& to);

  /// The stream is over: an event whose empty line never came is handed out, too,
  /// unless its last line is cut.
  void end(const data_sink& to);

private:
  void skip_mark(std::string_view& bytes);
  [[nodiscard]] bool take_line(std::string_view line, const data_sink& to);
  [[nodiscard]] bool give_up();

  std::size_t limit_;
  std::string line_;      ///< its start, when the rest is still to come
  std::string data_;      ///< of the event so far, a newline after each line
  std::string mark_;      ///< the first bytes, until we know whether they are a BOM
  bool began_ = false;    ///< past the BOM
  bool after_cr_ = false; ///< a LF that comes next belongs to the line before
  bool too_long_ = false;
};

} // namespace jessica::engines
