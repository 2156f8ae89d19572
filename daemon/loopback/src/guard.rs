//! Who may ask: Host, Origin, Sec-Fetch-Site, token or cookie, and the headers on every answer. Trust note T33.
//!
//! Why a cookie for whoever loads the page: staff at a store PC are to open a page and press a button; a password would be a
//! note on the screen. The danger there is not the person at the PC but every *other web page* its browser shows. Those are
//! kept out thrice: the Host list (a name rebound to 127.0.0.1 is refused), the exact Origin (SameSite alone would let in a
//! page on another port of this computer, which browsers call the same site) and the content type (a form can't send JSON).
//! The cookie is HttpOnly and holds a derived secret, so that a script that slipped in could not carry the token away.
//!
//! What it does not protect from: **other users and programs of this computer**. Whoever can open a connection to the
//! loopback port can load `/` and then write, as can whoever can read the token file. A PC shared with people who
//! must not write needs separate sessions of the operating system or a firewall rule by user.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::token::{Session, Token};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers on every answer. No CORS header anywhere: no other origin may read.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// What a route asks of the asker, besides the right Host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: health, metrics, the page's own files. Holds nothing secret, changes nothing.
    Open,
    /// Token, or cookie from the same origin. Changes nothing.
    Read,
    /// Token, or cookie with this page's Origin. The only routes that change anything.
    Write,
}

/// What this server is called and who is let in.
#[derive(Debug)]
pub struct Site {
    hosts: [String; 3],
    token: Token,
    session: Session,
    cookie: String,
}

impl Site {
    /// `port` is the one that callers name.
    #[must_use]
    pub fn new(token: Token, port: u16) -> Self {
        let session = token.session();
        Self {
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")],
            token,
            session,
            // Cookies do not know ports: several nodes on one PC (the demo) must not overwrite each other's.
            cookie: format!("holdfast_{port}"),
        }
    }

    /// `Set-Cookie` for the page.
    #[must_use]
    pub fn set_cookie(&self) -> Option<HeaderValue> {
        let text = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, self.session.reveal());
        HeaderValue::from_str(&text).ok()
    }

    /// The Host named, if it is one of ours. Exactly one, exactly spelled, port included.
    fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut named = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return None };
        let host = host.to_str().ok()?;
        self.hosts.iter().any(|ours| ours == host).then_some(host)
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(Ok(text)) = headers.get(header::AUTHORIZATION).map(HeaderValue::to_str) else { return false };
        let Some((scheme, shown)) = text.split_once(' ') else { return false };
        scheme.eq_ignore_ascii_case("bearer") && self.token.is(shown.trim())
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == self.cookie && self.session.is(value))
    }

    /// Decides over one request.
    fn admit(&self, access: Access, host: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        if access == Access::Open {
            return Ok(());
        }
        let origin = headers.get(header::ORIGIN);
        // "null" and every other page end here, before the token is looked at: a stolen token is no use to a web page.
        if origin.is_some_and(|origin| origin.as_bytes().strip_prefix(b"http://") != Some(host.as_bytes())) {
            return Err(ApiError::origin());
        }
        let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
        let foreign = match site {
            None | Some(b"same-origin") => false,
            // Typed into the address bar: fine to read, but nobody types a write.
            Some(b"none") => access == Access::Write,
            Some(_) => true,
        };
        if foreign {
            return Err(ApiError::origin());
        }
        if self.has_token(headers) {
            return Ok(());
        }
        if !self.has_cookie(headers) {
            return Err(ApiError::token());
        }
        // A browser sends the Origin with every POST; one that does not is not trusted with a cookie.
        if access == Access::Write && origin.is_none() {
            return Err(ApiError::origin());
        }
        Ok(())
    }
}

/// What stands behind the door: a state of routes.
pub trait House: Clone + Send + Sync + 'static {
    /// What this server is called and who is let in.
    fn site(&self) -> &Site;

    /// Somebody was not let in; for the count.
    fn turned_away(&self);
}

/// Around everything: the Host must be ours, and every answer carries [`HEADERS`].
pub async fn doorstep<H: House>(State(house): State<H>, request: Request, next: Next) -> Response {
    // A full address in the request line must name us too, whatever the Host header says.
    let line = request.uri().authority().map(|authority| authority.as_str());
    let host = house.site().host(request.headers());
    let ours = host.is_some() && line.is_none_or(|line| host == Some(line));
    let mut response = if ours {
        next.run(request).await
    } else {
        house.turned_away();
        ApiError::host().into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Around one route: its [`Access`].
pub async fn gate<H: House>(State((house, access)): State<(H, Access)>, request: Request, next: Next) -> Response {
    let admitted = match house.site().host(request.headers()) {
        Some(host) => house.site().admit(access, host, request.headers()),
        None => Err(ApiError::host()),
    };
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            house.turned_away();
            tracing::warn!(path = request.uri().path(), "refused an API request for its token or origin");
            refused.into_response()
        }
    }
}
