// Counters, gauges and histograms of the whole process, on one text page.
// Names: jessica_<room>_<what>_<unit>.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::ops {

/// Parts of one metric: {{"provider", "ollama"}}. Few values each.
using labels = std::map<std::string, std::string>;

/// Only grows. Any thread, no lock.
class counter {
public:
  counter(std::string_view name, std::string_view help);
  counter(std::string_view name, std::string_view help, const labels& of);
  void add(double amount = 1) noexcept;

private:
  void* cell_; // prometheus::Counter of the process's registry, never freed
};

/// Goes up and down. Any thread, no lock.
class gauge {
public:
  gauge(std::string_view name, std::string_view help);
  gauge(std::string_view name, std::string_view help, const labels& of);
  void set(double value) noexcept;
  void add(double amount) noexcept;

private:
  void* cell_;
};

/// Observations in buckets. Any thread.
class histogram {
public:
  /// `bounds`: upper bounds in the name's unit, ascending.
  histogram(std::string_view name, std::string_view help,
            const std::vector<double>& bounds);
  histogram(std::string_view name, std::string_view help,
            const std::vector<double>& bounds, const labels& of);
  void observe(double value) noexcept;

private:
  void* cell_;
};

/// Everything counted so far in the Prometheus text format.
[[nodiscard]] std::string metrics_page();

} // namespace jessica::ops
