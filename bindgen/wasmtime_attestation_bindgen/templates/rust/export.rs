//! What the host calls: arguments are lifted, results lowered and kept until it read them.

#![allow(dead_code, unused_imports, unused_macros)]
#![allow(clippy::new_without_default)]

extern crate alloc;

use alloc::alloc::Layout;
use alloc::boxed::Box;

use super::abi::{self, free, get, invalid, Area, Core, Flat, Lift, Lower, Temps};
use super::{export, resource};

/// A result in memory, with everything that it points to.
#[repr(C)]
struct Kept<T, const SIZE: usize> {
    area: Area<SIZE>,
    temps: Temps,
    value: T,
}

/// Lowers a result and returns where it is. It stays until `release`.
pub fn keep<T: Lower, const SIZE: usize>(value: T) -> i32 {
    const { assert!(T::SHAPE.size <= SIZE) };
    let kept = Box::into_raw(Box::new(Kept::<T, SIZE> {
        area: Area::new(),
        temps: Temps::new(),
        value,
    }));
    // SAFETY: nobody else has the pointer, and the area has room for a `T`.
    unsafe {
        let at = (&raw mut (*kept).area).cast();
        (*kept).value.store(at, &mut (*kept).temps);
    }
    kept as usize as i32
}

/// Frees what `keep` kept.
///
/// # Safety
///
/// `keep` of the same type returned the address, and it was not released before.
pub unsafe fn release<T, const SIZE: usize>(address: i32) {
    // SAFETY: the caller says so.
    drop(unsafe { Box::from_raw(address as u32 as usize as *mut Kept<T, SIZE>) });
}

/// Lowers a result that is one core value.
pub fn lower_one<T: Lower, C: Core>(value: T) -> C {
    let mut flat = Flat::new();
    value.flatten(&mut flat, &mut Temps::new());
    flat.rewind();
    flat.core()
}

/// The arguments of a call from the host.
pub struct Args {
    flat: Flat,
    memory: Option<(*const u8, Layout)>,
    next: *const u8,
}

impl Args {
    pub fn flat(values: &[u64]) -> Self {
        Self {
            flat: Flat::of(values),
            memory: None,
            next: core::ptr::null(),
        }
    }

    /// # Safety
    ///
    /// The host placed all of them at this address, in memory of `cabi_realloc`.
    pub unsafe fn spilled(address: i32, size: usize, align: usize) -> Self {
        let next = address as u32 as usize as *const u8;
        let Ok(layout) = Layout::from_size_align(size, align) else {
            invalid();
        };
        Self {
            flat: Flat::new(),
            memory: Some((next, layout)),
            next,
        }
    }

    /// Lifts the next argument.
    ///
    /// # Safety
    ///
    /// It has this type.
    pub unsafe fn next<T: Lift>(&mut self) -> T {
        // SAFETY: the caller says so.
        unsafe {
            match self.memory {
                None => T::lift(&mut self.flat),
                Some(_) => get(&mut self.next),
            }
        }
    }

    /// Returns the value of a resource of this guest's that the next argument lends.
    ///
    /// # Safety
    ///
    /// It is one, and `'a` ends before the call does.
    pub unsafe fn resource<'a, T: 'static>(&mut self) -> &'a T {
        // SAFETY: the caller says so.
        unsafe { resource::rep_value(self.next()) }
    }
}

impl Drop for Args {
    fn drop(&mut self) {
        if let Some((memory, layout)) = self.memory {
            // SAFETY: `spilled` promises it.
            unsafe { free(memory, layout.size(), layout.align()) }
        }
    }
}

/// Makes what the host calls: its name and core type, how arguments come, and the call that
/// takes them; then how its result goes, and for one in memory what frees it.
macro_rules! function {
    ($name:ident<$guest:ident: $trait:path>($($core:ident: $type:ident),*) $(-> $out:ident)?;
        $how:ident $(($size:literal, $align:literal))?;
        |$args:ident| $call:expr => $result:ident $($rest:tt)*
    ) => {
        #[allow(clippy::too_many_arguments, clippy::missing_safety_doc, unused)]
        pub unsafe fn $name<$guest: $trait>($($core: $type),*) $(-> $out)? {
            abi::link();
            // SAFETY: the host passes what the WIT says.
            let result = unsafe {
                let mut $args = export::function!(@$how ($($core),*) $($size, $align)?);
                $call
            };
            export::function!(@$result result $($rest)*)
        }

        export::function!(@post $result $($rest)*);
    };
    (@flat ($($core:ident),*)) => {
        export::Args::flat(&[$(abi::Core::into_slot($core)),*])
    };
    (@spilled ($core:ident) $size:literal, $align:literal) => {
        export::Args::spilled($core, $size, $align)
    };
    (@nothing $value:ident) => {
        $value
    };
    (@empty $value:ident) => {{
        let _ = $value;
    }};
    (@value $value:ident) => {
        export::lower_one($value)
    };
    (@memory $value:ident $size:literal $post:ident $type:ty) => {
        export::keep::<$type, $size>($value)
    };
    (@post nothing) => {};
    (@post value) => {};
    (@post empty) => {};
    (@post memory $size:literal $post:ident $type:ty) => {
        #[allow(clippy::missing_safety_doc)]
        pub unsafe fn $post(address: i32) {
            // SAFETY: the host calls this once for each result.
            unsafe { export::release::<$type, $size>(address) }
        }
    };
}
pub(crate) use function;
