//! Refusals of what suppliers, carriers and consignees wish.

use super::super::Directory;
use super::super::fact::LineItem;
use super::super::refusal::{Pair, Refusal, RefusalKind, pair, quoted, refuse};
use super::super::spoken::spoken;
use super::commitment::CommitmentState;
use super::consignment::ConsignmentState;
use super::shelf::Shelf;
use super::show::{spoken_commitment, spoken_consignment};
use crate::id::{FactId, NodeId};

fn usage(code: &str, what: Pair, fix: Pair) -> Refusal {
    refuse(code, RefusalKind::Usage, what, fix)
}

fn rights(code: &str, what: Pair, fix: Pair) -> Refusal {
    refuse(code, RefusalKind::Rights, what, fix)
}

fn named(item: &LineItem) -> String {
    match item {
        LineItem::Code(code) => code.clone(),
        LineItem::Other(text) => quoted(text),
    }
}

fn list(items: &[&LineItem]) -> String {
    items.iter().map(|item| named(item)).collect::<Vec<_>>().join(", ")
}

fn called(node: NodeId, directory: &Directory) -> String {
    directory.nodes.get(&node).map_or_else(|| node.to_string(), |entry| format!("{} ({node})", entry.name))
}

/// The site never counted what it promises.
pub(super) fn not_counted(item: &LineItem) -> Refusal {
    let item = named(item);
    let what = pair(format!("{item} is not counted here."), format!("{item} 在本據點還沒有清點。"));
    let fix = pair(
        format!("Count it first: holdfast report stock {item}=NUMBER"),
        format!("請先清點：holdfast report stock {item}=數量"),
    );
    usage("H-230", what, fix)
}

/// More is promised or sent than there is beyond floor and promises. `holders` says what holds the rest: `30 P-7Q4KM2X`.
pub(super) fn not_available(item: &LineItem, wanted: u64, shelf: &Shelf, holders: &[String]) -> Refusal {
    let (item, there, available) = (named(item), shelf.on_hand.unwrap_or(0), shelf.available().unwrap_or(0));
    let (en, zh) = if holders.is_empty() {
        pair("", "")
    } else {
        let promised = shelf.promised();
        (format!(", promised {promised} ({})", holders.join(", ")), format!("，已承諾 {promised}（{}）", holders.join("、")))
    };
    let floor = shelf.floor;
    let what = pair(
        format!("{wanted} {item} can't be promised: {there} there, {floor} kept for this place{en}; {available} left."),
        format!("無法承諾 {item} {wanted}：現有 {there}，保留給本地 {floor}{zh}，尚可承諾 {available}。"),
    );
    let fix = pair(
        format!("Promise up to {available}, release another promise, or count again."),
        format!("請承諾 {available} 以內、釋出其他承諾，或重新清點。"),
    );
    usage("H-231", what, fix)
}

/// A promise of something the request does not ask for.
pub(super) fn not_asked_for(request: FactId, item: &LineItem, asked: &[&LineItem]) -> Refusal {
    let (item, request, asked) = (named(item), spoken(request), list(asked));
    let what = pair(format!("{request} does not ask for {item}."), format!("{request} 沒有要求 {item}。"));
    usage("H-232", what, pair(format!("It asks for: {asked}."), format!("它要求的是：{asked}。")))
}

/// Nothing is left to promise.
pub(super) fn covered_already(request: FactId) -> Refusal {
    let request = spoken(request);
    let what = pair(format!("All of {request} is covered already."), format!("{request} 的需求都已有人承諾。"));
    let fix = pair(
        format!("See who: holdfast request show {request}. To promise more all the same, name items."),
        format!("查看承諾者：holdfast request show {request}。仍要多承諾時，請寫出品項。"),
    );
    usage("H-233", what, fix)
}

/// An answer to a request that asks somebody else.
pub(super) fn not_asked(request: FactId) -> Refusal {
    let request = spoken(request);
    let what = pair(format!("{request} does not ask this node."), format!("{request} 沒有詢問本據點。"));
    rights("H-234", what, pair("Whoever was asked answers.", "由被詢問的據點回覆。"))
}

/// A promise of somebody else.
pub(super) fn not_your_promise(typed: &str, supplier: NodeId) -> Refusal {
    let typed = quoted(typed);
    let what = pair(format!("{typed} was promised by node {supplier}."), format!("{typed} 是據點 {supplier} 的承諾。"));
    rights("H-235", what, pair("Ask that node.", "請聯絡該據點。"))
}

/// Nothing of a promise can be taken back.
pub(super) fn nothing_to_release(state: &CommitmentState) -> Refusal {
    let name = spoken_commitment(state.id);
    let what =
        pair(format!("Nothing of {name} is left to release: it is {}.", state.word()), format!("{name} 已沒有可釋出的數量。"));
    let fix = pair(
        "What is on a vehicle is unloaded first (holdfast convoy unload), what left is diverted (holdfast convoy divert).",
        "已上車者請先卸下（holdfast convoy unload），已出發者請改送（holdfast convoy divert）。",
    );
    usage("H-236", what, fix)
}

/// Nothing of a promise is left to load, or it is named twice.
pub(super) fn nothing_to_load(state: &CommitmentState) -> Refusal {
    let name = spoken_commitment(state.id);
    let what = pair(
        format!("Nothing of {name} is left to load, or it is named twice: it is {}.", state.word()),
        format!("{name} 已沒有可裝載的數量，或重複填寫。"),
    );
    usage("H-237", what, pair("See holdfast convoy list.", "請查看 holdfast convoy list。"))
}

/// More than there is of something.
pub(super) fn more_than_is_there(item: &LineItem, wanted: u64, there: u64) -> Refusal {
    let item = named(item);
    let what =
        pair(format!("{wanted} {item} is more than the {there} there are."), format!("{item} {wanted} 超過現有的 {there}。"));
    usage("H-238", what, pair(format!("Give at most {there}."), format!("最多 {there}。")))
}

/// One journey goes to one consignee.
pub(super) fn two_consignees(typed: &str, consignee: NodeId, directory: &Directory) -> Refusal {
    let (typed, name) = (quoted(typed), called(consignee, directory));
    let what =
        pair(format!("{typed} is for {name}, the rest goes elsewhere."), format!("{typed} 要送往 {name}，其他貨品送往別處。"));
    usage("H-239", what, pair("Plan a convoy for each consignee.", "請為每個收貨據點各排一趟。"))
}

/// Nobody is named.
pub(super) fn no_consignee() -> Refusal {
    let what = pair("Nobody is named to whom the goods go.", "沒有填寫收貨據點。");
    usage("H-240", what, pair("Add --to NODE.", "請加上 --to 據點。"))
}

/// To itself.
pub(super) fn sent_to_oneself() -> Refusal {
    let what = pair("The goods would go to this node itself.", "收貨據點就是本據點。");
    usage("H-241", what, pair("Name another consignee.", "請填寫其他收貨據點。"))
}

/// A consignment of others.
pub(super) fn not_your_consignment(state: &ConsignmentState, directory: &Directory) -> Refusal {
    let (name, sender) = (spoken_consignment(state.id), called(state.sender, directory));
    let what = pair(format!("{name} is sent by {sender}."), format!("{name} 由 {sender} 送出。"));
    let fix = pair(
        "Its sender says so; position, arrival, hand-over, diversion and loss also the carrier it names.",
        "由送出據點填寫；位置、抵達、交付、改送、遺失也可由指定的承運據點填寫。",
    );
    rights("H-242", what, fix)
}

/// It is past that.
pub(super) fn too_late(state: &ConsignmentState, step: &str) -> Refusal {
    let (name, stage, step) = (spoken_consignment(state.id), state.stage.word(), quoted(step));
    let what =
        pair(format!("{name} is {stage}: {step} does not follow."), format!("{name} 目前狀態是 {stage}，不能再做 {step}。"));
    let fix = pair(format!("See holdfast convoy show {name}."), format!("請查看 holdfast convoy show {name}。"));
    usage("H-243", what, fix)
}

/// A word that is no step.
pub(super) fn unknown_step(typed: &str) -> Refusal {
    let typed = quoted(typed);
    let what = pair(format!("\"{typed}\" is no step of a journey."), format!("「{typed}」不是運送步驟。"));
    let words = "load, depart, position, arrive, hand_over, divert, lost, unload, return";
    usage("H-244", what, pair(format!("One of: {words}."), format!("可用：{words}。")))
}

/// It goes there.
pub(super) fn goes_there_already(state: &ConsignmentState, directory: &Directory) -> Refusal {
    let (name, to) = (spoken_consignment(state.id), called(state.to, directory));
    let what = pair(format!("{name} goes to {to} already."), format!("{name} 本來就送往 {to}。"));
    usage("H-245", what, pair("Name another node or request.", "請填寫其他據點或需求。"))
}

/// Somebody else's goods.
pub(super) fn not_sent_to_you(state: &ConsignmentState, directory: &Directory) -> Refusal {
    let (name, to) = (spoken_consignment(state.id), called(state.to, directory));
    let what = pair(format!("{name} goes to {to}."), format!("{name} 的收貨據點是 {to}。"));
    rights("H-246", what, pair("Its consignee signs.", "由收貨據點簽收。"))
}

/// A second receipt.
pub(super) fn signed_already(state: &ConsignmentState, by: NodeId, directory: &Directory) -> Refusal {
    let (name, by) = (spoken_consignment(state.id), called(by, directory));
    let what = pair(format!("{name} was signed for by {by}."), format!("{name} 已由 {by} 簽收。"));
    let fix =
        pair("Was it miscounted, correct the stock: holdfast stock adjust.", "若當時點錯，請更正庫存：holdfast stock adjust。");
    usage("H-247", what, fix)
}

/// Goods that are not in it.
pub(super) fn not_in_it(item: &LineItem, items: &[&LineItem]) -> Refusal {
    let (item, items) = (named(item), list(items));
    let what = pair(format!("No {item} is in it."), format!("其中沒有 {item}。"));
    usage("H-248", what, pair(format!("In it: {items}."), format!("內有：{items}。")))
}

/// More came than was sent.
pub(super) fn more_than_sent(item: &LineItem, counted: u64, sent: u64) -> Refusal {
    let item = named(item);
    let what = pair(
        format!("{counted} {item} is more than the {sent} that were sent."),
        format!("{item} {counted} 超過送出的 {sent}。"),
    );
    let fix = pair(
        "Count again. What came beyond it is added with holdfast stock adjust.",
        "請再點一次。多出來的數量請用 holdfast stock adjust 加入庫存。",
    );
    usage("H-249", what, fix)
}

/// Nothing of a conflict is this node's to do.
pub(super) fn nothing_for_you(name: &str, others: &[NodeId], directory: &Directory) -> Refusal {
    let others = others.iter().map(|node| called(*node, directory)).collect::<std::collections::BTreeSet<_>>();
    let others = others.into_iter().collect::<Vec<_>>().join(", ");
    let what = pair(format!("Nothing in {name} can be done here by a yes."), format!("{name} 沒有可由本據點直接確認的項目。"));
    let fix = pair(
        format!("It waits for: {others}. See holdfast conflicts show {name}."),
        format!("等待：{others}。請查看 holdfast conflicts show {name}。"),
    );
    rights("H-250", what, fix)
}

/// A change that can't be read.
pub(super) fn unreadable_change(typed: &str) -> Refusal {
    let typed = quoted(typed);
    let what = pair(format!("\"{typed}\" is no change of stock."), format!("「{typed}」不是庫存異動。"));
    usage("H-251", what, pair("Write ITEM=-3 or ITEM=+12.", "請寫成 品項=-3 或 品項=+12。"))
}

/// No such promise, consignment or conflict.
pub(super) fn not_found(typed: &str, letter: char, near: &[String]) -> Refusal {
    let typed = quoted(typed);
    let (en, zh, list) = match letter {
        'P' => ("promise", "承諾", "holdfast request show R-..."),
        'V' => ("convoy", "運送", "holdfast convoy list"),
        _ => ("conflict", "衝突", "holdfast conflicts list"),
    };
    let what = pair(format!("There is no {en} {typed} here."), format!("這裡沒有{zh} {typed}。"));
    let near = near.join(", ");
    let fix = if near.is_empty() {
        pair(format!("See {list}."), format!("請查看 {list}。"))
    } else {
        pair(format!("One symbol away: {near}."), format!("只差一個字元的有：{near}。"))
    };
    refuse("H-252", RefusalKind::NotFound, what, fix)
}
