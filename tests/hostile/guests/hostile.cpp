// A guest that does its host what harm C++ can; its argument says which.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#define HOST(name) __attribute__((import_module("wasmtime_attestation"), import_name(name))) extern "C"
HOST("attest_vm") std::uint32_t attest_vm();
HOST("verify_token") std::uint32_t verify_token(std::uint32_t at, std::uint32_t size);
HOST("attest") std::uint32_t attest(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t);
HOST("verify") std::uint32_t verify(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t);
HOST("clear_cache") void clear_cache();

static std::string_view mode;
static char stolen[1 << 17];

extern "C" __attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *, std::size_t,
                                                                           std::size_t,
                                                                           std::size_t size) {
  if (mode == "abort-in-realloc") std::abort();
  if (mode == "host-in-realloc") clear_cache(), attest_vm();
  if (mode == "stack-from-realloc") return __builtin_frame_address(0);
  if (mode == "steal") return stolen;
  if (mode == "free-in-realloc") {
    void *block = std::malloc(size);
    std::memset(block, 0xff, size);
    std::free(block);
    return block;
  }
  return std::malloc(size);
}

static int answered() {
  std::uint32_t at = attest_vm();
  if (at == 0) return 2;
  std::uint32_t length;
  std::memcpy(&length, reinterpret_cast<char *>(at), sizeof length);
  std::string_view answer(reinterpret_cast<char *>(at) + 4, length);
  return answer.substr(0, 16) == "{\"success\":true," ? 0 : 3;
}

static int lies() {
  const std::uint32_t end = __builtin_wasm_memory_size(0) << 16;
  const std::uint32_t lies[][2] = {{end, 1}, {end - 1, 2}, {0, ~0u}, {~0u, 1}, {~0u, ~0u}, {1, ~0u}};
  for (auto [at, size] : lies)
    if (verify_token(at, size) || attest(at, size, at, size) || verify(at, size, at, size) ||
        attest(0, 2, at, size) || verify(0, 0, at, size))
      return 1;
  return answered();
}

static volatile std::uint32_t sink;

__attribute__((noinline)) static std::uint32_t recurse(std::uint32_t depth) {
  volatile char frame[64];
  frame[depth % sizeof frame] = 1;
  clear_cache();
  return depth == ~0u ? 0 : recurse(depth + 1) + frame[0];
}

int main(int, char **arguments) {
  mode = arguments[1];
  if (mode == "recurse") sink = recurse(0);
  while (mode == "loop") sink = sink + 1;
  while (mode == "call") clear_cache();
  while (mode == "flood") std::puts("and again, and again, and again, and again, and again");
  while (mode == "allocate") {
    void *block = std::malloc(1 << 20);
    if (block == nullptr) std::abort();
    std::memset(block, 1, 1 << 20);
    sink = reinterpret_cast<std::uintptr_t>(block);
  }
  return mode == "lie" ? lies() : answered();
}
