#include "tests/unit/wire/filter_cases.hpp"

#include <doctest/doctest.h>

#include <array>

TEST_SUITE_BEGIN("wire.change_filter_values");

namespace jessica::wire {
namespace {

using namespace test;

TEST_CASE("integers compare as numbers, exactly") {
  check_all(std::array<matched, 18>{{
      {"int4", "eq.5", "5", yes},
      {"int4", "eq.05", "5", yes},
      {"int4", "eq. +5 ", "5", yes},
      {"int4", "eq.5", "50", no},
      {"int4", "neq.5", "6", yes},
      {"int4", "neq.5", "5", no},
      {"int4", "lt.10", "9", yes},
      {"int4", "lt.10", "10", no},
      {"int4", "lte.10", "10", yes},
      {"int4", "lte.10", "11", no},
      {"int4", "gt.9", "10", yes},
      {"int4", "gt.-9", "-10", no},
      {"int2", "gte.9", "9", yes},
      {"int2", "gte.9", "8", no},
      {"int8", "eq.9007199254740993", "9007199254740992", no},
      {"int8", "gt.9223372036854775806", "9223372036854775807", yes},
      {"oid", "eq.4294967295", "4294967295", yes},
      {"int4", "eq.5", "five", no},
  }});
}

TEST_CASE("numeric compares beyond what a double holds") {
  check_all(std::array<matched, 17>{{
      {"numeric", "eq.1.50", "1.5", yes},
      {"numeric", "eq.0", "0.000", yes},
      {"numeric", "eq.-0", "0", yes},
      {"numeric", "eq.1e3", "1000", yes},
      {"numeric", "eq.15e-1", "1.5", yes},
      {"numeric", "gt.123456789012345678901234567890.1",
       "123456789012345678901234567890.2", yes},
      {"numeric", "eq.123456789012345678901234567890.1",
       "123456789012345678901234567890.2", no},
      {"numeric", "lt.-2", "-10", yes},
      {"numeric", "lt.-1.5", "-1.49", no},
      {"numeric", "gt.0.09", "0.1", yes},
      {"numeric", "gt.0", "-0.1", no},
      {"numeric", "lt..5", "0.49", yes},
      {"numeric", "gt.5", "Infinity", yes},
      {"numeric", "lt.5", "-Infinity", yes},
      {"numeric", "gt.Infinity", "NaN", yes},
      {"numeric", "eq.nan", "NaN", yes},
      {"numeric", "lt.10", "9.99999999999999999999", yes},
  }});
}

TEST_CASE("floats compare as their type rounds them, NaN equal and above all") {
  check_all(std::array<matched, 10>{{
      {"float8", "eq.0.1000000000000000055", "0.1", yes},
      {"float4", "eq.0.1", "0.1", yes},
      {"float8", "eq.1e20", "1e+20", yes},
      {"float8", "eq.0", "-0", yes},
      {"float8", "gt.1", "NaN", yes},
      {"float8", "lt.1", "NaN", no},
      {"float8", "eq.NaN", "NaN", yes},
      {"float8", "gte.Infinity", "Infinity", yes},
      {"float8", "lt.inf", "1e308", yes},
      {"float8", "gt.-Infinity", "-5", yes},
  }});
}

TEST_CASE("timestamps compare as moments") {
  check_all(std::array<matched, 21>{{
      {"timestamptz", "eq.2026-11-22T10:00:00Z", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22T10:00:00.000Z", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 12:30:00+02:30", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 05:00:00-0500", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 10:00", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22T10:00:00 UTC", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22", "2026-11-22 00:00:00+00", yes},
      {"timestamptz", "gt.2026-11-22T10:00:00Z", "2026-11-22 10:00:00.000001+00", yes},
      {"timestamptz", "gt.2026-11-22T10:00:00+01", "2026-11-22 09:30:00+00", yes},
      {"timestamptz", "lt.2026-11-22T10:00:00Z", "9999-11-22 10:00:00+00", no},
      {"timestamptz", "gt.9999-01-01", "10000-01-01 00:00:00+00", yes},
      {"timestamptz", "gt.9999-01-01", "infinity", yes},
      {"timestamptz", "gt.9999-01-01", "-infinity", no},
      {"timestamptz", "eq.infinity", "infinity", yes},
      {"timestamptz", "lt.0001-01-01", "0044-03-15 10:00:00+00 BC", yes},
      {"timestamptz", "eq.1969-12-31T23:59:59.9999995Z", "1970-01-01 00:00:00+00", yes},
      {"timestamp", "eq.2026-11-22T10:00:00+05", "2026-11-22 10:00:00", yes},
      {"timestamp", "lt.2026-11-22T10:00:00.5", "2026-11-22 10:00:00.49", yes},
      {"date", "eq.2026-11-22T10:00:00Z", "2026-11-22", yes},
      {"date", "lt.1969-12-31T10:00", "1969-12-31", no},
      {"date", "gt.2026-11-22", "2026-11-23", yes},
  }});
}

TEST_CASE("booleans, uuids and padded text compare by what they mean") {
  check_all(std::array<matched, 18>{{
      {"bool", "eq.true", "t", yes},
      {"bool", "eq.T", "t", yes},
      {"bool", "eq.on", "t", yes},
      {"bool", "eq.1", "t", yes},
      {"bool", "eq.yes", "t", yes},
      {"bool", "eq.false", "f", yes},
      {"bool", "eq.off", "f", yes},
      {"bool", "eq.0", "f", yes},
      {"bool", "eq.n", "t", no},
      {"bool", "gt.false", "t", yes},
      {"uuid", "eq.6F1C9A52-0000-4000-8000-00000000ABCD",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "eq.{6f1c9a5200004000800000000000abcd}",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "eq.6f1c9a52000040008000-00000000abcd",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "neq.6f1c9a52-0000-4000-8000-00000000abcd",
       "6f1c9a52-0000-4000-8000-00000000abcd", no},
      {"bpchar", "eq.ab", "ab   ", yes},
      {"bpchar", "eq.ab", "abc  ", no},
      {"text", "eq.ab", "ab ", no},
      {"text", "eq.ab", "AB", no},
  }});
}

TEST_CASE("other types compare by bytes") {
  check_all(std::array<matched, 9>{{
      {"text", "eq.hey", "hey", yes},
      {"text", "eq.", "", yes},
      {"text", "eq.a.b=c", "a.b=c", yes},
      {"text", "gt.a", "b", yes},
      {"text", "gt.10", "9", yes},
      {"text", "lt.é", "z", yes},
      {"mood", "eq.happy", "happy", yes},
      {"jsonb", R"(eq.{"a": 1})", R"({"a": 1})", yes},
      {"_int4", R"(eq."{1,2}")", "{1,2}", yes},
  }});
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
