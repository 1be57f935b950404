// Trains a model only where the virtual machine and every GPU are attested.
//
// Usage: trainer [--allow-simulated]
#include <cstdio>
#include <string>
#include <vector>

#include "console.hpp"
#include "gate.hpp"
#include "training.hpp"

namespace {

std::string rounded(double number, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  const bool allow_simulated = arguments.size() > 1 && arguments[1] == "--allow-simulated";
  if (!gate::is_open(allow_simulated)) {
    console::print("not trained: this machine is not attested");
    return 1;
  }
  const auto points = training::make_points(200);
  const auto model = training::train(points, [](int epoch, double loss) {
    console::print("epoch " + std::to_string(epoch) + ": loss " + rounded(loss, 3));
  });
  const double accuracy = 100 * model.accuracy(points);
  console::print(
      "trained: " + rounded(accuracy, 1) + " % of " + std::to_string(points.size()) + " points");
  return 0;
}
