#include "app/complaint.hpp"

#include <cstdio>

namespace jessica::app {
namespace {

int complain(const std::string& why, int code) {
  std::fprintf(stderr, "jessica: %s\n", why.c_str());
  return code;
}

} // namespace

int failed(const std::string& why) {
  return complain(why, 1);
}

int misused(const std::string& why) {
  return complain(why, 2);
}

} // namespace jessica::app
