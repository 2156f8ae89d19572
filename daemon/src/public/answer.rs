//! Which address is answered with what, and how it goes over the wire. All there is: no other address leads anywhere.

use std::io::Write;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, HOST, RETRY_AFTER, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::asked::{Asked, Links};
use super::board::{Board, Scene};
use super::lang::Lang;
use super::{data, page, poster};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = concat!(include_str!("../../assets/base.css"), include_str!("../../assets/public.css"));
const ICON: &str = include_str!("../../assets/icon.svg");
/// Longest address that is read.
const ADDRESS_BYTES_MAX: usize = 1_024;

/// What scripts, styles and forms may do on a page, whoever serves it; the pages say so themselves too, for servers that do not.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'";

/// Headers on every answer.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What can be had.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// A page of the list.
    Page(Links, Asked),
    /// The sheet for the door, with the address that it carries.
    Poster(Lang, Option<String>),
    /// Everything for programs.
    Status,
    /// The same for maps.
    GeoJson,
    /// The same for spreadsheets.
    Csv,
    /// The looks.
    Css,
    /// The sign.
    Icon,
}

/// Files beside the pages, as the live board and a folder of files name them alike.
pub(super) const FILES: [(&str, Wanted); 5] = [
    ("board.css", Wanted::Css),
    ("icon.svg", Wanted::Icon),
    ("status.json", Wanted::Status),
    ("sites.geojson", Wanted::GeoJson),
    ("sites.csv", Wanted::Csv),
];

impl Wanted {
    /// One of any number, as visitors may ask for them.
    pub(super) fn is_page(&self) -> bool {
        match self {
            Self::Page(..) | Self::Poster(..) => true,
            Self::Status | Self::GeoJson | Self::Csv | Self::Css | Self::Icon => false,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Page(..) | Self::Poster(..) => HTML,
            Self::Status => "application/json",
            Self::GeoJson => "application/geo+json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Css => "text/css; charset=utf-8",
            Self::Icon => "image/svg+xml",
        }
    }
}

/// Something made, as it is and packed.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) plain: Bytes,
    pub(super) packed: Option<Bytes>,
}

/// Makes it.
pub(super) fn make(scene: &Scene, wanted: &Wanted) -> Made {
    let plain = match wanted {
        Wanted::Page(links, asked) => page::page(scene, *links, asked),
        Wanted::Poster(lang, address) => poster::poster(scene, *lang, address.as_deref()),
        Wanted::Status => data::status(scene),
        Wanted::GeoJson => data::geojson(scene),
        Wanted::Csv => data::csv(scene),
        Wanted::Css => CSS.to_owned(),
        Wanted::Icon => ICON.to_owned(),
    };
    let packed = pack(plain.as_bytes()).map(Bytes::from);
    Made { plain: Bytes::from(plain), packed }
}

fn pack(plain: &[u8]) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(plain).ok()?;
    packer.finish().ok().filter(|packed| packed.len() < plain.len())
}

/// Answers one request. Nothing it could hold is read but its address and a few headers.
pub(super) async fn answer<B>(board: Board, request: Request<B>) -> Response<Body> {
    let mut response = answered(&board, &request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn answered<B>(board: &Board, request: &Request<B>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = said(StatusCode::METHOD_NOT_ALLOWED, "This board can only be read.", "這個看板只能查看。");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let Some(host) = host(request.headers(), board.address()) else {
        return said(
            StatusCode::MISDIRECTED_REQUEST,
            "This board is not known by that name. Use the address on the poster at the door.",
            "這個看板沒有使用這個名稱。請使用門口告示上的網址。",
        );
    };
    if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > ADDRESS_BYTES_MAX) {
        return said(StatusCode::URI_TOO_LONG, "That address is too long.", "網址太長。");
    }
    let Some(wanted) = wanted(request, board.address(), &host) else {
        return said(StatusCode::NOT_FOUND, "There is no such page on this board.", "這個看板沒有這一頁。");
    };
    match board.show(wanted.clone()).await {
        Some(made) => sent(&wanted, made, request.headers()),
        None => late(),
    }
}

/// What an address leads to.
fn wanted<B>(request: &Request<B>, address: Option<&str>, host: &str) -> Option<Wanted> {
    let preferred = Lang::preferred(request.headers());
    match request.uri().path() {
        "/" => Some(Wanted::Page(Links::Live, Asked::of(request.uri(), preferred))),
        "/poster" => {
            let lang = Asked::of(request.uri(), preferred).lang;
            Some(Wanted::Poster(lang, address.map(str::to_owned).or_else(|| poster::address_of(host))))
        }
        path => FILES.iter().find(|(name, _)| path.strip_prefix('/') == Some(name)).map(|(_, wanted)| wanted.clone()),
    }
}

fn sent(wanted: &Wanted, made: Made, headers: &HeaderMap) -> Response<Body> {
    let packs = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(takes_gzip);
    let packed = made.packed.filter(|_| packs);
    let is_packed = packed.is_some();
    let mut response = Response::new(Body::from(packed.unwrap_or(made.plain)));
    let to = response.headers_mut();
    to.insert(CONTENT_TYPE, HeaderValue::from_static(wanted.kind()));
    to.insert(VARY, HeaderValue::from_static("accept-encoding, accept-language"));
    if is_packed {
        to.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if *wanted == Wanted::Csv {
        to.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"sites.csv\""));
    }
    response
}

fn takes_gzip(said: &str) -> bool {
    said.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// The Host named, if this board may be called so. An address in digits is always right: no other page can be called by it. A name must
/// be the configured one, so that a name of somebody else's that leads here shows nothing.
fn host(headers: &HeaderMap, address: Option<&str>) -> Option<String> {
    let mut named = headers.get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return None };
    let authority: axum::http::uri::Authority = host.to_str().ok()?.parse().ok()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let own = || address?.parse::<axum::http::Uri>().ok()?.host().map(str::to_owned);
    let fits = name.parse::<std::net::IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || own().is_some_and(|own| own.eq_ignore_ascii_case(authority.host()));
    fits.then(|| authority.as_str().to_owned())
}

/// A short answer in both languages.
fn said(status: StatusCode, en: &str, zh: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{zh}\n{en}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The node does not answer.
fn late() -> Response<Body> {
    let (en, zh) = ("The board can't be shown just now. Try again in a moment.", "目前無法顯示看板，請稍候再試。");
    retry(said(StatusCode::SERVICE_UNAVAILABLE, en, zh))
}

/// One visitor asked for too much.
pub(super) fn too_many() -> Response<Body> {
    let (en, zh) = ("Too many requests from your network. Try again in a moment.", "您的網路送來太多要求，請稍候再試。");
    retry(said(StatusCode::TOO_MANY_REQUESTS, en, zh))
}

fn retry(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_called_by_digits_or_by_its_configured_name_and_by_no_other() {
        let of = |name: &str| {
            host(&HeaderMap::from_iter([(HOST, name.parse().expect("a header"))]), Some("http://board.example:8080/"))
        };
        for right in
            ["192.168.1.20:8080", "192.168.1.20", "[fd00::1]:8080", "localhost:8080", "board.example", "BOARD.example:80"]
        {
            assert!(of(right).is_some(), "{right}");
        }
        for wrong in ["evil.example", "board.example.evil.example", "x@192.168.1.20", "", "192.168.1.20.nip.example", "a b"] {
            assert!(of(wrong).is_none(), "{wrong}");
        }
        let mut twice = HeaderMap::new();
        for _ in 0..2 {
            twice.append(HOST, HeaderValue::from_static("192.0.2.1"));
        }
        assert!(host(&twice, None).is_none() && host(&HeaderMap::new(), None).is_none());
    }

    #[test]
    fn only_who_takes_gzip_gets_it() {
        assert!(takes_gzip("gzip, deflate, br") && takes_gzip("br;q=1, GZIP;q=0.5"));
        assert!(!takes_gzip("") && !takes_gzip("identity") && !takes_gzip("gzip;q=0"));
    }
}
