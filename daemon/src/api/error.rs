//! Refusals of the API that are this daemon's own: its loop did not answer.

use axum::http::StatusCode;
use holdfast_loopback::error::ApiError;
use holdfast_proto::domain::refusal::RefusalKind;

/// A question waited too long.
pub(super) fn busy() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "H-609",
        RefusalKind::Unable,
        [
            ("The node did not answer in time.", "本據點的程式沒有及時回答。"),
            ("It is busy or stuck; what was saved is safe.", "程式忙碌或停頓；已儲存的資料都在。"),
            ("Wait a moment and try again. If it stays so, restart holdfastd.", "請稍候再試。若一直如此，請重新啟動 holdfastd。"),
        ],
    )
}

/// A command waited too long: its fate is not known.
pub(super) fn unsure() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "H-610",
        RefusalKind::Unable,
        [
            ("The node did not say in time that it was saved.", "本據點的程式沒有及時確認已儲存。"),
            ("It may have been saved or not.", "可能已儲存，也可能沒有。"),
            (
                "Look whether it shows; if not, send it again. A request with the same key is never written twice.",
                "請先看是否已出現；若沒有，請再送一次。同一個 key 的需求不會寫入兩次。",
            ),
        ],
    )
}

/// The daemon stops.
pub(super) fn stopping() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "H-611",
        RefusalKind::Unable,
        [
            ("The node is shutting down.", "本據點的程式正在關閉。"),
            ("It can't be said whether this was done.", "無法確定這件事是否已執行。"),
            ("Wait until it runs again and look.", "請等它再次執行後查看。"),
        ],
    )
}
