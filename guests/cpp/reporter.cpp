// Says where it runs, and does its work only where that is attested.
//
// A guest cannot detect that its own host lies; whoever it sends the token to can.
#include <wasmtime_attestation.hpp>

#include <cmath>
#include <cstdio>
#include <span>
#include <string_view>

namespace attestation = wasmtime_attestation;

namespace {

struct Point {
  double x, y;
};

// Stands for data that only a confidential machine may see.
constexpr Point secret_data[] = {{0, 1}, {1, 3}, {2, 5}, {3, 7}, {4, 9}};

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
    slope -= 0.05 * slope_gradient / data.size();
    intercept -= 0.05 * intercept_gradient / data.size();
  }
  std::printf("trained: y = %.0f x + %.0f\n", std::round(slope), std::round(intercept));
}

bool attest() {
  const auto tee = attestation::detect_tee();
  std::printf("detected: %s\n", tee.tee_type.c_str());

  const auto result = attestation::attest_vm();
  if (!result) {
    std::printf("not attested: %s\n", result.error.c_str());
    return false;
  }
  std::printf("token: %zu characters\n", result.token->size());
  if (!attestation::verify_token(*result.token)) {
    std::puts("not attested: the host does not accept its own token");
    return false;
  }
  const bool simulated = result.tee_type == "Simulated";
  std::printf("attested: %s%s\n", result.tee_type.c_str(), simulated ? ", which proves nothing" : "");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const bool required = argc > 1 && std::string_view(argv[1]) == "--require";
  if (attest()) {
    train(secret_data);
    return 0;
  }
  if (required) {
    std::puts("decided: to stop, since attestation is required");
    return 1;
  }
  std::puts("decided: to go on without the secret data");
  return 0;
}
