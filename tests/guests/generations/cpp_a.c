// C++ A: nlohmann::json; `success` and `timestamp` required; attest_all wants a
// token that verifies, for the machine and for the GPU.
#include "strict_json.h"

struct attestation {
  bool success;
  char *token, *error;
};

static struct attestation failed(const char *why) {
  return (struct attestation){false, NULL, copy(why, strlen(why))};
}

static struct attestation parse(int32_t address) {
  struct member success, timestamp, token, error;
  if (address == 0) return failed("Host returned null pointer");
  char *json = copy(answer_text(address), answer_length(address));
  if (!read_member(json, "success", &success) || success.kind != BOOLEAN)
    return failed("JSON parse error: success");
  if (!read_member(json, "timestamp", &timestamp) || timestamp.kind != INTEGER)
    return failed("JSON parse error: timestamp");
  read_member(json, "token", &token);
  read_member(json, "error", &error);
  return (struct attestation){success.number, token.text, error.text};
}

static bool attested(const char *what, struct attestation a) {
  if (!a.success || !a.token) {
    printf("%s.error=%s\n", what, a.error ? a.error : "Unknown error");
    return false;
  }
  int32_t verified = verify_token(a.token, (int32_t)strlen(a.token));
  printf("%s.token=%s\n%s.verified=%d\n", what, a.token, what, verified);
  return verified == 1;
}

static bool attest_all(int32_t gpu) {
  bool vm = attested("vm", parse(attest_vm()));
  return attested("gpu", parse(attest_gpu(gpu))) && vm;
}

int main(void) {
  bool all = attest_all(0);
  printf("all=%d\n", all);
  clear_cache();
  return all ? 0 : 1;
}
