// The Rust guests: serde demands the members that are not Option, with the right types.
#pragma once
#include "strict_json.h"

struct attestation {
  bool success;
  char *token, *evidence, *error, *tee_type;  // NULL for None
};

static inline void fail(const char *why) {
  printf("error=%s\n", why);
  exit(1);
}

static inline char *optional_string(const char *json, const char *key) {
  struct member m;
  if (!read_member(json, key, &m)) fail("invalid JSON");
  if (m.kind != STRING && m.kind != JSON_NULL && m.kind != ABSENT) fail("invalid type");
  return m.text;
}

static inline long long required(const char *json, const char *key, enum kind kind) {
  struct member m;
  if (!read_member(json, key, &m)) fail("invalid JSON");
  if (m.kind == ABSENT) fail("missing field");
  if (m.kind != kind) fail("invalid type");
  return m.number;
}

static inline char *read_answer(int32_t address) {
  if (address == 0) fail("Host returned null pointer");
  return copy(answer_text(address), answer_length(address));
}

static inline struct attestation read_attestation(int32_t address) {
  char *json = read_answer(address);
  required(json, "timestamp", INTEGER);
  return (struct attestation){
      .success = required(json, "success", BOOLEAN),
      .token = optional_string(json, "token"),
      .evidence = optional_string(json, "evidence"),
      .error = optional_string(json, "error"),
      .tee_type = optional_string(json, "tee_type"),
  };
}

static inline void report(const char *what, struct attestation a) {
  if (a.success && a.token)
    printf("%s.token=%s\n%s.verified=%d\n", what, a.token, what,
           verify_token(a.token, (int32_t)strlen(a.token)));
  else
    printf("%s.error=%s\n", what, a.error ? a.error : "Unknown error");
}
