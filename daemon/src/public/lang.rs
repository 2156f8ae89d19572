//! The two languages of the board, and how times and ages are written in each.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use jiff::Zoned;

/// Chinese first: whoever asks for neither is shown that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lang {
    /// Traditional Chinese (Taiwan).
    #[default]
    Zh,
    /// English.
    En,
}

/// Both, in the order in which they are offered.
pub(super) const BOTH: [Lang; 2] = [Lang::Zh, Lang::En];

impl Lang {
    /// As it stands in an address.
    pub(super) fn code(self) -> &'static str {
        self.of("en", "zh-TW")
    }

    /// As HTML names it.
    pub(super) fn tag(self) -> &'static str {
        self.of("en", "zh-Hant-TW")
    }

    /// The one of two texts in this language.
    pub(super) fn of<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// The language named in an address; nothing else counts.
    pub(super) fn named(text: &str) -> Option<Self> {
        let bare = text.trim().to_ascii_lowercase();
        match bare.split(['-', '_']).next().unwrap_or_default() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// What a browser prefers, by its weights; Chinese where it says nothing of either.
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let said = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0, Self::Zh);
        for part in said.split(',').take(16) {
            let (name, weight) = part.split_once(';').unwrap_or((part, ""));
            let Some(lang) = Self::named(name) else { continue };
            let weight = thousandths(weight);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// `14:05`, with the day where it is not today's.
    pub(super) fn time(self, at: &Zoned, now: &Zoned) -> String {
        let form = if at.date() == now.date() { "%H:%M" } else { "%-m/%-d %H:%M" };
        at.strftime(form).to_string()
    }

    /// How long ago.
    pub(super) fn ago(self, age_s: u64) -> String {
        let (minutes, hours, days) = (age_s / 60, age_s / 3_600, age_s / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => self.of("just now", "剛剛").to_owned(),
            (0, 0, _) => self.of(format!("{minutes} min ago"), format!("{minutes} 分鐘前")),
            (0, _, _) => self.of(format!("{hours} h ago"), format!("{hours} 小時前")),
            (1, _, _) => self.of("1 day ago", "1 天前").to_owned(),
            (_, _, _) => self.of(format!("{days} days ago"), format!("{days} 天前")),
        }
    }
}

/// A weight such as `q=0.8` in thousandths; 1 where none stands there.
fn thousandths(weight: &str) -> u32 {
    let Some(number) = weight.trim().strip_prefix("q=") else { return 1_000 };
    match number.split_once('.') {
        None => number.parse::<u32>().unwrap_or(0).min(1) * 1_000,
        Some((whole, part)) => {
            let part: String = part.chars().take_while(char::is_ascii_digit).chain("000".chars()).take(3).collect();
            (whole.parse::<u32>().unwrap_or(0).min(1) * 1_000 + part.parse::<u32>().unwrap_or(0)).min(1_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_weighs_most_and_chinese_where_it_says_nothing() {
        for (said, lang) in [
            ("", Lang::Zh),
            ("fr-FR, de;q=0.9", Lang::Zh),
            ("en-US,en;q=0.9", Lang::En),
            ("zh-TW,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("fr, en;q=0.3, zh;q=0.31", Lang::Zh),
            ("en;q=0, zh;q=0.1", Lang::Zh),
            ("en;q=9999999999999", Lang::Zh),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, said.parse().expect("a header"))]);
            assert_eq!(Lang::preferred(&headers), lang, "{said}");
        }
    }

    #[test]
    fn times_carry_their_day_only_where_it_is_another_one() {
        let at = |text: &str| text.parse::<Zoned>().expect("a time");
        let now = at("2026-11-30T14:05:00+08:00[Asia/Taipei]");
        assert_eq!(Lang::Zh.time(&at("2026-11-30T09:05:00+08:00[Asia/Taipei]"), &now), "09:05");
        assert_eq!(Lang::En.time(&at("2026-11-29T23:59:00+08:00[Asia/Taipei]"), &now), "11/29 23:59");
        let ages = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 172_800].map(|age| Lang::En.ago(age));
        assert_eq!(ages, ["just now", "just now", "1 min ago", "59 min ago", "1 h ago", "23 h ago", "1 day ago", "2 days ago"]);
    }
}
