// The five calls of wasmtime:attestation for core modules. Header only; the
// host answers with JSON, which it puts where `cabi_realloc` says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasmtime_attestation {

// What the host found. `tee_type` is "None", "Intel TDX", "AMD SEV-SNP", "Simulated", ...
struct TeeInfo {
  std::string tee_type = "None";
  bool supports_attestation = false;
};

// A token, or why there is none.
struct AttestationResult {
  std::optional<std::string> token;
  std::optional<std::string> evidence;  // a summary in JSON, where the host gives one
  std::string error;
  std::string error_code;      // the case of the WIT error, such as "unsupported"
  std::string tee_type;        // empty where there is no token
  std::int64_t timestamp = 0;  // seconds since the Unix epoch

  explicit operator bool() const { return token.has_value(); }
};

namespace detail {

#define WASMTIME_ATTESTATION_IMPORT(name) \
  __attribute__((import_module("wasmtime_attestation"), import_name(#name)))

extern "C" {
WASMTIME_ATTESTATION_IMPORT(detect_tee) const char* wasmtime_attestation_detect_tee();
WASMTIME_ATTESTATION_IMPORT(attest_vm) const char* wasmtime_attestation_attest_vm();
WASMTIME_ATTESTATION_IMPORT(attest_gpu) const char* wasmtime_attestation_attest_gpu(std::uint32_t);
WASMTIME_ATTESTATION_IMPORT(verify_token)
std::int32_t wasmtime_attestation_verify_token(const char*, std::size_t);
WASMTIME_ATTESTATION_IMPORT(clear_cache) void wasmtime_attestation_clear_cache();
}

#undef WASMTIME_ATTESTATION_IMPORT

// Where answers lie: one buffer, since each is copied out before the next call.
inline std::string& answer_buffer() {
  static std::string buffer;
  return buffer;
}

extern "C" inline __attribute__((used, export_name("cabi_realloc"))) void* cabi_realloc(
    void*, std::size_t, std::size_t, std::size_t size) {
  answer_buffer().resize(size);
  return answer_buffer().data();
}

// Copies an answer: [u32 little-endian length][JSON]; empty where the host could give none.
inline std::string take(const char* answer) {
  if (!answer) return {};
  std::uint32_t length;
  std::memcpy(&length, answer, sizeof length);
  return {answer + sizeof length, length};
}

// The members of a JSON object (RFC 8259), written without white space as hosts do.
class Json {
 public:
  explicit Json(std::string text) : text_(std::move(text)) {
    valid_ = take('{');
    if (valid_ && !take('}')) {
      do member();
      while (valid_ && take(','));
      valid_ = valid_ && take('}');
    }
    valid_ = valid_ && at_ == text_.size();
  }

  bool valid() const { return valid_; }

  std::optional<std::string> string(std::string_view key) const {
    const Member* found = find(key);
    return found && found->is_string ? std::optional(found->value) : std::nullopt;
  }
  bool boolean(std::string_view key) const { return bare(key) == "true"; }
  std::int64_t integer(std::string_view key) const {
    return std::strtoll(bare(key).c_str(), nullptr, 10);
  }

 private:
  struct Member {
    std::string key, value;
    bool is_string;
  };

  const Member* find(std::string_view key) const {
    for (const Member& member : members_)
      if (valid_ && member.key == key) return &member;
    return nullptr;
  }
  std::string bare(std::string_view key) const {
    const Member* found = find(key);
    return found && !found->is_string ? found->value : std::string();
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    at_++;
    return true;
  }
  char next() {
    if (at_ < text_.size()) return text_[at_++];
    valid_ = false;
    return '"';
  }

  void member() {
    std::string key = quoted();
    valid_ = valid_ && take(':');
    const bool is_string = at_ < text_.size() && text_[at_] == '"';
    std::string value = is_string ? quoted() : literal();
    members_.push_back({std::move(key), std::move(value), is_string});
  }

  // A number, true, false or null; a newer host's arrays and objects are passed over.
  std::string literal() {
    const std::size_t start = at_;
    for (int depth = 0; at_ < text_.size(); at_++) {
      const char c = text_[at_];
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '{' || c == '[') depth++;
      if (c == '}' || c == ']') depth--;
      if (c == '"') quoted(), at_--;
    }
    valid_ = valid_ && at_ > start;
    return text_.substr(start, at_ - start);
  }

  std::string quoted() {
    std::string out;
    if (!take('"')) valid_ = false;
    for (char c; valid_ && (c = next()) != '"';) {
      if (c == '\\') escape(out);
      else out += c;
    }
    return out;
  }

  void escape(std::string& out) {
    constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    const char c = next();
    if (c == 'u') return append_utf8(out, code_point());
    const std::size_t which = from.find(c);
    if (which == from.npos) valid_ = false;
    else out += to[which];
  }

  std::uint32_t code_unit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(next() | ' ');
      if (digit == std::string_view::npos) valid_ = false;
      unit = unit << 4 | static_cast<std::uint32_t>(digit & 15);
    }
    return unit;
  }

  std::uint32_t code_point() {
    const std::uint32_t high = code_unit();
    if (high < 0xd800 || high > 0xdfff) return high;
    const bool paired = high < 0xdc00 && take('\\') && take('u');
    const std::uint32_t low = paired ? code_unit() : 0;
    if (low < 0xdc00 || low > 0xdfff) valid_ = false;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  static void append_utf8(std::string& out, std::uint32_t c) {
    const auto byte = [&out](std::uint32_t b) { out += static_cast<char>(b); };
    const auto tail = [&](int shift) { byte(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) return byte(0xc0 | c >> 6), tail(0);
    if (c < 0x10000) return byte(0xe0 | c >> 12), tail(6), tail(0);
    byte(0xf0 | c >> 18), tail(12), tail(6), tail(0);
  }

  std::string text_;
  std::size_t at_ = 0;
  bool valid_ = false;
  std::vector<Member> members_;
};

inline AttestationResult envelope(const char* answer) {
  const Json json(take(answer));
  AttestationResult result;
  result.error = json.string("error").value_or("the host gave no answer that can be read");
  result.error_code = json.string("error_code").value_or("");
  if (!json.boolean("success")) return result;
  result.token = json.string("token");
  result.evidence = json.string("evidence");
  result.tee_type = json.string("tee_type").value_or("");
  result.timestamp = json.integer("timestamp");
  if (result) result.error.clear();
  return result;
}

}  // namespace detail

// Which trusted execution environment this guest runs in.
inline TeeInfo detect_tee() {
  const detail::Json json(detail::take(detail::wasmtime_attestation_detect_tee()));
  return {json.string("tee_type").value_or("None"), json.boolean("supports_attestation")};
}

// A token about the virtual machine that this guest runs in.
inline AttestationResult attest_vm() {
  return detail::envelope(detail::wasmtime_attestation_attest_vm());
}

// A token about one GPU, which alone identifies no host.
inline AttestationResult attest_gpu(std::uint32_t gpu_index) {
  return detail::envelope(detail::wasmtime_attestation_attest_gpu(gpu_index));
}

// Whether the host accepts a token.
inline bool verify_token(std::string_view token) {
  return detail::wasmtime_attestation_verify_token(token.data(), token.size()) == 1;
}

// Makes the host forget the tokens that it keeps for this guest.
inline void clear_cache() { detail::wasmtime_attestation_clear_cache(); }

}  // namespace wasmtime_attestation
