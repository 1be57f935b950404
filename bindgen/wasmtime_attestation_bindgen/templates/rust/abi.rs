//! The canonical ABI of the component model: how values travel between a guest and its host.
//!
//! CanonicalABI.md defines all of it. `Lower` writes values, `Lift` reads them, each in two
//! forms: in memory, and flat, as up to sixteen core values. A flat value is kept in 64 bits
//! whatever its core type is: that is what the specification's coercions between the cases of a
//! variant come to.
//!
//! Lowering only borrows. A list whose elements lie in memory as the host wants them is passed as
//! it is; for others an array is made, which `Temps` frees. What lifting finds in memory was
//! placed there by the host through `cabi_realloc`, and belongs to the value that is lifted.

// No world uses all of it.
#![allow(dead_code, unused_imports, unused_macros)]
#![allow(clippy::new_without_default)]

extern crate alloc;

use alloc::alloc::Layout;
use core::fmt;
use core::mem::MaybeUninit;

pub use alloc::string::String;
pub use alloc::vec::Vec;

/// Ends the guest, because the host broke the ABI or there is no memory left.
#[cold]
pub fn invalid() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!("the host broke the ABI");
}

/// Ends a program that is no guest.
#[cold]
pub fn not_a_guest() -> ! {
    panic!("there is no WebAssembly host to call: this program was not built for wasm32");
}

/// What a type takes: bytes in memory, their alignment, and core values when flat.
#[derive(Clone, Copy)]
pub struct Shape {
    pub size: usize,
    pub align: usize,
    pub flat: usize,
}

impl Shape {
    pub const NOTHING: Self = Self::new(0, 1, 0);

    pub const fn new(size: usize, align: usize, flat: usize) -> Self {
        Self { size, align, flat }
    }

    /// A record or a tuple.
    pub const fn record(members: &[Self]) -> Self {
        let mut all = Self::NOTHING;
        let mut index = 0;
        while index < members.len() {
            let member = members[index];
            all.size = aligned(all.size, member.align) + member.size;
            all.align = larger(all.align, member.align);
            all.flat += member.flat;
            index += 1;
        }
        all.size = aligned(all.size, all.align);
        all
    }

    /// A variant of so many cases, whose payloads have these shapes.
    pub const fn variant(cases: usize, payloads: &[Self]) -> Self {
        let payload = Self::union(payloads);
        let align = larger(tag_size(cases), payload.align);
        let end = Self::payload_offset(cases, payloads) + payload.size;
        Self::new(aligned(end, align), align, 1 + payload.flat)
    }

    /// Where the payload of such a variant begins.
    pub const fn payload_offset(cases: usize, payloads: &[Self]) -> usize {
        aligned(tag_size(cases), Self::union(payloads).align)
    }

    const fn union(shapes: &[Self]) -> Self {
        let mut all = Self::NOTHING;
        let mut index = 0;
        while index < shapes.len() {
            all.size = larger(all.size, shapes[index].size);
            all.align = larger(all.align, shapes[index].align);
            all.flat = larger(all.flat, shapes[index].flat);
            index += 1;
        }
        all
    }
}

const fn tag_size(cases: usize) -> usize {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b {
        a
    } else {
        b
    }
}

const fn aligned(offset: usize, align: usize) -> usize {
    offset.next_multiple_of(align)
}

/// A type that has a form in the canonical ABI.
///
/// # Safety
///
/// Where `PLAIN` is true, Rust lays the type out as the canonical ABI does, and every sequence of
/// bytes is a value of it.
pub unsafe trait Wire {
    const SHAPE: Shape;
    const PLAIN: bool = false;
}

/// A type that can be passed to the host.
pub trait Lower: Wire {
    /// Writes the value to memory.
    ///
    /// # Safety
    ///
    /// `at` is aligned and has room for `SHAPE`. What is written is valid while `self` and
    /// `temps` live.
    unsafe fn store(&self, at: *mut u8, temps: &mut Temps);

    /// Appends the value's core values. They are valid while `self` and `temps` live.
    fn flatten(&self, flat: &mut Flat, temps: &mut Temps);

    /// Like `store`, where the bindings hold the value by reference: resources are lent.
    ///
    /// # Safety
    ///
    /// As for `store`.
    unsafe fn store_lent(&self, at: *mut u8, temps: &mut Temps) {
        // SAFETY: the caller's promise is the same.
        unsafe { self.store(at, temps) }
    }

    /// Like `flatten`, where the bindings hold the value by reference: resources are lent.
    fn flatten_lent(&self, flat: &mut Flat, temps: &mut Temps) {
        self.flatten(flat, temps);
    }
}

/// A type that the host can pass.
pub trait Lift: Wire + Sized {
    /// Reads a value from memory, and takes what it owns.
    ///
    /// # Safety
    ///
    /// The host placed a value of this type at `at`, and nobody read it before.
    unsafe fn load(at: *const u8) -> Self;

    /// Reads a value from core values, and takes what it owns.
    ///
    /// # Safety
    ///
    /// The host passed a value of this type next, and nobody read it before.
    unsafe fn lift(flat: &mut Flat) -> Self;
}

/// Core values on their way.
pub struct Flat {
    slots: [u64; Self::MOST],
    next: usize,
}

impl Flat {
    /// The most core values that a function takes, rounded up to a power of two: 16 of its
    /// parameters, and where its result goes.
    const MOST: usize = 32;

    pub fn new() -> Self {
        Self::of(&[])
    }

    pub fn of(values: &[u64]) -> Self {
        let mut slots = [0; Self::MOST];
        for (slot, value) in slots.iter_mut().zip(values) {
            *slot = *value;
        }
        Self { slots, next: 0 }
    }

    pub fn rewind(&mut self) {
        self.next = 0;
    }

    pub fn position(&self) -> usize {
        self.next
    }

    pub fn skip_to(&mut self, position: usize) {
        self.next = position;
    }

    // The mask never changes a position, since there are no more values; it spares the check.
    pub fn push(&mut self, value: u64) {
        self.slots[self.next % Self::MOST] = value;
        self.next += 1;
    }

    pub fn pop(&mut self) -> u64 {
        let value = self.slots[self.next % Self::MOST];
        self.next += 1;
        value
    }

    pub fn core<T: Core>(&mut self) -> T {
        T::from_slot(self.pop())
    }
}

/// A type of core WebAssembly.
pub trait Core {
    fn from_slot(slot: u64) -> Self;
    fn into_slot(self) -> u64;
}

macro_rules! core_type {
    ($type:ty, $slot:ident => $from:expr, $value:ident => $into:expr) => {
        impl Core for $type {
            fn from_slot($slot: u64) -> Self {
                $from
            }

            fn into_slot(self) -> u64 {
                let $value = self;
                $into
            }
        }
    };
}

core_type!(i32, slot => slot as u32 as i32, value => u64::from(value as u32));
core_type!(i64, slot => slot as i64, value => value as u64);
core_type!(f32, slot => f32::from_bits(slot as u32), value => u64::from(value.to_bits()));
core_type!(f64, slot => f64::from_bits(slot), value => value.to_bits());

/// Arrays that are needed until a call returns.
pub struct Temps(Vec<(*mut u8, Layout)>);

impl Temps {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns memory for so many values of a shape.
    fn array(&mut self, shape: Shape, count: usize) -> *mut u8 {
        let size = shape.size.checked_mul(count).unwrap_or_else(|| invalid());
        let Ok(layout) = Layout::from_size_align(size, shape.align) else {
            invalid();
        };
        if size == 0 {
            return shape.align as *mut u8;
        }
        // SAFETY: the size is not 0.
        let array = unsafe { alloc::alloc::alloc(layout) };
        if array.is_null() {
            alloc::alloc::handle_alloc_error(layout);
        }
        self.0.push((array, layout));
        array
    }
}

impl Drop for Temps {
    fn drop(&mut self) {
        for &(array, layout) in &self.0 {
            // SAFETY: `array` allocated it with this layout.
            unsafe { alloc::alloc::dealloc(array, layout) }
        }
    }
}

/// Room for parameters or a result in memory.
#[repr(C, align(8))]
pub struct Area<const SIZE: usize>([MaybeUninit<u8>; SIZE]);

impl<const SIZE: usize> Area<SIZE> {
    pub const fn new() -> Self {
        Self([MaybeUninit::uninit(); SIZE])
    }

    pub fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    /// Reads what the host wrote.
    ///
    /// # Safety
    ///
    /// As for `Lift::load`.
    pub unsafe fn load<T: Lift>(&mut self) -> T {
        const { assert!(T::SHAPE.size <= SIZE) };
        // SAFETY: the caller says so.
        unsafe { T::load(self.pointer()) }
    }
}

/// Lifts a result that is one core value.
///
/// # Safety
///
/// The host passed it, and nobody read it before.
pub unsafe fn lift_one<T: Lift, C: Core>(value: C) -> T {
    // SAFETY: the caller says so.
    unsafe { T::lift(&mut Flat::of(&[value.into_slot()])) }
}

/// Frees the memory that the host placed parameters in.
///
/// # Safety
///
/// `cabi_realloc` returned it for this size and alignment, and its values were loaded.
pub unsafe fn free(at: *const u8, size: usize, align: usize) {
    if let (Ok(layout), true) = (Layout::from_size_align(size, align), size > 0) {
        // SAFETY: the caller says so, and the size is not 0.
        unsafe { alloc::alloc::dealloc(at.cast_mut(), layout) }
    }
}

/// Writes a member of a record and moves on.
///
/// # Safety
///
/// As for `Lower::store`, once `at` is aligned.
pub unsafe fn put<T: Lower + ?Sized>(at: &mut *mut u8, value: &T, temps: &mut Temps) {
    let shape = T::SHAPE;
    *at = at.wrapping_add(padding(*at as usize, shape.align));
    // SAFETY: the caller says so.
    unsafe { value.store(*at, temps) }
    *at = at.wrapping_add(shape.size);
}

/// Reads a member of a record and moves on.
///
/// # Safety
///
/// As for `Lift::load`, once `at` is aligned.
pub unsafe fn get<T: Lift>(at: &mut *const u8) -> T {
    let shape = T::SHAPE;
    *at = at.wrapping_add(padding(*at as usize, shape.align));
    // SAFETY: the caller says so.
    let value = unsafe { T::load(*at) };
    *at = at.wrapping_add(shape.size);
    value
}

fn padding(address: usize, align: usize) -> usize {
    address.wrapping_neg() & (align - 1)
}

/// Writes which of so many cases a variant is.
///
/// # Safety
///
/// `at` is aligned and has room for it.
pub unsafe fn store_tag(at: *mut u8, cases: usize, tag: u32) {
    // SAFETY: the caller says so.
    unsafe {
        match tag_size(cases) {
            1 => at.write(tag as u8),
            2 => at.cast::<u16>().write(tag as u16),
            _ => at.cast::<u32>().write(tag),
        }
    }
}

/// Reads which of so many cases a variant is.
///
/// # Safety
///
/// The host placed it at `at`.
pub unsafe fn load_tag(at: *const u8, cases: usize) -> u32 {
    // SAFETY: the caller says so.
    unsafe {
        match tag_size(cases) {
            1 => at.read().into(),
            2 => at.cast::<u16>().read().into(),
            _ => at.cast::<u32>().read(),
        }
    }
}

macro_rules! number {
    ($($type:ident as $core:ident, $size:literal;)*) => {$(
        // SAFETY: it is a number, which both lay out alike.
        unsafe impl Wire for $type {
            const SHAPE: Shape = Shape::new($size, $size, 1);
            const PLAIN: bool = true;
        }

        impl Lower for $type {
            unsafe fn store(&self, at: *mut u8, _: &mut Temps) {
                // SAFETY: the caller says so.
                unsafe { at.cast::<Self>().write(*self) }
            }

            fn flatten(&self, flat: &mut Flat, _: &mut Temps) {
                flat.push((*self as $core).into_slot());
            }
        }

        impl Lift for $type {
            unsafe fn load(at: *const u8) -> Self {
                // SAFETY: the caller says so.
                unsafe { at.cast::<Self>().read() }
            }

            unsafe fn lift(flat: &mut Flat) -> Self {
                flat.core::<$core>() as Self
            }
        }
    )*};
}

number! {
    u8 as i32, 1;
    i8 as i32, 1;
    u16 as i32, 2;
    i16 as i32, 2;
    u32 as i32, 4;
    i32 as i32, 4;
    u64 as i64, 8;
    i64 as i64, 8;
    f32 as f32, 4;
    f64 as f64, 8;
}

/// A type that travels as a number, though not every number is a value of it.
macro_rules! as_number {
    ($type:ty, $number:ident, $value:ident => $into:expr, $raw:ident => $from:expr) => {
        // SAFETY: it is not plain.
        unsafe impl abi::Wire for $type {
            const SHAPE: abi::Shape = <$number as abi::Wire>::SHAPE;
        }

        impl abi::Lower for $type {
            unsafe fn store(&self, at: *mut u8, temps: &mut abi::Temps) {
                let $value = self;
                let number: $number = $into;
                // SAFETY: the caller says so.
                unsafe { abi::Lower::store(&number, at, temps) }
            }

            fn flatten(&self, flat: &mut abi::Flat, temps: &mut abi::Temps) {
                let $value = self;
                let number: $number = $into;
                abi::Lower::flatten(&number, flat, temps);
            }
        }

        impl abi::Lift for $type {
            unsafe fn load(at: *const u8) -> Self {
                // SAFETY: the caller says so.
                let $raw = u32::from(unsafe { <$number as abi::Lift>::load(at) });
                $from
            }

            unsafe fn lift(flat: &mut abi::Flat) -> Self {
                // SAFETY: the caller says so.
                let $raw = unsafe { <u32 as abi::Lift>::lift(flat) };
                $from
            }
        }
    };
}
pub(crate) use as_number;

use super::abi;

as_number!(bool, u8, value => u8::from(*value), raw => raw != 0);
as_number!(char, u32, value => u32::from(*value), raw => match char::from_u32(raw) {
    Some(value) => value,
    None => invalid(),
});

// SAFETY: it is not plain.
unsafe impl Wire for () {
    const SHAPE: Shape = Shape::NOTHING;
}

impl Lower for () {
    unsafe fn store(&self, _: *mut u8, _: &mut Temps) {}

    fn flatten(&self, _: &mut Flat, _: &mut Temps) {}
}

impl Lift for () {
    unsafe fn load(_: *const u8) -> Self {}

    unsafe fn lift(_: &mut Flat) -> Self {}
}

// SAFETY: it is not plain.
unsafe impl<T: Wire + ?Sized> Wire for &T {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Lower + ?Sized> Lower for &T {
    unsafe fn store(&self, at: *mut u8, temps: &mut Temps) {
        // SAFETY: the caller says so.
        unsafe { (**self).store_lent(at, temps) }
    }

    fn flatten(&self, flat: &mut Flat, temps: &mut Temps) {
        (**self).flatten_lent(flat, temps);
    }
}

/// The address and the number of elements of a list.
type Span = (usize, usize);

const SPAN: Shape = Shape::new(8, 4, 2);

unsafe fn store_span((address, count): Span, at: *mut u8) {
    let at = at.cast::<u32>();
    // SAFETY: the caller has room for two addresses.
    unsafe {
        at.write(address as u32);
        at.add(1).write(count as u32);
    }
}

unsafe fn load_span(at: *const u8) -> Span {
    let at = at.cast::<u32>();
    // SAFETY: the caller has two addresses there.
    unsafe { (at.read() as usize, at.add(1).read() as usize) }
}

fn lower_list<T: Lower>(list: &[T], temps: &mut Temps) -> Span {
    if T::PLAIN {
        return (list.as_ptr() as usize, list.len());
    }
    let array = temps.array(T::SHAPE, list.len());
    for (index, value) in list.iter().enumerate() {
        // SAFETY: the array has room for as many values.
        unsafe { value.store(array.add(index * T::SHAPE.size), temps) }
    }
    (array as usize, list.len())
}

/// # Safety
///
/// The host placed such a list there, and nobody read it before.
unsafe fn lift_list<T: Lift>((address, count): Span) -> Vec<T> {
    if count == 0 {
        return Vec::new();
    }
    let array = address as *mut u8;
    if T::PLAIN {
        // SAFETY: `cabi_realloc` allocated it with the layout that `Vec` frees it with.
        return unsafe { Vec::from_raw_parts(array.cast(), count, count) };
    }
    let size = T::SHAPE.size;
    // SAFETY: the array holds so many values, and `cabi_realloc` allocated it.
    unsafe {
        let list = (0..count)
            .map(|index| T::load(array.add(index * size)))
            .collect();
        free(array, size * count, T::SHAPE.align);
        list
    }
}

unsafe fn lift_string(span: Span) -> String {
    // SAFETY: the caller has a string there, which is laid out like a list of bytes.
    let bytes = unsafe { lift_list(span) };
    String::from_utf8(bytes).unwrap_or_else(|_| invalid())
}

fn pop_span(flat: &mut Flat) -> Span {
    (flat.pop() as u32 as usize, flat.pop() as u32 as usize)
}

macro_rules! lower_span {
    ([$($wire:tt)*] [$($lower:tt)*] $type:ty, $value:ident, $temps:ident => $span:expr) => {
        // SAFETY: it is not plain.
        unsafe impl<$($wire)*> Wire for $type {
            const SHAPE: Shape = SPAN;
        }

        impl<$($lower)*> Lower for $type {
            unsafe fn store(&self, at: *mut u8, $temps: &mut Temps) {
                let $value = self;
                let span: Span = $span;
                // SAFETY: the caller says so.
                unsafe { store_span(span, at) }
            }

            fn flatten(&self, flat: &mut Flat, $temps: &mut Temps) {
                let $value = self;
                let (address, count): Span = $span;
                flat.push(address as u64);
                flat.push(count as u64);
            }
        }
    };
}

lower_span!([] [] str, text, temps => lower_list(text.as_bytes(), temps));
lower_span!([] [] String, text, temps => lower_list(text.as_bytes(), temps));
lower_span!([T: Wire] [T: Lower] [T], list, temps => lower_list(list, temps));
lower_span!([T: Wire] [T: Lower] Vec<T>, list, temps => lower_list(list, temps));

impl Lift for String {
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller says so.
        unsafe { lift_string(load_span(at)) }
    }

    unsafe fn lift(flat: &mut Flat) -> Self {
        // SAFETY: the caller says so.
        unsafe { lift_string(pop_span(flat)) }
    }
}

impl<T: Lift> Lift for Vec<T> {
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller says so.
        unsafe { lift_list(load_span(at)) }
    }

    unsafe fn lift(flat: &mut Flat) -> Self {
        // SAFETY: the caller says so.
        unsafe { lift_list(pop_span(flat)) }
    }
}

// SAFETY: an array of what is laid out alike is laid out alike.
unsafe impl<T: Wire, const N: usize> Wire for [T; N] {
    const SHAPE: Shape = Shape::new(T::SHAPE.size * N, T::SHAPE.align, T::SHAPE.flat * N);
    const PLAIN: bool = T::PLAIN;
}

impl<T: Lower, const N: usize> Lower for [T; N] {
    unsafe fn store(&self, mut at: *mut u8, temps: &mut Temps) {
        for value in self {
            // SAFETY: the caller says so.
            unsafe { put(&mut at, value, temps) }
        }
    }

    fn flatten(&self, flat: &mut Flat, temps: &mut Temps) {
        for value in self {
            value.flatten(flat, temps);
        }
    }
}

impl<T: Lift, const N: usize> Lift for [T; N] {
    unsafe fn load(mut at: *const u8) -> Self {
        // SAFETY: the caller says so.
        core::array::from_fn(|_| unsafe { get(&mut at) })
    }

    unsafe fn lift(flat: &mut Flat) -> Self {
        // SAFETY: the caller says so.
        core::array::from_fn(|_| unsafe { T::lift(flat) })
    }
}

macro_rules! tuple {
    ($($name:ident)*) => {
        // SAFETY: it is not plain.
        unsafe impl<$($name: Wire),*> Wire for ($($name,)*) {
            const SHAPE: Shape = Shape::record(&[$($name::SHAPE),*]);
        }

        impl<$($name: Lower),*> Lower for ($($name,)*) {
            #[allow(non_snake_case)]
            unsafe fn store(&self, mut at: *mut u8, temps: &mut Temps) {
                let ($($name,)*) = self;
                // SAFETY: the caller says so.
                unsafe { $(put(&mut at, $name, temps);)* }
            }

            #[allow(non_snake_case)]
            fn flatten(&self, flat: &mut Flat, temps: &mut Temps) {
                let ($($name,)*) = self;
                $($name.flatten(flat, temps);)*
            }
        }

        impl<$($name: Lift),*> Lift for ($($name,)*) {
            unsafe fn load(mut at: *const u8) -> Self {
                // SAFETY: the caller says so.
                unsafe { ($(get::<$name>(&mut at),)*) }
            }

            unsafe fn lift(flat: &mut Flat) -> Self {
                // SAFETY: the caller says so.
                unsafe { ($($name::lift(flat),)*) }
            }
        }
    };
}

tuple! { A }
tuple! { A B }
tuple! { A B C }
tuple! { A B C D }
tuple! { A B C D E }
tuple! { A B C D E F }
tuple! { A B C D E F G }
tuple! { A B C D E F G H }
tuple! { A B C D E F G H I }
tuple! { A B C D E F G H I J }
tuple! { A B C D E F G H I J K }
tuple! { A B C D E F G H I J K L }

/// A record: `Point { x: i32, y: i32 }`.
macro_rules! record {
    ($([$life:lifetime])? $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        // SAFETY: it is not plain.
        unsafe impl$(<$life>)? abi::Wire for $name$(<$life>)? {
            const SHAPE: abi::Shape =
                abi::Shape::record(&[$(<$type as abi::Wire>::SHAPE),*]);
        }

        impl$(<$life>)? abi::Lower for $name$(<$life>)? {
            #[allow(unused)]
            unsafe fn store(&self, mut at: *mut u8, temps: &mut abi::Temps) {
                // SAFETY: the caller says so.
                unsafe { $(abi::put(&mut at, &self.$field, temps);)* }
            }

            #[allow(unused)]
            fn flatten(&self, flat: &mut abi::Flat, temps: &mut abi::Temps) {
                $(abi::Lower::flatten(&self.$field, flat, temps);)*
            }
        }

        impl$(<$life>)? abi::Lift for $name$(<$life>)? {
            #[allow(unused)]
            unsafe fn load(mut at: *const u8) -> Self {
                // SAFETY: the caller says so.
                unsafe { Self { $($field: abi::get(&mut at)),* } }
            }

            #[allow(unused)]
            unsafe fn lift(flat: &mut abi::Flat) -> Self {
                // SAFETY: the caller says so.
                unsafe { Self { $($field: abi::Lift::lift(flat)),* } }
            }
        }
    };
}
pub(crate) use record;

/// An enum: `Colour as u8 { 0 Red, 1 Green }`, each case with its index.
macro_rules! enumeration {
    ($name:ident as $number:ident { $($tag:literal $case:ident),* $(,)? }) => {
        abi::as_number!($name, $number, value => *value as $number, raw => match raw {
            $($tag => Self::$case,)*
            _ => abi::invalid(),
        });
    };
}
pub(crate) use enumeration;

/// Flags: `Access as u8 { READ, WRITE }` for a tuple struct of that number.
macro_rules! flags {
    ($name:ident as $number:ident { $($flag:ident),* $(,)? }) => {
        impl $name {
            /// Returns no flags.
            #[must_use]
            pub const fn empty() -> Self {
                Self(0)
            }

            /// Returns every flag.
            #[must_use]
            pub const fn all() -> Self {
                Self($(Self::$flag.0 |)* 0)
            }

            /// The flags as bits, the first one lowest.
            #[must_use]
            pub const fn bits(self) -> $number {
                self.0
            }

            /// Returns the flags that some bits stand for; bits without a flag are left out.
            #[must_use]
            pub const fn from_bits_truncate(bits: $number) -> Self {
                Self(bits & Self::all().0)
            }

            /// Whether there is no flag.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether every flag of `other` is there.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }

        abi::operator!($name, BitOr bitor, BitOrAssign bitor_assign, a b => a | b);
        abi::operator!($name, BitAnd bitand, BitAndAssign bitand_assign, a b => a & b);
        abi::operator!($name, BitXor bitxor, BitXorAssign bitxor_assign, a b => a ^ b);
        abi::operator!($name, Sub sub, SubAssign sub_assign, a b => a & !b);

        impl ::core::ops::Not for $name {
            type Output = Self;

            fn not(self) -> Self {
                Self::from_bits_truncate(!self.0)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let flags: &[(Self, &str)] = &[$((Self::$flag, stringify!($flag))),*];
                f.write_str(concat!(stringify!($name), "("))?;
                let mut before = "";
                for (_, name) in flags.iter().filter(|(flag, _)| self.contains(*flag)) {
                    ::core::write!(f, "{before}{name}")?;
                    before = " | ";
                }
                f.write_str(")")
            }
        }

        abi::as_number!($name, $number, value => value.0, raw => {
            Self::from_bits_truncate(raw as $number)
        });
    };
}
pub(crate) use flags;

macro_rules! operator {
    ($name:ident, $trait:ident $method:ident, $assign:ident $assigned:ident,
        $a:ident $b:ident => $value:expr
    ) => {
        impl ::core::ops::$trait for $name {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                let ($a, $b) = (self.0, other.0);
                Self($value)
            }
        }

        impl ::core::ops::$assign for $name {
            fn $assigned(&mut self, other: Self) {
                *self = ::core::ops::$trait::$method(*self, other);
            }
        }
    };
}
pub(crate) use operator;

/// A variant: `Shape { 0 Empty, 1 Circle(radius: f64) }`, each case with its index.
macro_rules! variant {
    ($([$life:lifetime])? $name:ident {
        $($tag:literal $case:ident $(($value:ident: $type:ty))?),* $(,)?
    }) => {
        abi::variant_like! {
            [$($life)?] $name$(<$life>)?; $($tag $case $(($value: $type))?),*
        }
    };
}
pub(crate) use variant;

/// Anything that travels like a variant.
macro_rules! variant_like {
    ([$($generics:tt)*] $name:ty;
        $($tag:literal $case:ident $(($value:ident: $type:ty))?),*
    ) => {
        // SAFETY: it is not plain.
        unsafe impl<$($generics)*> abi::Wire for $name {
            const SHAPE: abi::Shape = abi::Shape::variant(
                [$($tag),*].len(),
                &[$($(<$type as abi::Wire>::SHAPE,)?)*],
            );
        }

        impl<$($generics)*> abi::Lower for $name
        where
            $($($type: abi::Lower,)?)*
        {
            #[allow(unused)]
            unsafe fn store(&self, at: *mut u8, temps: &mut abi::Temps) {
                let cases = [$($tag),*].len();
                let payload = abi::Shape::payload_offset(
                    cases,
                    &[$($(<$type as abi::Wire>::SHAPE,)?)*],
                );
                // SAFETY: the caller says so.
                unsafe {
                    match self {
                        $(Self::$case $(($value))? => {
                            abi::store_tag(at, cases, $tag);
                            $(abi::Lower::store($value, at.add(payload), temps);)?
                        })*
                    }
                }
            }

            #[allow(unused)]
            fn flatten(&self, flat: &mut abi::Flat, temps: &mut abi::Temps) {
                let end = flat.position() + <Self as abi::Wire>::SHAPE.flat;
                match self {
                    $(Self::$case $(($value))? => {
                        flat.push($tag);
                        $(abi::Lower::flatten($value, flat, temps);)?
                    })*
                }
                flat.skip_to(end);
            }
        }

        impl<$($generics)*> abi::Lift for $name
        where
            $($($type: abi::Lift,)?)*
        {
            #[allow(unused)]
            unsafe fn load(at: *const u8) -> Self {
                let cases = [$($tag),*].len();
                let payload = abi::Shape::payload_offset(
                    cases,
                    &[$($(<$type as abi::Wire>::SHAPE,)?)*],
                );
                // SAFETY: the caller says so.
                unsafe {
                    match abi::load_tag(at, cases) {
                        $($tag => Self::$case $((<$type as abi::Lift>::load(at.add(payload))))?,)*
                        _ => abi::invalid(),
                    }
                }
            }

            #[allow(unused)]
            unsafe fn lift(flat: &mut abi::Flat) -> Self {
                let end = flat.position() + <Self as abi::Wire>::SHAPE.flat;
                // SAFETY: the caller says so.
                let value = unsafe {
                    match flat.pop() as u32 {
                        $($tag => Self::$case $((<$type as abi::Lift>::lift(flat)))?,)*
                        _ => abi::invalid(),
                    }
                };
                flat.skip_to(end);
                value
            }
        }
    };
}
pub(crate) use variant_like;

variant_like! { [T: Wire] Option<T>; 0 None, 1 Some(value: T) }
variant_like! { [T: Wire, E: Wire] Result<T, E>; 0 Ok(value: T), 1 Err(error: E) }

/// Declares a function of the host's.
macro_rules! imported {
    ($module:literal $name:literal fn($($core:ident),*) $(-> $result:ident)?) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            #[link_name = $name]
            fn imported_($(_: $core),*) $(-> $result)?;
        }

        #[cfg(not(target_arch = "wasm32"))]
        #[allow(clippy::too_many_arguments)]
        unsafe fn imported_($(_: $core),*) $(-> $result)? {
            abi::not_a_guest()
        }
    };
}
pub(crate) use imported;

/// Calls a function of the host's: core module, name and type, then the arguments, which are
/// passed flat or in so many bytes of memory, and where the result is.
macro_rules! call {
    ($module:literal $name:literal fn($($core:ident),*) $(-> $out:ident)?;
        $how:ident $($area:literal)? ($($value:expr),*) => $result:ident $($size:literal)?
    ) => {{
        abi::imported!($module $name fn($($core),*) $(-> $out)?);
        abi::link();
        #[allow(unused)]
        let mut temps = abi::Temps::new();
        let mut flat = abi::Flat::new();
        abi::call!(@$how flat temps $($area)? ($($value),*));
        abi::call!(@$result flat ($($core),*) $($size)?)
    }};
    (@flat $flat:ident $temps:ident ($($value:expr),*)) => {
        $(abi::Lower::flatten(&$value, &mut $flat, &mut $temps);)*
    };
    (@spilled $flat:ident $temps:ident $area:literal ($($value:expr),*)) => {
        let mut area = abi::Area::<$area>::new();
        let mut at = area.pointer();
        // SAFETY: the area has room for all of them.
        unsafe { $(abi::put(&mut at, &$value, &mut $temps);)* }
        $flat.push(area.pointer() as usize as u64);
    };
    (@nothing $flat:ident ($($core:ident),*)) => {{
        $flat.rewind();
        // SAFETY: the arguments are what the WIT says.
        unsafe { imported_($($flat.core::<$core>()),*) }
    }};
    (@value $flat:ident ($($core:ident),*)) => {{
        $flat.rewind();
        // SAFETY: the arguments are what the WIT says, and so is the result.
        unsafe { abi::lift_one(imported_($($flat.core::<$core>()),*)) }
    }};
    (@empty $flat:ident ($($core:ident),*)) => {{
        $flat.rewind();
        // SAFETY: the arguments are what the WIT says, and the result is nothing.
        unsafe {
            imported_($($flat.core::<$core>()),*);
            abi::Lift::lift(&mut $flat)
        }
    }};
    (@memory $flat:ident ($($core:ident),*) $size:literal) => {{
        let mut result = abi::Area::<$size>::new();
        $flat.push(result.pointer() as usize as u64);
        $flat.rewind();
        // SAFETY: the arguments are what the WIT says, and so is the result.
        unsafe {
            imported_($($flat.core::<$core>()),*);
            result.load()
        }
    }};
}
pub(crate) use call;

/// Values with semicolons between them.
pub struct Joined<'a, T>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "; " })?;
            value.fmt(f)?;
        }
        Ok(())
    }
}

pub use super::component_type::link;
