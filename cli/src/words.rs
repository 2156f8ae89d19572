//! The words people read for the codes the daemon speaks: states, delivery, ages. Text only, no layout.

use holdfast_proto::control::{Delivery, DeliveryState, NodeView};

use crate::lang::Lang;
use crate::text::Hue;

/// Shape and colour of an operating status: colour is never alone.
pub(crate) fn status_mark(status: &str) -> (&'static str, Hue) {
    match status {
        "open" => ("●", Hue::Green),
        "limited" => ("◐", Hue::Yellow),
        "closed" => ("○", Hue::Red),
        "evacuating" => ("▲", Hue::Red),
        _ => ("?", Hue::Dim),
    }
}

/// A code of the daemon in words; one it learnt later stands as it is.
pub(crate) fn word(code: &str, lang: Lang) -> String {
    let pair = match code {
        "open" => ("open", "開放"),
        "limited" => ("limited", "部分開放"),
        "closed" => ("closed", "關閉"),
        "evacuating" => ("evacuating", "撤離中"),
        "unknown" => ("unknown", "狀況不明"),
        "store" => ("store", "門市"),
        "hub" => ("hub", "集散中心"),
        "authority" => ("authority", "主管機關"),
        "guest" => ("guest, not certified", "訪客，未認證"),
        "actual" => ("actual", "實際"),
        "exercise" => ("exercise", "演練"),
        "simulation" => ("simulation", "模擬演練"),
        "immediate" => ("immediate", "最速件"),
        "urgent" => ("urgent", "速件"),
        "routine" => ("routine", "普通件"),
        "low" => ("low", "不急"),
        "standby" => ("standby", "待命"),
        "alert" => ("alert", "警戒"),
        "resilience" => ("resilience mode", "韌性模式"),
        "recovery" => ("recovery", "復原"),
        "drill" => ("drill", "演練"),
        "suspended" => ("suspended", "暫停"),
        "staff" => ("by its own staff", "由據點人員切換"),
        "order" => ("by an order", "依命令"),
        "order_ended" => ("an order ended", "命令已終止"),
        "silent" => ("central systems are silent", "中央系統沒有回應"),
        "heard" => ("central systems answer again", "中央系統恢復回應"),
        "in_force" => ("in force", "有效"),
        "ended" => ("ended", "已終止"),
        "ratified" => ("ratified", "已追認"),
        "under_review" => (
            "followed, but the right to give it was withdrawn: ratify or countermand it",
            "仍遵行，但下令權限已撤回：請追認或撤回",
        ),
        "countermanded" => ("countermanded", "已撤回"),
        "not_authorised" => ("no right to, not followed", "無權下令，不予遵行"),
        "ratify" => ("ratifies", "追認"),
        "countermand" => ("countermands", "撤回"),
        "submitted" => ("submitted", "已提出"),
        "acknowledged" => ("received", "對方已收到"),
        "partly_committed" => ("partly promised", "部分已承諾"),
        "committed" => ("promised", "已承諾"),
        "in_transit" => ("on the road", "運送中"),
        "partly_fulfilled" => ("partly there", "部分已簽收"),
        "fulfilled" => ("all there", "已全部簽收"),
        "declined" => ("declined", "不予提供"),
        "unable_to_fill" => ("can't be sent", "無法提供"),
        "duplicate" => ("written twice", "重複"),
        "planned" => ("planned", "已安排"),
        "loaded" => ("loaded", "已裝車"),
        "departed" => ("on the road", "已出發"),
        "arrived" => ("there, not handed over", "已抵達"),
        "handed_over" => ("handed over", "已交付"),
        "received" => ("signed for", "已簽收"),
        "refused" => ("refused", "已拒收"),
        "released" => ("taken back", "已釋出"),
        "diverted" => ("sent elsewhere", "已改送"),
        "lost" => ("lost", "遺失"),
        "unloaded" => ("unloaded", "已卸下"),
        "returned" => ("came back", "已退回"),
        "over_covered" => ("more is promised than asked for", "承諾超過需求"),
        "older_version" => ("answers an older version", "對應較舊的版本"),
        "overloaded" => ("more was loaded than promised", "裝載超過承諾"),
        "unconfirmed_delivery" => ("handed over, nobody signed", "已交付，尚未簽收"),
        "short_shipped" => ("counts differ", "數量不符"),
        "second_receipt" => ("signed for twice", "重複簽收"),
        "unasked" => ("sent without a promise", "未經承諾送出"),
        "cancelled" => ("cancelled", "已取消"),
        "expired" => ("expired", "已過期"),
        "two_stories" => ("two stories under one number", "同一編號有兩種內容"),
        "revoked" => ("revoked", "已撤銷"),
        "stale" => ("too old", "資料過舊"),
        "never_said" => ("never said", "尚未回報"),
        "up" => ("up", "連線中"),
        "connecting" => ("connecting", "連線建立中"),
        "waiting" => ("waiting", "等待重試"),
        "cut" => ("cut", "已切斷"),
        "request" => ("requested", "提出"),
        "update" => ("changed", "更新"),
        "cancel" => ("cancelled", "取消"),
        "confirm" => ("confirmed", "確認仍需要"),
        "close" => ("closed", "結案"),
        "acknowledge" => ("received", "收到"),
        "decline" => ("will not send anything", "不予提供"),
        "cancel_of_older_version" => ("a cancel of an older version stands beside it", "有人取消了較舊的版本"),
        "late_facts" => ("more was written after it ended", "結束後仍有人寫入"),
        "stolen" => ("stolen", "遭竊"),
        "replaced" => ("replaced by another PC", "已由另一台電腦取代"),
        "misused" => ("misused", "遭濫用"),
        "other" => ("for another reason", "其他原因"),
        "in_question" => ("whether it still counts is not settled", "是否仍有效尚未確定"),
        "courier" => ("courier", "人工攜帶"),
        "requester_frozen" => ("the requester's logbook is frozen", "提出者的紀錄簿已凍結"),
        other => {
            let first = other.strip_prefix("duplicate_of:");
            return first
                .map_or_else(|| other.to_owned(), |first| lang.of(format!("the same as {first}"), format!("與 {first} 相同")));
        }
    };
    lang.of(pair.0, pair.1).to_owned()
}

/// What to say of a node: its status, and why it is unknown and what it was.
pub(crate) fn status_line(node: &NodeView, lang: Lang) -> String {
    let mut line = word(&node.operating_status, lang);
    if let Some(was) = &node.was {
        let was = word(was, lang);
        line.push_str(&lang.of(format!(" (was {was})"), format!("（原為{was}）")));
    } else if let Some(why) = &node.unknown_because {
        let why = word(why, lang);
        line.push_str(&lang.of(format!(" ({why})"), format!("（{why}）")));
    }
    line
}

/// How long ago, short.
pub(crate) fn age(seconds: Option<u64>, lang: Lang) -> String {
    let Some(seconds) = seconds else { return lang.of("?", "不明").to_owned() };
    match seconds {
        0..=1 => lang.of("now", "剛剛").to_owned(),
        2..=89 => lang.of(format!("{seconds} s ago"), format!("{seconds} 秒前")),
        90..=5_399 => lang.of(format!("{} min ago", (seconds + 30) / 60), format!("{} 分鐘前", (seconds + 30) / 60)),
        5_400..=172_799 => {
            lang.of(format!("{} h ago", (seconds + 1_800) / 3_600), format!("{} 小時前", (seconds + 1_800) / 3_600))
        }
        _ => lang.of(format!("{} d ago", seconds / 86_400), format!("{} 天前", seconds / 86_400)),
    }
}

/// How far a write got: shape and words.
pub(crate) fn delivery(delivery: &Delivery, lang: Lang) -> String {
    let n = delivery.neighbours;
    match delivery.state {
        DeliveryState::SavedHere => lang.of("◌ Saved here, not sent yet", "◌ 已存在本機，尚未送出").to_owned(),
        DeliveryState::Reached if n == 1 => lang.of("◔ Reached 1 node", "◔ 已傳到 1 個據點").to_owned(),
        DeliveryState::Reached => lang.of(format!("◔ Reached {n} nodes"), format!("◔ 已傳到 {n} 個據點")),
        DeliveryState::Received => {
            let who = delivery.acknowledged_by.join(", ");
            lang.of(format!("● Received by {who}"), format!("● 對方已收到：{who}"))
        }
        DeliveryState::ActedOn => lang.of("✓ Accepted", "✓ 已受理").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_a_delivery_has_its_words_in_both_languages() {
        let of = |state, neighbours| Delivery { state, neighbours, acknowledged_by: vec!["Hub B".into()] };
        for (state, en, zh) in [
            (DeliveryState::SavedHere, "Saved here", "已存在本機"),
            (DeliveryState::Reached, "Reached 2 nodes", "已傳到 2 個據點"),
            (DeliveryState::Received, "Received", "對方已收到"),
            (DeliveryState::ActedOn, "Accepted", "已受理"),
        ] {
            assert!(delivery(&of(state, 2), Lang::En).contains(en));
            assert!(delivery(&of(state, 2), Lang::Zh).contains(zh));
        }
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let check = |seconds, expect: &str| assert_eq!(age(seconds, Lang::En), expect);
        check(None, "?");
        check(Some(0), "now");
        check(Some(43), "43 s ago");
        check(Some(1_920), "32 min ago");
        check(Some(10_800), "3 h ago");
        check(Some(3 * 86_400), "3 d ago");
        assert_eq!(age(Some(1_920), Lang::Zh), "32 分鐘前");
    }
}
