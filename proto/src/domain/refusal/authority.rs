//! Refusals of modes and orders.

use super::{Pair, Refusal, RefusalKind, Words, pair, quoted, refuse};
use crate::domain::Directory;
use crate::id::NodeId;
use crate::id::Regions;

/// A right that follows from what a node is, not from who wrote something.
fn no_right(code: &str, what: Pair, fix: Pair) -> Refusal {
    let means = Words {
        en: "This PC may not say that; nobody would follow it. Nothing was saved or sent.".to_owned(),
        zh: "這台電腦沒有這項權限，其他據點不會遵行。沒有儲存，也沒有送出任何資料。".to_owned(),
    };
    Refusal { means, ..refuse(code, RefusalKind::Rights, what, fix) }
}

fn called(node: NodeId, directory: &Directory) -> String {
    directory.nodes.get(&node).map_or_else(|| node.to_string(), |entry| format!("{} ({node})", entry.name))
}

fn listed(regions: Regions) -> Pair {
    let en = regions.iter().map(|region| region.code()).collect::<Vec<_>>().join(", ");
    let zh = regions.iter().map(|region| format!("{}（{}）", region.zh(), region.code())).collect::<Vec<_>>().join("、");
    if en.is_empty() { pair("none", "無") } else { (en, zh) }
}

/// A guest says more than how it is itself.
pub(crate) fn only_a_guest() -> Refusal {
    let what = pair("This PC is a guest, and a guest says only how it is itself.", "這台電腦是訪客，訪客只能回報自己的狀況。");
    let fix = pair(
        "Say how you are with holdfast report; let a certified node nearby ask for what you need.",
        "請用 holdfast report 回報狀況；需要物資時，請附近已認證的據點代為提出。",
    );
    no_right("H-227", what, fix)
}

/// A store or hub gives an order of its own.
pub(crate) fn no_authority(role: &str) -> Refusal {
    let what = pair(
        format!("This PC is certified as a {role}, and only an authority orders."),
        "這台電腦不是主管機關，只有主管機關能下命令。".to_owned(),
    );
    let fix = pair(
        "For this site alone: holdfast mode. In the stead of an authority that named this PC: --acting-for NODE.",
        "只改本據點：holdfast mode。若主管機關已指定本電腦代理：加上 --acting-for 據點。",
    );
    no_right("H-221", what, fix)
}

/// Regions an authority does not have.
pub(crate) fn not_its_regions(whose: NodeId, directory: &Directory, has: Regions) -> Refusal {
    let (name, (en, zh)) = (called(whose, directory), listed(has));
    let what = pair(format!("{name} has no say in one of these regions."), format!("{name} 在其中某個縣市沒有權限。"));
    no_right("H-222", what, pair(format!("Its regions: {en}."), format!("它的縣市：{zh}。")))
}

/// Somebody acts for an authority that did not name it.
pub(crate) fn no_deputy(principal: NodeId, directory: &Directory, deputies: &[NodeId]) -> Refusal {
    let name = called(principal, directory);
    let named = deputies.iter().map(|deputy| called(*deputy, directory)).collect::<Vec<_>>().join(", ");
    let what = pair(format!("{name} did not name this PC to act for it."), format!("{name} 沒有指定這台電腦代理。"));
    let fix = if named.is_empty() {
        pair("It named nobody.", "它沒有指定任何代理者。")
    } else {
        pair(format!("It named, in this order: {named}."), format!("它依序指定：{named}。"))
    };
    no_right("H-223", what, fix)
}

/// Somebody acts for an authority that was heard lately.
pub(crate) fn heard_lately(principal: NodeId, directory: &Directory, heard_s: u32, after_s: u32) -> Refusal {
    let (name, heard, after) = (called(principal, directory), heard_s / 60, after_s.div_ceil(60));
    let what = pair(
        format!("{name} was heard {heard} min ago; its deputies act after {after} min."),
        format!("{heard} 分鐘前還收到 {name} 的訊息；代理者須等 {after} 分鐘。"),
    );
    refuse("H-224", RefusalKind::Unable, what, pair("Ask that authority itself.", "請直接詢問該主管機關。"))
}

/// No such order.
pub(crate) fn order_not_found(typed: &str, known: &[String]) -> Refusal {
    let what = pair(format!("No order {} is known here.", quoted(typed)), format!("這裡沒有命令 {}。", quoted(typed)));
    let list = known.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let fix = if list.is_empty() {
        pair("None was heard yet: it may not have arrived.", "這裡還沒有收到任何命令，可能還沒傳到。")
    } else {
        pair(format!("Known here: {list}."), format!("這裡已知的：{list}。"))
    };
    refuse("H-225", RefusalKind::NotFound, what, fix)
}

/// An order that is not a deputy's of this authority.
pub(crate) fn not_to_judge(typed: &str) -> Refusal {
    let what = pair(
        format!("{} was not given in this authority's stead.", quoted(typed)),
        format!("{} 不是代理本機關所下的命令。", quoted(typed)),
    );
    let fix = pair(
        "Only orders of one's own deputies are ratified or countermanded. To change one's own, give another: holdfast order.",
        "只能追認或撤回自己代理者的命令。要更改自己的命令，請再下一道：holdfast order。",
    );
    no_right("H-226", what, fix)
}

/// An authority names nobody it may name.
pub(crate) fn unfit_deputies(most: usize) -> Refusal {
    let what = pair("These can't be the deputies.", "不能這樣指定代理者。");
    let fix = pair(
        format!("Name up to {most} hubs or authorities, each once and not oneself."),
        format!("最多指定 {most} 個集散中心或主管機關，不可重複，也不可指定自己。"),
    );
    refuse("H-136", RefusalKind::Usage, what, fix)
}

/// A region nobody knows, or none.
pub(crate) fn unknown_region(typed: &str) -> Refusal {
    let all = listed(Regions::ALL);
    let what = if typed.trim().is_empty() {
        pair("No region is named.", "沒有指定縣市。")
    } else {
        pair(format!("There is no region \"{}\".", quoted(typed)), format!("沒有縣市「{}」。", quoted(typed)))
    };
    refuse(
        "H-137",
        RefusalKind::Usage,
        what,
        pair(format!("Known: {}, or all.", all.0), format!("可填：{}，或 all（全部）。", all.1)),
    )
}
