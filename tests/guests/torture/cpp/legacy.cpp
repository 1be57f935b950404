// Gets a value of each function from the host, and hands it back to the same function.
#define WASMTIME_ATTESTATION_LEGACY
#include <test/torture/legacy-torture.hpp>

namespace host = test_torture::legacy_torture::values;
using namespace test_torture::legacy_torture::values;

#define ROUND_TRIP(name, ...) \
  WIT_EXPORT(#name) void round_trip_##name() { (void)host::name(host::name(__VA_ARGS__())); }

using maybe_bytes_type = std::optional<std::vector<std::uint8_t>>;
using pair_type = std::tuple<std::string, std::uint64_t>;
using nested_type = std::vector<std::vector<std::vector<std::uint8_t>>>;
using fallible_type = wit::result<std::uint64_t, shape>;

ROUND_TRIP(scalar_bool, bool)
ROUND_TRIP(scalar_u8, std::uint8_t)
ROUND_TRIP(scalar_s8, std::int8_t)
ROUND_TRIP(scalar_u16, std::uint16_t)
ROUND_TRIP(scalar_s16, std::int16_t)
ROUND_TRIP(scalar_u32, std::uint32_t)
ROUND_TRIP(scalar_s32, std::int32_t)
ROUND_TRIP(scalar_u64, std::uint64_t)
ROUND_TRIP(scalar_s64, std::int64_t)
ROUND_TRIP(scalar_f32, float)
ROUND_TRIP(scalar_f64, double)
ROUND_TRIP(scalar_char, char32_t)
ROUND_TRIP(text, std::string)
ROUND_TRIP(bytes, std::vector<std::uint8_t>)
ROUND_TRIP(numbers, std::vector<std::uint32_t>)
ROUND_TRIP(longs, std::vector<std::int64_t>)
ROUND_TRIP(texts, std::vector<std::string>)
ROUND_TRIP(nested_lists, nested_type)
ROUND_TRIP(all_scalars, scalars)
ROUND_TRIP(rich, record)
ROUND_TRIP(many_rich, std::vector<record>)
ROUND_TRIP(enumeration, colour)
ROUND_TRIP(permissions, access)
ROUND_TRIP(nine_flags, days)
ROUND_TRIP(any_shape, shape)
ROUND_TRIP(shapes, std::vector<shape>)
ROUND_TRIP(maybe_text, std::optional<std::string>)
ROUND_TRIP(maybe_bytes, maybe_bytes_type)
ROUND_TRIP(maybe_number, std::optional<std::uint64_t>)
ROUND_TRIP(pair, pair_type)
ROUND_TRIP(aliased, points)
ROUND_TRIP(fallible, fallible_type)
