//! Tells the linker about N-API.

fn main() {
    napi_build::setup();
}
