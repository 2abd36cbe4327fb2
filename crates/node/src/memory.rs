//! JavaScript's memory as slices, for the length of one call.
//!
//! The two functions share one argument: a synchronous call from JavaScript holds the only thread that can touch the
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
