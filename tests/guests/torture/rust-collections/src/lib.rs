//! Hands every map and list that the host passes to the host's own function of the same name.

mod allocator;
mod bindings;

use bindings::exports::test::torture::collections::Guest;
use bindings::test::torture::collections::{self as host, *};

struct Collections;

bindings::export!(Collections);

impl bindings::Guest for Collections {
    fn heap() -> u32 {
        allocator::allocated() as u32
    }
}

/// Functions that hand their argument on by reference.
macro_rules! lent {
    ($($name:ident: $type:ty;)*) => {
        $(fn $name(v: $type) -> $type { host::$name(&v) })*
    };
}

/// Functions that hand a copy of their argument on.
macro_rules! copied {
    ($($name:ident: $type:ty;)*) => {
        $(fn $name(v: $type) -> $type { host::$name(v) })*
    };
}

impl Guest for Collections {
    lent! {
        by_bool: Vec<(bool, u8)>;
        by_u8: Vec<(u8, u64)>;
        by_s8: Vec<(i8, String)>;
        by_u16: Vec<(u16, bool)>;
        by_s16: Vec<(i16, f32)>;
        by_u32: Vec<(u32, u16)>;
        by_s32: Vec<(i32, f64)>;
        by_u64: Vec<(u64, u8)>;
        by_s64: Vec<(i64, char)>;
        by_char: Vec<(char, Vec<u8>)>;
        by_string: Vec<(String, String)>;
        to_maps: Vec<(String, Vec<(u8, bool)>)>;
        to_arrays: Vec<(u8, [String; 2])>;
        to_lists: Vec<(String, Vec<String>)>;
        to_shelves: Vec<(String, Shelf)>;
        to_cells: Vec<(char, Cell)>;
        to_colours: Vec<(u64, (Colour, Access))>;
        to_options: Vec<(u16, Option<String>)>;
        to_results: Vec<(i64, Result<u8, String>)>;
        aliased_table: Table;
        tables: Vec<Vec<(String, u64)>>;
    }

    fn maybe_table(v: Option<Table>) -> Option<Table> {
        host::maybe_table(v.as_deref())
    }

    copied! {
        bools: [bool; 3];
        octets: [u8; 4];
        signed: [i8; 5];
        chars: [char; 2];
        singles: [f32; 3];
        one_double: [f64; 1];
        sixteen: [u64; 16];
        seventeen: [u8; 17];
        hundred: [u32; 100];
        points: [Point; 2];
        colours: [Colour; 3];
        accesses: [Access; 2];
        options: [Option<u64>; 2];
        matrix: [[f32; 2]; 3];
        cube: [[[u16; 2]; 3]; 2];
        aliased_row: Row;
    }

    lent! {
        one_text: [String; 1];
        texts: [String; 3];
        shelves: [Shelf; 2];
        cells: [Cell; 3];
        pairs: [(u8, String); 2];
        results: [Result<String, u8>; 2];
        maps: [Table; 2];
        lists: [Vec<String>; 2];
        rows: Vec<[u8; 3]>;
    }

    fn maybe_texts(v: Option<[String; 2]>) -> Option<[String; 2]> {
        host::maybe_texts(v.as_ref())
    }

    lent! {
        one_shelf: Shelf;
        one_cell: Cell;
        many_cells: Vec<Cell>;
    }

    fn both(v: ([u8; 3], Vec<(u8, String)>)) -> ([u8; 3], Vec<(u8, String)>) {
        host::both((v.0, &v.1))
    }

    fn fallible(v: Result<[u32; 3], Table>) -> Result<[u32; 3], Table> {
        host::fallible(v.as_ref().map(|v| *v).map_err(Vec::as_slice))
    }

    fn flat(a: [u8; 3], b: Table, c: [f32; 2], d: Cell, e: [u64; 3], f: char) -> [u16; 1] {
        host::flat(a, &b, c, &d, e, f)
    }

    fn spilled(
        a: Shelf,
        b: [u8; 20],
        c: Vec<(u16, Point)>,
        d: Cell,
        e: [String; 1],
    ) -> Vec<(String, [u8; 2])> {
        host::spilled(&a, b, &c, &d, &e)
    }
}
