// Says what GPUs there are and attests those whose indices it is given; `vm` attests the virtual
// machine, `all` everything, and `tee` says what was detected.
#include <cstdint>
#include <string>
#include <vector>
#include <wasmtime/attestation.hpp>

#include "console.hpp"

using console::print;
using namespace wasmtime_attestation;

namespace {

void tell(const std::string& what, const wit::result<attestation_result, error>& result) {
  if (!result) {
    print(what + ": " + std::string(label(result.error())) + ": " + message(result.error()));
    return;
  }
  print(what + ": " + std::string(display_name(result->tee_type)) + " " + result->token);
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  print("count: " + std::to_string(detect_tee().gpu_count));
  if (const auto gpus = attester::gpus()) {
    for (const auto& gpu : *gpus) {
      print(
          "GPU " + std::to_string(gpu.index) + ": " + gpu.uuid + " " + gpu.name +
          (gpu.confidential ? " confidential" : ""));
    }
  } else {
    print("GPUs: " + message(gpus.error()));
  }
  const std::vector<std::uint8_t> nonce(32, 7);
  for (std::size_t i = 1; i < arguments.size(); i++) {
    if (arguments[i] == "all") {
      tell("all", attester::attest({attester::target::all{}}, {.nonce = nonce}));
    } else if (arguments[i] == "vm") {
      tell("vm", attest_vm());
    } else if (arguments[i] == "tee") {
      const auto tee = detect_tee();
      print("tee: " + std::string(display_name(tee.tee_type)) + " by " + tee.provider);
    } else {
      tell("attest-gpu " + arguments[i], attest_gpu(std::stoul(arguments[i])));
    }
  }
  return 0;
}
