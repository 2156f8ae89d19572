//! What a record says in words: as data, so that every reader reads it in their own language. The only place with the sentences of
//! what happens in an exercise; texts that people wrote stand in them as they are.

use std::fmt;

use holdfast_proto::domain::field::{Kind, choice_named, field_named};
use serde::{Deserialize, Serialize};

use super::Verdict;

/// The same in Traditional Chinese as written in Taiwan, and in English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// Traditional Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Both {
    fn same(text: impl fmt::Display) -> Self {
        let zh = text.to_string();
        Self { en: zh.clone(), zh }
    }

    fn of((zh, en): (&str, &str)) -> Self {
        Self { zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// What can be said in both languages.
pub trait Told {
    /// In both.
    fn both(&self) -> Both;
}

impl Told for u32 {
    fn both(&self) -> Both {
        Both::same(self)
    }
}

impl Told for u64 {
    fn both(&self) -> Both {
        Both::same(self)
    }
}

impl Told for String {
    fn both(&self) -> Both {
        Both::same(self)
    }
}

impl Told for Verdict {
    fn both(&self) -> Both {
        Both::of(match self {
            Self::Met => ("達成", "met"),
            Self::MetLate => ("逾時達成", "met late"),
            Self::NotMet => ("未達成", "not met"),
            Self::NotObserved => ("無法觀察", "not observed"),
        })
    }
}

/// The word of an inject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Word(pub String);

impl Told for Word {
    fn both(&self) -> Both {
        effect(&self.0).map_or_else(|| Both::same(&self.0), Both::of)
    }
}

/// Whom an inject touches, after its word; empty: nobody by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whom(pub String);

impl Told for Whom {
    fn both(&self) -> Both {
        if self.0.is_empty() { Both::default() } else { Both::same(format_args!(" {}", self.0)) }
    }
}

/// A field of a report and its value, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Such as `operating.status`.
    pub field: String,
    /// Such as `closed`, or `unknown`.
    pub value: String,
}

impl Told for Reading {
    fn both(&self) -> Both {
        let field = field_named(&self.field);
        let word = field
            .and_then(|field| if let Kind::Choice { words } = field.value { choice_named(words, &self.value) } else { None });
        let value = match (word, self.value.as_str()) {
            (Some(word), _) => word.zh,
            (None, "unknown") => "不明",
            (None, value) => value,
        };
        let zh = format!("{}：{value}", field.map_or(self.field.as_str(), |field| field.zh));
        Both { zh, en: format!("{} as {}", self.field, self.value) }
    }
}

impl Told for Vec<Phrase> {
    fn both(&self) -> Both {
        let all: Vec<Both> = self.iter().map(Told::both).collect();
        let join = |side: fn(&Both) -> &str, between: &str| all.iter().map(side).collect::<Vec<_>>().join(between);
        Both { zh: join(|one| &one.zh, "；"), en: join(|one| &one.en, "; ") }
    }
}

/// The enumeration and both languages of each, side by side.
macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident: $kind:ty),+ })? = $zh:literal, $en:literal;)+) => {
        /// A sentence of a record.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "is", rename_all = "snake_case")]
        pub enum Phrase {
            $($(#[$doc])* $name $({ $(#[doc = stringify!($field)] $field: $kind),+ })?,)+
        }

        impl Told for Phrase {
            fn both(&self) -> Both {
                match self {
                    $(Self::$name $({ $($field),+ })? => {
                        $($(let $field = $field.both();)+)?
                        let zh = { $($(let $field = &$field.zh;)+)? format!($zh) };
                        let en = { $($(let $field = &$field.en;)+)? format!($en) };
                        Both { zh, en }
                    })+
                }
            }
        }
    };
}

phrases! {
    /// The picture at the start.
    Startex = "演練開始（STARTEX）", "STARTEX";
    /// The end; where there is a settling, everything is mended now.
    Endex = "演練結束（ENDEX）", "ENDEX";
    /// An inject was carried out.
    Injected { nr: u32, what: Word, on: Whom } = "狀況 {nr}：{what}{on}", "inject {nr}: {what}{on}";
    /// An inject was carried out, and players were told something.
    InjectedSaying { nr: u32, what: Word, on: Whom, say: String } = "狀況 {nr}：{what}{on}：{say}", "inject {nr}: {what}{on}: {say}";
    /// An inject was undone.
    Undone { nr: u32, what: Word } = "狀況 {nr} 解除：{what}", "inject {nr} undone: {what}";
    /// A PC runs.
    Runs = "電腦執行中", "its PC runs";
    /// A PC stopped for want of power.
    Dark = "已無任何電力供應", "nothing feeds it any more";
    /// A PC stopped.
    Stopped = "電腦停止", "its PC stopped";
    /// A PC stopped, somewhere.
    SomeStopped = "有電腦停止", "a PC stopped";
    /// Links came back.
    LinksMended { mended: u32 } = "{mended} 條連線恢復", "{mended} links came back";
    /// Links were cut.
    LinksCut { cut: u32 } = "{cut} 條連線中斷", "{cut} links cut";
    /// Both at once.
    LinksChanged { cut: u32, mended: u32 } = "{cut} 條連線中斷，{mended} 條恢復", "{cut} links cut, {mended} came back";
    /// A node said that it is saved.
    Saved = "已儲存", "saved";
    /// The same of a request.
    SavedAs { id: String } = "已儲存為 {id}", "saved as {id}";
    /// A node refused.
    Refused { code: String } = "被拒絕（{code}）", "refused ({code})";
    /// A node refused, and staff try again.
    RefusedForNow { code: String } = "被拒絕（{code}），稍後再試", "refused ({code}), they try again";
    /// Staff did not come to it before ENDEX.
    NeverDone = "到演練結束仍未執行", "never done, ENDEX came before";
    /// What came of what an inject told staff.
    Of { nr: u32, what: Box<Phrase> } = "狀況 {nr}：{what}", "inject {nr}: {what}";
    /// Why an inject never happened.
    NeverCameToIt = "人員一直沒有處理", "staff never came to it";
    /// Why a contingency never happened.
    MetBefore { expect: String } = "{expect} 在此之前已達成", "{expect} was met before";
    /// Why it never happened; the cause is the program's own.
    Impossible { cause: String } = "無法執行：{cause}", "it can't be done: {cause}";
    /// An expectation became certain.
    Expected { id: String, result: Verdict, text: String } = "{id} {result}：{text}", "{id} {result}: {text}";
    /// A rule was broken; what was seen is for engineers.
    Broken { rule: String, seen: String } = "{rule}：{seen}", "{rule}: {seen}";
    /// A note that somebody wrote.
    Note { text: String } = "{text}", "{text}";
    /// Play stopped for a real emergency.
    RealEvent = "真實事件發生，演練中止", "a real event stopped the exercise";
    /// Somebody or something ended play.
    EndedEarly = "演練提前結束", "play ended early";
    /// Play went back to a checkpoint of another line.
    LineBegins { line: u32, of: u32 } = "演練路線 {line} 由此開始，自路線 {of} 分出", "line {line} of play begins here, out of line {of}";
    /// The timeline is longer than what is kept.
    LeftOut { lines: u64 } = "另有 {lines} 列未列出", "{lines} more lines are left out";

    /// How quickly words get around.
    TookAtMost { deliveries: u64, seconds: u64 } =
        "{deliveries} 次傳遞中，95 % 在 {seconds} 秒內送達", "95 of 100 of {deliveries} deliveries took at most {seconds} s";
    /// How busy a channel is.
    OnAir { channel: String, percent: String } =
        "{channel} 最忙的一小時占用 {percent} %", "{channel} was on the air for {percent} % of its busiest hour";
    /// Who keeps something forged.
    KeepForged { sites: u64, nr: u32 } =
        "{sites} 個據點保存了狀況 {nr} 的偽造內容", "{sites} sites keep something forged by inject {nr}";
    /// Nothing to know yet.
    NotSaidYet = "還沒有人提出", "it has not been said yet";
    /// Nobody to ask.
    NoneRuns = "這些據點都沒有在執行", "none of these sites is running";
    /// Who knows.
    Know { known: u64, of: u64 } = "{of} 個據點中有 {known} 個知道", "{known} of {of} sites know it";
    /// How many, and of what.
    RequestsOpen { site: String, count: u64 } = "{site} 看到的未結需求：{count}", "requests open as {site} sees it: {count}";
    /// How many it can reach.
    Reachable { site: String, count: u64 } = "{site} 連得到的據點：{count}", "sites that {site} has a link to: {count}";
    /// How many had their key taken away.
    Revoked { site: String, count: u64 } = "{site} 得知金鑰已撤銷的據點：{count}", "sites whose key was revoked, as {site} has heard: {count}";
    /// How many suppliers promise to a request.
    Suppliers { site: String, count: u64 } = "{site} 看到已承諾的供應者：{count}", "suppliers whose promise stands as {site} sees it: {count}";
    /// What numbers come to.
    Sum { site: String, field: Word, sum: u64 } = "{site} 看到的「{field}」合計：{sum}", "{field} as {site} sees it comes to {sum}";
    /// How old words are shown.
    ShowAge { right: u64, of: u64, minutes: u64 } =
        "{of} 個中有 {right} 個顯示為 {minutes} 分鐘以前或不明", "{right} of {of} are shown as {minutes} min old or older, or as unknown";
    /// Who keeps what a site should not say any more.
    KeepFrom { sites: u64, site: String } =
        "{sites} 個據點保存了 {site} 之後說的話", "{sites} sites keep something that {site} said since";
    /// How many they have to settle.
    Conflicts { site: String, count: u64 } = "{site} 列出的待決衝突：{count}", "conflicts as {site} lists them: {count}";
    /// How many are found to contradict themselves.
    Forked { site: String, count: u64 } = "{site} 發現紀錄自相矛盾的據點：{count}", "sites that told two stories, as {site} has found: {count}";
    /// How many run.
    Running { count: u64 } = "執行中的據點：{count}", "sites running: {count}";
    /// How many are open.
    Open { count: u64 } = "自稱營業中的據點：{count}", "sites that say they are open: {count}";
    /// The one to be asked does not run.
    NobodyToAsk { site: String } = "{site} 沒有在執行，無從得知", "{site} is not running: nobody to ask";
    /// How many show something.
    Show { right: u64, of: u64, reading: Reading } = "{of} 個中有 {right} 個顯示「{reading}」", "{right} of {of} show {reading}";
    /// All are equal.
    HoldSame { sites: u64 } = "{sites} 個執行中的據點內容相同", "{sites} running sites hold the same";
    /// They are not.
    HoldDifferent { sites: u64, states: u64 } =
        "{sites} 個執行中的據點有 {states} 種不同內容", "{sites} running sites hold {states} different states";
    /// Play ended before it was due.
    EndedBeforeDue { until_then: Vec<Phrase> } =
        "演練在期限前結束；當時：{until_then}", "the exercise ended before it was due; until then: {until_then}";
    /// What starts its clock never happened.
    NeverStarted = "它所等待的事情沒有發生", "what it waits for never happened";
}

impl Told for Box<Phrase> {
    fn both(&self) -> Both {
        (**self).both()
    }
}

/// English, for the command line.
impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.both().en)
    }
}

/// What the word of an inject is in both languages; `None`: it is none.
#[must_use]
pub fn effect(word: &str) -> Option<(&'static str, &'static str)> {
    EFFECTS.iter().find(|(key, _)| *key == word).map(|(_, both)| *both)
}

/// What injects do.
const EFFECTS: &[(&str, (&str, &str))] = &[
    ("power-loss", ("停電", "power loss")),
    ("power-back", ("復電", "power back")),
    ("cut", ("線路切斷", "cut")),
    ("restore", ("線路修復", "restore")),
    ("degrade", ("線路劣化", "degrade")),
    ("partition", ("通訊中斷", "partition")),
    ("heal", ("恢復連線", "heal")),
    ("flap", ("時斷時續", "flap")),
    ("swizzle", ("輪流斷線", "swizzle")),
    ("firm-outage", ("業者系統停擺", "firm outage")),
    ("crash", ("電腦當機", "crash")),
    ("restart", ("重新啟動", "restart")),
    ("replace-pc", ("更換電腦", "replace PC")),
    ("disk-full", ("磁碟已滿", "disk full")),
    ("disk-corrupt", ("磁碟毀損", "disk corrupt")),
    ("old-backup", ("還原舊備份", "old backup")),
    ("clock-jump", ("時鐘跳動", "clock jump")),
    ("clock-drift", ("時鐘偏移", "clock drift")),
    ("jam", ("無線電干擾", "jam")),
    ("antenna-down", ("天線倒塌", "antenna down")),
    ("courier", ("專人遞送", "courier")),
    ("forge", ("偽造訊息", "forge")),
    ("report", ("據點回報", "report")),
    ("request", ("補給需求", "request")),
    ("cancel", ("取消需求", "cancel")),
    ("close", ("結束需求", "close")),
    ("commit", ("承諾供應", "commit")),
    ("consign", ("運送", "consign")),
    ("receive", ("簽收", "receive")),
    ("resolve", ("處理衝突", "settle")),
    ("stock", ("庫存增減", "stock changed")),
    ("observe", ("目視回報", "observe")),
    ("revoke", ("金鑰撤銷", "key revoked")),
    ("order", ("運作模式命令", "mode ordered")),
    ("deputies", ("指定代理", "deputies named")),
    ("operator-absent", ("無人值班", "operator absent")),
    ("say", ("宣布", "say")),
    ("tell-controller", ("通知導調員", "tell controller")),
    ("stop-exercise", ("停止演練", "stop exercise")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::words::What;

    #[test]
    fn every_word_of_an_inject_has_both_languages() {
        for what in What::ALL {
            let (zh, en) = effect(what.text()).unwrap_or_else(|| panic!("{}", what.text()));
            assert!(!zh.is_ascii() && en.is_ascii(), "{}", what.text());
        }
    }

    #[test]
    fn a_reading_has_its_labels_where_it_has_any() {
        let told = |field: &str, value: &str| Reading { field: field.to_owned(), value: value.to_owned() }.both();
        assert_eq!(told("operating.status", "closed").en, "operating.status as closed");
        assert!(!told("operating.status", "closed").zh.contains(|c: char| c.is_ascii_alphabetic()));
        assert!(told("power.fuel", "unknown").zh.ends_with("：不明"));
        assert_eq!(told("stock.water", "40").zh, "stock.water：40");
    }

    #[test]
    fn who_is_touched_stands_after_the_word_and_nobody_leaves_no_gap() {
        let heal = |on: &str| {
            let (what, on, say) = (Word("heal".to_owned()), Whom(on.to_owned()), "The line is back".to_owned());
            Phrase::InjectedSaying { nr: 4, what, on, say }.both()
        };
        assert_eq!(heal("").en, "inject 4: heal: The line is back");
        assert_eq!(heal("S1, S2").zh, "狀況 4：恢復連線 S1, S2：The line is back");
    }

    #[test]
    fn a_phrase_is_data_and_reads_in_both_languages() {
        let what = Box::new(Phrase::SavedAs { id: "R-7Q".to_owned() });
        let phrase = Phrase::EndedBeforeDue { until_then: vec![Phrase::Of { nr: 3, what }, Phrase::NoneRuns] };
        let both = phrase.both();
        assert_eq!(
            both.en,
            "the exercise ended before it was due; until then: inject 3: saved as R-7Q; none of these sites is running"
        );
        assert_eq!(both.zh, "演練在期限前結束；當時：狀況 3：已儲存為 R-7Q；這些據點都沒有在執行");
        let text = serde_json::to_string(&phrase).unwrap();
        assert!(text.contains(r#"{"is":"of","nr":3,"what":{"is":"saved_as","id":"R-7Q"}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Phrase>(&text).unwrap(), phrase);
    }
}
