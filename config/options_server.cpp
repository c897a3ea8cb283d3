#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>
#include <string_view>

namespace jessica::config {
namespace {

using namespace rows;
using net = section<&settings::net>;
using realtime = section<&settings::realtime>;
using log = section<&settings::log>;

constexpr auto levels =
    std::array<std::string_view, 4>{"debug", "info", "warn", "error"};

constexpr auto net_rows = std::array{
    net::text<&net_settings::host>("net.host", "Address to bind."),
    net::count<&net_settings::port>("net.port", 0, 65'535,
                                    "Port to bind; 0: any free one, printed at start."),
    net::text<&net_settings::public_url>(
        "net.public_url",
        "The server's URL as clients see it; empty: `http://host:port`."),
    net::text<&net_settings::allowed_origins>(
        "net.allowed_origins",
        "Web pages that may open a WebSocket: origins like `https://chat.example`, "
        "between commas; empty: any. Clients that are no browsers are not asked."),
    net::count<&net_settings::trusted_proxies>(
        "net.trusted_proxies", 0, 16,
        "Proxies in front of the server, each of which adds the address it was asked "
        "from to `X-Forwarded-For`; 0: the header is not read."),
    net::count<&net_settings::threads>(
        "net.threads", 0, 256, "Threads for sockets; 0: half the cores, at least 1."),
    net::count<&net_settings::max_connections>(
        "net.max_connections", 1, max_count,
        "Sockets at once; more are closed when they are accepted."),
    net::bytes<&net_settings::max_header_bytes>("net.max_header_bytes", kib, mib,
                                                "Request line and headers together."),
    net::bytes<&net_settings::max_body_bytes>("net.max_body_bytes", kib, 64 * mib,
                                              "Body of one request."),
    net::time<&net_settings::header_timeout>(
        "net.header_timeout", second, hour,
        "From accept, or the previous answer, to a whole request."),
    net::time<&net_settings::keep_alive>("net.keep_alive", second, hour,
                                         "How long an HTTP connection may idle."),
    net::time<&net_settings::request_timeout>(
        "net.request_timeout", second, hour,
        "How long a request may take before it is answered with 504."),
    net::time<&net_settings::drain_timeout>(
        "net.drain_timeout", 0, hour,
        "On SIGTERM: how long what is under way may take to finish."),
    net::path<&net_settings::web_root>(
        "net.web_root",
        "Folder of the web page; empty: the one next to the binary, if any."),
};

constexpr auto realtime_rows = std::array{
    realtime::bytes<&realtime_settings::max_frame_bytes>(
        "realtime.max_frame_bytes", kib, 64 * mib,
        "One message from a client; a larger one closes the socket with 1009."),
    realtime::bytes<&realtime_settings::outbox_bytes>(
        "realtime.outbox_bytes", 4 * kib, 1024 * mib,
        "Unsent bytes for one client; past that it is closed with 1013."),
    realtime::time<&realtime_settings::idle_timeout>(
        "realtime.idle_timeout", second, hour,
        "A socket without a message for so long is closed; clients beat every 25 s."),
    realtime::time<&realtime_settings::ping_after>(
        "realtime.ping_after", second, hour,
        "A socket from which nothing came for so long is sent a ping."),
    realtime::time<&realtime_settings::pong_within>(
        "realtime.pong_within", second, hour,
        "Closed when nothing came for so long after the ping."),
    realtime::count<&realtime_settings::channels_per_socket>(
        "realtime.channels_per_socket", 1, 10'000, "Topics one socket may join."),
    realtime::count<&realtime_settings::joins_per_second>(
        "realtime.joins_per_second", 1, 100'000,
        "Joins of one socket; one more closes it. A client that comes back joins all "
        "its channels at once."),
    realtime::count<&realtime_settings::events_per_second>(
        "realtime.events_per_second", 1, 100'000, "Events one socket may send."),
    realtime::bytes<&realtime_settings::bytes_per_second>(
        "realtime.bytes_per_second", kib, 1024 * mib, "Bytes of one socket's events."),
    realtime::count<&realtime_settings::user_joins_per_second>(
        "realtime.user_joins_per_second", 1, 1'000'000,
        "Joins of all sockets of a user on this node."),
    realtime::count<&realtime_settings::user_events_per_second>(
        "realtime.user_events_per_second", 1, 1'000'000,
        "Events of all sockets of a user on this node."),
    realtime::bytes<&realtime_settings::user_bytes_per_second>(
        "realtime.user_bytes_per_second", kib, 2048 * mib,
        "Bytes of the events of all sockets of a user on this node."),
    realtime::count<&realtime_settings::max_clients>(
        "realtime.max_clients", 1, max_count,
        "Sockets with a channel; the joins of more are refused."),
    realtime::bytes<&realtime_settings::payload_bytes>(
        "realtime.payload_bytes", kib, 64 * mib,
        "Payload of one broadcast; a larger one is refused."),
    realtime::toggle<&realtime_settings::public_channels>(
        "realtime.public_channels",
        "Whether channels without rights may be used; false: private ones only."),
    realtime::count<&realtime_settings::max_topic_bytes>(
        "realtime.max_topic_bytes", 64, 255, "Length of a topic's name, in bytes."),
    realtime::count<&realtime_settings::presence_per_channel>(
        "realtime.presence_per_channel", 1, 100'000,
        "Presence calls (track, untrack) of one socket on one channel in 30 s."),
    realtime::bytes<&realtime_settings::presence_bytes>(
        "realtime.presence_bytes", 64, mib,
        "What a client may track; the state of a channel is that of all its clients."),
    realtime::count<&realtime_settings::judges>(
        "realtime.judges", 1, 64,
        "Connections that ask row security who may join a private channel."),
    realtime::count<&realtime_settings::judge_queue>(
        "realtime.judge_queue", 1, max_count,
        "Joins that may wait for such a connection; more are refused."),
};

constexpr auto log_rows = std::array{
    one_of(log::text<&log_settings::level>("log.level", "Least level that is logged."),
           levels),
};

} // namespace

std::span<const option> net_options() {
  return net_rows;
}

std::span<const option> realtime_options() {
  return realtime_rows;
}

std::span<const option> log_options() {
  return log_rows;
}

} // namespace jessica::config
