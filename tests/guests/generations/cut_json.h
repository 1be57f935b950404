// The parser of the later C++ guests: it looks for `"key":` anywhere, does not
// unescape, and ends a string at the first quotation mark.
#pragma once
#include "abi.h"

static inline const char *after_key(const char *json, const char *key) {
  char pattern[64];
  snprintf(pattern, sizeof pattern, "\"%s\":", key);
  const char *found = strstr(json, pattern);
  return found ? found + strlen(pattern) : NULL;
}

static inline char *cut_string(const char *json, const char *key) {
  const char *value = after_key(json, key);
  if (!value || *value != '"') return copy("", 0);
  value++;
  return copy(value, strcspn(value, "\""));
}

static inline bool is_true(const char *json, const char *key) {
  const char *value = after_key(json, key);
  return value && strncmp(value, "true", 4) == 0;
}
