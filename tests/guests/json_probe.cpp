// Prints what the C++ header's JSON reader makes of its first argument.
#define WASMTIME_ATTESTATION_LEGACY
#include <cstdio>
#include <wasmtime/attestation.hpp>

struct probe {
  std::optional<std::string> text{};
  bool flag{};
  std::int64_t number{};
};

template <>
struct wit::describe<probe> {
  using members = fields<&probe::text, &probe::flag, &probe::number>;
  static constexpr auto names = name_list("text", "flag", "number");
};

int main(int, char** argv) {
  wit::legacy::reader in(argv[1]);
  probe found;
  wit::legacy::read(in, found);
  if (!in.finished()) {
    std::puts("not JSON");
    return 1;
  }
  std::printf("text=%s\n", found.text ? found.text->c_str() : "none");
  std::printf("flag=%d number=%lld\n", found.flag, static_cast<long long>(found.number));
}
