//! What is kept free costs no allocation: counted, not timed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use thirdrail_pool::{Arena, Buffers, HandleBuffers, HandleSlots, SlotTable};

struct Counting;

thread_local! {
    // Per thread, because the test runner allocates on others. `const`: the counter itself must not allocate.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    run();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(
        allocations(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(10)))),
        1
    );
}

#[test]
fn a_kept_buffer() {
    let buffers = Buffers::new(1 << 20);
    drop([buffers.take(1000), buffers.take(1000), buffers.take(100)]);
    let counted = allocations(|| {
        for _ in 0..1000 {
            let (first, second) = (buffers.take(1000), buffers.take(700));
            let mut third = buffers.take(256).expect("room");
            third.extend_from_slice(&[1; 256]);
            assert!(first.is_some() && second.is_some());
        }
    });
    assert_eq!(counted, 0);
    assert_eq!(buffers.stats().grown, 3);
}

#[test]
fn a_slot_once_the_table_has_grown() {
    let mut table = SlotTable::new(100);
    let warm: Vec<u64> = (0..100).filter_map(|i| table.insert(i)).collect();
    let counted = allocations(|| {
        for handle in &warm {
            table.remove(*handle);
        }
        for i in 0..100_000 {
            let handle = table.insert(i).expect("room");
            assert_eq!(table.remove(handle), Some(i));
        }
    });
    assert_eq!(counted, 0);
}

#[test]
fn handles() {
    let (mut slots, mut buffers) = (HandleSlots::new(10), HandleBuffers::new(1e6));
    let (slot, buffer) = (slots.take(), buffers.take(5000.0));
    assert!(slots.give(slot) && buffers.give(buffer));
    let counted = allocations(|| {
        for _ in 0..1000 {
            let (slot, buffer) = (slots.take(), buffers.take(5000.0));
            assert!(slots.give(slot) && buffers.give(buffer));
        }
    });
    assert_eq!(counted, 0);
}

#[test]
fn an_arena_after_its_first_batch() {
    let mut arena = Arena::new(1 << 16);
    let batch = |arena: &mut Arena| {
        for _ in 0..100 {
            arena.push(&[1; 300]).expect("room");
        }
        arena.reset();
    };
    batch(&mut arena);
    assert_eq!(allocations(|| (0..100).for_each(|_| batch(&mut arena))), 0);
}
