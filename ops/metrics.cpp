#include "ops/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <memory>

namespace jessica::ops {
namespace {

/// Made at first use and never freed: cells are used until the last thread ends.
/// Registering a name again merges: it gives the same cell.
prometheus::Registry& registry() {
  static auto* const made = std::make_unique<prometheus::Registry>(
                                prometheus::Registry::InsertBehavior::Merge)
                                .release();
  return *made;
}

} // namespace

counter::counter(std::string_view name, std::string_view help)
    : counter(name, help, {}) {}

counter::counter(std::string_view name, std::string_view help, const labels& of)
    : cell_(&prometheus::BuildCounter()
                 .Name(std::string{name})
                 .Help(std::string{help})
                 .Register(registry())
                 .Add(of)) {}

void counter::add(double amount) noexcept {
  static_cast<prometheus::Counter*>(cell_)->Increment(amount);
}

gauge::gauge(std::string_view name, std::string_view help) : gauge(name, help, {}) {}

gauge::gauge(std::string_view name, std::string_view help, const labels& of)
    : cell_(&prometheus::BuildGauge()
                 .Name(std::string{name})
                 .Help(std::string{help})
                 .Register(registry())
                 .Add(of)) {}

void gauge::set(double value) noexcept {
  static_cast<prometheus::Gauge*>(cell_)->Set(value);
}

void gauge::add(double amount) noexcept {
  static_cast<prometheus::Gauge*>(cell_)->Increment(amount);
}

histogram::histogram(std::string_view name, std::string_view help,
                     const std::vector<double>& bounds)
    : histogram(name, help, bounds, {}) {}

histogram::histogram(std::string_view name, std::string_view help,
                     const std::vector<double>& bounds, const labels& of)
    : cell_(&prometheus::BuildHistogram()
                 .Name(std::string{name})
                 .Help(std::string{help})
                 .Register(registry())
                 .Add(of, bounds)) {}

void histogram::observe(double value) noexcept {
  static_cast<prometheus::Histogram*>(cell_)->Observe(value);
}

std::string metrics_page() {
  return prometheus::TextSerializer{}.Serialize(registry().Collect());
}

} // namespace jessica::ops
