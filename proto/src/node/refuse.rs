//! Refusals that come from the node itself, not from what was typed: what happened, what it means, what to do.

use crate::domain::refusal::{Refusal, RefusalKind, Words};
use crate::id::DocKind;
use crate::identity::{NotDelegated, RealmKind};
use crate::message::courier::{FORMAT, Flaw, Head};

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
            format!("This node has stopped writing: {cause}. Another PC may be running as this one."),
            format!("這個據點已停止寫入，可能有另一台電腦用同一個身分在執行（{cause}）。"),
        ),
        means: words(
            "Reports made here are refused, so that two PCs never speak with one voice. Everybody's boards can still be read.",
            "為了避免兩台電腦用同一個身分發言，這裡的回報不會儲存。仍然可以查看大家的狀況。",
        ),
        fix: words(
            "Stop the other PC. If there is none, restart holdfastd here: it goes on as a new incarnation.",
            "請停用另一台電腦。如果沒有，請重新啟動這裡的 holdfastd：它會以新的紀錄簿繼續。",
        ),
    }
}

/// Our certificate counts nowhere: the name was certified twice.
pub(super) fn not_certified() -> Refusal {
    Refusal {
        code: "H-505".to_owned(),
        kind: RefusalKind::Unable,
        what: words(
            "This node's name was certified for two keys, or its key for two names, so that neither counts.",
            "這個據點的名稱被核發給兩把金鑰，或同一把金鑰被核發給兩個名稱，因此都不算數。",
        ),
        means: words(
            "Nobody would believe what is reported here, so it is not saved. Everybody's boards can still be read.",
            "其他據點不會相信這裡的回報，所以沒有儲存。仍然可以查看大家的狀況。",
        ),
        fix: words(
            "Ask whoever issued the certificate for a new one. Until then, have another node write down what it sees of this one.",
            "請向核發憑證的單位申請新憑證。在那之前，請由其他據點代為記錄這裡的狀況。",
        ),
    }
}

/// Our key was taken away.
pub(super) fn revoked() -> Refusal {
    Refusal {
        code: "H-506".to_owned(),
        kind: RefusalKind::Unable,
        what: words("The certificate of this PC was revoked.", "這台電腦的憑證已被撤銷。"),
        means: words(
            "No other node listens to it any more, so what is reported here is not saved. What was known until then can still be read.",
            "其他據點不再接受它的訊息，因此這裡的回報不會儲存。撤銷之前收到的資料仍可查看。",
        ),
        fix: words(
            "Telephone whoever issues certificates for your firm: this PC, or the one in its place, needs a new one.",
            "請打電話給貴公司的憑證核發單位：這台電腦或替換的電腦需要新的憑證。",
        ),
    }
}

/// A file that was handed in holds nothing of this alliance, or something that proves nothing.
pub(super) fn not_taken(en: &str, zh: &str) -> Refusal {
    Refusal {
        code: "H-507".to_owned(),
        kind: RefusalKind::Usage,
        what: words(format!("What was handed in is not taken: {en}."), format!("交入的內容未被接受：{zh}。")),
        means: words("Nothing of it was kept or passed on.", "沒有保存或傳送其中任何內容。"),
        fix: words(
            "Hand in an alliance file or a revocation of this alliance, as it was issued.",
            "請交入這個聯盟核發的聯盟檔或撤銷書，並保持原樣。",
        ),
    }
}

/// The node that is spoken of is not in the roster.
pub(super) fn no_such_node(typed: &str) -> Refusal {
    Refusal {
        code: "H-508".to_owned(),
        kind: RefusalKind::NotFound,
        what: words(format!("\"{typed}\" is no node that is certified here."), format!("這裡沒有核發給「{typed}」的憑證。")),
        means: words("Nothing can be said of its logbook.", "無法得知它的紀錄簿。"),
        fix: words("Check the id; `holdfast status` lists all nodes.", "請確認代號；`holdfast status` 會列出所有據點。"),
    }
}

/// The store kept nothing.
pub(super) fn not_saved(cause: &str) -> Refusal {
    Refusal {
        code: "H-503".to_owned(),
        kind: RefusalKind::Unable,
        what: words(format!("The disk did not take it: {cause}."), format!("磁碟無法寫入：{cause}。")),
        means: words(
            "Nothing of it was saved or sent. What was saved before is safe, and other nodes' news still comes in to be read.",
            "這一筆完全沒有存下來，也沒有送出。先前存好的資料都還在，其他據點的消息仍會收到，可以查看。",
        ),
        fix: words(
            "Free some disk space, then send it again. If there is enough, have the disk checked.",
            "請清出一些磁碟空間，再送一次。若空間足夠，請檢查磁碟。",
        ),
    }
}

/// The readings don't fit what every node takes of one author. `bytes` is what the document could come to, `max` what it may.
pub(super) fn document_full(kind: DocKind, bytes: usize, max: usize, withdrawable: &[String]) -> Refusal {
    /// Names told; a person withdraws few.
    const NAMES_MAX: usize = 8;
    let (en, zh) = match kind {
        DocKind::Board => ("board", "告示"),
        DocKind::Detail => ("detail", "詳細資料"),
    };
    let names = withdrawable.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    let (more_en, more_zh) = if withdrawable.len() > NAMES_MAX { (" and others", "等") } else { ("", "") };
    Refusal {
        code: "H-504".to_owned(),
        kind: RefusalKind::Usage,
        what: words(
            format!("This node's {en} is full: with this it may take {bytes} bytes, and {max} are free for it."),
            format!("這個據點的{zh}已滿：加上這筆可能有 {bytes} 位元組，最多只能 {max}。"),
        ),
        means: words(
            "It must stay small enough for radio and keeps room for status, access, mode and power. This report was not saved.",
            "內容必須小到能用無線電傳送，並保留空間給營運狀況、出入管制、運作模式和電力。這筆回報沒有存下來。",
        ),
        fix: words(
            format!("Withdraw what matters less (give it an empty value), then report again: {names}{more_en}."),
            format!("請先撤下比較不重要的項目（值留空），再回報一次：{names}{more_zh}。"),
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
            "只有模擬時才能切斷連線，沒有任何改變。",
        ),
        fix: words("Try it in the demo: holdfast demo", "請在示範環境試用：holdfast demo"),
    }
}

/// Nothing goes by that name.
pub(super) fn no_such_ticket(ticket: &str) -> Refusal {
    Refusal {
        code: "H-201".to_owned(),
        kind: RefusalKind::NotFound,
        what: words(format!("There is no write with the ticket {ticket}."), format!("找不到編號 {ticket} 的紀錄。")),
        means: words(
            "Tickets are given by this node for its own writes. Nothing was changed.",
            "編號只對這個據點自己寫的資料有效。沒有任何改變。",
        ),
        fix: words("Ask the node that made the write, or list requests.", "請向寫下它的據點查詢，或列出需求。"),
    }
}

/// What is handed in is no courier file, or one that is not read here.
pub(super) fn no_courier_file(flaw: Flaw) -> Refusal {
    let zh = match flaw {
        Flaw::NotACourierFile => "開頭不是攜帶檔的格式".to_owned(),
        Flaw::Format(format) => format!("格式版本是 {format}，這個程式讀的是 {FORMAT}"),
        Flaw::Head => "無法讀取檔頭".to_owned(),
        Flaw::Check | Flaw::After => "結尾與前面的內容不符".to_owned(),
    };
    Refusal {
        code: "H-510".to_owned(),
        kind: RefusalKind::Usage,
        what: words(format!("This is no courier file that can be read here: {flaw}."), format!("無法當成攜帶檔讀取：{zh}。")),
        means: words("Nothing of it was taken in.", "沒有收下其中任何內容。"),
        fix: words(
            "Check that it is the file `holdfast courier out` wrote, and that both PCs run the same version.",
            "請確認是 `holdfast courier out` 寫出的檔案，且兩台電腦的版本相同。",
        ),
    }
}

/// A courier file of another alliance, or of another kind of alliance.
pub(super) fn other_alliance(head: &Head, here: RealmKind) -> Refusal {
    let zh = |kind: RealmKind| match kind {
        RealmKind::Actual => "實際",
        RealmKind::Exercise => "演練",
        RealmKind::Simulation => "模擬",
    };
    let mark: String = head.realm.0.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let (name, kind) = (&head.alliance, head.kind);
    Refusal {
        code: "H-511".to_owned(),
        kind: RefusalKind::Usage,
        what: words(
            format!("This file is of alliance {name} ({}, {mark}); this node is of another one ({}).", kind.text(), here.text()),
            format!("這個檔案屬於聯盟「{name}」（{}，{mark}）；這個據點屬於另一個聯盟（{}）。", zh(kind), zh(here)),
        ),
        means: words(
            "Nothing of it was taken in. Words of an exercise never mix with real ones.",
            "沒有收下其中任何內容。演練與實際的資料絕不混用。",
        ),
        fix: words("Ask whoever gave it for the file meant for this alliance.", "請向提供者索取這個聯盟的檔案。"),
    }
}

/// A piece of a courier file that is larger than any is written.
pub(super) fn piece_too_long(bytes: usize, max: usize) -> Refusal {
    Refusal {
        code: "H-512".to_owned(),
        kind: RefusalKind::Usage,
        what: words(
            format!("The piece has {bytes} bytes; at most {max} are taken."),
            format!("這一段有 {bytes} 位元組，最多只收 {max}。"),
        ),
        means: words("Nothing of it was taken in.", "沒有收下其中任何內容。"),
        fix: words(
            "Hand the file in with `holdfast courier in`, which cuts it.",
            "請用 `holdfast courier in` 交入，它會自動分段。",
        ),
    }
}

/// The file that is asked for goes on nowhere.
pub(super) fn no_such_piece() -> Refusal {
    Refusal {
        code: "H-513".to_owned(),
        kind: RefusalKind::Usage,
        what: words("This is not where a courier file goes on.", "攜帶檔無法從這裡接續。"),
        means: words("No piece was written.", "沒有寫出任何內容。"),
        fix: words("Begin the file again.", "請重新開始寫這個檔案。"),
    }
}

/// A courier file for this node itself.
pub(super) fn courier_to_myself() -> Refusal {
    Refusal {
        code: "H-514".to_owned(),
        kind: RefusalKind::Usage,
        what: words("That is this node itself.", "這就是本據點。"),
        means: words("No file was written: it would hold nothing new for it.", "沒有寫出檔案：其中不會有它不知道的內容。"),
        fix: words("Name the node that the file is carried to.", "請指定檔案要帶去的據點。"),
    }
}

/// A courier file for a node whose key was taken away.
pub(super) fn courier_to_revoked(name: &str) -> Refusal {
    Refusal {
        code: "H-515".to_owned(),
        kind: RefusalKind::Rights,
        what: words(format!("The certificate of {name} was revoked."), format!("「{name}」的憑證已被撤銷。")),
        means: words(
            "No file is written for it: nothing is told to a key that was taken away.",
            "不會為它寫檔案：被撤銷的金鑰不再收到任何資料。",
        ),
        fix: words(
            "Name another node of that place, or have a new certificate issued first.",
            "請指定當地的其他據點，或先核發新憑證。",
        ),
    }
}

/// The disk has not confirmed what this node said last.
pub(super) fn not_yet_spoken() -> Refusal {
    Refusal {
        code: "H-516".to_owned(),
        kind: RefusalKind::Unable,
        what: words("The disk has not confirmed this node's last words yet.", "磁碟尚未確認本據點最後的紀錄。"),
        means: words(
            "No file was written: what could still be lost is not given away.",
            "沒有寫出檔案：還可能遺失的內容不會交給別人。",
        ),
        fix: words("Try again in a few seconds; if it stays so, have the disk checked.", "請幾秒後再試；若仍如此，請檢查磁碟。"),
    }
}

/// A person may not act here.
pub(super) fn not_delegated(why: NotDelegated) -> Refusal {
    let (code, en, zh) = match why {
        NotDelegated::Unknown => ("H-520", "this delegation is not known here", "這裡不認得這份授權"),
        NotDelegated::Elsewhere => ("H-521", "this delegation is not for this node", "這份授權不適用於這個據點"),
        NotDelegated::Ended => ("H-522", "this delegation was taken away", "這份授權已被收回"),
        NotDelegated::Early => (
            "H-523",
            "this delegation does not hold yet by the clock of this node or laptop",
            "依據點或筆電的時鐘，這份授權尚未生效",
        ),
        NotDelegated::Late => ("H-524", "this delegation is past its end", "這份授權已過期"),
        NotDelegated::Signature => ("H-525", "the key is not the one of this delegation", "金鑰與這份授權不符"),
        NotDelegated::Beyond => ("H-526", "this delegation does not allow that", "這份授權不允許這麼做"),
    };
    let (fix_en, fix_zh) = match why {
        NotDelegated::Early => {
            ("Set both clocks, or ask for a delegation that holds from today.", "請校正兩邊的時鐘，或申請今天起生效的授權。")
        }
        NotDelegated::Elsewhere => {
            ("Name a node of the firm and region it was given for with --hub.", "請用 --hub 指定授權範圍內（企業與縣市）的據點。")
        }
        NotDelegated::Unknown | NotDelegated::Ended | NotDelegated::Late | NotDelegated::Signature | NotDelegated::Beyond => {
            ("Ask who gave it for a new delegation.", "請向授權單位申請新的授權。")
        }
    };
    Refusal {
        code: code.to_owned(),
        kind: RefusalKind::Rights,
        what: words(format!("You may not act through this node: {en}."), format!("您不能透過這個據點操作：{zh}。")),
        means: words("Nothing was said in your name.", "沒有以您的名義送出任何內容。"),
        fix: words(fix_en, fix_zh),
    }
}

/// The delegation allows less than what was wished.
pub(super) fn beyond_delegation(allowed: &[String]) -> Refusal {
    let list = allowed.join(", ");
    Refusal {
        what: words("This delegation does not allow that.", "這份授權不允許這麼做。"),
        fix: words(
            format!("It allows: {list}. Ask who gave it for more, or have it done at the node itself."),
            format!("允許的項目：{list}。請向授權單位申請，或在據點直接操作。"),
        ),
        ..not_delegated(NotDelegated::Beyond)
    }
}

/// The node wrote something else meanwhile: what was signed stands nowhere.
pub(super) fn place_taken() -> Refusal {
    Refusal {
        code: "H-527".to_owned(),
        kind: RefusalKind::Unable,
        what: words("Another word took the place that was signed for.", "簽署的位置已被另一筆紀錄使用。"),
        means: words("Nothing was said in your name.", "沒有以您的名義送出任何內容。"),
        fix: words("Send it again.", "請再送一次。"),
    }
}

/// Nobody was delegated under that number.
pub(super) fn no_such_delegation(typed: &str) -> Refusal {
    Refusal {
        code: "H-528".to_owned(),
        kind: RefusalKind::NotFound,
        what: words(format!("No delegation \"{typed}\" is known here."), format!("這裡不認得授權「{typed}」。")),
        means: words("Nothing was changed.", "沒有任何改變。"),
        fix: words("Write who gave it and its number, such as 1/3.", "請寫授權單位與編號，例如 1/3。"),
    }
}
