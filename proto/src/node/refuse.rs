//! Refusals that come from the node itself, not from what was typed: what happened, what it means, what to do.

use crate::domain::refusal::{Refusal, RefusalKind, Words};

fn words(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}

/// More writes wait for the disk than this node queues.
pub(super) fn too_busy() -> Refusal {
    Refusal {
        code: "H-501".to_owned(),
        kind: RefusalKind::Unable,
        what: words("Too many reports are waiting for the disk.", "等待寫入磁碟的回報太多。"),
        means: words("This one was not saved.", "這一筆沒有存下來。"),
        fix: words("Wait a few seconds and send it again.", "請等幾秒再送一次。"),
    }
}

/// This node stopped writing: its name is used twice.
pub(super) fn stopped(cause: &str) -> Refusal {
    Refusal {
        code: "H-502".to_owned(),
        kind: RefusalKind::Unable,
        what: words(
            format!("This node has stopped writing: {cause}. Does another PC run as this one?"),
            "這個據點已停止寫入:是不是有另一台電腦用同一個身分在執行?",
        ),
        means: words(
            "Reports made here are refused, so that two PCs never speak with one voice. Everybody's boards can still be read.",
            "為了避免兩台電腦用同一個身分發言,這裡的回報不會儲存。仍然可以查看大家的狀況。",
        ),
        fix: words(
            "Stop the other PC. If there is none, restart holdfastd here: it goes on as a new incarnation.",
            "請停用另一台電腦。如果沒有,請重新啟動這裡的 holdfastd。",
        ),
    }
}

/// The store kept nothing.
pub(super) fn not_saved(cause: &str) -> Refusal {
    Refusal {
        code: "H-503".to_owned(),
        kind: RefusalKind::Unable,
        what: words(format!("The disk did not take it: {cause}."), format!("磁碟無法寫入:{cause}。")),
        means: words(
            "Nothing of it was saved or sent. What was saved before is safe, and other nodes' news still comes in to be read.",
            "這一筆完全沒有存下來,也沒有送出。先前存好的資料都還在。",
        ),
        fix: words("Free some disk space, then send it again.", "請清出一些磁碟空間,再送一次。"),
    }
}

/// The readings don't fit what every node accepts of one author.
pub(super) fn board_full() -> Refusal {
    Refusal {
        code: "H-504".to_owned(),
        kind: RefusalKind::Usage,
        what: words("This node's board is full.", "這個據點的告示內容太多。"),
        means: words(
            "A board must stay small enough for radio, so this report was not saved.",
            "告示必須小到能用無線電傳送,所以這筆回報沒有存下來。",
        ),
        fix: words(
            "Withdraw stock items that matter less (give them an empty value), then report again.",
            "請先撤下比較不重要的物資(值留空),再回報一次。",
        ),
    }
}

/// A fault was asked for outside a simulation.
pub(super) fn no_faults_here() -> Refusal {
    Refusal {
        code: "H-301".to_owned(),
        kind: RefusalKind::Rights,
        what: words("This is not a simulation alliance.", "這不是模擬聯盟。"),
        means: words(
            "Cuts and other faults are obeyed in simulations only. Nothing was changed.",
            "只有模擬時才能切斷連線,沒有任何改變。",
        ),
        fix: words("Try it in the demo: holdfast demo", "請在示範環境試用:holdfast demo"),
    }
}

/// Nothing goes by that name.
pub(super) fn no_such_ticket(ticket: &str) -> Refusal {
    Refusal {
        code: "H-201".to_owned(),
        kind: RefusalKind::NotFound,
        what: words(format!("There is no write with the ticket {ticket}."), format!("找不到編號 {ticket} 的紀錄。")),
        means: words("Tickets are given by this node for its own writes.", "編號只對這個據點自己寫的資料有效。"),
        fix: words("Ask the node that made the write, or list requests.", "請向寫下它的據點查詢,或列出需求。"),
    }
}
