//! A courier file as a row of QR codes on the screen, and the lines that a scanner types of it.

use std::io::{BufRead, Read};

use data_encoding::BASE64;
use holdfast_proto::control::{CourierOut, CourierPiece};
use holdfast_proto::message::courier::codes::{Gathered, LineFlaw, SHOWN_BYTES_MAX, lines};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::json;

use super::{faults, shown};
use crate::client::{Client, read};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, cause_of};

/// `courier out --qr`.
///
/// # Errors
/// What the daemon refused.
pub(super) fn show(desk: &mut Desk<'_>, client: &Client, to: String) -> Result<Exit, Failure> {
    let most = u32::try_from(SHOWN_BYTES_MAX).ok();
    let piece: CourierPiece = read(client.post("/api/v1/courier/out", &CourierOut { to, after: None, most })?)?;
    let file = BASE64.decode(piece.piece.as_bytes()).map_err(|_| faults::strange_piece())?;
    let lines = lines(&file).ok_or_else(faults::strange_piece)?;
    let left = piece.left.unwrap_or_default();
    if desk.json {
        desk.object(&json!({
            "schema": "holdfast.courier-codes/1", "to": piece.to, "holds": piece.holds, "left": left, "bytes": file.len(), "codes": lines,
        }));
        return Ok(Exit::Done);
    }
    for (place, line) in lines.iter().enumerate() {
        desk.say(&format!("{}/{}", place + 1, lines.len()));
        match QrCode::with_error_correction_level(line, EcLevel::L) {
            Ok(picture) => {
                let picture = picture.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
                desk.say_all(picture.lines().map(str::to_owned));
            }
            Err(_) => desk.say(line),
        }
    }
    desk.say_all(shown::codes(&piece.to, &piece.holds, &left, lines.len(), desk.lang));
    Ok(Exit::Done)
}

/// Reads lines until the file is whole or no more come; what is wrong with one is told at once, so that it is scanned again.
///
/// # Errors
/// The input can't be read, or not one line of a courier file came.
pub(super) fn gather(desk: &mut Desk<'_>) -> Result<Gathered, Failure> {
    let mut gathered = Gathered::default();
    let mut line = String::new();
    while !gathered.is_whole() {
        line.clear();
        // A line has 400 symbols; whatever is much longer was not typed by a scanner.
        let taken = desk.input().take(4_096).read_line(&mut line).map_err(|error| faults::no_input(&cause_of(&error)))?;
        if taken == 0 {
            break;
        }
        if line.trim().is_empty() {
            continue;
        }
        match gathered.take(&line) {
            Ok(_) => {
                let (here, count) = (gathered.count() - gathered.lacking().len(), gathered.count());
                desk.detail(&format!("{here} of {count}"), &format!("{count} 張中已讀 {here} 張"));
            }
            Err(LineFlaw::Strange) => desk.note("(that is no line of a courier file)", "（這不是攜帶檔的內容）"),
            Err(LineFlaw::Check) => desk.note("(read wrong: scan that code again)", "（讀取有誤：請重新掃描這一張）"),
            Err(LineFlaw::OtherFile) => {
                desk.note("(that code is of another file; it was left out)", "（這一張屬於另一個檔案，已略過）");
            }
        }
    }
    if gathered.count() == 0 {
        return Err(faults::no_lines());
    }
    Ok(gathered)
}

/// Numbers of codes that are lacking, as a person reads them.
pub(super) fn lacking(gathered: &Gathered) -> String {
    gathered.lacking().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
