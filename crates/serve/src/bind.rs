//! Where a listener is bound: a TCP port, shared or not, or a unix socket.
//!
//! A unix socket whose owner died stays behind as a file. It is removed only when it is a socket and nobody answers there.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

use crate::Config;

/// Connections that the kernel may hold for us; it caps this by `somaxconn`.
pub(crate) const BACKLOG: i32 = 4096;

/// A socket that listens, one for each I/O thread.
pub(crate) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

/// A socket that is to be removed when its listener ends, unless another one stands there by then.
#[cfg_attr(not(unix), allow(dead_code))] // there is none
pub(crate) struct Placed {
    #[cfg(unix)]
    path: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

/// Binds one socket a thread.
pub(crate) fn bind(config: &Config) -> io::Result<(Vec<Listening>, Address, Option<Placed>)> {
    if let Some(path) = &config.unix_path {
        return unix(path, config.threads);
    }
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for address in (config.host.as_str(), config.port).to_socket_addrs()? {
        match threads(address, config) {
            Ok(sockets) => {
                let address = Address::Tcp(sockets[0].local_addr()?);
                return Ok((sockets.into_iter().map(Listening::Tcp).collect(), address, None));
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Linux balances new connections between sockets that share a port; elsewhere the threads accept from one socket.
fn threads(address: SocketAddr, config: &Config) -> io::Result<Vec<TcpListener>> {
    let count = config.threads;
    if count == 1 || !cfg!(target_os = "linux") {
        let first = tcp(address, config.reuse_port)?;
        let others = (1..count).map(|_| first.try_clone()).collect::<io::Result<Vec<_>>>()?;
        return Ok(others.into_iter().chain([first]).collect());
    }
    // Sharing a port among our own must not hide that somebody else has it: unless that is wanted, take it alone first.
    let first = tcp(address, config.reuse_port)?;
    let address = first.local_addr()?;
    if config.reuse_port {
        let others = (1..count).map(|_| tcp(address, true)).collect::<io::Result<Vec<_>>>()?;
        return Ok(others.into_iter().chain([first]).collect());
    }
    drop(first);
    (0..count).map(|_| tcp(address, true)).collect()
}

fn tcp(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // On Windows this option would let others take the port away.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if shared {
        reuse_port(&socket)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(unix)]
fn reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn reuse_port(_socket: &Socket) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "reusePort: this system has no SO_REUSEPORT",
    ))
}

#[cfg(not(unix))]
fn unix(_path: &Path, _threads: usize) -> io::Result<(Vec<Listening>, Address, Option<Placed>)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "unixPath: the native engine has no unix sockets on this system",
    ))
}

#[cfg(unix)]
fn unix(path: &Path, threads: usize) -> io::Result<(Vec<Listening>, Address, Option<Placed>)> {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixListener;

    std::os::unix::net::SocketAddr::from_pathname(path).map_err(|_| {
        let why = format!("unixPath is too long, or no path: {}", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, why)
    })?;
    make_way(path)?;
    let first = UnixListener::bind(path)?;
    let metadata = std::fs::symlink_metadata(path)?;
    let placed = Placed {
        path: path.into(),
        inode: (metadata.dev(), metadata.ino()),
    };
    first.set_nonblocking(true)?;
    let others = (1..threads)
        .map(|_| first.try_clone())
        .collect::<io::Result<Vec<_>>>()?;
    let all = others.into_iter().chain([first]).map(Listening::Unix).collect();
    Ok((all, Address::Unix(path.into()), Some(placed)))
}

/// Only a refused connection proves that nobody is there; whatever else goes wrong may be a living server.
#[cfg(unix)]
fn make_way(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;

    let taken = |why: &str| io::Error::new(io::ErrorKind::AddrInUse, why);
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => return Err(taken("the path exists and is no socket")),
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(taken("another process listens there")),
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let ours = |m: std::fs::Metadata| (m.dev(), m.ino()) == self.inode;
            if std::fs::symlink_metadata(&self.path).is_ok_and(ours) {
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }
}
