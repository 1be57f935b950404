// A strict reader of one JSON object, for the generations that had a real parser
// (serde_json, nlohmann::json): all of the text must be valid JSON, strings are
// unescaped, unknown members are passed over.
#pragma once
#include "abi.h"

enum kind { ABSENT, JSON_NULL, BOOLEAN, INTEGER, STRING, OTHER };

struct member {
  enum kind kind;
  long long number;  // a boolean's value too
  char *text;
};

struct reader {
  const char *at, *end;
  bool bad;
};

static inline int peek(struct reader *r) { return r->at < r->end ? (unsigned char)*r->at : -1; }

static inline int next(struct reader *r) {
  int c = peek(r);
  if (c < 0) r->bad = true;
  else r->at++;
  return c;
}

static inline void expect(struct reader *r, const char *literal) {
  for (; *literal; literal++)
    if (next(r) != *literal) r->bad = true;
}

static inline char *read_string(struct reader *r) {
  char *text = copy("", (size_t)0), *grown;
  size_t n = 0;
  expect(r, "\"");
  for (int c; !r->bad && (c = next(r)) != '"';) {
    if (c < 0x20) r->bad = true;
    if (c == '\\') {
      const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t", *which;
      c = next(r);
      if (c == 'u') {  // every escaped code point that is sent here is below 0x80
        c = 0;
        for (int i = 0; i < 4; i++) {
          int digit = next(r);
          c = c * 16 + (digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
        }
        if (c >= 0x80) r->bad = true;
      } else if (c > 0 && (which = strchr(from, c))) {
        c = to[which - from];
      } else {
        r->bad = true;
      }
    }
    if (!(grown = realloc(text, n + 2))) abort();
    text = grown;
    text[n++] = (char)c;
    text[n] = 0;
  }
  return text;
}

static inline struct member read_value(struct reader *r) {
  struct member m = {OTHER, 0, NULL};
  int c = peek(r);
  if (c == '"') {
    m.kind = STRING, m.text = read_string(r);
  } else if (c == 't' || c == 'f') {
    m.kind = BOOLEAN, m.number = c == 't', expect(r, c == 't' ? "true" : "false");
  } else if (c == 'n') {
    m.kind = JSON_NULL, expect(r, "null");
  } else if (c == '-' || (c >= '0' && c <= '9')) {
    char *after;
    m.kind = INTEGER, m.number = strtoll(r->at, &after, 10), r->at = after;
  } else {
    r->bad = true;
  }
  return m;
}

// Returns false where the text is not a JSON object of scalars.
static inline bool read_member(const char *json, const char *key, struct member *found) {
  struct reader r = {json, json + strlen(json), false};
  *found = (struct member){ABSENT, 0, NULL};
  expect(&r, "{");
  do {
    char *name = read_string(&r);
    expect(&r, ":");
    struct member value = read_value(&r);
    if (strcmp(name, key) == 0) *found = value;
    free(name);
  } while (!r.bad && peek(&r) == ',' && next(&r));
  expect(&r, "}");
  return !r.bad && r.at == r.end;
}
