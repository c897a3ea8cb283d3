#include "bench/load/machine.hpp"

#include "bench/load/pinning.hpp"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <format>
#include <fstream>

namespace jessica::bench {
namespace {

constexpr auto gib = double{1 << 30};

[[nodiscard]] std::string processor() {
  auto info = std::ifstream{"/proc/cpuinfo"};
  for (auto line = std::string{}; std::getline(info, line);)
    if (const auto colon = line.find(": ");
        line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return "unknown";
}

[[nodiscard]] std::string kernel() {
  auto names = utsname{};
  if (::uname(&names) != 0)
    return "unknown";
  return std::format("{} {} {}", names.sysname, names.release, names.machine);
}

[[nodiscard]] std::string cores() {
  const auto online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return usable_cores().size() == 1 && online > 1
             ? std::format("{}, load generator on one, servers on another", online)
             : std::format("{}, load generator on the same ones", online);
}

[[nodiscard]] double memory_gib() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE)) / gib;
}

[[nodiscard]] std::string file_system(const std::filesystem::path& at) {
  constexpr auto xfs = std::uint64_t{0x58465342}; // has no name in magic.h
  struct statfs what{};
  if (::statfs(at.c_str(), &what) != 0)
    return "unknown";
  switch (const auto magic = static_cast<std::uint64_t>(what.f_type)) {
  case EXT4_SUPER_MAGIC:
    return "ext4";
  case BTRFS_SUPER_MAGIC:
    return "btrfs";
  case xfs:
    return "xfs";
  case OVERLAYFS_SUPER_MAGIC:
    return "overlayfs";
  case TMPFS_MAGIC:
    return "tmpfs (in memory: nothing is durable)";
  default:
    return std::format("{:#x}", magic);
  }
}

} // namespace

std::vector<std::pair<std::string, std::string>>
machine_facts(const std::filesystem::path& scratch) {
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {{"date", std::format("{:%FT%T}Z", now)},
          {"processor", processor()},
          {"cores", cores()},
          {"memory", std::format("{:.1f} GiB", memory_gib())},
          {"kernel", kernel()},
          {"database on", file_system(scratch)}};
}

void raise_descriptor_limit() {
  auto limit = rlimit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace jessica::bench
