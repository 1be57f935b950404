#if defined(WASMTIME_ATTESTATION_LEGACY) && !defined(WIT_LEGACY)
#define WIT_LEGACY 1

/// The legacy ABI (docs/legacy-abi.md of wasmtime:attestation): values cross as JSON (RFC 8259).
namespace wit::legacy {

using component::slot;

inline constexpr int max_depth = 64;

inline constexpr std::uint32_t malformed = 0xffffffff;

/// Takes one character of UTF-8 (RFC 3629), or `malformed`.
inline std::uint32_t take_utf8(std::string_view text, std::size_t& at) {
  const auto next = [&] { return static_cast<unsigned char>(text[at++]); };
  const std::uint32_t first = next();
  if (first < 0x80) return first;
  const unsigned more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < more) return malformed;
  std::uint32_t code = first & (0x3f >> more);
  for (unsigned i = 0; i < more; i++) {
    const std::uint32_t byte = next();
    if ((byte & 0xc0) != 0x80) return malformed;
    code = code << 6 | (byte & 0x3f);
  }
  constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < least[more] || code > 0x10ffff || surrogate ? malformed : code;
}

/// Reads JSON from its start to its end; after an error `valid` is false and nothing is read.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {
    for (std::size_t at = 0; valid_ && at < text.size();) {
      if (take_utf8(text, at) == malformed) fail();
    }
  }

  bool valid() const { return valid_; }
  bool finished() { return peek() == '\0' && at_ == text_.size() && valid_; }
  void fail() { valid_ = false; }

  std::size_t position() const { return at_; }
  void seek(std::size_t position) { at_ = position; }

  /// The next character that is not white space, without taking it; NUL at the end.
  char peek() {
    while (at_ < text_.size() && space.find(text_[at_]) != space.npos) at_++;
    return valid_ && at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    const bool there = peek() == wanted && wanted != '\0';
    if (there) at_++;
    return there;
  }
  bool take(std::string_view word) {
    const bool there = peek() == word.front() && text_.substr(at_).starts_with(word);
    if (there) at_ += word.size();
    return there;
  }
  void expect(auto wanted) {
    if (!take(wanted)) fail();
  }

  /// The characters of a number.
  std::string number() {
    peek();
    const std::size_t start = at_;
    here("-");
    if (!here("0")) digits();
    if (here(".")) digits();
    if (here("eE")) {
      here("+-");
      digits();
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string string() {
    std::string out;
    expect('"');
    while (valid_) {
      const char c = next();
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) {
        fail();
      } else if (c == '\\') {
        escape(out);
      } else {
        out += c;
      }
    }
    return {};
  }

  /// Reads an object; `member(name)` reads each value. No name may be there twice.
  void object(auto member) {
    std::vector<std::string> names;
    enclosed('{', '}', [&] {
      const std::string name = string();
      if (std::find(names.begin(), names.end(), name) != names.end()) fail();
      names.push_back(name);
      expect(':');
      if (valid_) member(name);
    });
  }

  /// Reads an array; `element()` reads each element.
  void array(auto element) { enclosed('[', ']', element); }

  /// Passes over any value.
  void skip() {
    switch (peek()) {
      case '{':
        return object([&](const std::string&) { skip(); });
      case '[':
        return array([&] { skip(); });
      case '"':
        return void(string());
      default:
        if (!take(std::string_view("null")) && !take(std::string_view("true")) &&
            !take(std::string_view("false"))) {
          number();
        }
    }
  }

 private:
  static constexpr std::string_view space = " \t\n\r";

  /// Takes the very next character if it is one of these.
  bool here(std::string_view wanted) {
    const bool there = valid_ && at_ < text_.size() && wanted.find(text_[at_]) != wanted.npos;
    if (there) at_++;
    return there;
  }
  void digits() {
    constexpr std::string_view decimal = "0123456789";
    if (!here(decimal)) fail();
    while (here(decimal)) {
    }
  }

  void enclosed(char open, char close, auto item) {
    if (++depth_ > max_depth) fail();
    expect(open);
    if (valid_ && !take(close)) {
      do item();
      while (take(','));
      expect(close);
    }
    depth_--;
  }

  char next() {
    if (valid_ && at_ < text_.size()) return text_[at_++];
    fail();
    return '\0';
  }

  void escape(std::string& out) {
    constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    const char c = next();
    const std::size_t which = from.find(c);
    if (c == 'u') {
      append_utf8(out, code_point());
    } else if (which != from.npos) {
      out += to[which];
    } else {
      fail();
    }
  }

  std::uint32_t code_unit() {
    std::uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
      const char c = next();
      const std::size_t digit = std::string_view("0123456789abcdefABCDEF").find(c);
      if (digit == std::string_view::npos) fail();
      unit = unit << 4 | static_cast<std::uint32_t>((digit < 16 ? digit : digit - 6) & 15);
    }
    return unit;
  }

  std::uint32_t code_point() {
    const std::uint32_t high = code_unit();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || next() != '\\' || next() != 'u') fail();
    const std::uint32_t low = code_unit();
    if (low < 0xdc00 || low > 0xdfff) fail();
    return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
  }

 public:
  static void append_utf8(std::string& out, std::uint32_t c) {
    const auto byte = [&out](std::uint32_t b) { out += static_cast<char>(b); };
    const auto tail = [&](unsigned shift) { byte(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
      byte(c);
    } else if (c < 0x800) {
      byte(0xc0 | c >> 6), tail(0);
    } else if (c < 0x10000) {
      byte(0xe0 | c >> 12), tail(6), tail(0);
    } else {
      byte(0xf0 | c >> 18), tail(12), tail(6), tail(0);
    }
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool valid_ = true;
};

/// How a type is written and read.
template <typename T>
struct json;

template <typename T>
void write(std::string& out, const T& value) {
  json<T>::write(out, value);
}
template <typename T>
void read(reader& in, T& value) {
  json<T>::read(in, value);
}

inline void write_string(std::string& out, std::string_view text) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      out += "\\u00";
      out += hexadecimal[code >> 4];
      out += hexadecimal[code & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

template <>
struct json<bool> {
  static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
  static void read(reader& in, bool& value) {
    value = in.take(std::string_view("true"));
    if (!value) in.expect(std::string_view("false"));
  }
};

/// Integers beyond 2^53 are decimal strings: not every reader of JSON keeps them otherwise.
template <std::integral T>
struct json<T> {
  static constexpr std::uint64_t max_number = std::uint64_t{1} << 53;

  static void write(std::string& out, T value) {
    const auto wide = static_cast<std::uint64_t>(value);
    const bool quoted = (value < 0 ? -wide : wide) > max_number;
    if (quoted) out += '"';
    out += std::to_string(value);
    if (quoted) out += '"';
  }
  static void read(reader& in, T& value) {
    const bool quoted = sizeof(T) == 8 && in.peek() == '"';
    const std::string digits = quoted ? in.string() : in.number();
    if (quoted && reader(digits).number() != digits) return in.fail();
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || stop != end) in.fail();
  }
};

template <std::floating_point T>
struct json<T> {
  static void write(std::string& out, T value) {
    if (value != value) {
      out += "\"NaN\"";
    } else if (value - value != 0) {
      out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
      // Seventeen digits tell every double apart (IEEE 754, 5.12.2).
      char text[32];
      out.append(
          text, static_cast<std::size_t>(
                    std::snprintf(text, sizeof text, "%.17e", static_cast<double>(value))));
    }
  }
  static void read(reader& in, T& value) {
    if (in.peek() == '"') {
      const std::string name = in.string();
      const bool number = name == "NaN" || name == "Infinity" || name == "-Infinity";
      if (!number) return in.fail();
      value = name == "NaN" ? std::numeric_limits<T>::quiet_NaN()
                            : std::numeric_limits<T>::infinity() * (name[0] == '-' ? -1 : 1);
      return;
    }
    const std::string digits = in.number();
    if constexpr (sizeof(T) == sizeof(float)) {
      value = std::strtof(digits.c_str(), nullptr);
    } else {
      value = std::strtod(digits.c_str(), nullptr);
    }
  }
};

template <>
struct json<char32_t> {
  static void write(std::string& out, char32_t value) {
    std::string text;
    reader::append_utf8(text, value);
    write_string(out, text);
  }
  static void read(reader& in, char32_t& value) {
    const std::string text = in.string();
    std::size_t end = 0;
    if (text.empty()) return in.fail();
    value = take_utf8(text, end);
    if (end != text.size()) in.fail();
  }
};

template <>
struct json<std::string> {
  static void write(std::string& out, std::string_view value) { write_string(out, value); }
  static void read(reader& in, std::string& value) { value = in.string(); }
};
template <>
struct json<std::string_view> : json<std::string> {};

/// Elements between brackets; bytes are base64url without padding (RFC 4648, section 5).
template <typename T>
void write_elements(std::string& out, const auto& list) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::uint32_t bits = 0;
    unsigned count = 0;
    out += '"';
    for (const std::uint8_t byte : list) {
      bits = bits << 8 | byte;
      for (count += 8; count >= 6; count -= 6) out += digits[bits >> (count - 6) & 63];
    }
    if (count != 0) out += digits[bits << (6 - count) & 63];
    out += '"';
  } else {
    char separator = '[';
    for (const T& element : list) {
      out += separator;
      legacy::write(out, element);
      separator = ',';
    }
    out += separator == '[' ? "[]" : "]";
  }
}

inline void read_bytes(reader& in, auto append) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : in.string()) {
    const std::size_t digit =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            .find(c);
    if (digit == std::string_view::npos) return in.fail();
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) append(static_cast<std::uint8_t>(bits >> (count -= 8)));
  }
  // What is left over is padding: fewer bits than a digit has, all of them zero.
  if (count >= 6 || (bits & ((1u << count) - 1)) != 0) in.fail();
}

template <typename T>
struct json<std::span<const T>> {
  static void write(std::string& out, std::span<const T> list) { write_elements<T>(out, list); }
};
template <typename T>
struct json<std::vector<T>> {
  static void write(std::string& out, const std::vector<T>& list) { write_elements<T>(out, list); }
  static void read(reader& in, std::vector<T>& list) {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
      read_bytes(in, [&](std::uint8_t byte) { list.push_back(byte); });
    } else {
      in.array([&] {
        T element{};
        legacy::read(in, element);
        list.push_back(std::move(element));
      });
    }
  }
};

/// An array of elements of different types, or of a number of elements that is known.
template <typename T>
struct sequence {
  static void write(std::string& out, const T& value) {
    char separator = '[';
    std::apply(
        [&](const auto&... each) {
          ((out += std::exchange(separator, ','), legacy::write(out, each)), ...);
        },
        value);
    out += separator == '[' ? "[]" : "]";
  }
  static void read(reader& in, T& value) {
    std::size_t next = 0;
    in.array([&] {
      if constexpr (std::tuple_size_v<T> == 0) {
        in.fail();
      } else {
        if (next == std::tuple_size_v<T>) return in.fail();
        component::with_index<0, std::tuple_size_v<T>>(
            next++, [&](auto which) { legacy::read(in, std::get<which>(value)); });
      }
    });
    if (next != std::tuple_size_v<T>) in.fail();
  }
};
template <typename... Ts>
struct json<std::tuple<Ts...>> : sequence<std::tuple<Ts...>> {};
template <typename K, typename V>
struct json<std::pair<K, V>> : sequence<std::pair<K, V>> {};
template <typename T, std::size_t N>
struct json<std::array<T, N>> {
  static void write(std::string& out, const std::array<T, N>& list) {
    json<std::span<const T>>::write(out, list);
  }
  static void read(reader& in, std::array<T, N>& list) {
    std::vector<T> elements;
    legacy::read(in, elements);
    if (elements.size() != N) return in.fail();
    std::move(elements.begin(), elements.end(), list.begin());
  }
};

template <typename T>
struct json<std::optional<T>> {
  static void write(std::string& out, const std::optional<T>& value) {
    if (value) {
      legacy::write(out, *value);
    } else {
      out += "null";
    }
  }
  static void read(reader& in, std::optional<T>& value) {
    if (in.take(std::string_view("null"))) {
      value.reset();
    } else {
      legacy::read(in, value.emplace());
    }
  }
};

template <>
struct json<std::monostate> {
  static void write(std::string& out, std::monostate) { out += "null"; }
  static void read(reader& in, std::monostate&) { in.expect(std::string_view("null")); }
};

template <typename T, typename E>
struct json<result<T, E>> {
  static void write(std::string& out, const result<T, E>& value) {
    out += value ? "{\"ok\":" : "{\"err\":";
    if (value) {
      legacy::write(out, *value);
    } else {
      legacy::write(out, value.error());
    }
    out += '}';
  }
  static void read(reader& in, result<T, E>& value) {
    bool found = false;
    in.object([&](std::string_view name) {
      const bool ok = name == "ok";
      if (!ok && name != "err") return in.skip();
      if (std::exchange(found, true)) return in.fail();
      if (ok) {
        stored<T> content{};
        legacy::read(in, content);
        if constexpr (!std::is_void_v<T>) value = std::move(content);
      } else {
        stored<E> content{};
        legacy::read(in, content);
        value = unexpected(std::move(content));
      }
    });
    if (!found) in.fail();
  }
};

template <typename T, typename Fields>
struct object;
template <typename T, auto... Members>
struct object<T, fields<Members...>> {
  static constexpr std::size_t count = sizeof...(Members);

  static void write(std::string& out, [[maybe_unused]] const T& value) {
    std::size_t next = 0;
    (void)std::initializer_list<int>{(write_member(out, next++, value.*Members), 0)...};
    out += count == 0 ? "{}" : "}";
  }
  static void read(reader& in, [[maybe_unused]] T& value) {
    std::array<bool, count> found{};
    in.object([&](std::string_view name) {
      std::size_t next = 0;
      bool known = false;
      (void)std::initializer_list<int>{
          (read_member(in, name, next++, value.*Members, found, known), 0)...};
      if (!known) in.skip();
    });
    if (std::find(found.begin(), found.end(), false) != found.end()) in.fail();
  }

 private:
  static void write_member(std::string& out, std::size_t which, const auto& member) {
    out += which == 0 ? '{' : ',';
    write_string(out, describe<T>::names[which]);
    out += ':';
    legacy::write(out, member);
  }
  static void read_member(
      reader& in, std::string_view name, std::size_t which, auto& member,
      std::array<bool, count>& found, bool& known) {
    if (known || name != describe<T>::names[which]) return;
    known = true;
    found[which] = true;
    legacy::read(in, member);
  }
};
template <typename T>
  requires requires { typename describe<T>::members; }
struct json<T> : object<T, typename describe<T>::members> {};

/// The names of an enum's values in JSON, which may differ from those in WIT.
template <typename T>
constexpr auto& names_of() {
  if constexpr (requires { describe<T>::display_names; }) {
    return describe<T>::display_names;
  } else {
    return describe<T>::labels;
  }
}

/// The index of a name, or the number of names.
constexpr std::size_t index_of(const auto& names, std::string_view name) {
  return static_cast<std::size_t>(
      std::find(std::begin(names), std::end(names), name) - std::begin(names));
}

template <component::enumeration T>
struct json<T> {
  static void write(std::string& out, T value) {
    write_string(out, names_of<T>()[static_cast<std::size_t>(value)]);
  }
  static void read(reader& in, T& value) {
    const std::size_t which = index_of(names_of<T>(), in.string());
    if (which == std::size(names_of<T>())) return in.fail();
    value = static_cast<T>(which);
  }
};

template <flag_set T>
struct json<T> {
  using bits = std::underlying_type_t<T>;
  static void write(std::string& out, T value) {
    std::vector<std::string_view> set;
    for (std::size_t i = 0; i < std::size(describe<T>::flags); i++) {
      if (static_cast<bits>(value) >> i & 1) set.push_back(describe<T>::flags[i]);
    }
    legacy::write(out, set);
  }
  static void read(reader& in, T& value) {
    std::vector<std::string> set;
    legacy::read(in, set);
    std::uint64_t found = 0;
    for (const std::string& name : set) {
      const std::size_t which = index_of(describe<T>::flags, name);
      if (which == std::size(describe<T>::flags)) return in.fail();
      found |= std::uint64_t{1} << which;
    }
    value = static_cast<T>(found);
  }
};

/// A variant: `{"case":…,"value":…}`, without `value` where the case has no payload.
template <typename T, typename Cases>
struct tagged;
template <typename T, typename... Cases>
struct tagged<T, std::variant<Cases...>> {
  static void write(std::string& out, const T& value) {
    out += "{\"case\":";
    write_string(out, label(value));
    component::with_index<0, sizeof...(Cases)>(value.value.index(), [&](auto which) {
      const auto& found = *std::get_if<which>(&value.value);
      if constexpr (component::with_payload<decltype(found)>) {
        out += ",\"value\":";
        legacy::write(out, found.value);
      }
    });
    out += '}';
  }
  static void read(reader& in, T& value) {
    std::optional<std::string> name;
    std::optional<std::size_t> payload;
    in.object([&](std::string_view member) {
      if (member == "case") {
        name = in.string();
      } else {
        if (member == "value") payload = in.position();
        in.skip();
      }
    });
    const std::size_t end = in.position();
    const std::size_t which = index_of(describe<T>::labels, name.value_or(""));
    if (!in.valid() || which == sizeof...(Cases)) return in.fail();
    component::with_index<0, sizeof...(Cases)>(which, [&](auto index) {
      auto& found = value.value.template emplace<index>();
      if constexpr (component::with_payload<decltype(found)>) {
        if (!payload) return in.fail();
        in.seek(*payload);
        legacy::read(in, found.value);
      }
    });
    in.seek(end);
  }
};
template <typename T>
  requires(std::is_class_v<T> && requires { describe<T>::labels; })
struct json<T> : tagged<T, decltype(T::value)> {};

/// What a parameter becomes: a core value, or the address and length of text, bytes or JSON.
template <typename T>
struct param {
  static void lower(const T& value, slot*& to, std::deque<std::string>& texts) {
    if constexpr (std::is_enum_v<T> && !flag_set<T>) {
      *to++ = static_cast<slot>(value);
    } else if constexpr (component::plain<T> || std::is_same_v<T, bool>) {
      *to++ = component::to_slot(value);
    } else {
      write(texts.emplace_back(), value);
      *to++ = component::address(texts.back().data());
      *to++ = texts.back().size();
    }
  }
};

/// Text or bytes as they are.
template <typename T>
struct raw_param {
  static void lower(const T& value, slot*& to, std::deque<std::string>&) {
    // The address 0 stands for none, never for what is only empty.
    *to++ = component::address(value.empty() ? static_cast<const void*>("") : value.data());
    *to++ = value.size();
  }
};
template <>
struct param<std::string_view> : raw_param<std::string_view> {};
template <>
struct param<std::span<const std::uint8_t>> : raw_param<std::span<const std::uint8_t>> {};
template <typename T>
struct optional_param {
  static void lower(const std::optional<T>& value, slot*& to, std::deque<std::string>& texts) {
    if (value) return param<T>::lower(*value, to, texts);
    *to++ = 0;
    *to++ = 0;
  }
};
template <>
struct param<std::optional<std::string_view>> : optional_param<std::string_view> {};
template <>
struct param<std::optional<std::span<const std::uint8_t>>>
    : optional_param<std::span<const std::uint8_t>> {};

/// An answer of the host: `[u32 little-endian length][JSON]`, freed if this guest allocated it.
class answer {
 public:
  explicit answer(slot address)
      : at_(component::pointer(static_cast<std::uint32_t>(address))),
        owned_(at_ != nullptr && std::exchange(last_allocation, nullptr) == at_) {}
  answer(const answer&) = delete;
  answer& operator=(const answer&) = delete;
  ~answer() {
    if (owned_) std::free(at_);
  }

  /// The JSON; empty where there is none, or not within memory.
  std::string_view text() const {
    const std::uint64_t end = std::uint64_t{__builtin_wasm_memory_size(0)} * 0x10000;
    const std::uint64_t start = component::address(at_);
    if (start == 0 || start + 4 > end) return {};
    const auto length = component::read<std::uint32_t>(at_);
    if (start + 4 + length > end) return {};
    return {reinterpret_cast<const char*>(at_) + 4, length};
  }

 private:
  std::byte* at_;
  bool owned_;
};

/// Whether a type is an error with a case `internal`, which a failure of the host can be.
template <typename E>
inline constexpr bool has_internal = false;

/// What stands for an answer that cannot be read; a type that cannot say so traps.
template <typename T>
struct unreadable {
  static T value() { __builtin_trap(); }
};
template <typename T, typename E>
  requires has_internal<E>
struct unreadable<result<T, E>> {
  static result<T, E> value() {
    return unexpected(E{typename E::internal{"the host gave no answer that can be read"}});
  }
};

/// How a result is read from an answer's text.
template <typename T>
struct content {
  static T read(std::string_view text) {
    reader in(text);
    T value{};
    legacy::read(in, value);
    return in.finished() ? std::move(value) : unreadable<T>::value();
  }
};

/// `result<attestation-result, error>` as guests in the field know it.
template <typename T, typename E>
struct envelope {
  static result<T, E> read(std::string_view text) {
    reader in(text);
    std::optional<bool> success;
    std::optional<std::string> token, evidence, error, type, code;
    std::optional<std::uint64_t> timestamp;
    in.object([&](std::string_view name) {
      if (name == "success") return legacy::read(in, success);
      if (name == "token") return legacy::read(in, token);
      if (name == "evidence") return legacy::read(in, evidence);
      if (name == "error") return legacy::read(in, error);
      if (name == "timestamp") return legacy::read(in, timestamp);
      if (name == "tee_type") return legacy::read(in, type);
      if (name == "error_code") return legacy::read(in, code);
      in.skip();
    });
    if (!in.finished() || !success) return unreadable<result<T, E>>::value();
    if (!*success) {
      return unexpected(
          failure(code.value_or(""), std::move(error).value_or("the host gave no reason")));
    }
    if (token.value_or("").empty() || !timestamp) return unreadable<result<T, E>>::value();
    return T{*std::move(token), std::move(evidence), *timestamp, kind(type.value_or(""))};
  }

  /// The error with a code, which is the name of its case; `internal` where there is no such case.
  static E failure(std::string_view code, std::string text) {
    const auto& names = describe<E>::labels;
    std::size_t which = index_of(names, code);
    if (which == std::size(names)) which = index_of(names, "internal");
    E error;
    component::with_index<0, std::size(describe<E>::labels)>(which, [&](auto index) {
      auto& payload = error.value.template emplace<index>().value;
      if constexpr (std::is_same_v<decltype(payload), std::string&>) {
        payload = std::move(text);
      } else {
        // The text begins with the check, which is one word.
        const std::size_t end = text.find(": ");
        if (end != text.npos && text.find(' ') > end) {
          payload.push_back({text.substr(0, end), text.substr(end + 2)});
        } else {
          payload.push_back({std::string(code), std::move(text)});
        }
      }
    });
    return error;
  }

 private:
  // A kind of which this header does not know is `other`, which is the last.
  static auto kind(std::string_view name) {
    using tee_type = decltype(T::tee_type);
    const auto& names = names_of<tee_type>();
    return static_cast<tee_type>(std::min(index_of(names, name), std::size(names) - 1));
  }
};

/// Whether a type is the `attestation-result` that the envelope stands for.
template <typename T>
inline constexpr bool enveloped = false;
template <typename T, typename E>
  requires enveloped<T>
struct content<result<T, E>> : envelope<T, E> {};

/// Calls the import `Raw`.
template <auto Raw, typename R, typename... Params>
R call(Params&&... params) {
  std::deque<std::string> texts;
  slot slots[2 * sizeof...(Params) + 1];
  slot* next = slots;
  (param<std::remove_cvref_t<Params>>::lower(params, next, texts), ...);
  const slot out = component::invoke<Raw>(Raw, slots);
  if constexpr (std::is_same_v<R, bool>) {
    return static_cast<std::uint32_t>(out) == 1;
  } else if constexpr (std::is_integral_v<R> && !std::is_same_v<R, char32_t>) {
    return component::from_slot<R>(out);
  } else if constexpr (!std::is_void_v<R>) {
    const answer json(out);
    return content<R>::read(json.text());
  }
}

}  // namespace wit::legacy

#endif  // WASMTIME_ATTESTATION_LEGACY
