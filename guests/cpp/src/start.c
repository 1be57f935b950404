// How a command starts, for a C library whose own start file runs constructors around every
// export: `cabi_realloc` is called while an import runs, when constructors must not run again.
extern void __wasm_call_ctors(void);
extern int __main_void(void);
extern void __wasm_call_dtors(void);

__attribute__((
    import_module("wasi_snapshot_preview1"), import_name("proc_exit"), noreturn)) extern void
start_proc_exit(int code);

__attribute__((export_name("_start"))) void _start(void) {
  __wasm_call_ctors();
  const int code = __main_void();
  __wasm_call_dtors();
  if (code != 0) start_proc_exit(code);
}
