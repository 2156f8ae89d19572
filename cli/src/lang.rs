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

/// What asks for a language of this command alone.
pub(crate) const VARIABLE: &str = "HOLDFAST_LANG";

/// The language of a name such as `zh-TW`, `zh_TW.UTF-8`, `zh` or `en`; `None` for any other language.
pub(crate) fn of_name(name: &str) -> Option<Lang> {
    let name = name.trim().to_ascii_lowercase();
    let bare = name.split(['-', '_', '.', '@']).next().unwrap_or_default();
    match bare {
        "zh" => Some(Lang::Zh),
        "en" | "c" | "posix" => Some(Lang::En),
        _ => None,
    }
}

impl Lang {
    /// The flag decides, then `HOLDFAST_LANG`, `LC_ALL`, `LANG`, then English. `zh-TW`, `zh_TW.UTF-8` and `zh` are Chinese.
    pub(crate) fn choose(flag: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let said = flag
            .map(str::to_owned)
            .or_else(|| [VARIABLE, "LC_ALL", "LANG"].iter().find_map(|name| env(name).filter(|text| !text.is_empty())));
        said.and_then(|name| of_name(&name)).unwrap_or(Self::En)
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
        check(Some("zh"), &[], Lang::Zh);
        check(None, &[("HOLDFAST_LANG", "fr")], Lang::En);
        check(None, &[], Lang::En);
    }

    /// Texts stand all over this crate, so the sources themselves are looked at.
    #[test]
    fn chinese_is_punctuated_as_chinese_is() {
        fn sources(folder: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() { sources(&path, out) } else { out.push(path) }
            }
        }
        let mut files = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        assert!(files.len() > 20, "{files:?}");
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c) || "「」（）".contains(c);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let mut pairs = line.chars().zip(line.chars().skip(1));
                let half = pairs.find(|(one, next)| is_chinese(*one) && matches!(next, ',' | ';' | '?' | '!' | '(' | ')'));
                // `品項:數量` is what people type; anywhere else a colon after Chinese is a sentence's.
                let colon = line
                    .replace("品項:數量", "")
                    .chars()
                    .zip(line.replace("品項:數量", "").chars().skip(1))
                    .find(|(one, next)| is_chinese(*one) && *next == ':');
                assert!(half.or(colon).is_none(), "{}:{number}: {half:?} {colon:?} in {line}", file.display());
            }
        }
    }
}
