//! Accepting connections on loopback.

use std::convert::Infallible;
use std::net::SocketAddr;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::LocalError;

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, LocalError> {
    if !address.ip().is_loopback() {
        return Err(LocalError::NotLoopback(address));
    }
    TcpListener::bind(address).await.map_err(|source| LocalError::Listen { address, source })
}

/// The address that a listener got.
pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr, LocalError> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    listener.local_addr().map_err(|source| LocalError::Listen { address, source })
}

/// Serves every connection with what `service` makes for its peer, until dropped; then it breaks
/// them all off.
pub(crate) async fn serve<S, B>(listener: TcpListener, service: impl Fn(SocketAddr) -> S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: wait for some to close.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        // Headers and a body are two writes; the second would wait for the first to be confirmed.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection will be slow");
        }
        let service = service(peer);
        connections.spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                // Hyper's own stands still where the clock is set back, and the SDK would sign by it.
                .auto_date_header(false)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}
