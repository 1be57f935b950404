// Hands every map and list that the host passes to the host's own function of the same name.
#include <test/torture/collections-torture.hpp>

std::size_t allocated();

namespace host = test_torture::collections_torture::collections;

#define FORWARD(name, ...) \
  __VA_ARGS__ name(__VA_ARGS__ v) { return host::name(v); }

namespace test_torture::collections_torture::exports::collections {

template <typename Key, typename Value>
using map = std::vector<std::pair<Key, Value>>;

FORWARD(by_bool, map<bool, std::uint8_t>)
FORWARD(by_u8, map<std::uint8_t, std::uint64_t>)
FORWARD(by_s8, map<std::int8_t, std::string>)
FORWARD(by_u16, map<std::uint16_t, bool>)
FORWARD(by_s16, map<std::int16_t, float>)
FORWARD(by_u32, map<std::uint32_t, std::uint16_t>)
FORWARD(by_s32, map<std::int32_t, double>)
FORWARD(by_u64, map<std::uint64_t, std::uint8_t>)
FORWARD(by_s64, map<std::int64_t, char32_t>)
FORWARD(by_char, map<char32_t, std::vector<std::uint8_t>>)
FORWARD(by_string, map<std::string, std::string>)

FORWARD(to_maps, map<std::string, map<std::uint8_t, bool>>)
FORWARD(to_arrays, map<std::uint8_t, std::array<std::string, 2>>)
FORWARD(to_lists, map<std::string, std::vector<std::string>>)
FORWARD(to_shelves, map<std::string, shelf>)
FORWARD(to_cells, map<char32_t, cell>)
FORWARD(to_colours, map<std::uint64_t, std::tuple<colour, access>>)
FORWARD(to_options, map<std::uint16_t, std::optional<std::string>>)
FORWARD(to_results, map<std::int64_t, wit::result<std::uint8_t, std::string>>)
FORWARD(aliased_table, table)
FORWARD(tables, std::vector<map<std::string, std::uint64_t>>)
FORWARD(maybe_table, std::optional<table>)

FORWARD(bools, std::array<bool, 3>)
FORWARD(octets, std::array<std::uint8_t, 4>)
FORWARD(signed_, std::array<std::int8_t, 5>)
FORWARD(chars, std::array<char32_t, 2>)
FORWARD(singles, std::array<float, 3>)
FORWARD(one_double, std::array<double, 1>)
FORWARD(one_text, std::array<std::string, 1>)
FORWARD(sixteen, std::array<std::uint64_t, 16>)
FORWARD(seventeen, std::array<std::uint8_t, 17>)
FORWARD(hundred, std::array<std::uint32_t, 100>)
FORWARD(texts, std::array<std::string, 3>)
FORWARD(points, std::array<point, 2>)
FORWARD(shelves, std::array<shelf, 2>)
FORWARD(cells, std::array<cell, 3>)
FORWARD(colours, std::array<colour, 3>)
FORWARD(accesses, std::array<access, 2>)
FORWARD(pairs, std::array<std::tuple<std::uint8_t, std::string>, 2>)
FORWARD(options, std::array<std::optional<std::uint64_t>, 2>)
FORWARD(results, std::array<wit::result<std::string, std::uint8_t>, 2>)
FORWARD(maps, std::array<table, 2>)
FORWARD(lists, std::array<std::vector<std::string>, 2>)
FORWARD(matrix, std::array<std::array<float, 2>, 3>)
FORWARD(cube, std::array<std::array<std::array<std::uint16_t, 2>, 3>, 2>)
FORWARD(aliased_row, row)
FORWARD(rows, std::vector<std::array<std::uint8_t, 3>>)
FORWARD(maybe_texts, std::optional<std::array<std::string, 2>>)

FORWARD(one_shelf, shelf)
FORWARD(one_cell, cell)
FORWARD(many_cells, std::vector<cell>)
FORWARD(both, std::tuple<std::array<std::uint8_t, 3>, map<std::uint8_t, std::string>>)
FORWARD(fallible, wit::result<std::array<std::uint32_t, 3>, table>)

std::array<std::uint16_t, 1> flat(
    std::array<std::uint8_t, 3> a, table b, std::array<float, 2> c, cell d,
    std::array<std::uint64_t, 3> e, char32_t f) {
  return host::flat(a, b, c, d, e, f);
}

map<std::string, std::array<std::uint8_t, 2>> spilled(
    shelf a, std::array<std::uint8_t, 20> b, map<std::uint16_t, point> c, cell d,
    std::array<std::string, 1> e) {
  return host::spilled(a, b, c, d, e);
}

}  // namespace test_torture::collections_torture::exports::collections

std::uint32_t test_torture::collections_torture::exports::heap() {
  return static_cast<std::uint32_t>(allocated());
}
