// Embeddings for tests: a model of two numbers, users with messages, vectors by angle.
#pragma once

#include "domain/memory_search.hpp"
#include "tests/postgres/seed.hpp"

#include <cmath>
#include <cstdint>
#include <format>
#include <string>
#include <vector>

namespace jessica::test {

constexpr auto test_model_id = 77;

/// While it lives searches go by a model of two numbers; its embeddings go with it.
class two_number_model {
public:
  two_number_model() {
    remove();
    admin("update public.embedding_models set active = false where active");
    admin(std::format("insert into public.embedding_models (id, name, dim, active) "
                      "values ({}, 'two', 2, true)",
                      test_model_id));
  }
  ~two_number_model() { remove(); }
  two_number_model(const two_number_model&) = delete;
  two_number_model& operator=(const two_number_model&) = delete;

private:
  static void remove() {
    admin(std::format("delete from public.embeddings where model_id = {}",
                      test_model_id));
    admin(std::format("delete from public.embedding_models where id = {}",
                      test_model_id));
  }
};

inline std::vector<float> at_angle(double degrees) {
  const auto radians = degrees * 3.14159265358979 / 180;
  return {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))};
}

struct embedded_message {
  message_id message;
  embedding_id piece;
};

inline message_id add_message(user_id owner, conversation_id room, std::string content,
                              std::string role = "user") {
  const auto id = message_id::make();
  admin("insert into public.messages (id, conversation_id, user_id, role, content) "
        "values ($1, $2, $3, $4, $5)",
        {id.str(), room.str(), owner.str(), std::move(role), std::move(content)});
  return id;
}

inline embedding_id embed(user_id owner, message_id message, double degrees,
                          int chunk = 0, int begin = 0, int end = 0) {
  const auto vector = at_angle(degrees);
  return {number_of(
      "insert into public.embeddings (message_id, user_id, model_id, chunk, "
      "chunk_begin, "
      "chunk_end, embedding) values ($1, $2, $3, $4, $5, $6, $7) returning id",
      {message.str(), owner.str(), std::to_string(test_model_id), std::to_string(chunk),
       std::to_string(begin), std::to_string(end),
       std::format("[{},{}]", vector[0], vector[1])})};
}

inline embedded_message add_memory(user_id owner, conversation_id room,
                                   std::string content, double degrees,
                                   std::string role = "user") {
  const auto message = add_message(owner, room, std::move(content), std::move(role));
  return {message, embed(owner, message, degrees)};
}

} // namespace jessica::test
