//! `ServeConfig` of the seam in the types of the serve crate.

use std::time::Duration;

use napi_derive::napi;
use thirdrail_serve::{Config, Pem};

/// `ServeConfig` of the seam.
#[napi(object)]
#[allow(missing_docs)]
pub struct NativeServeConfig {
    pub host: String,
    pub port: u16,
    pub path: String,
    pub threads: u32,
    pub modern_versions: Vec<String>,
    pub legacy_versions: Vec<String>,
    pub allowed_hosts: Option<Vec<String>>,
    pub allowed_origins: Option<Vec<String>>,
    pub max_body_bytes: u32,
    pub max_header_bytes: u32,
    pub max_depth: u32,
    pub max_in_flight: u32,
    pub max_connections: u32,
    pub max_stream_bytes: u32,
    pub header_timeout: u32,
    pub body_timeout: u32,
    pub idle_timeout: u32,
    pub write_timeout: u32,
    pub stream_high_water_mark: u32,
    pub compression_threshold: u32,
    pub unix_path: Option<String>,
    pub reuse_port: bool,
    pub tls: Option<NativePem>,
    pub http2: bool,
    pub other_paths: Vec<String>,
    pub cors_origins: Option<Vec<String>>,
    pub authorize: bool,
}

/// `ServeConfig.tls` of the seam.
#[napi(object)]
#[allow(missing_docs)]
pub struct NativePem {
    pub cert: String,
    pub key: String,
}

impl From<NativeServeConfig> for Config {
    fn from(from: NativeServeConfig) -> Config {
        let millis = |ms: u32| Duration::from_millis(ms.into());
        Config {
            host: from.host,
            port: from.port,
            path: from.path,
            threads: from.threads as usize,
            modern_versions: from.modern_versions,
            legacy_versions: from.legacy_versions,
            allowed_hosts: from.allowed_hosts,
            allowed_origins: from.allowed_origins,
            max_body: from.max_body_bytes as usize,
            max_header: from.max_header_bytes as usize,
            max_depth: from.max_depth,
            max_in_flight: from.max_in_flight as usize,
            max_connections: from.max_connections as usize,
            max_stream: from.max_stream_bytes as usize,
            header_timeout: millis(from.header_timeout),
            body_timeout: millis(from.body_timeout),
            idle_timeout: millis(from.idle_timeout),
            write_timeout: millis(from.write_timeout),
            stream_high_water: from.stream_high_water_mark as usize,
            compression_threshold: from.compression_threshold as usize,
            unix_path: from.unix_path.map(Into::into),
            reuse_port: from.reuse_port,
            tls: from.tls.map(|NativePem { cert, key }| Pem { cert, key }),
            http2: from.http2,
            other_paths: from.other_paths,
            cors_origins: from.cors_origins,
            authorize: from.authorize,
        }
    }
}
