//! Calls each of the host's functions twice: with a small value, and with what that returned.

mod bindings;

use bindings::test::torture::values::*;

macro_rules! twice {
    ($($name:ident = $function:ident($seed:expr), $value:ident => $argument:expr;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() {
            let $value = $function($seed);
            let _ = $function($argument);
        }
    )*};
}

twice! {
    twice_scalar_f64 = scalar_f64(0.0), v => v;
    twice_scalar_char = scalar_char('a'), v => v;
    twice_text = text(""), v => &v;
    twice_bytes = bytes(&[]), v => &v;
    twice_numbers = numbers(&[]), v => &v;
    twice_longs = longs(&[]), v => &v;
    twice_texts = texts(&[]), v => &v;
    twice_nested_lists = nested_lists(&[]), v => &v;
    twice_many_rich = many_rich(&[]), v => &v;
    twice_permissions = permissions(Access::empty()), v => v;
    twice_nine_flags = nine_flags(Days::empty()), v => v;
    twice_any_shape = any_shape(&Shape::Empty), v => &v;
    twice_shapes = shapes(&[]), v => &v;
    twice_maybe_text = maybe_text(None), v => v.as_deref();
    twice_maybe_bytes = maybe_bytes(None), v => v.as_deref();
    twice_maybe_number = maybe_number(None), v => v;
    twice_pair = pair(("", 0)), v => (&v.0, v.1);
    twice_aliased = aliased(&[]), v => &v;
    twice_fallible = fallible(Ok(0)), v => v.as_ref().map(|v| *v);
}

#[unsafe(no_mangle)]
extern "C" fn twice_enumeration() -> i32 {
    enumeration(Colour::Red) as i32
}

#[unsafe(no_mangle)]
extern "C" fn echo_u64(v: u64) -> u64 {
    scalar_u64(v)
}

#[unsafe(no_mangle)]
extern "C" fn echo_s8(v: i32) -> i32 {
    scalar_s8(v as i8).into()
}

#[unsafe(no_mangle)]
extern "C" fn is_ok(v: i32) -> i32 {
    yes_or_no(v != 0).is_ok().into()
}
