//! `holdfast board` and `holdfast export`: what the public sees of this node's picture, and that as files.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use holdfast_proto::control::{BoardFileView, BoardFilesView, BoardView, HiddenView, HideWish};
use serde_json::json;

use crate::args::{BoardCommand, LineArgs, PublicArgs};
use crate::client::{Client, path_part, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::lang::Lang;
use crate::text::clean;
use crate::when;

/// Shorter, nobody could tell the difference; longer, the pages would call themselves out of date.
const EVERY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(86_400));

/// `holdfast board`.
///
/// # Errors
/// What the daemon refused; then the board shows what it showed before.
pub(crate) fn board(desk: &mut Desk<'_>, client: &Client, command: BoardCommand) -> Result<Exit, Failure> {
    let value = match command {
        BoardCommand::List => client.get("/api/v1/board")?,
        BoardCommand::Hide(LineArgs { line, site }) => client.post("/api/v1/board/hide", &HideWish { site, line })?,
        BoardCommand::Show(LineArgs { line, site }) => client.post("/api/v1/board/show", &HideWish { site, line })?,
    };
    if desk.json {
        desk.object(&value);
        return Ok(Exit::Done);
    }
    let view: BoardView = read(value)?;
    let lang = desk.lang;
    desk.say(&line(&view, lang));
    for hidden in &view.hidden {
        let one = lang.of(&hidden.en, &hidden.zh);
        let back = format!("{} board show{}", desk.own, same(hidden));
        let text = clean(&lang.of(format!("  hidden: {one}   (show again: {back})"), format!("  已隱藏：{one}（恢復：{back}）")));
        desk.say(&text);
    }
    Ok(Exit::Done)
}

/// The words that name the same thing again.
fn same(hidden: &HiddenView) -> String {
    let line = hidden.line.as_ref().map_or_else(String::new, |line| format!(" {line}"));
    format!("{line} --site {}", hidden.site)
}

/// Where the board is and how much it leaves out.
pub(crate) fn line(view: &BoardView, lang: Lang) -> String {
    let place = match (&view.address, &view.listen) {
        (Some(address), Some(_)) => address.clone(),
        (None, Some(listen)) => format!("http://{listen}/"),
        (_, None) => lang.of("off ([public] listen in the configuration)", "未開啟（設定檔的 [public] listen）").to_owned(),
    };
    let hidden: Vec<&str> = view.hidden.iter().map(|hidden| lang.of(hidden.en.as_str(), hidden.zh.as_str())).collect();
    let left_out = match hidden.len() {
        0 => String::new(),
        _ => lang.of(format!("; it leaves out {}", hidden.join(", ")), format!("；已隱藏：{}", hidden.join("、"))),
    };
    clean(&lang.of(format!("public board: {place}{left_out}"), format!("民眾看板：{place}{left_out}")))
}

/// `holdfast export public`.
///
/// # Errors
/// No daemon, or the folder can't be written. With `--every` only what happens at the first time counts.
pub(crate) fn export(desk: &mut Desk<'_>, client: &Client, PublicArgs { out, every }: PublicArgs) -> Result<Exit, Failure> {
    let every = every.as_deref().map(period).transpose()?;
    files::folder(&out)?;
    write(desk, client, &out)?;
    let Some(every) = every else { return Ok(Exit::Done) };
    while desk.is_heard() {
        std::thread::sleep(every);
        // What is there stands, and says itself until when it is good.
        if let Err(failure) = write(desk, client, &out) {
            desk.fail(&failure);
        }
    }
    Ok(Exit::Done)
}

fn period(typed: &str) -> Result<Duration, Failure> {
    let length = when::length(typed)?;
    if (EVERY.0..=EVERY.1).contains(&length) {
        return Ok(length);
    }
    Err(Failure::usage(
        "H-855",
        words(format!("--every {typed} is out of its range."), format!("--every {typed} 超出範圍。")),
        words("Give a length from 10s to 24h, such as 60s.", "請填 10s 到 24h，例如 60s。"),
    ))
}

/// Writes all files, each whole or not at all, the first page last: whoever comes by it finds what it leads to. Pages that are no more
/// go after that.
fn write(desk: &mut Desk<'_>, client: &Client, out: &Path) -> Result<(), Failure> {
    let list: BoardFilesView = client.ask("/api/v1/board/files")?;
    let names: BTreeSet<&String> = list.files.iter().filter(|name| is_name(name)).collect();
    for name in list.files.iter().rev().filter(|name| names.contains(name)) {
        let file: BoardFileView = client.ask(&format!("/api/v1/board/files/{}", path_part(name)))?;
        files::replace(&out.join(name), &file.text)?;
    }
    for entry in std::fs::read_dir(out).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_page(&name) && !names.contains(&name) {
            // One that stays is only a page too many; it says itself how old it is.
            drop(std::fs::remove_file(entry.path()));
        }
    }
    if desk.json {
        desk.object(&json!({"schema": "holdfast.export/1", "folder": out, "files": names.len()}));
    } else {
        let (count, shown) = (names.len(), out.display());
        let text = desk.lang.of(format!("{count} files written to {shown}"), format!("已寫入 {count} 個檔案到 {shown}"));
        desk.say(&clean(&text));
    }
    Ok(())
}

/// A name of a file in this folder and in no other.
fn is_name(name: &str) -> bool {
    !name.starts_with('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// A further page of the list, as an earlier export named it: nobody else's file is ever removed.
fn is_page(name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".html") else { return false };
    let Some((of, number)) = stem.rsplit_once('-') else { return false };
    ["zh", "en", "zh-open", "en-open"].contains(&of) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_board_are_ever_removed_and_no_name_leaves_the_folder() {
        for page in ["zh-2.html", "en-open-40.html"] {
            assert!(is_page(page) && is_name(page), "{page}");
        }
        for other in ["index.html", "zh.html", "notes-2.html", "zh-2.txt", "zh-.html", "zh-x.html", "en-open.html"] {
            assert!(!is_page(other), "{other}");
        }
        for outside in ["../x", "a/b", ".hidden", "..", "a b"] {
            assert!(!is_name(outside), "{outside}");
        }
    }

    #[test]
    fn what_is_hidden_is_told_with_the_board() {
        let hidden =
            HiddenView { site: "1-1".into(), line: Some("stock.water".into()), en: "Water".into(), zh: "飲用水".into() };
        let view = BoardView { schema: String::new(), listen: Some("0.0.0.0:8080".into()), address: None, hidden: vec![hidden] };
        assert_eq!(line(&view, Lang::En), "public board: http://0.0.0.0:8080/; it leaves out Water");
        assert_eq!(line(&view, Lang::Zh), "民眾看板：http://0.0.0.0:8080/；已隱藏：飲用水");
        assert!(line(&BoardView { listen: None, hidden: vec![], ..view }, Lang::En).contains("off"));
    }
}
