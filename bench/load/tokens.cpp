#include "bench/load/scenarios.hpp"
#include "wire/credentials.hpp"
#include "wire/jwt.hpp"
#include "wire/key_ring.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto tokens_at_once = 500; // different users
constexpr auto secret = "a secret of the benchmark, long enough";

/// A key of 2048 bits, for this only.
constexpr auto rsa_key =
    std::string_view{R"({"kty":"RSA","n":"3RhnB1uaddR_x30Q4X_IDC-FUUwmbMa31-Xz4vbLQn)"
                     R"(3c_rkSFVZTcRSuQIURrTvq-OXoc78PY1J578empPiGKfoSmBAKAkSc4pfQ_4)"
                     R"(wSOpeQ3dofTQOVXkpqY1rBk9_U9QUB43JKfUv0u8yNta8-jVbe_j8nyNnTTf)"
                     R"(w6mhyBJJ-66zGMUCeK6Ar8UN3lBWM7QQG6P-HkeFEFcXY0v6cEnnst8iQmgH)"
                     R"(iMsej2nJhdgquMNXLq6X1WO5F9pazsjfeSOLss8oQMQ42YNC4gjWk5VYqKxr)"
                     R"(cIvdkcyT6yS6xuVrLZ6dapmD2Fi_heQlVJrN0QNNNbxJrpQ6egMtICChrfVQ)"
                     R"(","e":"AQAB","d":"ZnG8p3Gf99HvJSGDlWDucgsA1IMa2NMY8z43C-a7ls)"
                     R"(MYB6T8Rou53Q8ukHG4F5NIVGy_EQap3CUmn95cDlujWsbnH7Nq19Mv-GRM8G)"
                     R"(PYPHLnKoy7bSVobAjCE-hFAr43gBKCZf-amUT9EJl-3fzl2Hq0l4zu48dee-)"
                     R"(ePxcHIaw2FZhCevfWbUOH-BNYBs2t5bvrAmv314fEl-G6XcXm9zBkqeQyETl)"
                     R"(vddKj8JqvaI0rY0Rh3NdYx00Ey_niB8ShVt08uhunaRGR5tBE05hCfS4yEeJ)"
                     R"(qxrpZolJEP1gbhke_l9oBnZUVOFGi6U9SBEQADo3SUEbU5374VeaVBCeZX_w)"
                     R"(","p":"9jGXE43S-PWtzDKaIZuh45O_WG3iDMCORmJ99Q0HlP2p1K79avxCi)"
                     R"(dhZM4_LJCDafOZbhYw1qdfM1kqSpZpgMnlTlU3fzlM1xgTKreJ-hz-B54g2D)"
                     R"(J-ifNBTmuSVUtASdn21TAitU3mV_w-bhnm4uex6ExKjjWafFaVd3RLvSms",)"
                     R"("q":"5ebjB3I5_KZQxVlw923PCwQPjgs4Q4aeuFFXXpLEZprYXciLcU0MwBk)"
                     R"(iofn48yF-Rd3MP-BVrMHCA1AHhTd2L1BriPCXb0rOmGc3B1sDiW3mi5IbLXe)"
                     R"(E-rMsQ1QIGccy8TnOeIUBvJjvJNnr_LUS7EnFi9T-_NQTlDQPhK2YbT8","d)"
                     R"(p":"DnpQFhhLBdT8yXtYUQ2j8YwovnyHxJQ2SbFVEuoXPg3ExPsdcAMxroWI)"
                     R"(iV21ZoSAFMQ_MZVTOo-0Pg3YneB8M7uqzKbtuGZwTRrPCHa_VhjH_OOnugpR)"
                     R"(NeHSaNN0bJBL5afy12vTNYt65Kr4TGowEM71RtXbxF76j_1PjcalR80","dq)"
                     R"(":"cXY5pXsiUyZhxoQV1IdFH1Kpupie8_SEcML0M6CLfXf-QIqxBwHXwRamm)"
                     R"(PodeyCUiTaljwDQR6p4bdoZXA27Li6qY7MZibuJqn2GEwNAA5tRpKA--Xl7D)"
                     R"(59NwQy_0rkU0yiMVb6O1N1FaRKD_PwAksz1ycUc8vpXj1UCM6DZEVE","qi")"
                     R"(:"z_6okMRhysrR1Yk-Cd_7JBG64F-2YJ4-y1PIhKlxP8_Xdayvn52LowQvgV)"
                     R"(kWAmub3BtRShnG4jG3JOpXQCEnX7lZPe1XDpLO4_sudB6JLL49-xNdNWSSpa)"
                     R"(tgWsSXzQUxokVAc2ediEdAnodzca2OhtrjBPS36chnhJcnT7XKcaE","kid")"
                     R"(:"bench"})"};

struct algorithm {
  std::string name;
  wire::credentials known;
};

[[nodiscard]] std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

[[nodiscard]] result<algorithm> with_key(std::string name, std::string_view key) {
  auto ring = wire::key_ring::read_own(key);
  if (!ring)
    return std::unexpected{std::move(ring.error())};
  auto made = algorithm{std::move(name), {secret, "", ""}};
  made.known.keys = std::make_shared<const wire::key_ring>(std::move(*ring));
  return made;
}

[[nodiscard]] result<std::vector<algorithm>> all_algorithms() {
  const auto curve = wire::make_signing_jwk();
  if (!curve)
    return std::unexpected{curve.error()};
  auto es256 = with_key("ES256", *curve);
  auto rs256 = with_key("RS256", rsa_key);
  if (!es256 || !rs256)
    return fail(errc::internal, "a key of the benchmark is not good");
  return std::vector{algorithm{"HS256", {secret, "", ""}}, std::move(*es256),
                     std::move(*rs256)};
}

[[nodiscard]] session_grant some_user() {
  auto grant = session_grant{};
  grant.user.id = user_id{uuid::make()};
  grant.user.email = "somebody@example.test";
  grant.user.app_metadata = R"({"provider":"email","providers":["email"]})";
  grant.user.user_metadata = R"({"name":"Somebody Else"})";
  grant.session = auth_session_id{uuid::make()};
  grant.method = "password";
  return grant;
}

/// Nanoseconds of one call of `what` for each token, in the mean.
template <class Do>
[[nodiscard]] double cost(const std::vector<std::string>& tokens, int times, Do what) {
  const auto begun = clock::now();
  for (auto i = 0; i < times; ++i)
    for (const auto& token : tokens)
      what(token);
  const auto took = std::chrono::duration<double, std::nano>(clock::now() - begun);
  return took.count() / (times * static_cast<double>(tokens.size()));
}

[[nodiscard]] result<void> measure_one(const algorithm& by, round& into) {
  constexpr auto times_seen = 200;
  const auto at = wall_clock();
  auto tokens = std::vector<std::string>{};
  const auto begun = clock::now();
  for (auto i = 0; i < tokens_at_once; ++i) {
    auto made = wire::make_access_token(some_user(), by.known, "https://bench.test", at,
                                        std::chrono::hours{1});
    if (!made)
      return std::unexpected{std::move(made.error())};
    tokens.push_back(std::move(*made));
  }
  const auto made = std::chrono::duration<double, std::nano>(clock::now() - begun);
  auto refused = 0.0;
  const auto verify = [&](const std::string& token) {
    if (!wire::verified(by.known, token, at))
      ++refused;
  };
  into.push_back({by.name + " made", "ns", made.count() / tokens_at_once});
  into.push_back({by.name + " new", "ns", cost(tokens, 1, verify)});
  into.push_back({by.name + " seen", "ns", cost(tokens, times_seen, verify)});
  into.push_back({by.name + " refused", "tokens", refused, true});
  return {};
}

} // namespace

result<findings> run_tokens(const settings& how) {
  const auto algorithms = all_algorithms();
  if (!algorithms)
    return std::unexpected{algorithms.error()};
  auto found = findings{"tokens", {{"tokens", std::to_string(tokens_at_once)}}, {}};
  for (auto n = std::size_t{0}; n < how.rounds; ++n) {
    auto measures = round{};
    for (const auto& one : *algorithms)
      if (auto done = measure_one(one, measures); !done)
        return std::unexpected{std::move(done.error())};
    found.rounds.push_back(std::move(measures));
  }
  return found;
}

} // namespace jessica::bench
