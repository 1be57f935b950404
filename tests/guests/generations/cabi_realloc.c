// Guests exported an allocator only from a certain generation on.
#include <stdlib.h>

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(
    void *old, size_t old_size, size_t alignment, size_t new_size) {
  (void)old_size, (void)alignment;
  return realloc(old, new_size);
}
