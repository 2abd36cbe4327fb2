//! Limits and addresses of one listener. Defaults live above the seam; here every value is given.

use std::path::PathBuf;
use std::time::Duration;

/// What [`crate::Listener::bind`] needs to know. Twin of `ServeConfig` in the seam.
#[derive(Clone, Debug)]
pub struct Config {
    /// Host name or address to bind.
    pub host: String,
    /// TCP port; 0 takes any free one.
    pub port: u16,
    /// The only path that is served.
    pub path: String,
    /// I/O threads, at least 1.
    pub threads: usize,
    /// Protocol revisions that carry their metadata in every request.
    pub modern_versions: Vec<String>,
    /// Protocol revisions with the `initialize` handshake.
    pub legacy_versions: Vec<String>,
    /// Lower-case host names (no port) that `Host` may name; `None`: not checked.
    pub allowed_hosts: Option<Vec<String>>,
    /// Lower-case host names (no port) that `Origin` may name when sent; `None`: not checked.
    pub allowed_origins: Option<Vec<String>>,
    /// Largest request body in bytes.
    pub max_body: usize,
    /// Largest request head in bytes.
    pub max_header: usize,
    /// Most nested brackets in a message.
    pub max_depth: u32,
    /// Most calls handed up and not yet replied to.
    pub max_in_flight: usize,
    /// Most open connections; further ones are closed at once.
    pub max_connections: usize,
    /// Unsent bytes of one stream above which its client is cut off.
    pub max_stream: usize,
    /// From the first byte of a head (or from accept) to its end.
    pub header_timeout: Duration,
    /// From the end of the head to the end of the body.
    pub body_timeout: Duration,
    /// How long a kept-alive connection may be silent.
    pub idle_timeout: Duration,
    /// Longest time without progress while unsent bytes wait.
    pub write_timeout: Duration,
    /// Unsent bytes of one stream above which its writer waits; half of it sent is reported.
    pub stream_high_water: usize,
    /// Answers of at least so many bytes are gzipped when the client accepts it; 0: never.
    pub compression_threshold: usize,
    /// A unix socket instead of host and port.
    pub unix_path: Option<PathBuf>,
    /// Other processes may bind the port too.
    pub reuse_port: bool,
    /// Certificate and key; `None`: clear text.
    pub tls: Option<Pem>,
    /// HTTP/2 besides HTTP/1.1.
    pub http2: bool,
    /// Exact paths besides `path`, whose requests all go up.
    pub other_paths: Vec<String>,
    /// Lower-case origins, or `*`, that get CORS headers; `None`: none do.
    pub cors_origins: Option<Vec<String>>,
    /// Only requests with an admitted bearer token are answered or called here.
    pub authorize: bool,
}

/// Certificate chain and private key as PEM text.
#[derive(Clone)]
pub struct Pem {
    /// The chain, leaf first.
    pub cert: String,
    /// The key of the leaf.
    pub key: String,
}

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pem") // a key must not reach a log by accident
    }
}
