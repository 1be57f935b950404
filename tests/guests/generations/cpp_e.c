// C++ E: like C, but null reads as the text "null", an empty tee_type as "Unknown",
// and answers longer than CAP are refused.
#include "cut_json.h"

static char *read_answer(int32_t address) {
  uint32_t length = address ? answer_length(address) : 0;
  if (length == 0 || length > CAP) return copy("{}", 2);
  return copy(answer_text(address), length);
}

static char *text(const char *json, const char *key) {
  const char *value = after_key(json, key);
  if (value && *value != '"') return copy(value, strcspn(value, ",}"));
  return cut_string(json, key);
}

static bool report(const char *what, const char *json) {
  bool success = is_true(json, "success");
  const char *tee_type = text(json, "tee_type");
  printf("%s.tee_type=%s\n", what, *tee_type ? tee_type : "Unknown");
  printf("%s.token=%s\n%s.evidence=%s\n%s.error=%s\n", what, text(json, "token"), what,
         text(json, "evidence"), what, text(json, "error"));
  return success;
}

int main(void) {
  char *tee = read_answer(detect_tee());
  const char *tee_type = text(tee, "tee_type");
  printf("tee=%s supports=%d\n", *tee_type ? tee_type : "Unknown",
         is_true(tee, "supports_attestation"));
  bool vm = report("vm", read_answer(attest_vm()));
  report("gpu", read_answer(attest_gpu(0)));
  return vm ? 0 : 1;
}
