//! The sheet for the door: what this is, in both languages, and the board's own address, to type or to scan.

use std::net::IpAddr;

use holdfast_proto::domain::plain;
use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

use super::board::Scene;
use super::lang::Lang;
use super::page::document;

/// Empty places around the code, by its standard.
const QUIET: usize = 4;

/// The address of a board that was asked for by this Host; none where nobody else could use it.
pub(super) fn address_of(host: &str) -> Option<String> {
    let authority: axum::http::uri::Authority = host.parse().ok()?;
    let ip: IpAddr = authority.host().trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let leads = !ip.to_canonical().is_loopback() && !ip.is_unspecified();
    leads.then(|| format!("http://{}/", authority.as_str().to_ascii_lowercase()))
}

/// The sheet.
pub(super) fn poster(scene: &Scene, lang: Lang, address: Option<&str>) -> String {
    let name = plain(&scene.node().name);
    let body = html! {
        main.poster {
            h1 { span lang="zh-Hant-TW" { "附近哪裡開放、有什麼" } span.other lang="en" { "What is open nearby, and what is there" } }
            @match address.and_then(|address| Some((address, code(address)?))) {
                Some((address, code)) => {
                    (code)
                    p.address { (address) }
                    ol {
                        li { span lang="zh-Hant-TW" { "連上本店的無線網路，掃描 QR 碼或輸入網址。" }
                            span.other lang="en" { "Join the Wi-Fi of this site, then scan the code or type the address." } }
                        li { span lang="zh-Hant-TW" { "看清楚每一項後面的時間，再決定是否前往。" }
                            span.other lang="en" { "Look at the time beside each word before you set out." } }
                        li { span lang="zh-Hant-TW" { "不必登入，沒有網際網路也能用。" }
                            span.other lang="en" { "No login, and it works without the internet." } }
                    }
                }
                None => { (unknown_address(lang)) }
            }
            p.site { (name) }
        }
    };
    document(scene, lang, lang.of("Poster for the door", "門口告示"), false, &body)
}

/// Opened at this computer, nobody can tell by what address others reach it.
fn unknown_address(lang: Lang) -> Markup {
    html! {
        p.none {
            (lang.of(
                "No address is known that visitors could use. Open this page by this computer's address on the shop's network, such as \
                 http://192.168.1.20:8080/poster, or write address = \"http://192.168.1.20:8080/\" below [public] in the configuration.",
                "不知道訪客能用的網址。請用這台電腦在店內網路的位址開啟本頁，例如 http://192.168.1.20:8080/poster，\
                 或在設定檔 [public] 之下寫 address = \"http://192.168.1.20:8080/\"。",
            ))
        }
    }
}

/// The address as a code, drawn as one path. None where it is too long for any.
fn code(address: &str) -> Option<Markup> {
    // A sheet at a door gets scratched: a quarter of it may be lost.
    let code = QrCode::with_error_correction_level(address.as_bytes(), EcLevel::Q).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (place, colour) in code.to_colors().into_iter().enumerate() {
        if colour == Color::Dark {
            path.push_str(&format!("M{} {}h1v1h-1z", place % width + QUIET, place / width + QUIET));
        }
    }
    let size = width + 2 * QUIET;
    let frame = format!("0 0 {size} {size}");
    Some(html! {
        svg.code viewBox=(frame) role="img" aria-label=(address) {
            rect width=(size) height=(size) fill="#fff" {}
            path d=(path) fill="#000" shape-rendering="crispEdges" {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poster_carries_only_an_address_that_others_can_use() {
        assert_eq!(address_of("192.168.1.20:8080").as_deref(), Some("http://192.168.1.20:8080/"));
        assert_eq!(address_of("[fd00::1]:8080").as_deref(), Some("http://[fd00::1]:8080/"));
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "0.0.0.0", "board.example", ""] {
            assert_eq!(address_of(host), None, "{host}");
        }
    }
}
