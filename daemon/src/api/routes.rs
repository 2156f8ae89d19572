//! The routes, one table: method, address, who may, what answers. `assets/openapi.json` describes the same; a test compares.

use std::future::ready;

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use holdfast_loopback::answer::json_bytes;
use holdfast_loopback::body;
use holdfast_loopback::error::ApiError;
use holdfast_loopback::guard::{Access, doorstep, gate};
use holdfast_proto::control::{Command, DraftWish, PersonWish, Question, SignedAct, Signing, SupplyWish, Which};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::app::{App, Person, answered};
use crate::api::{board, error, events, metrics, page};

/// Longest id or ticket in an address; ours are below 40.
pub(super) const NAME_BYTES_MAX: usize = 128;

/// One method of one address.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    handler: MethodRouter<App>,
}

type Answered = Result<Response, ApiError>;

/// Everything that is served.
pub(super) fn table() -> Vec<Route> {
    let mut routes = vec![
        open("/", get(|State(app): State<App>| ready(page::index(&app)))),
        open("/healthz", get(|| ready(page::file("text/plain; charset=utf-8", "alive\n")))),
        open("/readyz", get(readyz)),
        open("/metrics", get(metrics_text)),
        read("/api/v1/status", get(|State(app): State<App>| question(app, Question::Status))),
        read("/api/v1/requests", get(|state, uri| listed(state, uri, Question::Requests))),
        read("/api/v1/requests/{id}", get(|state, path| named(state, path, Question::Request))),
        read("/api/v1/peers", get(|State(app): State<App>| question(app, Question::Peers))),
        read("/api/v1/digest", get(|State(app): State<App>| question(app, Question::Digest))),
        read("/api/v1/heads/{id}", get(|state, path| named(state, path, Question::Heads))),
        read("/api/v1/orders", get(|State(app): State<App>| question(app, Question::Orders))),
        read("/api/v1/consignments", get(|state, uri| listed(state, uri, Question::Consignments))),
        read("/api/v1/conflicts", get(|State(app): State<App>| question(app, Question::Conflicts))),
        read("/api/v1/stock", get(|State(app): State<App>| question(app, Question::Stock))),
        read("/api/v1/delivery/{ticket}", get(|state, path| named(state, path, Question::Delivery))),
        read("/api/v1/catalogue", get(|State(app): State<App>| ready(json_bytes(StatusCode::OK, app.catalogue())))),
        read("/api/v1/openapi.json", get(|| ready(json_bytes(StatusCode::OK, Bytes::from_static(page::OPENAPI.as_bytes()))))),
        read("/api/v1/events", get(events::listen)),
        read("/api/v1/board", get(|State(app): State<App>| ready(board::view(&app)))),
        read("/api/v1/board/files", get(|State(app): State<App>| async move { board::files(&app).await })),
        read("/api/v1/board/files/{name}", get(board::file)),
        write("/api/v1/board/hide", post(|state, request| board::hide(state, request, true))),
        write("/api/v1/board/show", post(|state, request| board::hide(state, request, false))),
        read("/api/v1/acts/{id}", get(|state, path| named(state, path, Question::Acts))),
        write("/api/v1/report", post(|state, request| command(state, request, Command::Report))),
        write("/api/v1/requests", post(|state, request| command(state, request, Command::RequestNew))),
        write("/api/v1/requests/update", post(|state, request| command(state, request, Command::RequestUpdate))),
        write("/api/v1/requests/cancel", post(|state, request| command(state, request, Command::RequestCancel))),
        write("/api/v1/requests/close", post(|state, request| command(state, request, Command::RequestClose))),
        write("/api/v1/requests/confirm", post(|state, request| command(state, request, Command::RequestConfirm))),
        write("/api/v1/observe", post(|state, request| command(state, request, Command::Observe))),
        write("/api/v1/mode", post(|state, request| command(state, request, Command::Mode))),
        write("/api/v1/orders", post(|state, request| command(state, request, Command::Order))),
        write("/api/v1/orders/judge", post(|state, request| command(state, request, Command::Judge))),
        write("/api/v1/scope", post(|state, request| command(state, request, Command::Scope))),
        write("/api/v1/requests/unable", post(|state, request| supply(state, request, SupplyWish::Unable))),
        write("/api/v1/commitments", post(|state, request| supply(state, request, SupplyWish::Commit))),
        write("/api/v1/commitments/release", post(|state, request| supply(state, request, SupplyWish::Release))),
        write("/api/v1/consignments", post(|state, request| supply(state, request, SupplyWish::Consign))),
        write("/api/v1/consignments/step", post(|state, request| supply(state, request, SupplyWish::Step))),
        write("/api/v1/consignments/receive", post(|state, request| supply(state, request, SupplyWish::Receive))),
        write("/api/v1/conflicts/resolve", post(|state, request| supply(state, request, SupplyWish::Resolve))),
        write("/api/v1/stock/adjust", post(|state, request| supply(state, request, SupplyWish::Stock))),
        write("/api/v1/certify", post(|state, request| command(state, request, Command::Certify))),
        write("/api/v1/courier/out", post(|state, request| command(state, request, Command::CourierOut))),
        write("/api/v1/courier/in", post(|state, request| command(state, request, Command::CourierIn))),
        write("/api/v1/fault", post(|state, request| command(state, request, Command::Fault))),
    ];
    routes.extend(page::ASSETS.iter().map(|asset| open(asset.path, get(|| ready(page::file(asset.kind, asset.text))))));
    routes
}

fn open(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { method: Method::GET, path, access: Access::Open, handler }
}

fn read(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { method: Method::GET, path, access: Access::Read, handler }
}

fn write(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route { method: Method::POST, path, access: Access::Write, handler }
}

/// What a person at a desk elsewhere is served: all reads, and what it signs itself. Described in PROTOCOL.md, section 6.
fn for_persons() -> Vec<Route> {
    let mut routes = table();
    routes.retain(|route| route.access == Access::Read || matches!(route.path, "/healthz" | "/readyz"));
    routes.push(read("/api/v1/person", get(person)));
    routes.push(write("/api/v1/desk/draft", post(draft)));
    routes.push(write("/api/v1/desk/act", post(act)));
    routes
}

/// The table as a service.
pub(super) fn router(app: &App) -> Router {
    let mut router = Router::new();
    let routes = if app.person().is_some() { for_persons() } else { table() };
    for route in routes {
        tracing::trace!(method = %route.method, path = route.path, access = ?route.access, "route");
        let guarded = route.handler.route_layer(middleware::from_fn_with_state((app.clone(), route.access), gate::<App>));
        router = router.route(route.path, guarded);
    }
    router
        .fallback(|| ready(ApiError::no_such_path()))
        .method_not_allowed_fallback(|| ready(ApiError::method()))
        .layer(middleware::from_fn_with_state(app.clone(), doorstep::<App>))
        .with_state(app.clone())
}

async fn question(app: App, question: Question) -> Answered {
    answered(app.ask(question).await?)
}

/// How much of a list is wanted: `?open=true`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    #[serde(default)]
    open: bool,
}

/// A list, or what is open of it.
async fn listed(State(app): State<App>, uri: Uri, ask: fn(Which) -> Question) -> Answered {
    let Query(Listing { open }) = Query::try_from_uri(&uri).map_err(|_| ApiError::query())?;
    question(app, ask(if open { Which::Open } else { Which::All })).await
}

/// A question about the thing named in the address.
async fn named(State(app): State<App>, Path(name): Path<String>, ask: fn(String) -> Question) -> Answered {
    if name.len() > NAME_BYTES_MAX {
        return Err(ApiError::no_such_path());
    }
    question(app, ask(name)).await
}

/// A command with its JSON.
async fn command<T: DeserializeOwned>(State(app): State<App>, request: Request, make: fn(T) -> Command) -> Answered {
    let wish = body::read(request).await?;
    app.command(make(wish)).await
}

/// A wish of a supplier, a carrier or a consignee with its JSON.
async fn supply<T: DeserializeOwned>(State(app): State<App>, request: Request, make: fn(T) -> SupplyWish) -> Answered {
    let wish = body::read(request).await?;
    app.command(Command::Supply(make(wish))).await
}

/// Who sits at this desk, and what that one may.
async fn person(State(app): State<App>) -> Answered {
    let Some(Person { of, key }) = app.person() else { return Err(ApiError::no_such_path()) };
    question(app, Question::Person { of, key }).await
}

/// What a person is to sign.
async fn draft(State(app): State<App>, request: Request) -> Answered {
    let Some(Person { of, .. }) = app.person() else { return Err(ApiError::no_such_path()) };
    let wish: PersonWish = body::read(request).await?;
    app.command(Command::Draft(DraftWish { of, wish })).await
}

/// What a person signed.
async fn act(State(app): State<App>, request: Request) -> Answered {
    let Some(Person { of, .. }) = app.person() else { return Err(ApiError::no_such_path()) };
    let signing: Signing = body::read(request).await?;
    app.command(Command::Act(SignedAct { of, signing })).await
}

/// Ready when the loop answers; a cut network never makes it unready.
async fn readyz(State(app): State<App>) -> Response {
    if app.is_ready().await {
        return page::file("text/plain; charset=utf-8", "ready\n");
    }
    error::busy().into_response()
}

async fn metrics_text(State(app): State<App>) -> Response {
    let counters = app.counters().await;
    let figures = metrics::ApiFigures { listeners: app.feed().listeners(), refused: app.refused() };
    page::file("text/plain; version=0.0.4; charset=utf-8", metrics::text(&app.node().id, app.realm(), figures, counters.as_ref()))
}
