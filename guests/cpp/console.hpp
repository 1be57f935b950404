// Printing and arguments, whichever ABI the guest is built for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#if defined(WASMTIME_ATTESTATION_LEGACY)

#include <cstdio>

namespace console {
inline void print(std::string_view line) {
  std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
}
}  // namespace console

int run(const std::vector<std::string>& arguments);

int main(int argc, char** argv) { return run({argv, argv + argc}); }

#else

#include <wasmtime-attestation/example/command.hpp>

namespace console {
namespace command = wasmtime_attestation_example::command;

inline void print(std::string_view line) {
  constexpr std::size_t at_once = 4096;  // what WASI takes in one call
  const std::string text = std::string(line) + '\n';
  const auto out = command::wasi_cli::stdout_::get_stdout();
  for (std::size_t at = 0; at < text.size(); at += at_once) {
    const std::string_view part = std::string_view(text).substr(at, at_once);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(part.data());
    if (!out.blocking_write_and_flush({bytes, part.size()})) return;
  }
}
}  // namespace console

int run(const std::vector<std::string>& arguments);

namespace wasmtime_attestation_example::command::exports::wasi_cli::run {
wit::result<void, void> run() {
  if (::run(console::command::wasi_cli::environment::get_arguments()) != 0)
    return wit::unexpected<>();
  return {};
}
}  // namespace wasmtime_attestation_example::command::exports::wasi_cli::run

#endif
