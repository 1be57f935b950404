namespace wasmtime_attestation {

using attestation::attest_gpu;
using attestation::attest_vm;
using attestation::clear_cache;
using attestation::detect_tee;
using attestation::verify_token;
using types::attestation_result;
using types::error;
using types::tee_info;
using types::tee_type;
using wit::label;

/// A kind of environment as people write it, such as "AMD SEV-SNP".
constexpr std::string_view display_name(tee_type type) {
  return wit::describe<tee_type>::display_names[static_cast<std::size_t>(type)];
}

/// What an error says, for people.
inline std::string message(const error& failure) {
  return std::visit(
      [](const auto& found) -> std::string {
        if constexpr (std::is_same_v<decltype(found.value), std::string>) {
          return found.value;
        } else {
          std::string text;
          for (const types::finding& finding : found.value) {
            if (!text.empty()) text += "; ";
            text += finding.check + ": " + finding.detail;
          }
          return text;
        }
      },
      failure.value);
}

/// Tokens about the virtual machine and one GPU.
struct attested {
  attestation_result vm{};
  attestation_result gpu{};
};

/// Attests the virtual machine and one GPU, and has the host verify both tokens.
///
/// For one token about both under one challenge, use `attester::attest` with the target `all`.
inline wit::result<attested, error> attest_all(std::uint32_t gpu_index = 0) {
  auto vm = attest_vm();
  if (!vm) return wit::unexpected(std::move(vm.error()));
  auto gpu = attest_gpu(gpu_index);
  if (!gpu) return wit::unexpected(std::move(gpu.error()));
  for (const std::string& token : {vm->token, gpu->token}) {
    if (!verify_token(token)) {
      return wit::unexpected(
          error{error::rejected{{types::finding{
              .check = "verify-token", .detail = "the host does not accept its own token"}}}});
    }
  }
  return attested{*std::move(vm), *std::move(gpu)};
}

}  // namespace wasmtime_attestation

/// The names and members that guests written before there was a WIT know.
namespace attestation {

/// The trusted execution environment that was found; "None" where there is none.
struct TeeInfo {
  std::string tee_type = "None";
  bool supports_attestation = false;
};

/// A token, or why there is none.
struct AttestationResult {
  bool success = false;
  std::string token;
  std::string evidence;
  std::string error;
  std::string tee_type;
  std::int64_t timestamp = 0;

  explicit operator bool() const { return success; }
};

namespace detail {

inline AttestationResult plain(
    wit::result<::wasmtime_attestation::attestation_result, ::wasmtime_attestation::error> result) {
  AttestationResult plain;
  plain.success = result.has_value();
  if (result) {
    plain.token = std::move(result->token);
    plain.evidence = std::move(result->evidence).value_or("");
    plain.tee_type = std::string(::wasmtime_attestation::display_name(result->tee_type));
    plain.timestamp = static_cast<std::int64_t>(result->timestamp);
  } else {
    plain.error = ::wasmtime_attestation::message(result.error());
  }
  return plain;
}

}  // namespace detail

inline TeeInfo detect_tee_type() {
  const auto info = ::wasmtime_attestation::detect_tee();
  return {
      std::string(::wasmtime_attestation::display_name(info.tee_type)), info.supports_attestation};
}

inline AttestationResult attest_vm() { return detail::plain(::wasmtime_attestation::attest_vm()); }

inline AttestationResult attest_gpu(std::uint32_t gpu_index = 0) {
  return detail::plain(::wasmtime_attestation::attest_gpu(gpu_index));
}

inline bool verify_token(std::string_view token) {
  return ::wasmtime_attestation::verify_token(token);
}

inline void clear_cache() { ::wasmtime_attestation::clear_cache(); }

}  // namespace attestation
