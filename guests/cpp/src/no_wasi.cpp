// Link this into a guest that is to import no WASI: where the C++ library would print a message
// before it gives up, such a guest traps.
#include <__verbose_abort>

#if !defined(_LIBCPP_VERBOSE_ABORT_NOEXCEPT)
#if _LIBCPP_VERSION >= 200000
#define _LIBCPP_VERBOSE_ABORT_NOEXCEPT noexcept
#else
#define _LIBCPP_VERBOSE_ABORT_NOEXCEPT
#endif
#endif

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char*, ...) _LIBCPP_VERBOSE_ABORT_NOEXCEPT {
  __builtin_trap();
}
_LIBCPP_END_NAMESPACE_STD

// What libc++abi up to 19 calls.
extern "C" [[noreturn]] void abort_message(const char*, ...) { __builtin_trap(); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { __builtin_trap(); }
