// What every generation shares: the imports, and how an answer lies in memory.
// Nothing else is shared on purpose: each guest reads answers its own way.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("wasmtime_attestation"), import_name(#name)))

IMPORT(detect_tee) int32_t detect_tee(void);
IMPORT(attest_vm) int32_t attest_vm(void);
IMPORT(attest_gpu) int32_t attest_gpu(int32_t gpu_index);
IMPORT(verify_token) int32_t verify_token(const char *token, int32_t length);
IMPORT(clear_cache) void clear_cache(void);

static inline uint32_t answer_length(int32_t address) {
  uint32_t length;
  memcpy(&length, (const void *)(uintptr_t)address, sizeof length);
  return length;
}

static inline const char *answer_text(int32_t address) {
  return (const char *)(uintptr_t)address + sizeof(uint32_t);
}

// A copy with a terminator, as std::string and String made one.
static inline char *copy(const char *text, size_t length) {
  char *made = malloc(length + 1);
  if (!made) abort();
  memcpy(made, text, length);
  made[length] = 0;
  return made;
}
