//! A refusal of an operator's wish: what is wrong, what it means, what to do. Nothing was changed.

pub(crate) mod authority;

use serde::{Deserialize, Serialize};

use super::Directory;
use super::fact::LINES_MAX;
use super::field::{Choice, Field, Kind, Unfit, field_named};
use super::item::{COUNT_MAX, Catalogue, Item};
use super::reading::VALID_S_MAX;
use super::spoken::spoken;
use super::text::{self, BadText};
use super::unit::{NotANumber, show_scaled, unit_of};
use crate::id::{FactId, NodeId};

/// One sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// English.
    pub en: String,
    /// Traditional Chinese (Taiwan).
    pub zh: String,
}

/// What kind of refusal, for exit codes and HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// What was typed can't be read or is out of range. Exit 2, HTTP 422.
    Usage,
    /// No such thing, or more than one. Exit 4, HTTP 404.
    NotFound,
    /// The right to do so is missing. Exit 5, HTTP 403.
    Rights,
    /// It can't be done now (disk full, stopped). Exit 1, HTTP 503.
    Unable,
}

/// Why an operator's wish was not carried out. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// `H-...`, unique per reason.
    pub code: String,
    /// For exit codes and HTTP statuses.
    pub kind: RefusalKind,
    /// What is wrong.
    pub what: Words,
    /// What that means for the user.
    pub means: Words,
    /// What to do.
    pub fix: Words,
}

/// What went wrong, English and Chinese.
pub(super) type Pair = (String, String);

pub(super) fn refuse(code: &str, kind: RefusalKind, what: Pair, fix: Pair) -> Refusal {
    let words = |(en, zh): Pair| Words { en, zh };
    let means = match kind {
        RefusalKind::Usage | RefusalKind::NotFound => ("Nothing was saved or sent.", "沒有儲存，也沒有送出任何資料。"),
        RefusalKind::Rights => (
            "Only its author may do this. Nothing was saved or sent.",
            "只有原填寫據點可以這麼做。沒有儲存，也沒有送出任何資料。",
        ),
        RefusalKind::Unable => {
            ("It can't be done now. Nothing was saved or sent.", "目前無法執行。沒有儲存，也沒有送出任何資料。")
        }
    };
    let means = Words { en: means.0.to_string(), zh: means.1.to_string() };
    Refusal { code: code.to_string(), kind, what: words(what), means, fix: words(fix) }
}

pub(super) fn pair(en: impl Into<String>, zh: impl Into<String>) -> Pair {
    (en.into(), zh.into())
}

/// Typed text as it may be repeated to a person: short, and without what turns a line around.
pub(super) fn quoted(typed: &str) -> String {
    typed.chars().filter(|c| text::clean(&c.to_string(), 4).is_ok()).take(40).collect()
}

fn words_of(words: &[Choice]) -> Pair {
    let en = words.iter().map(|word| word.code).collect::<Vec<_>>().join(", ");
    let zh = words.iter().map(|word| format!("{}（{}）", word.zh, word.code)).collect::<Vec<_>>().join("、");
    (en, zh)
}

/// Nothing to do was given.
pub(crate) fn nothing_given() -> Refusal {
    let what = pair("Nothing was given to write down.", "沒有填寫任何內容。");
    refuse("H-110", RefusalKind::Usage, what, pair("Give at least one value, item or note.", "請至少填寫一項數值、物資或備註。"))
}

/// A word written down late, on what was said anew since.
pub(crate) fn older_than_held(name: &str) -> Refusal {
    let what = pair(format!("What is known of {name} is newer than that."), format!("「{name}」已有更新的回報。"));
    let fix = pair("Leave it out, or say how it is now without a time.", "請略過這一項，或不填時間、直接回報現況。");
    refuse("H-139", RefusalKind::Usage, what, fix)
}

/// No such item.
pub(crate) fn unknown_item(typed: &str, catalogue: &Catalogue) -> Refusal {
    let near = catalogue.nearest(typed);
    let en = near.iter().map(|item| format!("{} ({})", item.code, item.en)).collect::<Vec<_>>().join(", ");
    let zh = near.iter().map(|item| format!("{}（{}）", item.zh, item.code)).collect::<Vec<_>>().join("、");
    let what = pair(format!("There is no item \"{}\".", quoted(typed)), format!("沒有「{}」這個品項。", quoted(typed)));
    let fix = if near.is_empty() {
        pair("Write it as other:TEXT=QUANTITY.", "請寫成 other:品名=數量。")
    } else {
        pair(
            format!("Did you mean {en}? In a request, anything else goes as other:TEXT=QUANTITY."),
            format!("您是指 {zh} 嗎？補給需求裡的其他物資請寫成 other:品名=數量。"),
        )
    };
    refuse("H-111", RefusalKind::Usage, what, fix)
}

/// No such field.
pub(crate) fn unknown_field(typed: &str, fields: impl Iterator<Item = &'static Field>) -> Refusal {
    // What follows the dot is what people remember of a name.
    let names =
        |field: &'static Field| [field.name, field.flag, field.en, field.zh].into_iter().chain(field.name.split('.').next_back());
    let near = text::nearest(typed, fields.map(|field| (field.name, names(field))));
    let what = pair(format!("There is no reading \"{}\".", quoted(typed)), format!("沒有「{}」這個欄位。", quoted(typed)));
    let fix = pair(
        format!("Did you mean {}? Stock is stock.ITEM, services are service.NAME.", near.join(", ")),
        format!("您是指 {} 嗎？存量寫 stock.品項，服務寫 service.名稱。", near.join("、")),
    );
    refuse("H-112", RefusalKind::Usage, what, fix)
}

/// No such service.
pub(crate) fn unknown_service(typed: &str) -> Refusal {
    let near = text::nearest(typed, super::plan::service_names());
    let what = pair(format!("There is no service \"{}\".", quoted(typed)), format!("沒有「{}」這項服務。", quoted(typed)));
    refuse(
        "H-113",
        RefusalKind::Usage,
        what,
        pair(format!("Did you mean {}?", near.join(", ")), format!("您是指 {} 嗎？", near.join("、"))),
    )
}

/// Not among the words of a list.
pub(crate) fn unknown_word(name: &str, typed: &str, words: &[Choice]) -> Refusal {
    let (en, zh) = words_of(words);
    let what = pair(
        format!("\"{}\" is not a word for {}.", quoted(typed), quoted(name)),
        format!("「{}」不能用在「{}」。", quoted(typed), zh_name(name)),
    );
    refuse("H-114", RefusalKind::Usage, what, pair(format!("Use one of: {en}."), format!("請用：{zh}。")))
}

/// What a person who reads Chinese calls a reading or a part of a request; the name itself where there is no word for it.
fn zh_name(name: &str) -> String {
    match name {
        "basis" => "依據".to_owned(),
        "desk" => "填寫人".to_owned(),
        "key" => "識別鍵".to_owned(),
        "note" => "備註".to_owned(),
        "other" => "其他物資".to_owned(),
        "priority" => "優先序".to_owned(),
        "reason" => "原因".to_owned(),
        name => field_named(name).map_or_else(|| quoted(name), |field| field.zh.to_owned()),
    }
}

/// What a field of numbers takes: its range, how fine, in which unit.
fn range_of(decimals: u8, max: u64, unit: &str) -> Pair {
    let (most, unit) = (show_scaled(max, decimals), unit_of(unit));
    let of = |unit: Option<&str>| unit.filter(|unit| !unit.is_empty()).map_or_else(String::new, |unit| format!(" {unit}"));
    let (en, zh) = (of(unit.map(|unit| unit.en)), of(unit.map(|unit| unit.zh)));
    match decimals {
        0 => pair(format!("Give a whole number from 0 to {most}{en}."), format!("請填 0 到 {most}{zh}的整數。")),
        n => pair(
            format!("Give a number from 0 to {most}{en}, with at most {n} digit after the point."),
            format!("請填 0 到 {most}{zh}，小數最多 {n} 位。"),
        ),
    }
}

/// A value that does not fit its field.
pub(crate) fn unfit(field: &Field, typed: &str, unfit: Unfit) -> Refusal {
    match (unfit, field.value) {
        (Unfit::Word, _) => unknown_word(field.name, typed, field.choices()),
        (Unfit::Text(bad), Kind::Text { bytes_max }) => bad_text(field.name, bytes_max, bad),
        (Unfit::Text(bad), Kind::Choice { .. } | Kind::Integer { .. }) => bad_text(field.name, 0, bad),
        (Unfit::Number(NotANumber::TooFine), Kind::Integer { decimals: decimals @ 1.., .. }) => too_fine(field, typed, decimals),
        (Unfit::Number(NotANumber::TooLarge) | Unfit::TooLarge, Kind::Integer { decimals, max, unit }) => {
            let what = pair(
                format!("{} is too much for {}.", quoted(typed), field.name),
                format!("{} 對「{}」來說太大。", quoted(typed), field.zh),
            );
            refuse("H-116", RefusalKind::Usage, what, range_of(decimals, max, unit))
        }
        (Unfit::Number(why), Kind::Integer { decimals, max, unit }) => {
            refuse("H-115", RefusalKind::Usage, not_a_number(typed, why), range_of(decimals, max, unit))
        }
        (Unfit::Number(why), Kind::Choice { .. } | Kind::Text { .. }) => not_a_quantity(typed, why, false),
        (Unfit::TooLarge, Kind::Choice { .. } | Kind::Text { .. }) => absurd_quantity(typed),
    }
}

fn too_fine(field: &Field, typed: &str, decimals: u8) -> Refusal {
    let what = pair(
        format!("{} keeps {decimals} digit after the point; \"{}\" has more.", field.name, quoted(typed)),
        format!("「{}」的小數位數太多，「{}」只留 {decimals} 位。", quoted(typed), field.zh),
    );
    refuse("H-133", RefusalKind::Usage, what, pair("Round it.", "請四捨五入。"))
}

fn not_a_number(typed: &str, why: NotANumber) -> Pair {
    let typed = quoted(typed);
    match why {
        NotANumber::Unreadable => pair(format!("\"{typed}\" is not a number."), format!("「{typed}」不是數字。")),
        NotANumber::Negative => pair(format!("{typed} is below zero."), format!("{typed} 小於零。")),
        NotANumber::TooFine => pair(format!("{typed} is not a whole number."), format!("{typed} 不是整數。")),
        NotANumber::TooLarge => pair(format!("A quantity of {typed} can't be meant."), format!("數量 {typed} 不合理。")),
    }
}

/// Of an item: not a number at all, negative, or of too many digits. A stock may be told by a level too, a request may not.
pub(crate) fn not_a_quantity(typed: &str, why: NotANumber, of_stock: bool) -> Refusal {
    if why == NotANumber::TooLarge {
        return absurd_quantity(typed);
    }
    let fix = if of_stock {
        pair(
            "Give a whole number such as 40, in the unit of the item, or plenty, low, nearly_out, none.",
            "請以品項的單位填整數，例如 40，或填 充足、偏少、快沒了、沒有。",
        )
    } else {
        pair("Give a whole number such as 40, in the unit of the item.", "請以品項的單位填整數，例如 40。")
    };
    refuse("H-115", RefusalKind::Usage, not_a_number(typed, why), fix)
}

/// Zero where something is asked for, or more than anybody holds.
pub(crate) fn absurd_quantity(typed: &str) -> Refusal {
    let what = not_a_number(typed, NotANumber::TooLarge);
    let fix = pair(
        format!("A count is 0 to {COUNT_MAX}, a request 1 to {COUNT_MAX}, in the unit of the item."),
        format!("存量可填 0 到 {COUNT_MAX}，需求可填 1 到 {COUNT_MAX}（以品項的單位計）。"),
    );
    refuse("H-116", RefusalKind::Usage, what, fix)
}

/// Packs of an item whose pack is not defined.
pub(crate) fn no_pack_size(item: &Item) -> Refusal {
    let unit = unit_of(&item.unit).copied();
    let what = pair(
        format!("How much a pack of {} holds is not in the catalogue.", item.code),
        format!("目錄裡沒有「{}」每包的數量。", item.zh),
    );
    let fix = pair(
        format!("Give the quantity in {}.", unit.map_or("base units", |unit| unit.en)),
        format!("請改用{}填寫數量。", unit.map_or("基本單位", |unit| unit.zh)),
    );
    refuse("H-132", RefusalKind::Usage, what, fix)
}

/// A text that may not be signed.
pub(crate) fn bad_text(name: &str, bytes_max: usize, bad: BadText) -> Refusal {
    let (name, zh) = (quoted(name), zh_name(name));
    match bad {
        BadText::TooLong => refuse(
            "H-117",
            RefusalKind::Usage,
            pair(
                format!("The text of {name} is longer than {bytes_max} bytes."),
                format!("「{zh}」的文字超過 {bytes_max} 位元組。"),
            ),
            pair(
                format!("Shorten it: {bytes_max} letters, or {} Chinese characters.", bytes_max / 3),
                format!("請縮短：最多 {bytes_max} 個英文字母或 {} 個中文字。", bytes_max / 3),
            ),
        ),
        BadText::Invisible => refuse(
            "H-118",
            RefusalKind::Usage,
            pair(
                format!(
                    "The text of {name} holds line breaks or invisible characters, which can make it read as something else."
                ),
                format!("「{zh}」的文字含有換行或看不見的字元，可能讓人看錯內容。"),
            ),
            pair("Type it again as one plain line.", "請重新打成一行純文字。"),
        ),
    }
}

/// The time named has passed.
pub(crate) fn needed_by_past() -> Refusal {
    let what = pair("The time it is needed by has passed.", "需要的時間已經過了。");
    refuse("H-120", RefusalKind::Usage, what, pair("Give a later time, or leave it out.", "請填較晚的時間，或不填。"))
}

/// Not a duration.
pub(crate) fn unreadable_duration(typed: &str) -> Refusal {
    let what = pair(format!("\"{}\" is not a duration.", quoted(typed)), format!("「{}」不是有效的時間長度。", quoted(typed)));
    let fix = pair("Write 30m, 2h or 1d; at most 30 days.", "請寫 30m、2h 或 1d，最長 30 天。");
    refuse("H-121", RefusalKind::Usage, what, fix)
}

/// More lines than one request may have.
pub(crate) fn too_many_lines(lines: usize) -> Refusal {
    let what = pair(
        format!("{lines} lines in one request; at most {LINES_MAX} fit."),
        format!("一筆需求有 {lines} 項，最多 {LINES_MAX} 項。"),
    );
    refuse("H-122", RefusalKind::Usage, what, pair("Make two requests of it.", "請分成兩筆需求。"))
}

/// One item on two lines of a request, or under two names in a report: which of the quantities is meant nobody can tell.
pub(crate) fn item_twice(en: &str, zh: &str) -> Refusal {
    let what = pair(format!("{} is given twice.", quoted(en)), format!("「{}」填了兩次。", quoted(zh)));
    refuse("H-136", RefusalKind::Usage, what, pair("Give each item once, with all of it.", "每個品項請只填一次，寫總數量。"))
}

/// Not a line of a request.
pub(crate) fn unreadable_line(typed: &str) -> Refusal {
    let what =
        pair(format!("\"{}\" can't be read as an item and a quantity.", quoted(typed)), format!("看不懂「{}」。", quoted(typed)));
    let fix = pair(
        "Write ITEM:QUANTITY such as water:40, or other:TEXT=QUANTITY.",
        "請寫 品項:數量，例如 water:40，或 other:品名=數量。",
    );
    refuse("H-123", RefusalKind::Usage, what, fix)
}

/// One's own state goes on the board.
pub(crate) fn observing_oneself() -> Refusal {
    let what = pair("An observation is of another node.", "觀察回報是針對其他據點。");
    refuse("H-124", RefusalKind::Usage, what, pair("Report this node's own state with report.", "本據點的狀況請用一般回報。"))
}

/// A request to oneself.
pub(crate) fn asking_oneself() -> Refusal {
    let what = pair("A request can't be addressed to this node itself.", "補給需求不能寄給本據點自己。");
    refuse(
        "H-125",
        RefusalKind::Usage,
        what,
        pair("Name a hub, or ask `all` of them.", "請指定集散中心，或填 all 通知所有集散中心。"),
    )
}

/// Something was so in the future.
pub(crate) fn time_ahead() -> Refusal {
    let what = pair("The time it was so lies ahead of this computer's clock.", "填寫的時間比這台電腦的時間還晚。");
    refuse("H-126", RefusalKind::Usage, what, pair("Check the time given and the clock.", "請檢查填寫的時間與電腦時間。"))
}

/// Something was so longer ago than anything said holds.
pub(crate) fn time_long_past() -> Refusal {
    let days = VALID_S_MAX / 86_400;
    let what = pair(format!("The time it was so lies more than {days} days back."), format!("填寫的時間已超過 {days} 天。"));
    let fix = pair(
        "Check the year and the day. What is older no longer says how things are: leave it out.",
        "請檢查年份與日期。更早的狀況已不能代表現況，請不要填報。",
    );
    refuse("H-138", RefusalKind::Usage, what, fix)
}

/// A time of the past where the clock is wrong.
pub(crate) fn time_without_clock() -> Refusal {
    let what = pair(
        "This computer does not know the time, so a past time can't be noted.",
        "這台電腦的時間不正確，無法補登過去的時間。",
    );
    refuse("H-127", RefusalKind::Unable, what, pair("Set the clock, or leave the time out.", "請校正時間，或不填時間。"))
}

/// An idempotency key that stands for something else already.
pub(crate) fn other_under_key(held: FactId) -> Refusal {
    let id = spoken(held);
    let what = pair(
        format!("This key was used before, for another request: {id}."),
        format!("這個識別鍵（key）已用於另一筆需求：{id}。"),
    );
    let fix = pair(
        format!("For something new give a new key. To change {id}, update it: holdfast request update {id}"),
        format!("新的需求請用新的識別鍵。若要更改 {id}，請更新它：holdfast request update {id}"),
    );
    refuse("H-137", RefusalKind::Usage, what, fix)
}

/// An empty idempotency key.
pub(crate) fn bad_key() -> Refusal {
    let what = pair("The key that keeps a request from being written twice is empty.", "用來避免重複寫入的識別鍵（key）是空的。");
    refuse(
        "H-128",
        RefusalKind::Usage,
        what,
        pair("Give any text that is new for each request, or no key.", "請填每筆需求都不同的文字，或不填。"),
    )
}

/// A version nobody wrote.
pub(crate) fn unknown_version(typed: u32, newest: u32) -> Refusal {
    let what = pair(
        format!("The request has no version {typed}; the newest here is {newest}."),
        format!("這筆需求沒有第 {typed} 版，這裡最新的是第 {newest} 版。"),
    );
    refuse("H-129", RefusalKind::Usage, what, pair("Leave the version out to mean the newest.", "不填版本即為最新版。"))
}

/// It has ended.
pub(crate) fn already_closed(request: FactId) -> Refusal {
    let id = spoken(request);
    let what = pair(format!("Request {id} is closed."), format!("補給需求 {id} 已結案。"));
    refuse(
        "H-130",
        RefusalKind::Usage,
        what,
        pair("Make a new request if there is a new need.", "如有新的需要，請新增一筆需求。"),
    )
}

/// It was cancelled.
pub(crate) fn already_cancelled(request: FactId) -> Refusal {
    let id = spoken(request);
    let what = pair(format!("Request {id} is cancelled."), format!("補給需求 {id} 已取消。"));
    let fix = pair("Confirm it first if it is still needed, or make a new one.", "如仍需要，請先確認仍需要，或新增一筆需求。");
    refuse("H-131", RefusalKind::Usage, what, fix)
}

/// It stands: no cancel is there to be overruled.
pub(crate) fn nothing_to_confirm(request: FactId) -> Refusal {
    let id = spoken(request);
    let what = pair(
        format!("Request {id} was not cancelled, so there is nothing to confirm."),
        format!("補給需求 {id} 沒有被取消，不需要確認。"),
    );
    let fix = pair("Nothing needs to be done: it still stands.", "不必做任何事：需求仍然有效。");
    refuse("H-135", RefusalKind::Usage, what, fix)
}

/// Several observations of one node within minutes.
pub(crate) fn observed_often(node: &str, wait_ms: i64) -> Refusal {
    let minutes = wait_ms.saturating_add(59_999) / 60_000;
    let what = pair(
        format!("This node has observed {node} several times within minutes; the last one stands."),
        format!("這個據點幾分鐘內已多次填寫對 {node} 的觀察，以最後一次為準。"),
    );
    let fix = pair(
        format!(
            "Observe it again in {minutes} min. If lives are at risk, make a request of priority immediate: it goes at once."
        ),
        format!("請 {minutes} 分鐘後再填。若有人命危險，請新增「最速件」補給需求，會馬上送出。"),
    );
    refuse("H-134", RefusalKind::Unable, what, fix)
}

/// No such node.
pub(crate) fn unknown_node(typed: &str, directory: &Directory) -> Refusal {
    let names = directory.nodes.iter().map(|(id, entry)| (id, id.to_string(), entry));
    let known: Vec<(String, Vec<String>)> =
        names.map(|(_, id, entry)| (format!("{} ({id})", entry.name), vec![id, entry.name.clone()])).collect();
    let near = text::nearest(typed, known.iter().map(|(shown, names)| (shown.as_str(), names.iter().map(String::as_str))));
    let what = pair(format!("No node answers to \"{}\".", quoted(typed)), format!("沒有叫「{}」的據點。", quoted(typed)));
    let fix = if near.is_empty() {
        pair(
            "No node is certified here yet: get the alliance file again from whoever issued this node's certificate.",
            "這裡還沒有任何已認證據點：請向核發本據點憑證的人重新索取聯盟檔案。",
        )
    } else {
        pair(format!("Did you mean {}?", near.join(", ")), format!("您是指 {} 嗎？", near.join("、")))
    };
    refuse("H-210", RefusalKind::NotFound, what, fix)
}

/// Several nodes of one name.
pub(crate) fn ambiguous_node(typed: &str, nodes: &[NodeId]) -> Refusal {
    let ids = nodes.iter().take(8).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let what = pair(
        format!("{} nodes are named \"{}\".", nodes.len(), quoted(typed)),
        format!("有 {} 個據點都叫「{}」。", nodes.len(), quoted(typed)),
    );
    refuse("H-211", RefusalKind::NotFound, what, pair(format!("Use the id: {ids}."), format!("請改用代號：{ids}。")))
}

/// No such request.
pub(crate) fn request_not_found(typed: &str) -> Refusal {
    let what = pair(format!("No request {} is known here.", quoted(typed)), format!("這裡沒有補給需求 {}。", quoted(typed)));
    let fix = pair(
        "It may not have arrived yet. List the requests, or ask its node.",
        "可能還沒傳到這裡。請查看需求清單，或詢問該據點。",
    );
    refuse("H-212", RefusalKind::NotFound, what, fix)
}

/// The check symbol is wrong.
pub(crate) fn request_mistyped(typed: &str, near: &[FactId]) -> Refusal {
    let what = pair(
        format!("\"{}\" is not a request id: a symbol is wrong.", quoted(typed)),
        format!("「{}」不是正確的需求編號，可能打錯一個字。", quoted(typed)),
    );
    let fix = if near.is_empty() {
        pair("Read it again: R- and seven symbols, without 0 O 1 I L.", "請再核對一次：R- 加七個字，不含 0 O 1 I L。")
    } else {
        let ids = near.iter().take(8).map(|id| spoken(*id)).collect::<Vec<_>>().join(", ");
        pair(format!("Did you mean {ids}?"), format!("您是指 {ids} 嗎？"))
    };
    refuse("H-213", RefusalKind::NotFound, what, fix)
}

/// Two requests share a spoken id.
pub(crate) fn request_ambiguous(typed: &str, many: &[FactId]) -> Refusal {
    let authors = many.iter().take(8).map(|id| id.entry.log.author.to_string()).collect::<Vec<_>>().join(", ");
    let what = pair(
        format!("{} requests share the id {}.", many.len(), quoted(typed)),
        format!("有 {} 筆需求的編號都是 {}。", many.len(), quoted(typed)),
    );
    let fix = pair(
        format!("They are of {authors}: have the right one closed by its node and made anew."),
        format!("分別由 {authors} 填寫：請該據點結案後重新填寫。"),
    );
    refuse("H-214", RefusalKind::NotFound, what, fix)
}

/// Somebody else's request.
pub(crate) fn not_yours(typed: &str, author: NodeId) -> Refusal {
    let what = pair(
        format!("Request {} was written by {author}.", quoted(typed)),
        format!("補給需求 {} 是由 {author} 填寫的。", quoted(typed)),
    );
    refuse("H-220", RefusalKind::Rights, what, pair(format!("Ask {author} to change it."), format!("請 {author} 自行更改。")))
}
