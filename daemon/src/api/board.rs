//! The staff's say over the public's board: what it leaves out, and the board as files. The board itself is elsewhere.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use holdfast_loopback::answer::json;
use holdfast_loopback::body;
use holdfast_loopback::error::ApiError;
use holdfast_proto::control::{BoardFileView, BoardFilesView, HideWish};
use holdfast_proto::domain::refusal::{Refusal, RefusalKind, Words};

use crate::api::app::App;
use crate::api::error;
use crate::api::routes::NAME_BYTES_MAX;
use crate::public::NotHidden;
use crate::told;

/// `GET /api/v1/board`.
pub(super) fn view(app: &App) -> Response {
    json(StatusCode::OK, &app.board().view())
}

/// `POST /api/v1/board/hide` and `.../show`.
pub(super) async fn hide(State(app): State<App>, request: Request, hide: bool) -> Result<Response, ApiError> {
    let wish: HideWish = body::read(request).await?;
    match app.board().hide(wish.site.as_deref(), wish.line.as_deref(), hide).await {
        Ok(view) => Ok(json(StatusCode::OK, &view)),
        Err(why) => Err(refused(&why)),
    }
}

/// `GET /api/v1/board/files`.
pub(super) async fn files(app: &App) -> Result<Response, ApiError> {
    let files = app.board().files().await.ok_or_else(error::busy)?;
    Ok(json(StatusCode::OK, &BoardFilesView { schema: "holdfast.board_files/1".to_owned(), files }))
}

/// `GET /api/v1/board/files/NAME`.
pub(super) async fn file(State(app): State<App>, Path(name): Path<String>) -> Result<Response, ApiError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(ApiError::no_such_path());
    }
    let text = app.board().file(&name).await.map_err(|()| error::busy())?.ok_or_else(ApiError::no_such_path)?;
    Ok(json(StatusCode::OK, &BoardFileView { schema: "holdfast.board_file/1".to_owned(), name, text }))
}

fn refused(why: &NotHidden) -> ApiError {
    let quoted = |typed: &str| holdfast_proto::domain::plain(typed).chars().take(40).collect::<String>();
    let (code, kind, what, fix) = match why {
        NotHidden::Site(typed) => (
            "H-640",
            RefusalKind::NotFound,
            (format!("No site \"{}\" is on the board.", quoted(typed)), format!("看板上沒有「{}」這個據點。", quoted(typed))),
            ("Give its id or its name as status shows it.", "請填 status 所列的代號或名稱。"),
        ),
        NotHidden::Line(typed) => (
            "H-641",
            RefusalKind::NotFound,
            (
                format!("The board shows nothing called \"{}\".", quoted(typed)),
                format!("看板上沒有「{}」這一項。", quoted(typed)),
            ),
            (
                "Give an item, a service, or power.source and the like; without one the whole site is meant.",
                "請填品項、服務，或 power.source 之類的項目；未填則指整個據點。",
            ),
        ),
        NotHidden::TooMuch => (
            "H-642",
            RefusalKind::Unable,
            ("So much is hidden already that nobody oversees it.".to_owned(), "已隱藏的項目太多，無法再加。".to_owned()),
            ("Show something again, or hide whole sites.", "請先恢復顯示一些項目，或改為隱藏整個據點。"),
        ),
        NotHidden::Disk(cause) => (
            "H-643",
            RefusalKind::Unable,
            (
                format!("What is hidden can't be written down: {cause}."),
                format!("無法寫下要隱藏的內容：{}。", told::system(cause)),
            ),
            ("Make room on the disk of the data folder, then do it again.", "請清出資料夾所在磁碟的空間，再做一次。"),
        ),
        NotHidden::Late => return error::busy(),
    };
    let words = |(en, zh): (&str, &str)| Words { en: en.to_owned(), zh: zh.to_owned() };
    let refusal = Refusal {
        code: code.to_owned(),
        kind,
        what: words((&what.0, &what.1)),
        means: words(("The board shows what it showed before.", "看板顯示的內容沒有改變。")),
        fix: words(fix),
    };
    refusal.into()
}
