//! Certificates: from PEM text to what a handshake needs, and another one for those that come later.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, InconsistentKeys, ServerConfig};

use crate::Pem;

/// The configuration of new handshakes.
pub(crate) struct Tls {
    current: RwLock<Arc<ServerConfig>>,
    http2: bool,
}

impl Tls {
    pub(crate) fn new(pem: &Pem, http2: bool) -> Result<Self, String> {
        Ok(Tls {
            current: RwLock::new(build(pem, http2)?),
            http2,
        })
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.current.read().clone()
    }

    /// The next handshakes use this certificate; sessions of the old one are not resumed.
    pub(crate) fn renew(&self, pem: &Pem) -> Result<(), String> {
        let config = build(pem, self.http2)?;
        *self.current.write() = config;
        Ok(())
    }
}

fn build(pem: &Pem, http2: bool) -> Result<Arc<ServerConfig>, String> {
    let chain = CertificateDer::pem_slice_iter(pem.cert.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("tls.cert is no PEM text: {}", said(&error)))?;
    if chain.is_empty() {
        return Err("tls.cert holds no certificate in PEM form".into());
    }
    let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound if pem.key.contains("ENCRYPTED PRIVATE KEY") => {
            "tls.key is encrypted: give it without a passphrase".into()
        }
        pem::Error::NoItemsFound => "tls.key holds no private key in PEM form".into(),
        error => format!("tls.key is no PEM text: {}", said(&error)),
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => "tls.key does not belong to tls.cert".into(),
            Error::InvalidCertificate(reason) => format!("tls.cert is not usable: {reason:?}"),
            error => format!("tls.key is not usable: {error}"),
        })?;
    config.alpn_protocols = if http2 { &["h2", "http/1.1"][..] } else { &["http/1.1"] }
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    // Tickets instead of a table: a session that may be resumed costs no memory here.
    if let Ok(ticketer) = ring::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(Arc::new(config))
}

/// What was wrong, without any of the text: it may be a key.
fn said(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section does not begin as it should",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "it cannot be read",
    }
}
