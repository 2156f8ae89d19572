//! The page's files, inside the binary: no build step, no internet. Which file goes out under which address, nothing else.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use holdfast_loopback::guard::House;

use crate::api::app::App;

/// One embedded file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asset {
    /// Address.
    pub(super) path: &'static str,
    /// Content type.
    pub(super) kind: &'static str,
    /// Content.
    pub(super) text: &'static str,
}

const JS: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";

/// The page itself; `{{realm}}` is filled in when it goes out.
const INDEX: &str = include_str!("../../assets/index.html");

/// The API's description.
pub(super) const OPENAPI: &str = include_str!("../../assets/openapi.json");

/// Everything the page loads.
pub(super) const ASSETS: &[Asset] = &[
    Asset { path: "/base.css", kind: "text/css; charset=utf-8", text: include_str!("../../assets/base.css") },
    Asset { path: "/app.css", kind: "text/css; charset=utf-8", text: include_str!("../../assets/app.css") },
    Asset { path: "/app.js", kind: JS, text: include_str!("../../assets/app.js") },
    Asset { path: "/dom.js", kind: JS, text: include_str!("../../assets/dom.js") },
    Asset { path: "/words.js", kind: JS, text: include_str!("../../assets/words.js") },
    Asset { path: "/deliver.js", kind: JS, text: include_str!("../../assets/deliver.js") },
    Asset { path: "/own.js", kind: JS, text: include_str!("../../assets/own.js") },
    Asset { path: "/goods.js", kind: JS, text: include_str!("../../assets/goods.js") },
    Asset { path: "/need.js", kind: JS, text: include_str!("../../assets/need.js") },
    Asset { path: "/board.js", kind: JS, text: include_str!("../../assets/board.js") },
    Asset { path: "/door.js", kind: JS, text: include_str!("../../assets/door.js") },
    Asset { path: "/i18n/en.json", kind: JSON, text: include_str!("../../assets/i18n/en.json") },
    Asset { path: "/i18n/zh-TW.json", kind: JSON, text: include_str!("../../assets/i18n/zh-TW.json") },
    Asset { path: "/icon.svg", kind: "image/svg+xml", text: include_str!("../../assets/icon.svg") },
];

/// `GET /`: the page, with the cookie that lets it write. See [`holdfast_loopback::guard`] for why.
pub(super) fn index(app: &App) -> Response {
    // One of three fixed words, so it needs no escaping; in the page from the first paint, so that nobody takes a drill for real.
    let mut response = file("text/html; charset=utf-8", INDEX.replace("{{realm}}", app.realm()));
    if let Some(cookie) = app.site().set_cookie() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Any embedded file.
pub(super) fn file(kind: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
