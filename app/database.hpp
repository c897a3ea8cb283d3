// The database a command works on: our own cluster, or the server that storage.url
// names.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "storage/cluster.hpp"
#include "storage/endpoint.hpp"

#include <functional>
#include <optional>

namespace jessica::app {

/// Open from the main thread: our own cluster is bound to it.
class database {
public:
  /// Starts or attaches to our own cluster, or takes storage.url; then migrates.
  /// `give_up` is asked while that takes time. Fails as cluster::open and migrate do.
  [[nodiscard]] static result<database> open(const config::storage_settings& how,
                                             const std::function<bool()>& give_up);
  /// The same without migrating, for commands that only look.
  [[nodiscard]] static result<database> attach(const config::storage_settings& how,
                                               const std::function<bool()>& give_up);
  [[nodiscard]] static result<database> attach(const config::storage_settings& how);

  [[nodiscard]] const storage::endpoint& where() const noexcept { return where_; }
  /// Call now and then: starts our own cluster again when it died.
  void watch();
  /// Stops our own cluster when we started it.
  void close();

private:
  std::optional<storage::cluster> own_;
  storage::endpoint where_;
};

[[nodiscard]] storage::cluster_options
cluster_options_of(const config::storage_settings& how);

} // namespace jessica::app
