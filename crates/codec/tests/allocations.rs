//! Scanning allocates nothing, whatever the message: counted, not believed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use thirdrail_codec::{Envelope, Level, scan, scan_at, scan_ranges};

thread_local! {
    // Per thread: the test harness allocates on its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is handed to the system's allocator unchanged; counting touches a thread-local cell that needs no
// allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the system's allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn scanning_allocates_nothing() {
    assert_eq!(
        allocations(|| drop(std::hint::black_box(vec![1u8; 100]))),
        1,
        "the counter counts"
    );
    let deep = ["[".repeat(1024), "]".repeat(1024)].concat();
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"arguments":{{"a":"{}"}}}}}}"#,
        "é\\n".repeat(9999)
    );
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1,{}]},"_meta":{}}}"#,
        r#"{"jsonrpc":"2\u002e0","i\u0064":"é","method":"tools\/call","params":{"na\u006de":"n","_meta":{"x":1}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2}"#,
        "[1,",
        &deep,
        &long,
    ];
    let levels: Vec<Level> = Level::available().collect();
    let mut out = Envelope::new();
    for message in messages {
        let message = message.as_bytes();
        let count = allocations(|| {
            let _ = std::hint::black_box(scan(message, 1024, &mut out));
            let _ = std::hint::black_box(scan_ranges(message, 1024, &mut out));
            for &level in &levels {
                let _ = std::hint::black_box(scan_at(level, true, message, 1024, &mut out));
            }
        });
        assert_eq!(
            count,
            0,
            "{}",
            String::from_utf8_lossy(&message[..message.len().min(80)])
        );
    }
}
