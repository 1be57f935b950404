// C++ main.cpp: no parser at all, only searches in the head of the answer, and
// addresses that must be positive as signed numbers.
#include "abi.h"

// Finds `needle` in the first `within` bytes of an answer; returns what follows it.
static const char *find(const char *text, uint32_t length, uint32_t within, const char *needle) {
  size_t size = strlen(needle);
  if (length < within) within = length;
  for (size_t i = 0; i + size <= within; i++)
    if (memcmp(text + i, needle, size) == 0) return text + i + size;
  return NULL;
}

static bool read_answer(int32_t address, const char **text, uint32_t *length) {
  if (address <= 0) return false;
  *text = answer_text(address);
  *length = answer_length(address);
  return *length > 0 && *length <= CAP;
}

static void detect(void) {
  const char *text;
  uint32_t length;
  if (!read_answer(detect_tee(), &text, &length)) {
    puts("tee=unreadable");
    return;
  }
  const char *type = find(text, length, 500, "\"tee_type\":\"");
  int size = 0;
  while (type && type + size < text + length && type[size] != '"') size++;
  printf("tee=%.*s supports=%d\n", size <= 100 ? size : 0, type ? type : "",
         find(text, length, 500, "\"supports_attestation\":true") != NULL);
}

// The next quoted word after a key, whatever comes between: null is skipped over.
static size_t word_after(const char *text, uint32_t length, const char *key, const char **word) {
  const char *at = find(text, length, length, key), *end = text + length;
  while (at && at < end && *at != '"') at++;
  if (!at || at >= end) return 0;
  *word = ++at;
  while (at < end && *at != '"') at++;
  return (size_t)(at - *word);
}

static bool report(const char *what, int32_t address) {
  const char *text, *word = "";
  uint32_t length;
  if (!read_answer(address, &text, &length)) {
    printf("%s=unreadable\n", what);
    return false;
  }
  if (find(text, length, 200, "\"success\":true")) {
    printf("%s.token_length=%zu\n", what, word_after(text, length, "\"token\":", &word));
    return true;
  }
  if (!find(text, length, 200, "\"success\":false")) printf("%s.success=missing\n", what);
  int size = (int)word_after(text, length, "\"error\":", &word);
  printf("%s.error=%.*s\n", what, size, word);
  return false;
}

int main(void) {
  detect();
  bool vm = report("vm", attest_vm());
  report("gpu", attest_gpu(0));
  return vm ? 0 : 1;
}
