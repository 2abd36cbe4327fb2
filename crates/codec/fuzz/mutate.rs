//! Makes new inputs from old ones: small edits, words of the grammar, pieces of other inputs.

/// Largest input; what is longer is cut.
const MAX_BYTES: usize = 2048;

/// Words that random bytes would hardly ever spell.
const WORDS: [&[u8]; 60] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\\"",
    b"\\\\",
    b"\\u0041",
    b"\\ud800",
    b"\\udc00",
    b"\\n",
    b"\\x",
    b"0",
    b"-0",
    b"1e400",
    b"1e-400",
    b"18446744073709551616",
    b"0.1",
    b"e",
    b"E+",
    b".",
    b"-",
    b"true",
    b"false",
    b"null",
    b"\"jsonrpc\":\"2.0\"",
    b"\"id\":1",
    b"\"i\\u0064\":2",
    b"\"method\":\"m\"",
    b"\"params\":{}",
    b"\"result\":{}",
    b"\"error\":{}",
    b"\"name\":\"n\"",
    b"\"uri\":\"u\"",
    b"\"arguments\":{}",
    b"\"_meta\":{}",
    b"\"progressToken\":1",
    b"\"io.modelcontextprotocol/protocolVersion\":\"v\"",
    b"\"a\":1",
    b"\"a\":",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\t",
    b" ",
    b"data: ",
    b"data:",
    b"id: 7\n",
    b"event: x\n",
    b"retry: 1\n",
    b": c\n",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\x00",
];

/// A small generator (splitmix64): the same seed gives the same run everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Below `bound`, which must not be zero.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A mutation of some input of the pool.
pub fn mutate(random: &mut Random, pool: &[Vec<u8>]) -> Vec<u8> {
    let mut input = pool[random.below(pool.len())].clone();
    for _ in 0..=random.below(4) {
        edit(random, pool, &mut input);
    }
    input.truncate(MAX_BYTES);
    input
}

fn edit(random: &mut Random, pool: &[Vec<u8>], input: &mut Vec<u8>) {
    let at = random.below(input.len() + 1);
    let end = (at + random.below(24)).min(input.len());
    match random.below(9) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = random.next() as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let copy = input[at..end].to_vec();
            insert(input, at, &copy);
        }
        4 => input.truncate(at),
        5 => {
            let other = &pool[random.below(pool.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(80)).min(other.len());
            insert(input, at, &other[from..to]);
        }
        // Runs of one byte reach across the blocks of the vectors.
        6 => {
            let byte = [b'a', b'\\', b'"', b'[', b' ', b'1'][random.below(6)];
            insert(input, at, &vec![byte; random.below(70)]);
        }
        7 => {
            let word = WORDS[random.below(WORDS.len())];
            input.splice(at..end, word.iter().copied());
        }
        _ => insert(input, at, WORDS[random.below(WORDS.len())]),
    }
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}
