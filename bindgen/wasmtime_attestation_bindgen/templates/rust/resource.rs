//! Resources: what the host lends and gives, and what this guest makes.

#![allow(dead_code, unused_imports, unused_macros)]
#![allow(clippy::new_without_default)]

extern crate alloc;

use alloc::boxed::Box;
use core::any::TypeId;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering};

use super::abi::{self, invalid, Flat, Lift, Lower, Shape, Temps, Wire};
use super::resource;

/// The index of a resource in the guest's table of handles.
pub struct Handle(AtomicU32);

impl Handle {
    /// No index: tables are much smaller.
    const TAKEN: u32 = u32::MAX;

    pub const fn new(index: u32) -> Self {
        Self(AtomicU32::new(index))
    }

    pub fn index(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the index, and leaves nothing to drop.
    pub fn take(&self) -> u32 {
        self.0.swap(Self::TAKEN, Ordering::Relaxed)
    }

    /// Returns the index, unless it was taken.
    pub fn take_to_drop(&self) -> Option<u32> {
        Some(self.take()).filter(|index| *index != Self::TAKEN)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.index().fmt(f)
    }
}

/// A type whose values are handles.
pub trait Resource {
    fn from_handle(index: u32) -> Self;
    fn handle(&self) -> &Handle;
}

/// A resource `Counter`, which is a struct of one `handle`, and how to drop it.
macro_rules! handle {
    ($name:ident, $module:literal $drop:literal) => {
        impl resource::Resource for $name {
            fn from_handle(index: u32) -> Self {
                Self { handle: resource::Handle::new(index) }
            }

            fn handle(&self) -> &resource::Handle {
                &self.handle
            }
        }

        impl ::core::ops::Drop for $name {
            fn drop(&mut self) {
                abi::imported!($module $drop fn(i32));
                if let ::core::option::Option::Some(index) = self.handle.take_to_drop() {
                    // SAFETY: the handle is ours, and nobody else has it.
                    unsafe { imported_(index as i32) }
                }
            }
        }

        // SAFETY: it is not plain.
        unsafe impl abi::Wire for $name {
            const SHAPE: abi::Shape = abi::Shape::new(4, 4, 1);
        }

        impl abi::Lower for $name {
            unsafe fn store(&self, at: *mut u8, temps: &mut abi::Temps) {
                // SAFETY: the caller says so.
                unsafe { abi::Lower::store(&self.handle.take(), at, temps) }
            }

            fn flatten(&self, flat: &mut abi::Flat, temps: &mut abi::Temps) {
                abi::Lower::flatten(&self.handle.take(), flat, temps);
            }

            unsafe fn store_lent(&self, at: *mut u8, temps: &mut abi::Temps) {
                // SAFETY: the caller says so.
                unsafe { abi::Lower::store(&self.handle.index(), at, temps) }
            }

            fn flatten_lent(&self, flat: &mut abi::Flat, temps: &mut abi::Temps) {
                abi::Lower::flatten(&self.handle.index(), flat, temps);
            }
        }

        impl abi::Lift for $name {
            unsafe fn load(at: *const u8) -> Self {
                // SAFETY: the caller says so.
                resource::Resource::from_handle(unsafe { abi::Lift::load(at) })
            }

            unsafe fn lift(flat: &mut abi::Flat) -> Self {
                // SAFETY: the caller says so.
                resource::Resource::from_handle(unsafe { abi::Lift::lift(flat) })
            }
        }
    };
}
pub(crate) use handle;

/// A resource that somebody lent: the guest to its host, or the host to this guest.
pub struct Borrowed<'a, T: Resource> {
    resource: ManuallyDrop<T>,
    from_host: bool,
    lender: PhantomData<&'a T>,
}

impl<'a, T: Resource> From<&'a T> for Borrowed<'a, T> {
    fn from(resource: &'a T) -> Self {
        Self::new(resource.handle().index(), false)
    }
}

impl<T: Resource> Borrowed<'_, T> {
    fn new(index: u32, from_host: bool) -> Self {
        Self {
            resource: ManuallyDrop::new(T::from_handle(index)),
            from_host,
            lender: PhantomData,
        }
    }
}

impl<T: Resource> Deref for Borrowed<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.resource
    }
}

impl<T: Resource> Drop for Borrowed<'_, T> {
    fn drop(&mut self) {
        // A handle that the host lent is given back before the guest's function returns.
        if self.from_host {
            // SAFETY: nobody uses it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.resource) }
        }
    }
}

impl<T: Resource + fmt::Debug> fmt::Debug for Borrowed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// SAFETY: it is not plain.
unsafe impl<T: Resource> Wire for Borrowed<'_, T> {
    const SHAPE: Shape = Shape::new(4, 4, 1);
}

impl<T: Resource> Lower for Borrowed<'_, T> {
    unsafe fn store(&self, at: *mut u8, temps: &mut Temps) {
        // SAFETY: the caller says so.
        unsafe { self.handle().index().store(at, temps) }
    }

    fn flatten(&self, flat: &mut Flat, temps: &mut Temps) {
        self.handle().index().flatten(flat, temps);
    }
}

impl<T: Resource> Lift for Borrowed<'_, T> {
    unsafe fn load(at: *const u8) -> Self {
        // SAFETY: the caller says so.
        Self::new(unsafe { u32::load(at) }, true)
    }

    unsafe fn lift(flat: &mut Flat) -> Self {
        // SAFETY: the caller says so.
        Self::new(unsafe { u32::lift(flat) }, true)
    }
}

/// What a resource of this guest's own is represented by.
#[repr(C)]
struct Rep<T> {
    head: RepHead,
    value: Option<T>,
}

#[derive(Clone, Copy)]
struct RepHead {
    type_id: TypeId,
    free: unsafe fn(*mut RepHead),
}

/// Returns the representation of a new resource.
pub fn new_rep<T: 'static>(value: T) -> i32 {
    let head = RepHead {
        type_id: TypeId::of::<T>(),
        // SAFETY: it is called with what is made here, once.
        free: |rep| drop(unsafe { Box::from_raw(rep.cast::<Rep<T>>()) }),
    };
    let value = Some(value);
    Box::into_raw(Box::new(Rep { head, value })) as usize as i32
}

/// Returns the value of a resource; it panics where the value has another type.
///
/// # Safety
///
/// `new_rep` made `rep`, and the resource outlives `'a`.
pub unsafe fn rep_value<'a, T: 'static>(rep: i32) -> &'a T {
    // SAFETY: the caller says so.
    let rep = unsafe { &*checked_rep::<T>(rep) };
    rep.value.as_ref().unwrap_or_else(|| invalid())
}

/// Takes the value out of a resource; it panics where the value has another type.
///
/// # Safety
///
/// `new_rep` made `rep`, and nobody else refers to its value.
pub unsafe fn take_rep_value<T: 'static>(rep: i32) -> T {
    // SAFETY: the caller says so.
    let rep = unsafe { &mut *checked_rep::<T>(rep) };
    rep.value.take().unwrap_or_else(|| invalid())
}

/// Frees a representation.
///
/// # Safety
///
/// `new_rep` made `rep`, and it was not freed before.
pub unsafe fn free_rep(rep: i32) {
    let head = rep as u32 as usize as *mut RepHead;
    // SAFETY: a representation begins with its head.
    unsafe { ((*head).free)(head) }
}

unsafe fn checked_rep<T: 'static>(rep: i32) -> *mut Rep<T> {
    let head = rep as u32 as usize as *mut RepHead;
    // SAFETY: the caller says that this is a representation, which begins with its head.
    let type_id = unsafe { (*head).type_id };
    assert!(
        type_id == TypeId::of::<T>(),
        "the resource was made of another type"
    );
    head.cast()
}

/// A resource of this guest's own: its handle, what stands for one lent, and the trait of both.
macro_rules! own {
    ($name:ident, $lent:ident, $guest:ident, $module:literal $new:literal $rep:literal $drop:literal) => {
        resource::handle!($name, $module $drop);

        impl $name {
            /// Makes a resource of a value.
            pub fn new<T: $guest>(value: T) -> Self {
                abi::imported!($module $new fn(i32) -> i32);
                // SAFETY: the host keeps the representation for the destructor.
                let index = unsafe { imported_(resource::new_rep(value)) };
                resource::Resource::from_handle(index as u32)
            }

            /// Returns the value that the resource was made of.
            ///
            /// # Panics
            ///
            /// It panics where that value has another type.
            pub fn get<T: $guest>(&self) -> &T {
                // SAFETY: the resource lives as long as its handle.
                unsafe { resource::rep_value(self.rep()) }
            }

            /// Ends the resource and returns the value that it was made of.
            ///
            /// # Panics
            ///
            /// It panics where that value has another type.
            pub fn into_inner<T: $guest>(self) -> T {
                // SAFETY: whoever owns the only handle is alone.
                unsafe { resource::take_rep_value(self.rep()) }
            }

            fn rep(&self) -> i32 {
                abi::imported!($module $rep fn(i32) -> i32);
                // SAFETY: the handle is of a resource of this guest.
                unsafe { imported_(self.handle.index() as i32) }
            }
        }

        impl $lent<'_> {
            /// Returns the value that the resource was made of.
            ///
            /// # Panics
            ///
            /// It panics where that value has another type.
            pub fn get<T: $guest>(&self) -> &T {
                // SAFETY: the resource lives as long as it is lent.
                unsafe { resource::rep_value(self.rep) }
            }
        }

        // SAFETY: it is not plain.
        unsafe impl abi::Wire for $lent<'_> {
            const SHAPE: abi::Shape = abi::Shape::new(4, 4, 1);
        }

        impl abi::Lift for $lent<'_> {
            unsafe fn load(at: *const u8) -> Self {
                // SAFETY: the caller says so.
                let rep = unsafe { abi::Lift::load(at) };
                Self { rep, lender: ::core::marker::PhantomData }
            }

            unsafe fn lift(flat: &mut abi::Flat) -> Self {
                // SAFETY: the caller says so.
                let rep = unsafe { abi::Lift::lift(flat) };
                Self { rep, lender: ::core::marker::PhantomData }
            }
        }

        // Only a record that holds one makes this necessary; the host never gets one.
        impl abi::Lower for $lent<'_> {
            unsafe fn store(&self, _: *mut u8, _: &mut abi::Temps) {
                abi::invalid();
            }

            fn flatten(&self, _: &mut abi::Flat, _: &mut abi::Temps) {
                abi::invalid();
            }
        }
    };
}
pub(crate) use own;

/// Makes what the host calls when a resource of this guest's is dropped.
macro_rules! destructor {
    ($name:ident) => {
        #[allow(clippy::missing_safety_doc)]
        pub unsafe fn $name(rep: i32) {
            // SAFETY: the host calls this once for each resource.
            unsafe { resource::free_rep(rep) }
        }
    };
}
pub(crate) use destructor;
