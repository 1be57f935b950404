// Rust A: four functions, no detect_tee.
#include "rust.h"

int main(void) {
  struct attestation vm = read_attestation(attest_vm());
  report("vm", vm);
  report("gpu", read_attestation(attest_gpu(0)));
  clear_cache();
  return vm.success ? 0 : 1;
}
