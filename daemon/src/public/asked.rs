//! What a visitor asked for: read from the address, and written into links, for the live board and for the board as files.

use axum::extract::Query;
use axum::http::Uri;
use holdfast_proto::domain::{fold, plain};
use holdfast_proto::id::Region;
use serde::Deserialize;

use super::lang::Lang;

/// Sites on one page.
pub(super) const PER_PAGE: usize = 40;
/// Characters of a search that count.
const SEARCH_CHARS_MAX: usize = 40;
/// No alliance has more pages.
const PAGES_MAX: usize = 9_999;

/// One view of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) lang: Lang,
    /// As typed, cleaned.
    pub(super) search: String,
    /// Open now only.
    pub(super) open: bool,
    pub(super) county: Option<Region>,
    /// From 1.
    pub(super) page: usize,
    /// Does not load itself anew.
    pub(super) still: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    lang: Option<String>,
    q: Option<String>,
    open: Option<String>,
    county: Option<String>,
    page: Option<String>,
    still: Option<String>,
}

impl Asked {
    /// The first page.
    pub(super) fn in_lang(lang: Lang) -> Self {
        Self { lang, page: 1, ..Self::default() }
    }

    /// Reads an address. What makes no sense is as if it were not there: a visitor with a mangled link still sees the list.
    pub(super) fn of(uri: &Uri, preferred: Lang) -> Self {
        let raw = Query::<Raw>::try_from_uri(uri).map(|Query(raw)| raw).unwrap_or_default();
        let page = raw.page.and_then(|page| page.parse().ok()).unwrap_or(1_usize);
        Self {
            lang: raw.lang.as_deref().and_then(Lang::named).unwrap_or(preferred),
            search: plain(&raw.q.unwrap_or_default()).chars().take(SEARCH_CHARS_MAX).collect::<String>().trim().to_owned(),
            open: raw.open.as_deref() == Some("1"),
            county: raw.county.and_then(|code| Region::from_code(&code)),
            page: page.clamp(1, PAGES_MAX),
            still: raw.still.as_deref() == Some("1"),
        }
    }

    /// What is searched for, as names are compared.
    pub(super) fn folded(&self) -> String {
        fold(&self.search)
    }
}

/// Where links lead: to addresses of the live board, or to files beside the one that holds them. All are relative, so that the board
/// may stand behind any other server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Links {
    /// A board that answers.
    Live,
    /// Files that somebody else serves: nothing can be searched there.
    Files,
}

impl Links {
    /// A link to a view.
    pub(super) fn to(self, asked: &Asked) -> String {
        match self {
            Self::Live => address(asked),
            Self::Files => file_name(asked),
        }
    }
}

fn address(asked: &Asked) -> String {
    let mut query = form_urlencoded::Serializer::for_suffix("./?".to_owned(), "./?".len());
    query.append_pair("lang", asked.lang.code());
    if !asked.search.is_empty() {
        query.append_pair("q", &asked.search);
    }
    if asked.open {
        query.append_pair("open", "1");
    }
    if let Some(county) = asked.county {
        query.append_pair("county", county.code());
    }
    if asked.page > 1 {
        query.append_pair("page", &asked.page.to_string());
    }
    if asked.still {
        query.append_pair("still", "1");
    }
    query.finish()
}

/// `index.html`, `zh-open-2.html`, `en.html`: which part of the list a file holds.
fn file_name(asked: &Asked) -> String {
    if *asked == Asked::in_lang(Lang::Zh) {
        return "index.html".to_owned();
    }
    let lang = asked.lang.of("en", "zh");
    let open = if asked.open { "-open" } else { "" };
    let page = if asked.page > 1 { format!("-{}", asked.page) } else { String::new() };
    format!("{lang}{open}{page}.html")
}

/// The view that a file holds.
pub(super) fn of_file(name: &str) -> Option<Asked> {
    let stem = name.strip_suffix(".html")?;
    let asked = match stem {
        "index" => Asked::in_lang(Lang::Zh),
        _ => {
            let mut parts = stem.split('-').peekable();
            let lang = Lang::named(parts.next()?)?;
            let open = parts.next_if_eq(&"open").is_some();
            let page = parts.next().map_or(Some(1), |page| page.parse().ok()).filter(|page| *page <= PAGES_MAX)?;
            parts.next().is_none().then_some(Asked { open, page, ..Asked::in_lang(lang) })?
        }
    };
    // One view, one name: `zh-01.html` and `zh-TW.html` are nobody's.
    (file_name(&asked) == name).then_some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Asked {
        Asked::of(&address.parse().expect("an address"), Lang::Zh)
    }

    #[test]
    fn an_address_reads_back_to_what_was_asked_and_nonsense_is_as_nothing() {
        let asked = Asked {
            lang: Lang::En,
            search: "臺北 & <b>+".to_owned(),
            open: true,
            county: Region::from_code("TPE"),
            page: 3,
            still: true,
        };
        let link = Links::Live.to(&asked);
        assert_eq!(of(link.strip_prefix('.').expect("relative")), asked);
        assert!(link.is_ascii() && !link.contains(['<', '"', ' ']), "{link}");
        for nonsense in ["/?page=-1&county=XX&open=yes&lang=fr", "/?page=x", "/?q=%ff%fe&q=2", "/?%", "/", "/?page=0"] {
            assert_eq!(of(nonsense), Asked::in_lang(Lang::Zh), "{nonsense}");
        }
        assert_eq!(of("/?page=99999999").page, PAGES_MAX);
        assert_eq!(of("/?q=%E2%80%AEabc%00").search, "abc");
        assert_eq!(of(&format!("/?q={}", "x".repeat(4_000))).search.len(), SEARCH_CHARS_MAX);
    }

    #[test]
    fn a_file_name_reads_back_to_its_view_and_no_other_name_is_taken() {
        for lang in super::super::lang::BOTH {
            for (open, page) in [(false, 1), (false, 2), (true, 1), (true, 40)] {
                let asked = Asked { open, page, ..Asked::in_lang(lang) };
                assert_eq!(of_file(&Links::Files.to(&asked)), Some(asked));
            }
        }
        for name in ["zh.html", "zh-1.html", "zh-02.html", "../index.html", "en-open-open.html", "fr.html", "en-99999.html", ""] {
            assert_eq!(of_file(name), None, "{name}");
        }
    }
}
