//! Bearer tokens that the side above has vouched for, by their SHA-256, and what each connection remembers of its last one.
//!
//! A token that is not here is not wrong: its request goes up, where it is looked at properly. Tokens themselves are kept
//! nowhere but in the memo of the connection that sent one, so that a kept-alive connection is hashed for once.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dashmap::DashMap;
use sha2::{Digest, Sha256};

/// Most digests between two looks for expired ones.
const FEW: usize = 1024;

#[derive(Clone, Copy)]
struct Admitted {
    principal: u64,
    /// Milliseconds since the epoch; 0: never.
    expires: u64,
}

impl Admitted {
    fn expired(&self, now: u64) -> bool {
        self.expires != 0 && self.expires <= now
    }
}

/// Digests with their tokens; read by every I/O thread, written from above.
#[derive(Default)]
pub(crate) struct Tokens {
    admitted: DashMap<[u8; 32], Admitted>,
    /// Counts changes: what a connection remembers holds for one generation.
    generation: AtomicU64,
    purge_at: AtomicUsize,
}

/// The last Authorization of a connection and what became of it.
#[derive(Default)]
pub(crate) struct Memo(RefCell<Option<Seen>>);

struct Seen {
    value: Box<[u8]>,
    principal: u64,
    generation: u64,
    until: Option<Instant>,
}

impl Tokens {
    /// False when the digest is not 64 hex digits.
    pub(crate) fn admit(&self, digest: &str, principal: u64, expires: u64) -> bool {
        let Some(digest) = unhex(digest) else { return false };
        self.admitted.insert(digest, Admitted { principal, expires });
        self.generation.fetch_add(1, Ordering::Release);
        // Whoever never comes back would stay for ever: the table may double before expired ones are looked for.
        let len = self.admitted.len();
        if len > self.purge_at.load(Ordering::Relaxed).max(FEW) {
            let now = now_millis();
            self.admitted.retain(|_, one| !one.expired(now));
            self.purge_at.store(self.admitted.len() * 2, Ordering::Relaxed);
        }
        true
    }

    pub(crate) fn expel(&self, digest: &str) -> bool {
        let removed = unhex(digest).is_some_and(|digest| self.admitted.remove(&digest).is_some());
        self.generation.fetch_add(1, Ordering::Release);
        removed
    }

    /// The principal of an Authorization value; 0 when its token is not admitted.
    pub(crate) fn of(&self, authorization: &[u8], memo: &Memo, now: Instant) -> u64 {
        let mut memo = memo.0.borrow_mut();
        // Read first: a change after this makes the memo stale, not wrong.
        let generation = self.generation.load(Ordering::Acquire);
        if let Some(seen) = &*memo
            && seen.generation == generation
            && seen.until.is_none_or(|until| now < until)
            && same(&seen.value, authorization)
        {
            return seen.principal;
        }
        let (principal, until) = self.find(authorization, now);
        *memo = Some(Seen {
            value: authorization.into(),
            principal,
            generation,
            until,
        });
        principal
    }

    fn find(&self, authorization: &[u8], now: Instant) -> (u64, Option<Instant>) {
        let Some(token) = bearer(authorization) else {
            return (0, None);
        };
        let digest: [u8; 32] = Sha256::digest(token).into();
        let Some(found) = self.admitted.get(&digest).map(|found| *found) else {
            return (0, None);
        };
        let wall = now_millis();
        if found.expired(wall) {
            self.admitted.remove_if(&digest, |_, one| one.expired(wall));
            return (0, None);
        }
        let left = (found.expires != 0).then(|| Duration::from_millis(found.expires - wall));
        (found.principal, left.and_then(|left| now.checked_add(left)))
    }
}

/// The token of `Bearer <token>` (RFC 6750, 2.1); the scheme's name has no case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    let token = rest.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

/// In a time that depends on the lengths only.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (out, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *out = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

fn now_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    // SHA-256 of "secret".
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn knows_an_admitted_token_until_it_is_expelled() {
        let (tokens, memo, now) = (Tokens::default(), Memo::default(), Instant::now());
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 0);
        assert!(tokens.admit(SECRET, 5, 0));
        for value in ["Bearer secret", "bearer   secret ", "BEARER secret"] {
            assert_eq!(tokens.of(value.as_bytes(), &memo, now), 5, "{value}");
            assert_eq!(tokens.of(value.as_bytes(), &memo, now), 5, "{value}, remembered");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "secret",
            "Basic secret",
            "Bearer secret2",
            "Bearersecret",
        ] {
            assert_eq!(tokens.of(value.as_bytes(), &memo, now), 0, "{value}");
        }
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 5);
        assert!(tokens.expel(SECRET));
        assert!(!tokens.expel(SECRET));
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 0);
    }

    #[test]
    fn forgets_what_has_expired_even_when_it_is_remembered() {
        let (tokens, memo, now) = (Tokens::default(), Memo::default(), Instant::now());
        tokens.admit(SECRET, 5, now_millis() + 60_000);
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 5);
        tokens.admit(SECRET, 5, 1);
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 0);
        assert!(tokens.admitted.is_empty());
        // Remembered until a moment that is over: looked up again.
        tokens.admit(SECRET, 6, now_millis() + 60_000);
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 6);
        tokens.admitted.clear();
        assert_eq!(tokens.of(b"Bearer secret", &memo, now), 6);
        assert_eq!(tokens.of(b"Bearer secret", &memo, now + Duration::from_secs(61)), 0);
    }

    #[test]
    fn purges_expired_ones_when_there_are_many() {
        let tokens = Tokens::default();
        for n in 0..FEW as u64 + 1 {
            assert!(tokens.admit(&format!("{n:064x}"), 1, 1));
        }
        assert!(tokens.admitted.is_empty());
        assert!(!tokens.admit("abc", 1, 0));
        assert!(!tokens.admit(&"g".repeat(64), 1, 0));
    }
}
