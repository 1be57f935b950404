//! Values, each handed to the host's function of the same name.

use crate::bindings::exports::test::torture::values::Guest;
use crate::bindings::test::torture::values::{self, *};
use crate::Torture;

impl Guest for Torture {
    fn scalar_bool(v: bool) -> bool {
        values::scalar_bool(v)
    }

    fn scalar_u8(v: u8) -> u8 {
        values::scalar_u8(v)
    }

    fn scalar_s8(v: i8) -> i8 {
        values::scalar_s8(v)
    }

    fn scalar_u16(v: u16) -> u16 {
        values::scalar_u16(v)
    }

    fn scalar_s16(v: i16) -> i16 {
        values::scalar_s16(v)
    }

    fn scalar_u32(v: u32) -> u32 {
        values::scalar_u32(v)
    }

    fn scalar_s32(v: i32) -> i32 {
        values::scalar_s32(v)
    }

    fn scalar_u64(v: u64) -> u64 {
        values::scalar_u64(v)
    }

    fn scalar_s64(v: i64) -> i64 {
        values::scalar_s64(v)
    }

    fn scalar_f32(v: f32) -> f32 {
        values::scalar_f32(v)
    }

    fn scalar_f64(v: f64) -> f64 {
        values::scalar_f64(v)
    }

    fn scalar_char(v: char) -> char {
        values::scalar_char(v)
    }

    fn text(v: String) -> String {
        values::text(&v)
    }

    fn bytes(v: Vec<u8>) -> Vec<u8> {
        values::bytes(&v)
    }

    fn numbers(v: Vec<u32>) -> Vec<u32> {
        values::numbers(&v)
    }

    fn longs(v: Vec<i64>) -> Vec<i64> {
        values::longs(&v)
    }

    fn texts(v: Vec<String>) -> Vec<String> {
        values::texts(&v)
    }

    fn nested_lists(v: Vec<Vec<Vec<u8>>>) -> Vec<Vec<Vec<u8>>> {
        values::nested_lists(&v)
    }

    fn all_scalars(v: Scalars) -> Scalars {
        values::all_scalars(&v)
    }

    fn rich(v: Record) -> Record {
        values::rich(&v)
    }

    fn many_rich(v: Vec<Record>) -> Vec<Record> {
        values::many_rich(&v)
    }

    fn enumeration(v: Colour) -> Colour {
        values::enumeration(v)
    }

    fn permissions(v: Access) -> Access {
        values::permissions(v)
    }

    fn nine_flags(v: Days) -> Days {
        values::nine_flags(v)
    }

    fn any_shape(v: Shape) -> Shape {
        values::any_shape(&v)
    }

    fn shapes(v: Vec<Shape>) -> Vec<Shape> {
        values::shapes(&v)
    }

    fn maybe_text(v: Option<String>) -> Option<String> {
        values::maybe_text(v.as_deref())
    }

    fn maybe_bytes(v: Option<Vec<u8>>) -> Option<Vec<u8>> {
        values::maybe_bytes(v.as_deref())
    }

    fn maybe_number(v: Option<u64>) -> Option<u64> {
        values::maybe_number(v)
    }

    fn pair(v: (String, u64)) -> (String, u64) {
        values::pair((&v.0, v.1))
    }

    fn aliased(v: Points) -> Points {
        values::aliased(&v)
    }

    fn fallible(v: Result<u64, Shape>) -> Result<u64, Shape> {
        values::fallible(v.as_ref().map(|v| *v))
    }

    fn yes_or_no(v: bool) -> Result<(), ()> {
        values::yes_or_no(v)
    }

    fn only_error(v: Option<String>) -> Result<(), String> {
        values::only_error(v.as_deref())
    }

    fn nothing() {
        values::nothing()
    }

    fn spilled(a: Scalars, b: String, c: Vec<String>, d: Shape, e: u8) -> String {
        values::spilled(&a, &b, &c, &d, e)
    }

    fn seventeen(
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: f32,
        j: f64,
        k: char,
        l: bool,
        m: u8,
        n: u8,
        o: u8,
        p: u8,
        q: u64,
    ) -> u64 {
        values::seventeen(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
    }
}
