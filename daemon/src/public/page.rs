//! The list as a page: HTML that works without scripts. Every text goes through the templates, which escape it; nothing here writes markup
//! by hand but the document type.

use holdfast_proto::domain::plain;
use holdfast_proto::id::Region;
use maud::{DOCTYPE, Markup, html};

use super::answer::POLICY;
use super::asked::{Asked, Links, PER_PAGE};
use super::board::Scene;
use super::data::{EXERCISE, is_offered};
use super::lang::{BOTH, Lang};
use super::site::{Freshness, Key, Line, NOTICE, Said, Site};

/// Seconds after which a page loads itself anew, so that its ages stay true.
const RELOAD_S: u32 = 60;

/// Everything around the content, the mark of an exercise included.
pub(super) fn document(scene: &Scene, lang: Lang, title: &str, reload: bool, body: &Markup) -> String {
    let mark = if scene.is_exercise() { format!("{} · ", lang.of(EXERCISE.0, EXERCISE.1)) } else { String::new() };
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) data-realm=(scene.kind().text()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="content-security-policy" content=(POLICY);
                @if reload { meta http-equiv="refresh" content=(RELOAD_S); }
                title { (mark) (title) }
                link rel="icon" href="icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="board.css";
            }
            body {
                @if scene.is_exercise() {
                    aside.realm aria-label="演練 / Exercise" {
                        b lang="zh-Hant-TW" { (EXERCISE.1) } " " b lang="en" { (EXERCISE.0) }
                    }
                }
                (body)
            }
        }
    }
    .into_string()
}

/// One page of the list.
pub(super) fn page(scene: &Scene, links: Links, asked: &Asked) -> String {
    let view = View { scene, links, asked, lang: asked.lang };
    let found = scene.found(asked);
    let pages = found.len().div_ceil(PER_PAGE).max(1);
    let at = asked.page.min(pages);
    let shown = found.iter().skip((at - 1) * PER_PAGE).take(PER_PAGE);
    let lang = asked.lang;
    let body = html! {
        a.skip href="#sites" { (lang.of("To the list", "跳到清單")) }
        (view.top())
        (view.find())
        main #sites {
            p.found role="status" { (view.found(found.len())) }
            @if found.is_empty() { p.none { (lang.of("No site fits. Try fewer words, or all sites.", "沒有符合的據點。請減少搜尋文字，或查看全部據點。")) } }
            div.cards { @for site in shown { (view.card(site)) } }
        }
        (view.pages(at, pages))
        (view.foot())
    };
    let title = lang.of("What is open nearby", "附近據點現況");
    document(scene, lang, title, links == Links::Live && !asked.still, &body)
}

struct View<'a> {
    scene: &'a Scene,
    links: Links,
    asked: &'a Asked,
    lang: Lang,
}

impl View<'_> {
    fn to(&self, change: impl FnOnce(&mut Asked)) -> String {
        let mut other = self.asked.clone();
        change(&mut other);
        self.links.to(&other)
    }

    fn top(&self) -> Markup {
        let lang = self.lang;
        html! {
            header.top {
                div {
                    h1 { (lang.of("What is open nearby", "附近據點現況")) }
                    p.made { (self.made()) }
                }
                nav.langs aria-label="語言 / Language" {
                    @for (other, name) in BOTH.into_iter().zip(["中文", "English"]) {
                        a lang=(other.tag()) href=(self.to(|asked| asked.lang = other)) aria-current=[(other == lang).then_some("true")] { (name) }
                    }
                }
            }
        }
    }

    /// Where all this comes from and when it was put together.
    fn made(&self) -> String {
        let (lang, now) = (self.lang, &self.scene.now);
        let name = plain(&self.scene.node().name);
        if self.links == Links::Live {
            let time = now.strftime("%-m/%-d %H:%M");
            return lang.of(format!("As “{name}” knew it on {time}."), format!("{time}「{name}」所知的狀況。"));
        }
        // Nobody counts the minutes of a file: it says itself until when it is good.
        let at = |hours: i64| {
            let then = now.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap_or_else(|_| now.clone());
            then.strftime("%-m/%-d %H:%M").to_string()
        };
        lang.of(
            format!(
                "As “{name}” knew it on {}. Take it as out of date from {} on at the latest, as unknown from {} on.",
                at(0),
                at(1),
                at(4)
            ),
            format!("{}「{name}」所知的狀況。最遲 {} 起請視為可能已過時，{} 起請視為狀況不明。", at(0), at(1), at(4)),
        )
    }

    fn find(&self) -> Markup {
        let (lang, asked) = (self.lang, self.asked);
        let tab = |open: bool, words| {
            let href = self.to(|asked| (asked.open, asked.page) = (open, 1));
            html! { a href=(href) aria-current=[(asked.open == open).then_some("true")] { (words) } }
        };
        html! {
            nav.tabs aria-label=(lang.of("Which sites", "哪些據點")) {
                (tab(false, lang.of("All sites", "全部據點")))
                (tab(true, lang.of("Open now", "現在開放")))
            }
            @if self.links == Links::Live {
                form.find method="get" action="./" role="search" {
                    input type="hidden" name="lang" value=(lang.code());
                    @if asked.open { input type="hidden" name="open" value="1"; }
                    @if asked.still { input type="hidden" name="still" value="1"; }
                    input type="search" name="q" value=(asked.search) maxlength="40" aria-label=(lang.of("Name of a site", "據點名稱"))
                        placeholder=(lang.of("Name of a site", "據點名稱"));
                    select name="county" aria-label=(lang.of("County or city", "縣市")) {
                        option value="" { (lang.of("All counties", "全部縣市")) }
                        @for region in self.counties() {
                            option value=(region.code()) selected[asked.county == Some(region)] { (lang.of(region.en(), region.zh())) }
                        }
                    }
                    button type="submit" { (lang.of("Search", "搜尋")) }
                }
            }
        }
    }

    /// The counties that have a site.
    fn counties(&self) -> Vec<Region> {
        let mut counties: Vec<Region> = self.scene.sites().filter_map(|site| site.region).collect();
        counties.sort_unstable();
        counties.dedup();
        counties
    }

    fn found(&self, count: usize) -> String {
        let asked = self.asked;
        let which = self.lang.of(if asked.open { " open now" } else { "" }, if asked.open { "現在開放的" } else { "" });
        let county = asked.county.map(|county| self.lang.of(county.en(), county.zh()));
        match (self.lang, county) {
            (Lang::En, county) => {
                let sites = if count == 1 { "site" } else { "sites" };
                let place = county.map_or_else(String::new, |county| format!(" in {county}"));
                let of = if asked.search.is_empty() { String::new() } else { format!(", “{}”", asked.search) };
                format!("{count} {sites}{which}{place}{of}")
            }
            (Lang::Zh, county) => {
                let of = if asked.search.is_empty() { String::new() } else { format!("「{}」：", asked.search) };
                format!("{of}{}{which}據點 {count} 處", county.unwrap_or_default())
            }
        }
    }

    fn card(&self, site: &Site) -> Markup {
        let (lang, since) = (self.lang, self.scene.since_s);
        let status = site.operating(since);
        let lines: Vec<&Line> = self.scene.lines(site).collect();
        let notice = lines.iter().find(|line| self.scene.names().code(&line.key) == NOTICE);
        html! {
            article.card id={ "s" (site.id) } data-status=(status) data-own=[site.is_own.then_some("yes")] {
                header {
                    h2 { (site.name) }
                    @if site.is_own { span.chip { (lang.of("this site", "本據點")) } }
                    @if site.is_hub { span.chip { (lang.of("hub", "集散中心")) } }
                    @if let Some(region) = site.region { span.meta { (lang.of(region.en(), region.zh())) } }
                }
                (self.status(site, status))
                @if let Some(line) = notice { (self.notice(&line.said)) }
                (self.groups(&lines))
            }
        }
    }

    /// Shape, word and age of what counts most.
    fn status(&self, site: &Site, status: &str) -> Markup {
        let lang = self.lang;
        let shape = match status {
            "open" => "●",
            "limited" => "◐",
            "closed" => "✕",
            "evacuating" => "▲",
            _ => "?",
        };
        let Some(said) = &site.status else {
            return html! { p.status { span.shape aria-hidden="true" { "?" } " " (lang.of("Not known", "狀況不明")) } };
        };
        let unknown = said.freshness(self.scene.since_s) == Freshness::Unknown;
        html! {
            p.status {
                span.shape aria-hidden="true" { (shape) } " "
                @if unknown { (lang.of("Not known", "狀況不明")) small { (lang.of(" last said: ", " 先前：")) (said.words(lang)) } }
                @else { (capital(said.words(lang))) }
            }
            p.asof { (self.as_of(said, true)) }
        }
    }

    /// How to get what is there, in the site's own words.
    fn notice(&self, said: &Said) -> Markup {
        let lang = self.lang;
        let unknown = said.freshness(self.scene.since_s) == Freshness::Unknown;
        html! {
            p.notice data-old=[unknown.then_some("yes")] {
                b { @if unknown { (lang.of("Earlier notice", "先前的公告")) } @else { (lang.of("How to get it", "領取方式與公告")) } }
                span.said { (said.words(lang)) }
                small { (self.as_of(said, true)) }
            }
        }
    }

    /// What is there, what is not, what nobody knows, and how the place is.
    fn groups(&self, lines: &[&Line]) -> Markup {
        let lang = self.lang;
        let (mut here, mut lacking, mut unknown, mut place) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let known = line.said.freshness(self.scene.since_s) != Freshness::Unknown && line.said.code() != "unknown";
            match &line.key {
                Key::Field(_) if self.scene.names().code(&line.key) == NOTICE => {}
                _ if !known => unknown.push(*line),
                Key::Field(_) => place.push(*line),
                Key::Service(_) if is_offered(&line.said) => here.push(*line),
                Key::Item(_) | Key::Other(_) if line.said.code() != "none" => here.push(*line),
                Key::Item(_) | Key::Other(_) | Key::Service(_) => lacking.push(*line),
            }
        }
        html! {
            (self.group("here", lang.of("Here", "這裡有"), &here))
            (self.group("lacking", lang.of("Not here", "這裡沒有"), &lacking))
            (self.group("place", lang.of("The place", "場所狀況"), &place))
            (self.group("unknown", lang.of("Not known", "狀況不明"), &unknown))
        }
    }

    fn group(&self, class: &str, title: &str, lines: &[&Line]) -> Markup {
        html! {
            @if !lines.is_empty() {
                section class={ "group " (class) } {
                    h3 { (title) }
                    ul { @for line in lines { (self.line(line)) } }
                }
            }
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let lang = self.lang;
        let said = &line.said;
        let freshness = said.freshness(self.scene.since_s);
        let is_stock = matches!(line.key, Key::Item(_) | Key::Other(_));
        html! {
            li data-level=[(is_stock && freshness != Freshness::Unknown).then(|| said.code())] {
                span.what { (self.scene.names().label(&line.key, lang)) }
                @if freshness == Freshness::Unknown {
                    @if said.code() != "unknown" { span.word { (lang.of("last: ", "先前：")) (said.words(lang)) } }
                } @else {
                    @if is_stock { span.bars aria-hidden="true" { i {} i {} i {} } }
                    span.word { (said.words(lang)) }
                }
                (self.as_of(said, false))
            }
        }
    }

    /// The time of one word; with how long ago where there is room, and a warning where it may be out of date.
    fn as_of(&self, said: &Said, long: bool) -> Markup {
        let lang = self.lang;
        let Some(age_s) = said.age_s(self.scene.since_s) else {
            return html! { time { (lang.of("time not known", "時間不明")) } };
        };
        let at = self.scene.at(age_s);
        let clock =
            if self.links == Links::Live { lang.time(&at, &self.scene.now) } else { at.strftime("%-m/%-d %H:%M").to_string() };
        // In a file nothing ages by itself: what ends sooner than the page says of all has to say so.
        let until =
            said.holds_until(&at).filter(|_| self.links == Links::Files).map(|end| end.strftime("%-m/%-d %H:%M").to_string());
        let ago = (long && self.links == Links::Live).then(|| lang.ago(age_s));
        html! {
            time datetime=(at.strftime("%Y-%m-%dT%H:%M:%S%:z")) {
                @if long { (lang.of("as of ", "最後回報 ")) }
                (clock)
                @if let Some(until) = until { (lang.of(format!(", holds until {until}"), format!("，{until} 前有效"))) }
                @if let Some(ago) = ago { span.ago { (lang.of(format!(" ({ago})"), format!("（{ago}）"))) } }
            }
            @if said.freshness(self.scene.since_s) == Freshness::Aging { span.aging { (lang.of("may be out of date", "可能已過時")) } }
        }
    }

    fn pages(&self, at: usize, pages: usize) -> Markup {
        let lang = self.lang;
        html! {
            @if pages > 1 {
                nav.pages aria-label=(lang.of("Pages", "分頁")) {
                    @if at > 1 { a rel="prev" href=(self.to(|asked| asked.page = at - 1)) { (lang.of("◀ Before", "◀ 上一頁")) } }
                    span { (lang.of(format!("Page {at} of {pages}"), format!("第 {at} 頁，共 {pages} 頁"))) }
                    @if at < pages { a rel="next" href=(self.to(|asked| asked.page = at + 1)) { (lang.of("Next ▶", "下一頁 ▶")) } }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        let lang = self.lang;
        html! {
            footer.foot {
                p {
                    (lang.of(
                        "The time beside each word is when the site said it. After an hour it may be out of date; after four hours, or sooner where a \
                         site says so, it counts as not known. Not known does not mean closed.",
                        "每項後面是該據點回報的時間。超過一小時可能已過時；超過四小時，或超過據點所訂的時限，視為狀況不明。狀況不明不代表關閉。",
                    ))
                }
                p {
                    @if self.links == Links::Live {
                        @let still = self.asked.still;
                        a href=(self.to(|asked| asked.still = !still)) {
                            @if still { (lang.of("Load anew every minute", "每分鐘自動更新")) }
                            @else { (lang.of("Stop loading anew every minute", "停止每分鐘自動更新")) }
                        }
                        " "
                        a href={ "poster?lang=" (lang.code()) } { (lang.of("Poster for the door", "門口告示")) }
                        " "
                    }
                    a href="sites.csv" { (lang.of("Spreadsheet", "試算表")) } " "
                    a href="status.json" { "JSON" } " "
                    a href="sites.geojson" { "GeoJSON" }
                }
            }
        }
    }
}

/// Words of the field table begin small; a line of its own does not.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
