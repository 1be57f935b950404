// Says where it runs, and does its work only where that is attested.
//
// A guest cannot detect that its own host lies; whoever it sends the token to can.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <wasmtime/attestation.hpp>

#include "console.hpp"

using console::print;
using namespace wasmtime_attestation;

namespace {

struct Point {
  double x, y;
};

// Stands for data that only a confidential machine may see.
constexpr std::array secret_data = {
    Point{0, 1}, Point{1, 3}, Point{2, 5}, Point{3, 7}, Point{4, 9}};

// Fits y = slope x + intercept by gradient descent.
void train(std::span<const Point> data) {
  double slope = 0, intercept = 0;
  for (int epoch = 0; epoch < 2000; epoch++) {
    double slope_gradient = 0, intercept_gradient = 0;
    for (const auto& [x, y] : data) {
      const double error = slope * x + intercept - y;
      slope_gradient += error * x;
      intercept_gradient += error;
    }
    slope -= 0.05 * slope_gradient / static_cast<double>(data.size());
    intercept -= 0.05 * intercept_gradient / static_cast<double>(data.size());
  }
  print(
      "trained: y = " + std::to_string(std::lround(slope)) + " x + " +
      std::to_string(std::lround(intercept)));
}

// Changes the signature.
std::string forge(const std::string& token) {
  std::string forged = token;
  std::reverse(forged.begin() + static_cast<std::ptrdiff_t>(forged.rfind('.')) + 1, forged.end());
  return forged;
}

// Plays both sides: attests for a challenge and verifies the answer as a relying party would.
wit::result<verifier::verdict, error> answer_challenge() {
  const std::string_view text = "chosen by the relying party", key = "a public key";
  const std::vector<std::uint8_t> nonce(text.begin(), text.end());
  const auto answer = attester::attest(
      {attester::target::vm{}}, {.nonce = nonce,
                                 .user_data = std::vector<std::uint8_t>(key.begin(), key.end()),
                                 .audience = "reporter"});
  if (!answer) return wit::unexpected(answer.error());
  return verifier::verify(
      answer->token,
      {.nonce = nonce, .audience = "reporter", .max_age_seconds = 60, .policy = "hardware-only"});
}

bool refuse(const std::string& reason) {
  print("not attested: " + reason);
  return false;
}

bool attest() {
  const tee_info tee = detect_tee();
  print("detected: " + std::string(display_name(tee.tee_type)));

  const auto result = attest_vm();
  if (!result) return refuse(message(result.error()));
  print("token: " + std::to_string(result->token.size()) + " characters");
  if (!verify_token(result->token)) return refuse("the host does not accept its own token");
  print(std::string("forged: ") + (verify_token(forge(result->token)) ? "true" : "false"));

  const auto verdict = answer_challenge();
  if (!verdict) return refuse(message(verdict.error()));
  print("challenge: " + std::string(label(verdict->status)));

  const bool simulated = result->tee_type == tee_type::simulated;
  print(
      "attested: " + std::string(display_name(result->tee_type)) +
      (simulated ? ", which proves nothing" : ""));
  return true;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const bool required = arguments.size() > 1 && arguments[1] == "--require";
  if (attest()) {
    train(secret_data);
    return 0;
  }
  if (required) {
    print("decided: to stop, since attestation is required");
    return 1;
  }
  print("decided: to go on without the secret data");
  return 0;
}
