//! A courier file in words: what is in one that was written, and what came of one that was read.

use holdfast_proto::control::{CourierCounts, NodeName};
use holdfast_proto::time::UtcMillis;
use jiff::Zoned;

use super::{Taken, Written};
use crate::lang::Lang;
use crate::text::clean;
use crate::when;

fn named(node: &NodeName) -> String {
    if node.name == node.id { node.id.clone() } else { format!("{} ({})", node.name, node.id) }
}

/// `3 entries, 1 board`.
fn counted(counts: &CourierCounts, lang: Lang) -> String {
    let kinds = [
        (counts.entries, ("entry", "entries", "筆紀錄")),
        (counts.boards, ("board", "boards", "份告示")),
        (counts.details, ("detail", "details", "份詳細資料")),
        (counts.certificates, ("certificate", "certificates", "張憑證")),
        (counts.revocations, ("revocation", "revocations", "份撤銷書")),
        (counts.forks, ("proof of two stories", "proofs of two stories", "份矛盾證據")),
    ];
    let told = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, (one, many, zh))| {
        lang.of(format!("{count} {}", if *count == 1 { one } else { many }), format!("{count} {zh}"))
    });
    told.collect::<Vec<_>>().join(lang.of(", ", "、"))
}

/// What `courier out` says.
pub(super) fn written(file: &Written, lang: Lang) -> Vec<String> {
    let (path, to, holds) = (file.path.display(), named(&file.to), counted(&file.holds, lang));
    let kilobytes = file.bytes.div_ceil(1_000);
    let mut lines = vec![lang.of(
        format!("Wrote {path} for {to}: {holds}; {kilobytes} kB, read back and whole."),
        format!("已為「{to}」寫出 {path}：{holds}；共 {kilobytes} kB，已讀回確認完整。"),
    )];
    let only_some = file.holds.details + file.holds.closed;
    if only_some > 0 {
        lines.push(lang.of(
            format!("{only_some} of it only some may read, {} among them: give the file to nobody else.", file.to.name),
            format!("其中 {only_some} 份只有部分據點（含「{}」）可讀：請勿把檔案交給別人。", file.to.name),
        ));
    }
    let (records, planned) = file.records;
    if records < planned {
        lines.push(lang.of(
            format!("{} of {planned} did not fit or are no longer there; what is urgent went first.", planned - records),
            format!("{planned} 筆中有 {} 筆放不下或已不在；緊急的優先寫入。", planned - records),
        ));
    }
    lines.push(lang.of(
        "Whether it arrives nobody can tell from here: what is not acknowledged may be sent again.".to_owned(),
        "從這裡無法得知是否送達；未獲確認的可以再送一次。".to_owned(),
    ));
    lines.iter().map(|line| clean(line)).collect()
}

/// What `courier out --qr` says below the codes.
pub(super) fn codes(to: &NodeName, holds: &CourierCounts, left: &CourierCounts, count: usize, lang: Lang) -> Vec<String> {
    let (name, holds, id) = (named(to), counted(holds, lang), &to.id);
    let mut lines = vec![
        lang.of(format!("{count} codes for {name}: {holds}."), format!("給「{name}」的 {count} 張 QR 碼：{holds}。")),
        lang.of(
            "On that PC: `holdfast courier in -`, then scan them in any order.".to_owned(),
            "在那台電腦執行 `holdfast courier in -`，再依任意順序掃描。".to_owned(),
        ),
    ];
    if left.all() > 0 {
        let left = counted(left, lang);
        lines.push(lang.of(
            format!("Left out for want of room: {left}; a file holds all of it: `holdfast courier out --to {id}`."),
            format!("因放不下而略過：{left}；檔案可容納全部：`holdfast courier out --to {id}`。"),
        ));
    }
    lines.iter().map(|line| clean(line)).collect()
}

/// What `courier in` says.
pub(super) fn taken(taken: &Taken, conflicts: &[String], lang: Lang, now: &Zoned) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(from), Some(to)) = (&taken.from, &taken.to) {
        let (from, to) = (named(from), named(to));
        let when = taken.made.map(|made| when::full(UtcMillis(made), now));
        let when = when.unwrap_or_else(|| lang.of("at a time unknown", "時間不明").to_owned());
        lines.push(lang.of(format!("From {from} for {to}, written {when}."), format!("由「{from}」為「{to}」寫出，{when}。")));
    }
    let held = taken.held;
    lines.push(match taken.new.all() {
        0 => lang.of(format!("Nothing in it was new; already held: {held}."), format!("沒有新的內容；已有 {held} 筆。")),
        _ => {
            let new = counted(&taken.new, lang);
            lang.of(format!("New and saved here: {new}. Already held: {held}."), format!("新收並存妥：{new}。已有 {held} 筆。"))
        }
    });
    if taken.withheld > 0 {
        let withheld = taken.withheld;
        lines.push(
            lang.of(format!("Not for this node, so not read: {withheld}."), format!("不是給本據點看的，未讀取：{withheld} 份。")),
        );
    }
    for refused in &taken.refused {
        let (words, why) = (refused.words, lang.of(&refused.en, &refused.zh));
        lines.push(lang.of(format!("Not taken: {words}, {why}."), format!("未收：{words} 筆，{why}。")));
    }
    if taken.contradictions > 0 {
        lines.push(lang.of(
            "Somebody told two stories under one name: both are kept, see `holdfast status`.".to_owned(),
            "有人用同一個名稱說了兩種內容，兩者都已保留；請看 `holdfast status`。".to_owned(),
        ));
    }
    if !conflicts.is_empty() {
        let list = conflicts.join(lang.of(", ", "、"));
        lines.push(lang.of(
            format!("Conflicts that follow: {list}; see `holdfast conflicts list`."),
            format!("由此產生的衝突：{list}；請看 `holdfast conflicts list`。"),
        ));
    }
    lines.iter().map(|line| clean(line)).collect()
}
