// As guests in the field were written, before there was a WIT.
#include <attestation.hpp>

#include <cstdio>

int main() {
  auto tee = attestation::detect_tee_type();
  std::printf("%s %d\n", tee.tee_type.c_str(), tee.supports_attestation);
  auto vm = attestation::attest_vm();
  if (!vm.success) {
    std::printf("failed: %s\n", vm.error.c_str());
    return 1;
  }
  std::printf("%s: %s\n", vm.tee_type.c_str(), vm.token.c_str());
  auto gpu = attestation::attest_gpu(0);
  std::printf("%d %s\n", gpu.success, gpu.error.c_str());
}
