// Asks for tokens and has the host verify each; one word a question, in order:
//   kept:vm kept:gpu:N            attest-vm and attest-gpu, which the host may answer from its cache
//   fresh:vm fresh:gpu:N fresh:all  attest, for a challenge that is the same each time
//   clear                         clear-cache
//   old:N                         verify-token of the Nth token, from 0 on, once more
//   read:N                        verify of the Nth token, for the challenge's nonce where it has one
//   token:TEXT                    verify-token of a token of somebody else
// Every answer is one line of four fields, with a tab between them: the word, `ok`, `yes`, `no` or
// the error's case, the token or the error's message, and what verify-token says of the token.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include <wasmtime/attestation.hpp>

#include "console.hpp"

using console::print;
using namespace wasmtime_attestation;

namespace {

std::vector<std::string> tokens;

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

void answer(const std::string& word, std::string_view what, const std::string& text, std::string_view also = "") {
  print(word + '\t' + std::string(what) + '\t' + text + '\t' + std::string(also));
}

attester::challenge challenge() {
  attester::challenge asked;
  for (std::uint8_t byte = 0; byte < 16; byte++) asked.nonce.push_back(byte);
  asked.user_data = std::vector<std::uint8_t>{'k', 'e', 'y'};
  asked.audience = "them";
  return asked;
}

attester::target target(std::string_view name) {
  if (name == "all") return {attester::target::all{}};
  if (name == "vm") return {attester::target::vm{}};
  return {attester::target::gpu{static_cast<std::uint32_t>(std::stoul(std::string(name.substr(4))))}};
}

wit::result<attestation_result, error> attest(std::string_view word) {
  if (begins(word, "fresh:")) return attester::attest(target(word.substr(6)), challenge());
  const std::string_view name = word.substr(5);
  return name == "vm" ? attest_vm() : attest_gpu(std::stoul(std::string(name.substr(4))));
}

void obtain(const std::string& word) {
  const auto result = attest(word);
  if (!result) return answer(word, label(result.error()), message(result.error()));
  tokens.push_back(result->token);
  answer(word, "ok", result->token, verify_token(result->token) ? "true" : "false");
}

void read(const std::string& word) {
  const auto verdict = verifier::verify(tokens.at(std::stoul(word.substr(5))), {.policy = "hardware-only"});
  if (!verdict) return answer(word, label(verdict.error()), message(verdict.error()));
  answer(word, label(verdict->status), verdict->issuer, display_name(verdict->tee_type));
}

void say(const std::string& word, const std::string& token) {
  answer(word.substr(0, 8), verify_token(token) ? "yes" : "no", "");
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); i++) {
    const std::string& word = arguments[i];
    if (word == "clear") {
      clear_cache();
    } else if (begins(word, "old:")) {
      say(word, tokens.at(std::stoul(word.substr(4))));
    } else if (begins(word, "read:")) {
      read(word);
    } else if (begins(word, "token:")) {
      say(word, word.substr(6));
    } else {
      obtain(word);
    }
  }
  return 0;
}
