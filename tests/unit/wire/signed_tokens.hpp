// Keys and tokens made by another implementation (Node's crypto), for tests only.
#pragma once

#include <string_view>

namespace jessica::test {

inline constexpr auto ec_private =
    std::string_view{R"({"kty":"EC","x":"qKGLWnSeubKPTsrOrkPrGUcUswHWFxJWW8b6zCDHrcU)"
                     R"(","y":"j9yTdBinU_rmnkKY8laEMjPm9wMJ5Ha5IhiYJmmkmHM","crv":"P)"
                     R"(-256","d":"N8V7tfVFxt6DvLYLbZ7mthNvnQQeLIBxfyOIwIT2X4U","kid)"
                     R"(":"ec-1","alg":"ES256","use":"sig"})"};

inline constexpr auto ec_public =
    std::string_view{R"({"kty":"EC","x":"qKGLWnSeubKPTsrOrkPrGUcUswHWFxJWW8b6zCDHrcU)"
                     R"(","y":"j9yTdBinU_rmnkKY8laEMjPm9wMJ5Ha5IhiYJmmkmHM","crv":"P)"
                     R"(-256","kid":"ec-1","alg":"ES256","use":"sig"})"};

inline constexpr auto rsa_private =
    std::string_view{R"({"kty":"RSA","n":"rWAoHO0vUlSPnzLx04st-KGFWKGKCiE-iW53FulOmu)"
                     R"(snWIqEH2IKzZhUY6fND46-Nn-Q0VKZ-3ZCl8h5V2crePRldWOZxGsJIl1Vng)"
                     R"(6oSrZSdgHqiDD0xZT03zOAo53-RQ5UjKhMFRy_jMzKSXYtjqmM_quzBYxQCC)"
                     R"(mzdO4hVd6SvpHzxcv6-iz0UgnuuT1_ADuN3WIfvAYSm_AkpWHXlr_ks90PhX)"
                     R"(FK8mKtbXIql5q5NLHw63RgbhlaQQI60Oxg8sCpwkupwjrBHBc2oiVNN3fy3m)"
                     R"(ojd3PilnZXhBxWmez20hn31HwyjcTwk7OQP4Sh0n7CGnQyYSrbgt6ghPiCSQ)"
                     R"(","e":"AQAB","d":"EF1Pf_Z3xV2_ritC9eCQ0uNdCKH7u2vKoTJ06WvVXG)"
                     R"(xGexYc9TDd--ytR3hA0995bv-wsb9KEzkE_Vph8Kjnaqvn0TIY4xgmxTB52r)"
                     R"(i_tAicRTD2XAtB6U3fZJtyAI-Svt4kxx-CCeqcHmw8ij1OPMVebnHSrJsDOV)"
                     R"(gFTSvGZ_o5hTxeSHdqmoSzlcZF863Amvh3Pcj-iQHIYL3mv3J8FLFWPv6bB1)"
                     R"(An75f2lhZLNmIaSbbKVgdl1ve_VRI67tFIt04hrGaTtXcetrnABCknWaLmov)"
                     R"(c4fTKA4w_bMrmlRZWSrV_5X52rRGqLPWvgVE8_kUvcgf8lJRPURdRsuCRYIQ)"
                     R"(","p":"7LwSqUSteJtjWYy50wSHo1d-r69bWQfQl0tvMftnKK6fsf46Ohndm)"
                     R"(Wn6RA1ZoXtJ07Yawq3RMMfmzHrRZxAwRU2G8duvoGLdpYxYH7wU-PFxa3cmD)"
                     R"(AQEw80ApwTTXddvoft6dLMBIYfAjmVoBoY8anciyeCgbwSA3up-oGEuq2E",)"
                     R"("q":"u3wdnLtpVw8NeJaLONEY0Uxv0llTYaCNt-vUSrCshaY4EbZXL9QIzTb)"
                     R"(H6NUsNO1PjK9_rWG7DL8yAjEAdsJ6v_2GnKHYA45k4BklE7SWLUme6UiTKff)"
                     R"(_5pwc4gFeVi5ewg9HDCrBGWkkHSca2AK0nN8YNd_HP7AIzMN4Ca0a5-k","d)"
                     R"(p":"lZQr8lnbhcYg2xco3qUREusYt-cDv9hJOx9Frf4caz8S1kM9BTMMqn-k)"
                     R"(ytTomjitKCD6_aEX-UuFkBPWNdmrtk5LAox9hsiRJaXslHihg74CnRVWq-bq)"
                     R"(H9FrJRzOdI_IEEA2WoA0Kbx9tTtrpBuzFs4Z5BaTKDJfPvpJcgqVk2E","dq)"
                     R"(":"uasSkFKw4XyQtKkxutSoJS3zV3cKshYUAt5TYJxSXhDcWf4fncf353Kmy)"
                     R"(xfBLbEOJJ7wbD3qxZba6XypnvK-KT_jfV5x1CPCFoQQSdF_H95Wt2QeCWQGU)"
                     R"(tSrbc45JFPLl5cVnyEAFjAfiZdeaClVwDzXdxLj-VhVfqLdT4fUq3E","qi")"
                     R"(:"xUaTZiiOxrxZF8XxIFFscT_YwDN7QprqwbbJ4IAl4f8ReYa78lKYWwzcVf)"
                     R"(CoLC2-1RPi3ZaD3lED1eZfNR23GmhDjRv411UxP19G3Yg223DWQrtKSQAQ7t)"
                     R"(TOKhHd3gWNMK2Difmz5QNA9mhoY9qdUeTOHfsfmEZaXrfBZsviSFE","kid")"
                     R"(:"rsa-1","alg":"RS256","use":"sig"})"};

inline constexpr auto rsa_public =
    std::string_view{R"({"kty":"RSA","n":"rWAoHO0vUlSPnzLx04st-KGFWKGKCiE-iW53FulOmu)"
                     R"(snWIqEH2IKzZhUY6fND46-Nn-Q0VKZ-3ZCl8h5V2crePRldWOZxGsJIl1Vng)"
                     R"(6oSrZSdgHqiDD0xZT03zOAo53-RQ5UjKhMFRy_jMzKSXYtjqmM_quzBYxQCC)"
                     R"(mzdO4hVd6SvpHzxcv6-iz0UgnuuT1_ADuN3WIfvAYSm_AkpWHXlr_ks90PhX)"
                     R"(FK8mKtbXIql5q5NLHw63RgbhlaQQI60Oxg8sCpwkupwjrBHBc2oiVNN3fy3m)"
                     R"(ojd3PilnZXhBxWmez20hn31HwyjcTwk7OQP4Sh0n7CGnQyYSrbgt6ghPiCSQ)"
                     R"(","e":"AQAB","kid":"rsa-1","alg":"RS256","use":"sig"})"};

inline constexpr auto rsa_public_pem = std::string_view{
    R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArWAoHO0vUlSPnzLx04st
+KGFWKGKCiE+iW53FulOmusnWIqEH2IKzZhUY6fND46+Nn+Q0VKZ+3ZCl8h5V2cr
ePRldWOZxGsJIl1Vng6oSrZSdgHqiDD0xZT03zOAo53+RQ5UjKhMFRy/jMzKSXYt
jqmM/quzBYxQCCmzdO4hVd6SvpHzxcv6+iz0UgnuuT1/ADuN3WIfvAYSm/AkpWHX
lr/ks90PhXFK8mKtbXIql5q5NLHw63RgbhlaQQI60Oxg8sCpwkupwjrBHBc2oiVN
N3fy3mojd3PilnZXhBxWmez20hn31HwyjcTwk7OQP4Sh0n7CGnQyYSrbgt6ghPiC
SQIDAQAB
-----END PUBLIC KEY-----
)"};

inline constexpr auto rsa_1024_public =
    std::string_view{R"({"kty":"RSA","n":"r9ddBZr6ErL79v7h8y3f4baO4EUFeyE7qZsJWGuj_L)"
                     R"(mCSI_ABYPvlr9N0Dtj5LvKnRI939XM8kl8SL3LZBtRR0MdWE8u9YUkJ3f-oo)"
                     R"(pqKTB0-iY0-sEdOElNvGfwges6kqyNUQJEL9Q3D3qcAfOtHwg2c8vqu0xjJz)"
                     R"(ctAk8_O-M","e":"AQAB","kid":"weak","alg":"RS256"})"};

inline constexpr auto p384_public =
    std::string_view{R"({"kty":"EC","x":"GUehxkSGPNfO4O2RLggke6_VfOYKoPLR9XlV5Fdwxp7)"
                     R"(EHSoQMQkLkBc6YgoOTGM_","y":"iDjqY4_6yO9zTijRglZz9guoz-prHHp2)"
                     R"(OXEhtD12nTD3qTzLc77GXJOO724DTP0e","crv":"P-384","kid":"p384")"
                     R"(})"};

/// Of a user, issuer https://issuer.test/auth/v1, until 1900000000.
inline constexpr auto es256_token = std::string_view{
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTEifQ.eyJpc3MiOiJ"
    "odHRwczovL2lzc3Vlci50ZXN0L2F1dGgvdjEiLCJzdWIiOiIwMTg5MGE1ZC1hYzk2L"
    "Tc3NGItYmNjZS1iMzAyMDk5YTgwNTciLCJhdWQiOiJhdXRoZW50aWNhdGVkIiwicm9"
    "sZSI6ImF1dGhlbnRpY2F0ZWQiLCJleHAiOjE5MDAwMDAwMDAsImlhdCI6MTcwMDAwM"
    "DAwMCwiZW1haWwiOiJhQGIuYyIsInNlc3Npb25faWQiOiIwMTg5MGE1ZC1hYzk2LTc"
    "3NGItYmNjZS1iMzAyMDk5YTgwNTgifQ.nJa5zzOZ_uIMk5forKm4q7MFFUOTlucvIT"
    "3CVEjKv_LZSDBBMI4wnwAjQrmyJGtMRAVm85VG-MzVkGjD4Yu3PA"};

/// The same, but r and s in DER.
inline constexpr auto es256_der_token = std::string_view{
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImVjLTEifQ.eyJpc3MiOiJ"
    "odHRwczovL2lzc3Vlci50ZXN0L2F1dGgvdjEiLCJzdWIiOiIwMTg5MGE1ZC1hYzk2L"
    "Tc3NGItYmNjZS1iMzAyMDk5YTgwNTciLCJhdWQiOiJhdXRoZW50aWNhdGVkIiwicm9"
    "sZSI6ImF1dGhlbnRpY2F0ZWQiLCJleHAiOjE5MDAwMDAwMDAsImlhdCI6MTcwMDAwM"
    "DAwMCwiZW1haWwiOiJhQGIuYyIsInNlc3Npb25faWQiOiIwMTg5MGE1ZC1hYzk2LTc"
    "3NGItYmNjZS1iMzAyMDk5YTgwNTgifQ.MEYCIQC0YoBD4m74XkqU3KhiTj3rFBtvwP"
    "9GWCbd7Y02fGAZjgIhANYa9I1Dkxu2ABBsqpEVBUNn-1g2SQfyUs-awNSGFvDT"};

inline constexpr auto rs256_token = std::string_view{
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYS0xIn0.eyJpc3MiOi"
    "JodHRwczovL2lzc3Vlci50ZXN0L2F1dGgvdjEiLCJzdWIiOiIwMTg5MGE1ZC1hYzk2"
    "LTc3NGItYmNjZS1iMzAyMDk5YTgwNTciLCJhdWQiOiJhdXRoZW50aWNhdGVkIiwicm"
    "9sZSI6ImF1dGhlbnRpY2F0ZWQiLCJleHAiOjE5MDAwMDAwMDAsImlhdCI6MTcwMDAw"
    "MDAwMCwiZW1haWwiOiJhQGIuYyIsInNlc3Npb25faWQiOiIwMTg5MGE1ZC1hYzk2LT"
    "c3NGItYmNjZS1iMzAyMDk5YTgwNTgifQ.CqsjlGijzu8lswqOyDLqt2dPOHuosvHpg"
    "34LMMKuBtn3Yq0fa0TWTWiMqMtnSiLk7RcKcOmzBcStd0myEbSfLsFJDkO5AhjuwY-"
    "CpbrVErlFQQclSJj_d6BfldTkFX0kZPvt9Z3NL3TFNBAuG9n1fSfzGqj17ZVNpP9LL"
    "fbvVbdexEb38hm8pVj-rSWmbq2J0WNLEcMcGoBpGqQSlt_TWMPYdrmnHPfGz5AOVOt"
    "-R8edPgQBD5w5fLPBpkBzOHi66Vne9KYpug2WidCoEVXJRE4KICoXrpG_K-fYfwjBC"
    "AS0SUqMfM0_3ZOB02t3hidXH-sdbATjYl6KMNnfTi1RiQ"};

} // namespace jessica::test
