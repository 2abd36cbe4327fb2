//! JavaScript's memory as slices, for the length of one call; and our own, when there is too much of it.
//!
//! The two functions over slices share one argument: a synchronous call from JavaScript holds the only thread that can touch the
//! array, no JavaScript runs until it returns, and the borrow ends with it. None of our callers passes one array twice.

use napi::bindgen_prelude::{Float64ArraySlice, Int32ArraySlice};

/// The integers of an `Int32Array`.
pub fn ints<'a>(array: &'a mut Int32ArraySlice<'_>) -> &'a mut [i32] {
    // SAFETY: see the top of this file; the exclusive borrow of the wrapper is the exclusive borrow of the memory.
    unsafe { array.as_mut() }
}

/// The numbers of a `Float64Array`.
pub fn floats<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: see the top of this file; the exclusive borrow of the wrapper is the exclusive borrow of the memory.
    unsafe { array.as_mut() }
}

/// Gives memory that the calling thread has freed back to the system.
pub fn trim() {
    #[cfg(feature = "mimalloc")]
    // SAFETY: it touches nothing but the heap of the calling thread and what no thread uses.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}
