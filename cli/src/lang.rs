//! Which of the two languages to speak. The words themselves stand where they are used, side by side.

use holdfast_proto::domain::refusal::Words;

/// English or Traditional Chinese (Taiwan).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    /// English.
    En,
    /// Traditional Chinese.
    Zh,
}

impl Lang {
    /// The flag decides, then `HOLDFAST_LANG`, `LC_ALL`, `LANG`, then English. `zh-TW`, `zh_TW.UTF-8` and `zh` are Chinese.
    pub(crate) fn choose(flag: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let said = flag
            .map(str::to_owned)
            .or_else(|| ["HOLDFAST_LANG", "LC_ALL", "LANG"].iter().find_map(|name| env(name).filter(|text| !text.is_empty())));
        match said {
            Some(text) if text.to_ascii_lowercase().starts_with("zh") => Self::Zh,
            Some(_) | None => Self::En,
        }
    }

    /// The one of two texts in this language.
    pub(crate) fn of<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// The same for a pair made elsewhere; English stands in where Chinese is missing.
    pub(crate) fn words(self, words: &Words) -> &str {
        match self {
            Self::Zh if !words.zh.is_empty() => &words.zh,
            Self::Zh | Self::En => &words.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flag: Option<&str>, env: &[(&str, &str)], expect: Lang) {
        let look = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Lang::choose(flag, &look), expect);
    }

    #[test]
    fn the_flag_beats_the_environment_and_the_environment_beats_english() {
        check(Some("en"), &[("HOLDFAST_LANG", "zh-TW")], Lang::En);
        check(None, &[("HOLDFAST_LANG", "zh-TW"), ("LANG", "en_US.UTF-8")], Lang::Zh);
        check(None, &[("HOLDFAST_LANG", ""), ("LC_ALL", "zh_TW.UTF-8")], Lang::Zh);
        check(None, &[("LANG", "C.UTF-8")], Lang::En);
        check(None, &[], Lang::En);
    }
}
