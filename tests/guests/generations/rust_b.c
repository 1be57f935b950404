// Rust B: detect_tee came, and both of its fields are required.
#include "rust.h"

int main(void) {
  char *tee = read_answer(detect_tee());
  char *tee_type = optional_string(tee, "tee_type");
  if (!tee_type) fail("missing field `tee_type`");
  printf("tee=%s supports=%lld\n", tee_type, required(tee, "supports_attestation", BOOLEAN));
  struct attestation vm = read_attestation(attest_vm());
  report("vm", vm);
  if (vm.tee_type) printf("vm.tee_type=%s\n", vm.tee_type);
  report("gpu", read_attestation(attest_gpu(0)));
  clear_cache();
  return vm.success ? 0 : 1;
}
