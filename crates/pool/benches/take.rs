//! Price of taking and giving back, in nanoseconds: the least of many rounds, since other work can only add.

use std::hint::black_box;
use std::time::Instant;

use thirdrail_pool::{Arena, Buffers, SlotTable};

const OPERATIONS: u64 = 10_000;

fn least(mut run: impl FnMut()) -> f64 {
    (0..if cfg!(debug_assertions) { 3 } else { 100 })
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos() as f64 / OPERATIONS as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut slots = SlotTable::new(1024);
    let pair = least(|| {
        for i in 0..OPERATIONS {
            let handle = slots.insert(black_box(i)).expect("room");
            black_box(slots.remove(black_box(handle)));
        }
    });
    let handles: Vec<u64> = (0..1000).filter_map(|i| slots.insert(i)).collect();
    let get = least(|| {
        for _ in 0..OPERATIONS / 1000 {
            for handle in &handles {
                black_box(slots.get_mut(black_box(*handle)));
            }
        }
    });
    let buffers = Buffers::new(1 << 20);
    let loan = least(|| {
        for _ in 0..OPERATIONS {
            black_box(buffers.take(black_box(1000)));
        }
    });
    let heap = least(|| {
        for _ in 0..OPERATIONS {
            black_box(Vec::<u8>::with_capacity(black_box(1000)));
        }
    });
    let mut arena = Arena::new(4 << 20);
    let bump = least(|| {
        for _ in 0..OPERATIONS {
            black_box(arena.push(black_box(&[7; 100])));
        }
        arena.reset();
    });
    println!("pool: slot insert + remove {pair:.1} ns, get_mut {get:.1} ns");
    println!(
        "pool: buffer of 1 KiB take + give {loan:.1} ns (allocator alone {heap:.1} ns), arena push of 100 B {bump:.1} ns"
    );
}
