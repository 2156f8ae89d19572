//! JSON in, within limits of kind, size and time.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use futures::StreamExt;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// Largest body. A report of every field of a hub is below 8 KiB.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// A body that is not whole by then is given up.
const BODY_WAIT: Duration = Duration::from_secs(10);

/// Reads a JSON body.
///
/// # Errors
/// It is not marked as JSON, too large, too slow, broken off, or not the JSON that is read here.
pub async fn read<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::media_type());
    }
    let bytes = match tokio::time::timeout(BODY_WAIT, collect(request.into_body())).await {
        Ok(collected) => collected?,
        Err(_late) => return Err(ApiError::broken_body()),
    };
    serde_json::from_slice(&bytes).map_err(|error| ApiError::bad_json(&error))
}

async fn collect(body: Body) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::broken_body())?;
        if bytes.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(ApiError::too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
