#ifndef WIT_RUNTIME
#define WIT_RUNTIME 1

#define WIT_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define WIT_EXPORT(name) __attribute__((used, export_name(name)))
#define WIT_SECTION extern "C" inline __attribute__((used, noinline)) void

/// What every generated header stands on: `result`, handles, and how values cross the border.
namespace wit {

template <typename T>
using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// The error of a `result`, as `std::unexpected` is the error of a `std::expected`.
template <typename E = std::monostate>
class unexpected {
 public:
  unexpected() = default;
  explicit unexpected(E error) : error_(std::move(error)) {}
  E& error() { return error_; }

 private:
  E error_;
};

/// A value or an error, as `std::expected` (C++23); either may be `void`.
template <typename T, typename E>
class [[nodiscard]] result {
 public:
  using value_type = T;
  using error_type = E;

  result() = default;
  template <typename U = stored<T>>
    requires(!std::is_void_v<T> && std::is_convertible_v<U&&, stored<T>>)
  result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  template <typename G>
    requires std::is_convertible_v<G&&, stored<E>>
  result(unexpected<G> failure) : state_(std::in_place_index<1>, std::move(failure.error())) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  stored<T>& value() & { return get<0>(state_); }
  const stored<T>& value() const& { return get<0>(state_); }
  stored<T>&& value() && { return std::move(get<0>(state_)); }
  stored<T>& operator*() & { return value(); }
  const stored<T>& operator*() const& { return value(); }
  stored<T>&& operator*() && { return std::move(*this).value(); }
  stored<T>* operator->() { return &value(); }
  const stored<T>* operator->() const { return &value(); }

  stored<E>& error() & { return get<1>(state_); }
  const stored<E>& error() const& { return get<1>(state_); }
  stored<E>&& error() && { return std::move(get<1>(state_)); }

  template <typename U>
  stored<T> value_or(U&& other) const& {
    return has_value() ? value() : static_cast<stored<T>>(std::forward<U>(other));
  }
  template <typename U>
  stored<T> value_or(U&& other) && {
    return has_value() ? std::move(value()) : static_cast<stored<T>>(std::forward<U>(other));
  }

  friend bool operator==(const result&, const result&) = default;

 private:
  // Asking for what is not there traps.
  template <std::size_t I>
  static auto& get(auto& state) {
    if (state.index() != I) __builtin_trap();
    return *std::get_if<I>(&state);
  }

  std::variant<stored<T>, stored<E>> state_;
};

/// What a type is made of; specialised for each type that a header defines.
template <typename T>
struct describe;

template <auto... Members>
struct fields {};

template <typename... Texts>
constexpr std::array<std::string_view, sizeof...(Texts)> name_list(Texts... texts) {
  return {texts...};
}

/// Sets of flags are enums; these operators work on them as on integers.
template <typename T>
concept flag_set = std::is_enum_v<T> && requires { describe<T>::flags; };
template <flag_set T>
constexpr T operator|(T a, T b) {
  using bits = std::underlying_type_t<T>;
  return static_cast<T>(static_cast<bits>(a) | static_cast<bits>(b));
}
template <flag_set T>
constexpr T operator&(T a, T b) {
  using bits = std::underlying_type_t<T>;
  return static_cast<T>(static_cast<bits>(a) & static_cast<bits>(b));
}
template <flag_set T>
constexpr T& operator|=(T& a, T b) {
  return a = a | b;
}
/// Whether `set` has every flag of `wanted`.
template <flag_set T>
constexpr bool contains(T set, T wanted) {
  return (set & wanted) == wanted;
}

/// The WIT name of an enum's value or of a variant's case.
template <typename T>
  requires requires { describe<T>::labels; }
constexpr std::string_view label(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return describe<T>::labels[static_cast<std::size_t>(value)];
  } else {
    return describe<T>::labels[value.value.index()];
  }
}

/// The index of a resource in this component's table of handles.
enum class handle : std::int32_t { none = 0 };

/// Owns a resource of the host; moved from, it owns nothing.
template <void (*Drop)(std::int32_t)>
class resource {
 public:
  explicit resource(handle own) : handle_(own) {}
  resource(resource&& other) noexcept : handle_(other.release()) {}
  resource& operator=(resource&& other) noexcept {
    if (this != &other) {
      drop();
      handle_ = other.release();
    }
    return *this;
  }
  ~resource() { drop(); }

  handle get() const { return handle_; }
  handle release() { return std::exchange(handle_, handle::none); }

 private:
  void drop() {
    if (handle_ != handle::none) Drop(static_cast<std::int32_t>(handle_));
  }

  handle handle_;
};

/// A resource of the host, lent for one call: to the host, or by it.
template <typename R>
class borrow {
 public:
  borrow(const R& owner) : object_(owner.get()) {}
  explicit borrow(handle from_host) : object_(from_host), from_host_(true) {}
  borrow(borrow&&) = default;
  borrow& operator=(borrow&& other) noexcept {
    // What is lent must not be dropped, so each takes what the other has.
    std::swap(object_, other.object_);
    std::swap(from_host_, other.from_host_);
    return *this;
  }
  ~borrow() {
    if (!from_host_) object_.release();
  }

  handle get() const { return object_.get(); }
  const R& operator*() const { return object_; }
  const R* operator->() const { return &object_; }

 private:
  R object_;
  bool from_host_ = false;
};

/// Owns one of this guest's own resources; whoever holds the last handle destroys it.
template <typename R>
class owned {
 public:
  explicit owned(handle own) : handle_(own) {}
  template <typename D>
    requires std::is_base_of_v<R, D>
  owned(std::unique_ptr<D> object)
      : handle_(static_cast<handle>(describe<R>::make(static_cast<R*>(object.release())))) {}
  owned(owned&& other) noexcept : handle_(other.release()) {}
  owned& operator=(owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~owned() {
    if (handle_ != handle::none) describe<R>::drop(static_cast<std::int32_t>(handle_));
  }

  R& operator*() const { return *describe<R>::object(static_cast<std::int32_t>(handle_)); }
  R* operator->() const { return &**this; }
  handle release() { return std::exchange(handle_, handle::none); }

 private:
  handle handle_;
};

/// One of this guest's own resources, lent to it for one call.
template <typename R>
class lent {
 public:
  explicit lent(R* object) : object_(object) {}
  R& operator*() const { return *object_; }
  R* operator->() const { return object_; }

 private:
  R* object_;
};

/// The canonical ABI (CanonicalABI.md of the component model).
namespace component {

/// A core value's bits, whichever of i32, i64, f32 and f64 it is.
using slot = std::uint64_t;

template <typename Core>
slot to_slot(Core value) {
  if constexpr (std::is_same_v<Core, float>) {
    return std::bit_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<Core, double>) {
    return std::bit_cast<std::uint64_t>(value);
  } else if constexpr (sizeof(Core) == 8) {
    return static_cast<slot>(value);
  } else {
    return static_cast<std::uint32_t>(value);
  }
}

template <typename Core>
Core from_slot(slot bits) {
  if constexpr (std::is_same_v<Core, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  } else if constexpr (std::is_same_v<Core, double>) {
    return std::bit_cast<double>(bits);
  } else {
    return static_cast<Core>(bits);
  }
}

inline slot address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
inline std::byte* pointer(slot bits) {
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(bits));
}

template <typename Core>
Core read(const std::byte* at) {
  Core value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename Core>
void write(std::byte* at, Core value) {
  std::memcpy(at, &value, sizeof value);
}

/// Memory for what a call passes by address, until the call is over.
class scratch {
 public:
  std::byte* allocate(std::size_t size) {
    if (size == 0) return nullptr;
    void* block = std::malloc(size);
    if (block == nullptr) __builtin_trap();
    blocks_.emplace_back(block);
    return static_cast<std::byte*>(block);
  }

 private:
  struct release {
    void operator()(void* block) const { std::free(block); }
  };
  std::vector<std::unique_ptr<void, release>> blocks_;
};

/// How a type lies in memory and travels in core values:
///   size, alignment, slots    bytes, bytes, core values
///   load, lift                take a value, and what it owns, from memory or core values
///   store, lower              write a value, which must outlive the call
template <typename T>
struct abi;

constexpr std::size_t align(std::size_t offset, std::size_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

/// Calls `body` with an index as a constant; halving keeps the depth of templates small.
template <std::size_t Low, std::size_t High, typename Body>
decltype(auto) with_index(std::size_t index, Body&& body) {
  if constexpr (High - Low == 1) {
    return body(std::integral_constant<std::size_t, Low>());
  } else {
    constexpr std::size_t middle = Low + (High - Low) / 2;
    return index < middle ? with_index<Low, middle>(index, std::forward<Body>(body))
                          : with_index<middle, High>(index, std::forward<Body>(body));
  }
}

/// What lies in memory like the elements of a C++ array, and has no invalid values.
template <typename T>
concept plain = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char32_t>;

template <plain T>
struct abi<T> {
  static constexpr std::size_t size = sizeof(T), alignment = sizeof(T), slots = 1;
  static T load(const std::byte* at) { return read<T>(at); }
  static T lift(const slot*& from) { return from_slot<T>(*from++); }
  static void store(T value, std::byte* at, scratch&) { write(at, value); }
  static void lower(T value, slot*& to, scratch&) { *to++ = to_slot(value); }
};

/// What is an unsigned integer to the ABI; `of` makes it of one, or traps.
template <typename T, typename Integer, T (*of)(Integer)>
struct integral {
  static constexpr std::size_t size = sizeof(Integer), alignment = size, slots = 1;
  static T load(const std::byte* at) { return of(read<Integer>(at)); }
  static T lift(const slot*& from) { return of(from_slot<Integer>(*from++)); }
  static void store(T value, std::byte* at, scratch&) { write(at, static_cast<Integer>(value)); }
  static void lower(T value, slot*& to, scratch&) { *to++ = static_cast<Integer>(value); }
};

inline bool to_bool(std::uint8_t value) { return value != 0; }
template <>
struct abi<bool> : integral<bool, std::uint8_t, to_bool> {};

inline char32_t to_char(std::uint32_t value) {
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) __builtin_trap();
  return value;
}
template <>
struct abi<char32_t> : integral<char32_t, std::uint32_t, to_char> {};

template <std::size_t Cases>
using discriminant = std::conditional_t<
    (Cases <= 0x100), std::uint8_t,
    std::conditional_t<(Cases <= 0x10000), std::uint16_t, std::uint32_t>>;

template <typename T>
concept enumeration = std::is_enum_v<T> && requires { describe<T>::labels; };

template <enumeration T, typename Integer = discriminant<std::size(describe<T>::labels)>>
T to_enum(Integer value) {
  if (value >= std::size(describe<T>::labels)) __builtin_trap();
  return static_cast<T>(value);
}
template <enumeration T>
struct abi<T> : integral<T, discriminant<std::size(describe<T>::labels)>, to_enum<T>> {};

template <flag_set T>
struct abi<T> {
  using bits = std::underlying_type_t<T>;
  static constexpr std::size_t count = std::size(describe<T>::flags), size = sizeof(bits);
  static constexpr std::size_t alignment = size < 4 ? size : 4, slots = size < 8 ? 1 : 2;
  static constexpr slot mask = count < 64 ? (slot{1} << count) - 1 : ~slot{0};

  static T load(const std::byte* at) { return static_cast<T>(read<bits>(at) & mask); }
  static T lift(const slot*& from) {
    slot value = static_cast<std::uint32_t>(*from++);
    if constexpr (slots == 2) value |= *from++ << 32;
    return static_cast<T>(value & mask);
  }
  static void store(T value, std::byte* at, scratch&) { write(at, static_cast<bits>(value)); }
  static void lower(T value, slot*& to, scratch&) {
    *to++ = static_cast<std::uint32_t>(value);
    if constexpr (slots == 2) *to++ = static_cast<slot>(value) >> 32;
  }
};

/// What travels as two words, an address and a count.
template <typename List>
struct counted {
  static constexpr std::size_t size = 8, alignment = 4, slots = 2;
  static void store(auto& list, std::byte* at, scratch& memory) {
    write(at, static_cast<std::uint32_t>(address(abi<List>::place(list, memory))));
    write(at + 4, static_cast<std::uint32_t>(list.size()));
  }
  static void lower(auto& list, slot*& to, scratch& memory) {
    *to++ = address(abi<List>::place(list, memory));
    *to++ = list.size();
  }
  static auto load(const std::byte* at) {
    return abi<List>::take(pointer(read<std::uint32_t>(at)), read<std::uint32_t>(at + 4));
  }
  static auto lift(const slot*& from) {
    std::byte* at = pointer(*from++);
    return abi<List>::take(at, static_cast<std::size_t>(*from++));
  }
};

template <>
struct abi<std::string_view> : counted<std::string_view> {
  static const void* place(std::string_view text, scratch&) { return text.data(); }
};

template <>
struct abi<std::string> : counted<std::string> {
  static const void* place(const std::string& text, scratch&) { return text.data(); }
  static std::string take(std::byte* at, std::size_t length) {
    std::string text(length == 0 ? "" : reinterpret_cast<const char*>(at), length);
    if (length != 0) std::free(at);
    return text;
  }
};

template <typename T>
const void* place_elements(auto& list, scratch& memory) {
  if constexpr (plain<T>) {
    return list.data();
  } else {
    std::byte* const start = memory.allocate(list.size() * abi<T>::size);
    std::byte* at = start;
    for (auto&& element : list) {
      abi<T>::store(element, at, memory);
      at += abi<T>::size;
    }
    return start;
  }
}

template <typename T>
struct abi<std::span<const T>> : counted<std::span<const T>> {
  static const void* place(auto& list, scratch& memory) { return place_elements<T>(list, memory); }
};

template <typename T>
struct abi<std::vector<T>> : counted<std::vector<T>> {
  static const void* place(auto& list, scratch& memory) { return place_elements<T>(list, memory); }
  static std::vector<T> take(std::byte* at, std::size_t length) {
    std::vector<T> list;
    if constexpr (plain<T>) {
      list.resize(length);
      if (length != 0) std::memcpy(list.data(), at, length * sizeof(T));
    } else {
      list.reserve(length);
      for (std::size_t i = 0; i < length; i++) list.push_back(abi<T>::load(at + i * abi<T>::size));
    }
    if (length * abi<T>::size != 0) std::free(at);
    return list;
  }
};

/// What is laid out as a record.
template <typename... Ts>
struct members {
  static constexpr std::size_t count = sizeof...(Ts);
  static constexpr std::size_t slots = (std::size_t{0} + ... + abi<Ts>::slots);
  static constexpr std::size_t alignment = std::max({std::size_t{1}, abi<Ts>::alignment...});
  static constexpr auto offsets = [] {
    const std::array<std::size_t, count> sizes{abi<Ts>::size...}, alignments{abi<Ts>::alignment...};
    std::array<std::size_t, count + 1> found{};
    for (std::size_t i = 0; i < count; i++) {
      found[i] = align(found[i], alignments[i]);
      found[i + 1] = found[i] + sizes[i];
    }
    return found;
  }();
  static constexpr std::size_t size = align(offsets[count], alignment);

  template <typename T>
  static T load([[maybe_unused]] const std::byte* at) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return T{abi<Ts>::load(at + offsets[I])...};
    }(std::index_sequence_for<Ts...>());
  }
  template <typename T>
  static T lift([[maybe_unused]] const slot*& from) {
    return T{abi<Ts>::lift(from)...};
  }
  static void store(
      [[maybe_unused]] std::byte* at, [[maybe_unused]] scratch& memory, auto&... values) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)std::initializer_list<int>{(abi<Ts>::store(values, at + offsets[I], memory), 0)...};
    }(std::index_sequence_for<Ts...>());
  }
  static void lower([[maybe_unused]] slot*& to, [[maybe_unused]] scratch& memory, auto&... values) {
    (void)std::initializer_list<int>{(abi<Ts>::lower(values, to, memory), 0)...};
  }
};

template <typename T, typename Fields>
struct record;
template <typename T, auto... Members>
struct record<T, fields<Members...>>
    : members<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>...> {
  using base = members<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>...>;
  static T load(const std::byte* at) { return base::template load<T>(at); }
  static T lift(const slot*& from) { return base::template lift<T>(from); }
  static void store(auto& value, std::byte* at, scratch& memory) {
    base::store(at, memory, value.*Members...);
  }
  static void lower(auto& value, slot*& to, scratch& memory) {
    base::lower(to, memory, value.*Members...);
  }
};
template <typename T>
  requires requires { typename describe<T>::members; }
struct abi<T> : record<T, typename describe<T>::members> {};

template <typename T, typename... Ts>
struct product : members<Ts...> {
  using base = members<Ts...>;
  static T load(const std::byte* at) { return base::template load<T>(at); }
  static T lift(const slot*& from) { return base::template lift<T>(from); }
  static void store(auto& value, std::byte* at, scratch& memory) {
    std::apply([&](auto&... each) { base::store(at, memory, each...); }, value);
  }
  static void lower(auto& value, slot*& to, scratch& memory) {
    std::apply([&](auto&... each) { base::lower(to, memory, each...); }, value);
  }
};
template <typename... Ts>
struct abi<std::tuple<Ts...>> : product<std::tuple<Ts...>, Ts...> {};
template <typename K, typename V>
struct abi<std::pair<K, V>> : product<std::pair<K, V>, K, V> {};

template <typename T, std::size_t N>
struct abi<std::array<T, N>> {
  static constexpr std::size_t size = N * abi<T>::size, alignment = abi<T>::alignment;
  static constexpr std::size_t slots = N * abi<T>::slots;
  static std::array<T, N> load(const std::byte* at) {
    return make([&](std::size_t i) { return abi<T>::load(at + i * abi<T>::size); });
  }
  static std::array<T, N> lift(const slot*& from) {
    return make([&](std::size_t) { return abi<T>::lift(from); });
  }
  static void store(auto& list, std::byte* at, scratch& memory) {
    for (std::size_t i = 0; i < N; i++) abi<T>::store(list[i], at + i * abi<T>::size, memory);
  }
  static void lower(auto& list, slot*& to, scratch& memory) {
    for (auto& element : list) abi<T>::lower(element, to, memory);
  }

 private:
  static std::array<T, N> make(auto element) {
    if constexpr (std::is_default_constructible_v<T>) {
      std::array<T, N> list;
      for (std::size_t i = 0; i < N; i++) list[i] = element(i);
      return list;
    } else {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<T, N>{element(I)...};
      }(std::make_index_sequence<N>());
    }
  }
};

/// A case without a payload.
template <>
struct abi<std::monostate> {
  static constexpr std::size_t size = 0, alignment = 1, slots = 0;
  static std::monostate load(const std::byte*) { return {}; }
  static std::monostate lift(const slot*&) { return {}; }
  static void store(std::monostate, std::byte*, scratch&) {}
  static void lower(std::monostate, slot*&, scratch&) {}
};

/// What is laid out as a variant with these payloads.
template <typename... Ts>
struct cases {
  static constexpr std::size_t count = sizeof...(Ts);
  using index = discriminant<count>;
  static constexpr std::size_t alignment = std::max({sizeof(index), abi<Ts>::alignment...});
  static constexpr std::size_t payload =
      align(sizeof(index), std::max({std::size_t{1}, abi<Ts>::alignment...}));
  static constexpr std::size_t size = align(payload + std::max({abi<Ts>::size...}), alignment);
  static constexpr std::size_t slots = 1 + std::max({abi<Ts>::slots...});
  template <std::size_t I>
  using at_case = abi<std::tuple_element_t<I, std::tuple<Ts...>>>;

  /// Returns `make(case, payload)`.
  template <typename T>
  static T load(const std::byte* at, auto make) {
    return dispatch<T>(read<index>(at), [&](auto which) -> T {
      return make(which, at_case<which>::load(at + payload));
    });
  }
  template <typename T>
  static T lift(const slot*& from, auto make) {
    const slot* inside = from + 1;
    const slot which = *from;
    from += slots;
    return dispatch<T>(static_cast<std::uint32_t>(which), [&](auto which) -> T {
      return make(which, at_case<which>::lift(inside));
    });
  }
  /// Writes the case `which`, whose payload `get(case)` returns.
  static void store(std::size_t which, auto get, std::byte* at, scratch& memory) {
    write(at, static_cast<index>(which));
    with_index<0, count>(
        which, [&](auto which) { at_case<which>::store(get(which), at + payload, memory); });
  }
  static void lower(std::size_t which, auto get, slot*& to, scratch& memory) {
    *to = which;
    std::fill(to + 1, to + slots, 0);
    slot* inside = to + 1;
    to += slots;
    with_index<0, count>(
        which, [&](auto which) { at_case<which>::lower(get(which), inside, memory); });
  }

 private:
  template <typename T>
  static T dispatch(std::size_t which, auto body) {
    if (which >= count) __builtin_trap();
    return with_index<0, count>(which, body);
  }
};

inline std::monostate no_payload;

/// A case of a variant holds its payload as `value`, if it has one.
template <typename Case>
concept with_payload = requires(Case c) { c.value; };
template <typename Case>
struct payload_of {
  using type = std::monostate;
};
template <with_payload Case>
struct payload_of<Case> {
  using type = decltype(Case::value);
};

template <typename T, typename Cases>
struct variant;
template <typename T, typename... Cases>
struct variant<T, std::variant<Cases...>> : cases<typename payload_of<Cases>::type...> {
  using base = cases<typename payload_of<Cases>::type...>;
  static T load(const std::byte* at) { return base::template load<T>(at, make); }
  static T lift(const slot*& from) { return base::template lift<T>(from, make); }
  static void store(auto& value, std::byte* at, scratch& memory) {
    base::store(value.value.index(), getter(value), at, memory);
  }
  static void lower(auto& value, slot*& to, scratch& memory) {
    base::lower(value.value.index(), getter(value), to, memory);
  }

 private:
  static constexpr auto make = [](auto which, auto payload) -> T {
    using Case = std::variant_alternative_t<which, std::variant<Cases...>>;
    if constexpr (with_payload<Case>) {
      return T{std::variant<Cases...>(std::in_place_index<which>, Case{std::move(payload)})};
    } else {
      return T{std::variant<Cases...>(std::in_place_index<which>)};
    }
  };
  static auto getter(auto& value) {
    return [&value](auto which) -> auto& {
      auto& found = *std::get_if<which>(&value.value);
      if constexpr (with_payload<decltype(found)>) {
        return found.value;
      } else {
        return no_payload;
      }
    };
  }
};
template <typename T>
  requires(std::is_class_v<T> && requires { describe<T>::labels; })
struct abi<T> : variant<T, decltype(T::value)> {};

template <typename T>
struct abi<std::optional<T>> : cases<std::monostate, T> {
  using base = cases<std::monostate, T>;
  static std::optional<T> load(const std::byte* at) {
    return base::template load<std::optional<T>>(at, make);
  }
  static std::optional<T> lift(const slot*& from) {
    return base::template lift<std::optional<T>>(from, make);
  }
  static void store(auto& value, std::byte* at, scratch& memory) {
    base::store(value.has_value(), getter(value), at, memory);
  }
  static void lower(auto& value, slot*& to, scratch& memory) {
    base::lower(value.has_value(), getter(value), to, memory);
  }

 private:
  static constexpr auto make = [](auto which, auto payload) -> std::optional<T> {
    if constexpr (which == 0) {
      return std::nullopt;
    } else {
      return std::optional<T>(std::in_place, std::move(payload));
    }
  };
  static auto getter(auto& value) {
    return [&value](auto which) -> auto& {
      if constexpr (which == 0) {
        return no_payload;
      } else {
        return *value;
      }
    };
  }
};

template <typename T, typename E>
struct abi<result<T, E>> : cases<stored<T>, stored<E>> {
  using base = cases<stored<T>, stored<E>>;
  static result<T, E> load(const std::byte* at) {
    return base::template load<result<T, E>>(at, make);
  }
  static result<T, E> lift(const slot*& from) {
    return base::template lift<result<T, E>>(from, make);
  }
  static void store(auto& value, std::byte* at, scratch& memory) {
    base::store(!value.has_value(), getter(value), at, memory);
  }
  static void lower(auto& value, slot*& to, scratch& memory) {
    base::lower(!value.has_value(), getter(value), to, memory);
  }

 private:
  static constexpr auto make = [](auto which, auto payload) -> result<T, E> {
    if constexpr (which == 1) {
      return unexpected(std::move(payload));
    } else if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return result<T, E>(std::move(payload));
    }
  };
  static auto getter(auto& value) {
    return [&value](auto which) -> auto& {
      if constexpr (which == 0) {
        return *value;
      } else {
        return value.error();
      }
    };
  }
};

/// What travels as one i32 that `T` is made of and gives back.
template <typename T>
struct word {
  static constexpr std::size_t size = 4, alignment = 4, slots = 1;
  static T load(const std::byte* at) { return abi<T>::of(read<std::uint32_t>(at)); }
  static T lift(const slot*& from) { return abi<T>::of(static_cast<std::uint32_t>(*from++)); }
  static void store(auto& value, std::byte* at, scratch&) { write(at, abi<T>::bits(value)); }
  static void lower(auto& value, slot*& to, scratch&) { *to++ = abi<T>::bits(value); }
};

template <typename T>
  requires requires(T t) {
    { t.release() } -> std::same_as<handle>;
  }
struct abi<T> : word<T> {
  static T of(std::uint32_t bits) { return T(static_cast<handle>(bits)); }
  static std::uint32_t bits(T& owner) { return static_cast<std::uint32_t>(owner.release()); }
};
template <typename R>
struct abi<borrow<R>> : word<borrow<R>> {
  static borrow<R> of(std::uint32_t bits) { return borrow<R>(static_cast<handle>(bits)); }
  static std::uint32_t bits(const borrow<R>& b) { return static_cast<std::uint32_t>(b.get()); }
};
template <typename R>
struct abi<lent<R>> : word<lent<R>> {
  static lent<R> of(std::uint32_t bits) {
    return lent<R>(static_cast<R*>(static_cast<void*>(pointer(bits))));
  }
};

inline constexpr std::size_t max_flat_params = 16;

template <auto Raw, typename R, typename... Cores>
slot invoke(R (*)(Cores...), [[maybe_unused]] const slot* slots) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) -> slot {
    if constexpr (std::is_void_v<R>) {
      Raw(from_slot<Cores>(slots[I])...);
      return 0;
    } else {
      return to_slot(Raw(from_slot<Cores>(slots[I])...));
    }
  }(std::index_sequence_for<Cores...>());
}

/// Calls the import `Raw`.
template <auto Raw, typename R, typename... Params>
R call(Params&&... params) {
  using all = members<std::remove_cvref_t<Params>...>;
  scratch memory;
  slot slots[std::min(all::slots, max_flat_params) + 1];
  slot* next = slots;
  if constexpr (all::slots > max_flat_params) {
    std::byte* const spilled = memory.allocate(all::size);
    all::store(spilled, memory, params...);
    *next++ = address(spilled);
  } else {
    all::lower(next, memory, params...);
  }
  if constexpr (std::is_void_v<R>) {
    invoke<Raw>(Raw, slots);
  } else if constexpr (abi<R>::slots > 1) {
    alignas(8) std::byte area[abi<R>::size];
    *next = address(area);
    invoke<Raw>(Raw, slots);
    return abi<R>::load(area);
  } else {
    const slot out = invoke<Raw>(Raw, slots);
    const slot* from = &out;
    return abi<R>::lift(from);
  }
}

template <typename R>
struct result_area {
  alignas(8) std::byte bytes[abi<R>::size];
};

/// A result that the host reads; it lives until the host is done with it.
template <typename R>
struct answer : result_area<R> {
  explicit answer(R result) : value(std::move(result)) {
    abi<R>::store(value, this->bytes, memory);
  }
  R value;
  scratch memory;
};

template <typename Core, typename R>
Core give(R value) {
  if constexpr (abi<R>::slots > 1) {
    auto* const kept = new answer<R>(std::move(value));
    return static_cast<Core>(address(kept->bytes));
  } else {
    scratch memory;
    slot out = 0;
    slot* to = &out;
    abi<R>::lower(value, to, memory);
    return from_slot<Core>(out);
  }
}

template <typename... Params>
std::tuple<Params...> take(const slot* from) {
  using all = members<Params...>;
  if constexpr (all::slots > max_flat_params) {
    std::byte* const spilled = pointer(*from);
    auto params = all::template load<std::tuple<Params...>>(spilled);
    std::free(spilled);
    return params;
  } else {
    return all::template lift<std::tuple<Params...>>(from);
  }
}

/// Calls a function of the guest with what the host passed to an export.
template <typename Core, typename R, typename... Params, typename... Cores>
Core serve(R (*function)(Params...), Cores... cores) {
  const slot slots[] = {to_slot(cores)..., 0};
  if constexpr (std::is_void_v<R>) {
    std::apply(function, take<Params...>(slots));
  } else if constexpr (std::is_void_v<Core>) {
    (void)std::apply(function, take<Params...>(slots));
  } else {
    return give<Core>(std::apply(function, take<Params...>(slots)));
  }
}

/// Calls a method of one of the guest's own resources.
template <typename Core, typename R, typename T, typename... Params, typename... Cores>
Core serve(R (T::*method)(Params...), Cores... cores) {
  const slot slots[] = {to_slot(cores)..., 0};
  const auto call = [method](lent<T> self, Params... params) -> R {
    return ((*self).*method)(std::move(params)...);
  };
  auto params = take<lent<T>, Params...>(slots);
  if constexpr (std::is_void_v<Core>) {
    (void)std::apply(call, std::move(params));
  } else {
    return give<Core>(std::apply(call, std::move(params)));
  }
}

/// Frees a result, once the host has read it.
template <typename R>
void finish(std::int32_t result) {
  void* const area = pointer(static_cast<std::uint32_t>(result));
  delete static_cast<answer<R>*>(static_cast<result_area<R>*>(area));
}

}  // namespace component

/// What `cabi_realloc` returned last.
inline void* last_allocation = nullptr;

}  // namespace wit

/// Allocates for the host. A program that defines its own keeps it.
extern "C" __attribute__((weak, export_name("cabi_realloc"))) void* cabi_realloc(
    void* old, std::size_t, std::size_t alignment, std::size_t size) {
  if (size == 0) return reinterpret_cast<void*>(alignment);
  // malloc aligns to 16 bytes, and the canonical ABI asks for 8 at most.
  void* const block = std::realloc(old, size);
  if (block == nullptr) __builtin_trap();
  wit::last_allocation = block;
  return block;
}

#endif  // WIT_RUNTIME
