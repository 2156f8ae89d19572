//! The after-action report: one page that opens from a stick without a network and prints on A4, the record itself, and sheets. A
//! function of the record: the same record, the same bytes. In Traditional Chinese and English at once; the reader chooses.

use std::fs;
use std::io;
use std::path::Path;

use holdfast_proto::identity::Region;

use self::html::{Text, escape, push};
use self::words::{Words, file};
use crate::geo;
use crate::record::{Record, Title};

mod annex;
mod checks;
mod conflicts;
mod cover;
mod csv;
mod findings;
mod firms;
mod html;
mod information;
mod maps;
mod requests;
mod show;
mod timeline;
mod words;

#[cfg(test)]
mod tests;

pub use self::maps::Outline;

/// What a report is made of.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The run it is about.
    pub record: &'a Record,
    /// For the maps.
    pub outline: Outline<'a>,
}

impl std::fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").field("record", self.record).finish_non_exhaustive()
    }
}

/// Writes the report of a run, on maps with the outlines of its counties.
///
/// # Errors
///
/// As [`Report::write`].
pub fn write(record: &Record, dir: &Path) -> io::Result<()> {
    Report { record, outline: &outline }.write(dir)
}

/// Why a run ended before its end, in English.
#[must_use]
pub fn why_early(code: &str) -> &str {
    words::look_up(words::ENDINGS, code).map_or(code, |words| words.en)
}

/// The rings of a county by its code; none where it is unknown.
fn outline(code: &str) -> Vec<Vec<(i32, i32)>> {
    let rings = Region::from_code(code).map(geo::outline).unwrap_or_default();
    rings.iter().map(|ring| ring.iter().map(|point| (point.lat, point.lon)).collect()).collect()
}

impl Report<'_> {
    /// Writes `report.html`, `report.json` and the sheets into a folder, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// What the file system says, with the name of the file.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let named = |path: &Path, error: &io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        fs::create_dir_all(dir).map_err(|error| named(dir, &error))?;
        let json = serde_json::to_string_pretty(self.record).map_err(io::Error::other)?;
        let mut files = vec![(file::PAGE, self.html()), (file::RECORD, json + "\n")];
        files.extend(csv::sheets(self.record));
        for (name, content) in files {
            let path = dir.join(name);
            fs::write(&path, content).map_err(|error| named(&path, &error))?;
        }
        Ok(())
    }

    /// The page.
    #[must_use]
    pub fn html(&self) -> String {
        let record = self.record;
        let parts: [(Words, String); 13] = [
            (words::COVER, cover::cover(record)),
            (words::SUMMARY, cover::summary(record)),
            (words::OBJECTIVES, cover::objectives(record)),
            (words::TIMELINE, timeline::timeline(record)),
            (words::INFORMATION, information::information(record)),
            (words::REQUESTS, requests::requests(record) + &conflicts::conflicts(record) + &firms::firms(record)),
            (words::MAPS, maps::maps(record, self.outline)),
            (words::LOAD, checks::load(record)),
            (words::FORGED, checks::forged(record)),
            (words::INVARIANTS, checks::invariants(record)),
            (words::LINES_OF_PLAY, annex::lines(record)),
            (words::IMPROVEMENT, annex::improvement()),
            (words::ANNEX, annex::annex(record)),
        ];
        let mut out = head(record);
        for (place, (name, body)) in parts.iter().enumerate() {
            let nr = place + 1;
            // Each language has its own anchor: a link into the page keeps the language.
            push(
                &mut out,
                format_args!(
                    "<section class=p{nr}><h2><span class=nr>{nr}</span> <span lang=zh-TW id=zh-{nr}>{}</span><span lang=en id=en-{nr}>{}</span></h2>\n{body}",
                    escape(name.zh),
                    escape(name.en)
                ),
            );
            if nr == 1 {
                out.push_str(&contents(&parts));
            }
            out.push_str("</section>\n");
        }
        push(&mut out, format_args!("</main>\n<div class=foot>{}</div>\n</div>\n</body>\n</html>\n", running(record)));
        out
    }
}

/// No page of the report may fetch anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Everything before the first part.
fn head(record: &Record) -> String {
    let Title { id, title, .. } = &record.exercise;
    let name = if id == title { id.clone() } else { format!("{id} · {title}") };
    let title = format!("{name} · {} / {}", words::MARK.zh, words::MARK.en);
    let mut out = String::from("<!doctype html>\n<html lang=zh-TW>\n<head>\n<meta charset=utf-8>\n");
    push(&mut out, format_args!("<meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\n"));
    push(
        &mut out,
        format_args!("<meta name=viewport content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n", escape(&title)),
    );
    push(&mut out, format_args!("<style>\n{}{}</style>\n", include_str!("report/report.css"), margins(record)));
    push(&mut out, format_args!("<script>\n{}</script>\n</head>\n<body>\n<div class=sheet>\n", include_str!("report/report.js")));
    push(
        &mut out,
        format_args!(
            "<div class=head>{}<nav class=langs><a href=\"#zh\" lang=zh-Hant>{}</a> <a href=\"#en\" lang=en-GB>{}</a></nav></div>\n<main>\n",
            running(record),
            escape(words::CHINESE.zh),
            escape(words::ENGLISH.en)
        ),
    );
    out
}

/// What stands above and below every page: the mark in both languages, whatever language is read.
fn running(record: &Record) -> String {
    let id = escape(&record.exercise.id);
    format!("<span class=mark>{} / {}</span> <span class=id>{id}</span>", escape(words::MARK.zh), escape(words::MARK.en))
}

/// Page numbers in the margin of the paper, where the browser knows how.
fn margins(record: &Record) -> String {
    let id: String = record.exercise.id.chars().filter(|c| c.is_alphanumeric() || " -_.".contains(*c)).collect();
    let font = "font: 8pt system-ui, sans-serif; color: #444";
    format!("@page {{ @bottom-right {{ content: \"{id}  \" counter(page) \" / \" counter(pages); {font} }} }}\n")
}

fn contents(parts: &[(Words, String)]) -> String {
    let mut out = format!("<nav class=contents><h3>{}</h3><ol>\n", Text::from(words::CONTENTS));
    for (place, (name, _)) in parts.iter().enumerate() {
        let nr = place + 1;
        push(
            &mut out,
            format_args!(
                "<li><a lang=zh-TW href=\"#zh-{nr}\">{}</a><a lang=en href=\"#en-{nr}\">{}</a></li>\n",
                escape(name.zh),
                escape(name.en)
            ),
        );
    }
    out + "</ol></nav>\n"
}
