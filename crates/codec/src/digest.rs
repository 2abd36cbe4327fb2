//! SHA-256 of the canonical form: equal JSON gives equal keys, whatever its spelling.

use crate::canonical::canonical;
use crate::errors::Refusal;
use sha2::{Digest, Sha256};

/// The hash of the [`canonical`] form, or why there is none.
pub fn digest(json: &[u8], max_depth: u32) -> Result<[u8; 32], Refusal> {
    Ok(Sha256::digest(canonical(json, max_depth)?).into())
}
