// Prints what the C++ header's JSON reader makes of its first argument.
#include <wasmtime_attestation.hpp>

#include <cstdio>

int main(int, char** argv) {
  const wasmtime_attestation::detail::Json json(argv[1]);
  if (!json.valid()) {
    std::puts("not JSON");
    return 1;
  }
  const auto text = json.string("text");
  std::printf("text=%s\n", text ? text->c_str() : "none");
  std::printf("flag=%d number=%lld\n", json.boolean("flag"),
              static_cast<long long>(json.integer("number")));
}
