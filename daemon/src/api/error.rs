//! How a refusal looks on the wire: `holdfast.error/1`, in both languages, with what happened, what it means and what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_proto::domain::refusal::{Refusal, RefusalKind, Words};
use serde::Serialize;

use crate::api::app::json;

/// Seconds after which a client may try again when the daemon is busy.
const RETRY_SECONDS: u32 = 2;

/// A refusal with its HTTP status.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    refusal: Box<Refusal>,
}

/// The body.
#[derive(Serialize)]
struct Body<'a> {
    schema: &'static str,
    #[serde(flatten)]
    refusal: &'a Refusal,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &Body { schema: "holdfast.error/1", refusal: &self.refusal });
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Rights => StatusCode::FORBIDDEN,
            RefusalKind::Unable => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, refusal: Box::new(refusal) }
    }
}

/// English and Chinese of the three sentences: what, means, fix.
type Sentences = [(&'static str, &'static str); 3];

fn error(status: StatusCode, code: &str, kind: RefusalKind, sentences: Sentences) -> ApiError {
    let [what, means, fix] = sentences.map(|(en, zh)| Words { en: en.to_owned(), zh: zh.to_owned() });
    ApiError { status, refusal: Box::new(Refusal { code: code.to_owned(), kind, what, means, fix }) }
}

impl ApiError {
    /// No token, or a wrong one.
    pub(super) fn token() -> Self {
        error(
            StatusCode::UNAUTHORIZED,
            "H-601",
            RefusalKind::Rights,
            [
                ("The token is missing or wrong.", "缺少權杖，或權杖不對。"),
                (
                    "Nothing was read or saved. The token keeps other web pages out, not people: anybody who can open a connection \
                     on this PC can load the page and write as this node.",
                    "什麼都沒有讀取或儲存。權杖擋的是別的網頁，不是人：凡能在這台電腦上開啟連線的人，都能載入頁面並以本據點的名義寫入。",
                ),
                (
                    "On the page: load it again. In a program: send the content of the token file as \"Authorization: Bearer ...\".",
                    "在頁面上：請重新整理。在程式中：請以「Authorization: Bearer ...」送出權杖檔的內容。",
                ),
            ],
        )
    }

    /// A Host that is not this API's.
    pub(super) fn host() -> Self {
        error(
            StatusCode::FORBIDDEN,
            "H-602",
            RefusalKind::Rights,
            [
                ("The request names another host.", "這個請求指名了別的主機。"),
                (
                    "It may come from a web site that tries to reach this computer under a false name; nothing was done.",
                    "可能是某個網站想用假名連到這台電腦；什麼都沒有執行。",
                ),
                (
                    "Open the page as http://127.0.0.1 or http://localhost with the port shown at start.",
                    "請以 http://127.0.0.1 或 http://localhost 加上啟動時顯示的連接埠開啟。",
                ),
            ],
        )
    }

    /// From a page of another origin.
    pub(super) fn origin() -> Self {
        error(
            StatusCode::FORBIDDEN,
            "H-603",
            RefusalKind::Rights,
            [
                ("The request comes from another web page.", "這個請求來自別的網頁。"),
                ("Other pages may not read or write here; nothing was done.", "別的網頁不能在這裡讀寫；什麼都沒有執行。"),
                ("Use the node's own page, or a program with the token.", "請使用本據點自己的頁面，或帶有權杖的程式。"),
            ],
        )
    }

    /// The body is not the JSON expected; `place` says where.
    pub(super) fn bad_json(place: &str) -> Self {
        let mut answer = error(
            StatusCode::BAD_REQUEST,
            "H-604",
            RefusalKind::Usage,
            [
                ("", ""),
                ("Nothing was saved.", "什麼都沒有儲存。"),
                (
                    "Correct that place; /api/v1/openapi.json describes every body.",
                    "請更正該處;/api/v1/openapi.json 說明每一種內容。",
                ),
            ],
        );
        // The parser repeats what was sent: what a terminal could obey is taken out (trust note T35).
        let place: String = place.chars().filter(|c| !c.is_control()).take(300).collect();
        answer.refusal.what =
            Words { en: format!("The JSON can't be read: {place}."), zh: format!("無法讀取這段 JSON：{place}。") };
        answer
    }

    /// More bytes than the limit.
    pub(super) fn too_large() -> Self {
        error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "H-605",
            RefusalKind::Usage,
            [
                ("The request is larger than 64 KiB.", "這個請求超過 64 KiB。"),
                ("Nothing was saved.", "什麼都沒有儲存。"),
                ("Send less at once.", "請分次送出。"),
            ],
        )
    }

    /// Not sent as JSON.
    pub(super) fn media_type() -> Self {
        error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "H-606",
            RefusalKind::Usage,
            [
                ("The content is not marked as JSON.", "內容沒有標明為 JSON。"),
                ("Nothing was saved.", "什麼都沒有儲存。"),
                ("Send the header \"Content-Type: application/json\".", "請加上標頭「Content-Type: application/json」。"),
            ],
        )
    }

    /// No such path.
    pub(super) fn no_such_path() -> Self {
        error(
            StatusCode::NOT_FOUND,
            "H-607",
            RefusalKind::NotFound,
            [
                ("There is nothing at this address.", "這個網址沒有內容。"),
                ("The address may be mistyped, or from another version.", "網址可能打錯，或屬於別的版本。"),
                (
                    "The page is at /, the list of addresses at /api/v1/openapi.json.",
                    "頁面在 /,網址清單在 /api/v1/openapi.json。",
                ),
            ],
        )
    }

    /// The path is there, but not for this method.
    pub(super) fn method() -> Self {
        error(
            StatusCode::METHOD_NOT_ALLOWED,
            "H-608",
            RefusalKind::Usage,
            [
                ("This address does not take this method.", "這個網址不接受這種方法。"),
                ("Nothing was done.", "什麼都沒有執行。"),
                (
                    "Reads use GET, writes use POST: see /api/v1/openapi.json.",
                    "讀取用 GET,寫入用 POST:請見 /api/v1/openapi.json。",
                ),
            ],
        )
    }

    /// A question waited too long.
    pub(super) fn busy() -> Self {
        error(
            StatusCode::SERVICE_UNAVAILABLE,
            "H-609",
            RefusalKind::Unable,
            [
                ("The node did not answer in time.", "本據點的程式沒有及時回答。"),
                ("It is busy or stuck; what was saved is safe.", "程式忙碌或停頓；已儲存的資料都在。"),
                (
                    "Wait a moment and try again. If it stays so, restart holdfastd.",
                    "請稍候再試。若一直如此，請重新啟動 holdfastd。",
                ),
            ],
        )
    }

    /// A command waited too long: its fate is not known.
    pub(super) fn unsure() -> Self {
        error(
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
    pub(super) fn stopping() -> Self {
        error(
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

    /// Every seat for event listeners is taken.
    pub(super) fn too_many_listeners() -> Self {
        error(
            StatusCode::SERVICE_UNAVAILABLE,
            "H-612",
            RefusalKind::Unable,
            [
                ("Too many pages or programs are listening.", "同時收聽的頁面或程式太多。"),
                ("This one gets no news by itself.", "這個頁面不會自動更新。"),
                ("Close some, then try again.", "請關閉一些再試。"),
            ],
        )
    }

    /// The body came too slowly or broke off.
    pub(super) fn broken_body() -> Self {
        error(
            StatusCode::REQUEST_TIMEOUT,
            "H-613",
            RefusalKind::Usage,
            [
                ("The request broke off before its end.", "請求在結束前中斷。"),
                ("Nothing was saved.", "什麼都沒有儲存。"),
                ("Send it again.", "請再送一次。"),
            ],
        )
    }
}
