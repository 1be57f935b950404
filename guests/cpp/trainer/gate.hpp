// Whether this machine may see the data: every part of it is attested, or the reason is told.
//
// A guest cannot detect that its own host lies. The gate keeps an honest host from training on the
// wrong machine; against a dishonest one, whoever owns the data verifies the tokens before
// releasing it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <wasmtime/attestation.hpp>

#include "console.hpp"

namespace gate {

using wasmtime_attestation::tee_type;
using answer = wit::result<wasmtime_attestation::attestation_result, wasmtime_attestation::error>;

// Returns what a token is about, if it counts, or why it does not.
inline wit::result<tee_type, std::string> check(const answer& answer, bool allow_simulated) {
  if (!answer) return wit::unexpected(wasmtime_attestation::message(answer.error()));
  if (!wasmtime_attestation::verify_token(answer->token))
    return wit::unexpected<std::string>("the host does not accept its token");
  if (answer->tee_type == tee_type::simulated && !allow_simulated)
    return wit::unexpected<std::string>(
        "a simulation proves nothing (--allow-simulated trains all the same)");
  return answer->tee_type;
}

inline bool is_attested(const std::string& part, const answer& answer, bool allow_simulated) {
  const auto checked = check(answer, allow_simulated);
  if (checked) {
    const std::string_view name = wasmtime_attestation::display_name(*checked);
    console::print(part + ": attested, " + std::string(name));
  } else {
    console::print(part + ": refused, " + checked.error());
  }
  return checked.has_value();
}

// Whether the virtual machine and every GPU, of at least one, are attested; says why not.
inline bool is_open(bool allow_simulated) {
  const std::uint32_t gpus = wasmtime_attestation::detect_tee().gpu_count;
  // All of them are asked, so that everything that is wrong is said at once.
  bool open = is_attested("vm", wasmtime_attestation::attest_vm(), allow_simulated);
  for (std::uint32_t index = 0; index < gpus; index++) {
    const auto answer = wasmtime_attestation::attest_gpu(index);
    open &= is_attested("gpu " + std::to_string(index), answer, allow_simulated);
  }
  if (gpus == 0) console::print("gpu: refused, there is none");
  return open && gpus > 0;
}

}  // namespace gate
