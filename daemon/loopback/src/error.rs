//! How a refusal looks on the wire: `holdfast.error/1`, in both languages, with what happened, what it means and what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use holdfast_proto::domain::refusal::{Refusal, RefusalKind, Words};
use serde::Serialize;
use serde_json::error::Category;

use crate::answer::json;

/// Seconds after which a client may try again when the program is busy.
const RETRY_SECONDS: u32 = 2;

/// A refusal with its HTTP status.
#[derive(Debug)]
pub struct ApiError {
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

impl From<Box<Refusal>> for ApiError {
    fn from(refusal: Box<Refusal>) -> Self {
        let status = match refusal.kind {
            RefusalKind::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Rights => StatusCode::FORBIDDEN,
            RefusalKind::Unable => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, refusal }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Box::new(refusal).into()
    }
}

/// English and Chinese of the three sentences: what, means, fix.
pub type Sentences = [(&'static str, &'static str); 3];

impl ApiError {
    /// A refusal in fixed words.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, kind: RefusalKind, sentences: Sentences) -> Self {
        let [what, means, fix] = sentences.map(|(en, zh)| Words { en: en.to_owned(), zh: zh.to_owned() });
        Self { status, refusal: Box::new(Refusal { code: code.to_owned(), kind, what, means, fix }) }
    }

    /// No token, or a wrong one.
    #[must_use]
    pub fn token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "H-601",
            RefusalKind::Rights,
            [
                ("The token is missing or wrong.", "缺少權杖，或權杖不對。"),
                (
                    "Nothing was read or done. The token keeps other web pages out, not people: anybody who can open a connection \
                     on this PC can load the page, where there is one, and write here.",
                    "什麼都沒有讀取或執行。權杖擋的是別的網頁，不是人：凡能在這台電腦上開啟連線的人，都能載入頁面（如果有）並在這裡寫入。",
                ),
                (
                    "On the page: load it again. In a program: send the content of the token file as \"Authorization: Bearer ...\".",
                    "在頁面上：請重新整理。在程式中：請以「Authorization: Bearer ...」送出權杖檔的內容。",
                ),
            ],
        )
    }

    /// A Host that is not this API's.
    #[must_use]
    pub fn host() -> Self {
        Self::new(
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
    #[must_use]
    pub fn origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "H-603",
            RefusalKind::Rights,
            [
                ("The request comes from another web page.", "這個請求來自別的網頁。"),
                ("Other pages may not read or write here; nothing was done.", "別的網頁不能在這裡讀寫；什麼都沒有執行。"),
                ("Use this program's own page, or a program with the token.", "請使用本程式自己的頁面，或帶有權杖的程式。"),
            ],
        )
    }

    /// The body is not the JSON expected.
    #[must_use]
    pub fn bad_json(told: &serde_json::Error) -> Self {
        let mut answer = Self::new(
            StatusCode::BAD_REQUEST,
            "H-604",
            RefusalKind::Usage,
            [
                ("", ""),
                ("Nothing was done.", "什麼都沒有執行。"),
                (
                    "Correct that place; /api/v1/openapi.json describes every body.",
                    "請更正該處；/api/v1/openapi.json 說明每一種內容。",
                ),
            ],
        );
        // The parser repeats what was sent: what a terminal could obey is taken out (trust note T35).
        let place: String = told.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
        let why = match told.classify() {
            Category::Eof => "內容不完整",
            Category::Syntax | Category::Io => "不是 JSON",
            // What it is about are names that the parser repeats, in the words of the format.
            Category::Data => "缺少欄位、多了欄位，或值的類型不對",
        };
        answer.refusal.what = Words {
            en: format!("The JSON can't be read: {place}."),
            zh: format!("無法讀取這段 JSON：第 {} 行第 {} 個字元{why}（{place}）。", told.line(), told.column()),
        };
        answer
    }

    /// More bytes than the limit.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "H-605",
            RefusalKind::Usage,
            [
                ("The request is larger than 64 KiB.", "這個請求超過 64 KiB。"),
                ("Nothing was done.", "什麼都沒有執行。"),
                ("Send less at once.", "請分次送出。"),
            ],
        )
    }

    /// Not sent as JSON.
    #[must_use]
    pub fn media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "H-606",
            RefusalKind::Usage,
            [
                ("The content is not marked as JSON.", "內容沒有標明為 JSON。"),
                ("Nothing was done.", "什麼都沒有執行。"),
                ("Send the header \"Content-Type: application/json\".", "請加上標頭「Content-Type: application/json」。"),
            ],
        )
    }

    /// No such path.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "H-607",
            RefusalKind::NotFound,
            [
                ("There is nothing at this address.", "這個網址沒有內容。"),
                ("The address may be mistyped, or from another version.", "網址可能打錯，或屬於別的版本。"),
                ("The list of addresses is at /api/v1/openapi.json.", "網址清單在 /api/v1/openapi.json。"),
            ],
        )
    }

    /// The path is there, but not for this method.
    #[must_use]
    pub fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "H-608",
            RefusalKind::Usage,
            [
                ("This address does not take this method.", "這個網址不接受這種方法。"),
                ("Nothing was done.", "什麼都沒有執行。"),
                (
                    "Reads use GET, writes use POST: see /api/v1/openapi.json.",
                    "讀取用 GET，寫入用 POST：請見 /api/v1/openapi.json。",
                ),
            ],
        )
    }

    /// What stands after the `?` is not what this address takes.
    #[must_use]
    pub fn query() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "H-614",
            RefusalKind::Usage,
            [
                ("What stands after the \"?\" is not known here.", "網址中「?」後面的內容無法辨識。"),
                ("Nothing was looked up: an answer to another question would mislead.", "沒有查詢，以免給出答非所問的結果。"),
                ("What an address takes is in /api/v1/openapi.json.", "每個網址接受的內容在 /api/v1/openapi.json。"),
            ],
        )
    }

    /// Every seat for event listeners is taken.
    #[must_use]
    pub fn too_many_listeners() -> Self {
        Self::new(
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
    #[must_use]
    pub fn broken_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "H-613",
            RefusalKind::Usage,
            [
                ("The request broke off before its end.", "請求在結束前中斷。"),
                ("Nothing was done.", "什麼都沒有執行。"),
                ("Send it again.", "請再送一次。"),
            ],
        )
    }
}
