// Hands what the host passes to the host's own function of the same name, and returns its answer.
#include <test/torture/torture.hpp>

namespace host = test_torture::torture;

#define FORWARD(interface, name, type) \
  type name(type v) { return host::interface::name(v); }

namespace test_torture::torture::exports::values {

FORWARD(values, scalar_bool, bool)
FORWARD(values, scalar_u8, std::uint8_t)
FORWARD(values, scalar_s8, std::int8_t)
FORWARD(values, scalar_u16, std::uint16_t)
FORWARD(values, scalar_s16, std::int16_t)
FORWARD(values, scalar_u32, std::uint32_t)
FORWARD(values, scalar_s32, std::int32_t)
FORWARD(values, scalar_u64, std::uint64_t)
FORWARD(values, scalar_s64, std::int64_t)
FORWARD(values, scalar_f32, float)
FORWARD(values, scalar_f64, double)
FORWARD(values, scalar_char, char32_t)
FORWARD(values, text, std::string)
FORWARD(values, bytes, std::vector<std::uint8_t>)
FORWARD(values, numbers, std::vector<std::uint32_t>)
FORWARD(values, longs, std::vector<std::int64_t>)
FORWARD(values, texts, std::vector<std::string>)
FORWARD(values, nested_lists, std::vector<std::vector<std::vector<std::uint8_t>>>)
FORWARD(values, all_scalars, scalars)
FORWARD(values, rich, record)
FORWARD(values, many_rich, std::vector<record>)
FORWARD(values, enumeration, colour)
FORWARD(values, permissions, access)
FORWARD(values, nine_flags, days)
FORWARD(values, any_shape, shape)
FORWARD(values, shapes, std::vector<shape>)
FORWARD(values, maybe_text, std::optional<std::string>)
FORWARD(values, maybe_bytes, std::optional<std::vector<std::uint8_t>>)
FORWARD(values, maybe_number, std::optional<std::uint64_t>)
using text_and_number = std::tuple<std::string, std::uint64_t>;
FORWARD(values, pair, text_and_number)
FORWARD(values, aliased, points)
using number_or_shape = wit::result<std::uint64_t, shape>;
FORWARD(values, fallible, number_or_shape)

wit::result<void, void> yes_or_no(bool v) { return host::values::yes_or_no(v); }

wit::result<void, std::string> only_error(std::optional<std::string> v) {
  return host::values::only_error(v);
}

void nothing() { host::values::nothing(); }

std::string spilled(scalars a, std::string b, std::vector<std::string> c, shape d, std::uint8_t e) {
  return host::values::spilled(a, b, c, d, e);
}

std::uint64_t seventeen(
    std::uint8_t a, std::int8_t b, std::uint16_t c, std::int16_t d, std::uint32_t e, std::int32_t f,
    std::uint64_t g, std::int64_t h, float i, double j, char32_t k, bool l, std::uint8_t m,
    std::uint8_t n, std::uint8_t o, std::uint8_t p, std::uint64_t q) {
  return host::values::seventeen(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
}

}  // namespace test_torture::torture::exports::values

namespace test_torture::torture::exports::component_only {

using maybe_thrice = std::optional<std::optional<std::optional<std::uint8_t>>>;
FORWARD(component_only, deep, maybe_thrice)

}  // namespace test_torture::torture::exports::component_only

namespace test_torture::torture::exports::counters {

// A counter of this guest, which counts with one of the host's.
class forwarder final : public counter {
 public:
  explicit forwarder(host::counters::counter inner) : inner_(std::move(inner)) {}

  std::uint32_t increment(std::uint32_t by) override { return inner_.increment(by); }
  std::string name() override { return inner_.name(); }

  static host::counters::counter& inner(counter& own) {
    return static_cast<forwarder&>(own).inner_;
  }
  static wit::owned<counter> wrap(host::counters::counter inner) {
    return std::make_unique<forwarder>(std::move(inner));
  }

 private:
  host::counters::counter inner_;
};

wit::owned<counter> counter::create(std::uint32_t start) {
  return forwarder::wrap(host::counters::counter::create(start));
}

wit::owned<counter> counter::sum(wit::lent<counter> a, wit::owned<counter> b) {
  return forwarder::wrap(
      host::counters::counter::sum(forwarder::inner(*a), std::move(forwarder::inner(*b))));
}

owner wrap(std::string label, wit::owned<counter> c) {
  auto wrapped = host::counters::wrap(label, std::move(forwarder::inner(*c)));
  return {std::move(wrapped.label), forwarder::wrap(std::move(wrapped.counter))};
}

wit::owned<counter> unwrap(owner o) {
  return forwarder::wrap(
      host::counters::unwrap({std::move(o.label), std::move(forwarder::inner(*o.counter))}));
}

std::vector<std::uint32_t> read_all(std::vector<wit::lent<counter>> many) {
  std::vector<std::uint32_t> counts;
  for (const auto& each : many) {
    // wasmtime 50 traps where a host's function gets two borrows in one list.
    const wit::borrow<host::counters::counter> one[] = {forwarder::inner(*each)};
    counts.push_back(host::counters::read_all(one).at(0));
  }
  return counts;
}

std::optional<wit::owned<counter>> maybe(std::optional<wit::owned<counter>> c) {
  std::optional<host::counters::counter> inner;
  if (c) inner.emplace(std::move(forwarder::inner(**c)));
  auto answer = host::counters::maybe(std::move(inner));
  if (!answer) return std::nullopt;
  return forwarder::wrap(*std::move(answer));
}

}  // namespace test_torture::torture::exports::counters

wit::result<std::string, std::string> test_torture::torture::exports::run(
    std::vector<std::string> arguments) {
  std::string all;
  for (const std::string& argument : arguments) all += argument;
  host::log(all);
  if (host::inline_::add(2, 3) != 5) return wit::unexpected("the host cannot add");
  if (arguments.empty()) return wit::unexpected("no arguments");
  return all;
}
