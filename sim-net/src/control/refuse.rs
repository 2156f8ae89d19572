//! Why an order is not carried out, in both languages: one table of codes, `H-620` to `H-639`.

use holdfast_proto::domain::refusal::{Refusal, RefusalKind, Words};

use crate::scenario::{self, Micros, Problem};
use crate::world::CannotRun;

/// Characters of what somebody wrote that are repeated to them.
const REPEATED: usize = 60;
/// Problems of one inject that are told.
const PROBLEMS: usize = 8;

/// English and Chinese.
type Pair = (String, String);

fn refuse(code: u16, kind: RefusalKind, what: Pair, fix: Pair) -> Box<Refusal> {
    let words = |(en, zh): Pair| Words { en, zh };
    let means = ("Nothing was done; play stands as it was.", "什麼都沒有執行；演練維持原狀。");
    let means = Words { en: means.0.to_owned(), zh: means.1.to_owned() };
    Box::new(Refusal { code: format!("H-{code}"), kind, what: words(what), means, fix: words(fix) })
}

fn pair(en: &str, zh: &str) -> Pair {
    (en.to_owned(), zh.to_owned())
}

/// What somebody wrote, in one line, without what a terminal could obey.
fn shown(text: &str) -> String {
    text.chars().take(REPEATED).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub(super) fn order(word: &str) -> Box<Refusal> {
    let word = shown(word);
    let what = (format!("\"{word}\" is no order."), format!("沒有「{word}」這個指令。"));
    refuse(620, RefusalKind::Usage, what, pair("Write help to see them all.", "輸入 help 可看到所有指令。"))
}

pub(super) fn speed(text: &str) -> Box<Refusal> {
    let text = shown(text);
    let what = (format!("\"{text}\" is no speed."), format!("「{text}」不是速度。"));
    refuse(621, RefusalKind::Usage, what, pair("Write max, 60x or 1x.", "請寫 max、60x 或 1x。"))
}

pub(super) fn step(text: &str) -> Box<Refusal> {
    let text = shown(text);
    let what = (format!("There is no step to \"{text}\"."), format!("不能前進到「{text}」。"));
    refuse(
        622,
        RefusalKind::Usage,
        what,
        pair("Write event, inject, violation or minute.", "請寫 event、inject、violation 或 minute。"),
    )
}

pub(super) fn time(text: &str) -> Box<Refusal> {
    let text = shown(text);
    let what = (format!("\"{text}\" is no exercise time."), format!("「{text}」不是演練時間。"));
    let fix = pair(
        "Write hours and minutes since STARTEX, such as 01:30, or +20m for so long.",
        "請寫開始後的時:分，例如 01:30，或 +20m。",
    );
    refuse(623, RefusalKind::Usage, what, fix)
}

pub(super) fn past(time: Micros, now: Micros) -> Box<Refusal> {
    let (time, now) = (scenario::show_time(time), scenario::show_time(now));
    let what = (format!("{time} is not after {now}, where play stands."), format!("{time} 不在目前的 {now} 之後。"));
    refuse(
        624,
        RefusalKind::Usage,
        what,
        pair("Give a later time, or go back to a checkpoint.", "請給更晚的時間，或回到存檔點。"),
    )
}

pub(super) fn beyond(time: Micros, end: Micros) -> Box<Refusal> {
    let (time, end) = (scenario::show_time(time), scenario::show_time(end));
    let what = (format!("{time} is beyond the end: play ends at {end}."), format!("{time} 超過結束時間：演練於 {end} 結束。"));
    let fix = pair(
        "Give an earlier time; go alone plays to the end, end stops here.",
        "請給較早的時間；單獨輸入 go 會進行到結束，end 在此停止。",
    );
    refuse(633, RefusalKind::Usage, what, fix)
}

pub(super) fn not_understood(problems: &[Problem]) -> Box<Refusal> {
    let told: Vec<String> = problems.iter().take(PROBLEMS).map(ToString::to_string).collect();
    let told = if told.is_empty() { "by hand: nothing is written.".to_owned() } else { told.join(" ") };
    let what = (format!("This is no inject. {told}"), format!("這不是可執行的狀況。{told}"));
    let fix = pair(
        "Write what and key=value in the words of the files: configs/scenarios/README.md.",
        "請依 configs/scenarios/README.md 的用語寫出狀況與 key=value。",
    );
    refuse(625, RefusalKind::Usage, what, fix)
}

pub(super) fn impossible(why: &CannotRun) -> Box<Refusal> {
    let what = (format!("This can't be done here: {why}."), format!("這裡無法執行：{why}。"));
    refuse(
        626,
        RefusalKind::Usage,
        what,
        pair("Name sites, elements and channels that the scenario has.", "請指名想定中有的據點、設施與頻道。"),
    )
}

pub(super) fn no_checkpoint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Box<Refusal> {
    let (name, known) = (shown(name), known.collect::<Vec<_>>().join(", "));
    let what = (format!("There is no checkpoint \"{name}\"."), format!("沒有「{name}」這個存檔點。"));
    let fix = match known.as_str() {
        "" => pair("None was made yet; keep NAME makes one.", "尚未有任何存檔點；keep 名稱 可建立一個。"),
        known => (format!("Checkpoints: {known}."), format!("現有存檔點：{known}。")),
    };
    refuse(627, RefusalKind::NotFound, what, fix)
}

pub(super) fn too_large(sites: usize) -> Box<Refusal> {
    let what = (format!("Above {sites} sites no checkpoint is made."), format!("超過 {sites} 個據點時不建立存檔點。"));
    let fix = pair(
        "A copy would take too much memory: play it again from the start with the same seed.",
        "複本會占用太多記憶體：請以同一種子從頭再執行。",
    );
    refuse(628, RefusalKind::Unable, what, fix)
}

pub(super) fn no_inject() -> Box<Refusal> {
    let what = pair("No inject is left that has a time.", "沒有尚未執行且有時間的狀況。");
    refuse(634, RefusalKind::NotFound, what, pair("go alone plays to the end.", "單獨輸入 go 會進行到結束。"))
}

pub(super) fn kept_already(name: &str) -> Box<Refusal> {
    let name = shown(name);
    let what = (format!("There is a checkpoint \"{name}\" already."), format!("已有「{name}」這個存檔點。"));
    refuse(635, RefusalKind::Usage, what, pair("Give this one another name.", "請換一個名稱。"))
}

pub(super) fn text(most: usize) -> Box<Refusal> {
    let what = (format!("A text of 1 to {most} characters is needed."), format!("需要 1 到 {most} 個字的文字。"));
    refuse(629, RefusalKind::Usage, what, pair("Write it after the word.", "請寫在指令之後。"))
}

/// Play is over.
#[must_use]
pub fn over() -> Box<Refusal> {
    let what = pair("Play is over.", "演練已結束。");
    refuse(630, RefusalKind::Unable, what, pair("Read the report, or start it again.", "請閱讀報告，或重新開始。"))
}

/// The play did not answer in time, or too many are asking.
#[must_use]
pub fn busy() -> Box<Refusal> {
    let what = pair("The simulator did not take this up in time.", "模擬程式沒有及時接受。");
    refuse(631, RefusalKind::Unable, what, pair("Look at the state and try again in a moment.", "請先看狀態，稍候再試。"))
}

/// No such site, or its PC does not run.
#[must_use]
pub fn no_site(name: &str) -> Box<Refusal> {
    let name = shown(name);
    let what = (format!("\"{name}\" is no site whose PC runs."), format!("「{name}」不是電腦正在執行的據點。"));
    refuse(
        632,
        RefusalKind::NotFound,
        what,
        pair("Name a running site by its id, such as S117.", "請以代號指名執行中的據點，例如 S117。"),
    )
}
