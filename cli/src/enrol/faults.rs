//! Why nobody joined: one cause each, with what mends it.

use std::net::SocketAddr;

use holdfast_proto::identity::Rejected;
use holdfast_proto::identity::enrol::{Broken, NotACode, Refused};

use crate::alliance::faults::of_roster;
use crate::failure::{Exit, Failure, cause_of, words};

/// What was typed is no code.
pub(super) fn not_a_code(typed: &str, why: NotACode) -> Failure {
    let zh = match why {
        NotACode::Length(have) => format!("加入碼有 8 個英數字，輸入了 {have} 個"),
        NotACode::Symbol(symbol) => format!("加入碼裡不會有「{symbol}」"),
        NotACode::Check => "有一個英數字不對，請再核對一次".to_owned(),
    };
    Failure::usage(
        "H-901",
        words(format!("\"{typed}\" is no join code: {why}."), format!("「{typed}」不是加入碼：{zh}。")),
        words(
            "Type it as whoever invited you reads it out, such as 7Q4K-M2X2. Small letters and a missing dash do not matter.",
            "請照發碼的人念的輸入，例如 7Q4K-M2X2；小寫或少了橫線都沒關係。",
        ),
    )
}

/// Nobody on the network gave out the code.
pub(super) fn nobody() -> Failure {
    Failure::new(
        Exit::NotRunning,
        "H-902",
        words("Nobody on this network gave out that code.", "這個網路上沒有人發出這個加入碼。"),
        words("This PC has not joined; nothing is lost.", "這台電腦尚未加入；沒有遺失任何資料。"),
        words(
            "Is `holdfast invite` still open there? If it is elsewhere, ask for its address: `holdfast join CODE --at IP:PORT`.",
            "對方的 `holdfast invite` 是否還開著？若在別處，請詢問位址：`holdfast join 加入碼 --at IP:連接埠`。",
        ),
    )
}

/// The host can't be reached at its address.
pub(super) fn unreachable(at: SocketAddr, error: &std::io::Error) -> Failure {
    let cause = cause_of(error);
    Failure::new(
        Exit::NotRunning,
        "H-902",
        words(format!("Nobody answers at {at}: {}.", cause.en), format!("{at} 沒有回應：{}。", cause.zh)),
        words("This PC has not joined; nothing is lost.", "這台電腦尚未加入；沒有遺失任何資料。"),
        words(
            "Check the address and that `holdfast invite` is still open there, then run this again.",
            "請確認位址，以及對方的 `holdfast invite` 是否還開著，再執行一次。",
        ),
    )
}

/// The line broke in the middle.
pub(super) fn interrupted(error: &std::io::Error) -> Failure {
    let cause = cause_of(error);
    Failure::new(
        Exit::TimedOut,
        "H-909",
        words(format!("The line broke before it was done: {}.", cause.en), format!("還沒完成連線就中斷了：{}。", cause.zh)),
        words("This PC has not joined; its key is kept.", "這台電腦尚未加入；它的金鑰已保留。"),
        words("Run the same command again: it goes on where it was.", "請再執行一次相同的指令，會接續進行。"),
    )
}

/// The talk is over.
pub(super) fn broken(broken: Broken) -> Failure {
    match broken {
        Broken::Refused(why) => refused(why),
        Broken::Forged => Failure::new(
            Exit::Refused,
            "H-903",
            words("Whoever answers there does not know this code.", "那裡回應的人不知道這個加入碼。"),
            words("This PC has not joined.", "這台電腦尚未加入。"),
            words(
                "Check the code with whoever gave it, and the address. If both are right, somebody else answers in between: tell them.",
                "請與發碼的人核對加入碼和位址。若都正確，表示有別人在中間回應，請告訴對方。",
            ),
        ),
        Broken::Malformed => Failure::new(
            Exit::Failed,
            "H-907",
            words("What the other end says is no invitation.", "對方傳來的不是邀請內容。"),
            words("This PC has not joined.", "這台電腦尚未加入。"),
            words("Check the address; both ends need the same version.", "請確認位址；兩端需使用相同版本。"),
        ),
    }
}

fn refused(why: Refused) -> Failure {
    let (code, en, zh, fix_en, fix_zh) = match why {
        Refused::Unknown => (
            "H-903",
            "Nobody there gave out this code",
            "那裡沒有人發出這個加入碼",
            "Read it once more, or ask for a new one; it may be of another alliance, or was used, or another took its place.",
            "請再核對一次，或索取新的加入碼；它可能屬於其他聯盟、已被使用，或已被新的加入碼取代。",
        ),
        Refused::Expired => (
            "H-904",
            "The code has expired",
            "加入碼已過期",
            "Ask for a new one: `holdfast invite` there.",
            "請對方以 `holdfast invite` 重新發碼。",
        ),
        Refused::Used => (
            "H-905",
            "Another PC has joined with this code",
            "已有另一台電腦用這個加入碼加入",
            "If that was not you, tell whoever gave the code at once: that PC must be revoked. Ask for a new code.",
            "若不是您操作的，請立刻告訴發碼的人：那台電腦必須撤銷。請索取新的加入碼。",
        ),
        Refused::NotTheSame => (
            "H-906",
            "Whoever gave the code did not confirm the words",
            "發碼的人沒有確認指紋詞",
            "Compare the three words on both screens once more, then run this again.",
            "請再核對兩邊畫面上的三個指紋詞，再執行一次。",
        ),
        Refused::Unable | Refused::Malformed => (
            "H-907",
            "The certificate could not be given",
            "無法核發憑證",
            "The screen of whoever gave the code says why.",
            "原因請看發碼那一端的畫面。",
        ),
    };
    Failure::new(
        Exit::Refused,
        code,
        words(format!("{en}."), format!("{zh}。")),
        words("This PC has not joined.", "這台電腦尚未加入。"),
        words(fix_en, fix_zh),
    )
}

/// The people here say that the words differ.
pub(super) fn not_the_same() -> Failure {
    Failure::new(
        Exit::Refused,
        "H-906",
        words("The words were not confirmed here.", "這裡沒有確認指紋詞。"),
        words("This PC has not joined, and nothing was given to it.", "這台電腦尚未加入，也沒有拿到任何內容。"),
        words(
            "If they differ, somebody may stand in between: do not go on, tell whoever gave the code. Otherwise run this again.",
            "若兩邊不同，可能有人在中間攔截：請勿繼續，並告訴發碼的人。否則請再執行一次。",
        ),
    )
}

/// What was offered does not stand.
pub(super) fn unsound(why: Rejected) -> Failure {
    let why = of_roster(why);
    Failure::new(
        Exit::Refused,
        "H-908",
        words(
            format!("The certificates that were offered do not stand: {}.", why.en),
            format!("對方提供的憑證不成立：{}。", why.zh),
        ),
        words("This PC has not joined.", "這台電腦尚未加入。"),
        words("Tell whoever gave the code; both ends need the same version.", "請告訴發碼的人；兩端需使用相同版本。"),
    )
}

/// The certificate that came is for another key or node.
pub(super) fn of_another() -> Failure {
    Failure::new(
        Exit::Refused,
        "H-908",
        words("The certificate that came is for another key.", "傳來的憑證屬於另一把金鑰。"),
        words("It was not kept; this PC has not joined.", "沒有保存；這台電腦尚未加入。"),
        words("Tell whoever gave the code, and ask for a new one.", "請告訴發碼的人，並索取新的加入碼。"),
    )
}

/// The host can't wait where it shall.
pub(super) fn listen(at: SocketAddr, error: &std::io::Error) -> Failure {
    let cause = cause_of(error);
    Failure::new(
        Exit::Failed,
        "H-910",
        words(format!("This computer can't wait at {at}: {}.", cause.en), format!("無法在 {at} 等候：{}。", cause.zh)),
        words("The code is made and holds; nobody can join yet.", "加入碼已產生且有效，但還沒有人能加入。"),
        words(
            "Is `holdfast invite` open in another window? Otherwise give another place: --listen 0.0.0.0:4403, and tell it with the code.",
            "另一個視窗是否已開著 `holdfast invite`？否則請換一個：--listen 0.0.0.0:4403，並隨加入碼告知。",
        ),
    )
}

/// The code's time is over and nobody came.
pub(super) fn nobody_came(who: &str) -> Failure {
    Failure::new(
        Exit::TimedOut,
        "H-911",
        words(
            format!("The time of the code for {who} is over and no PC joined."),
            format!("{who} 的加入碼已到期，沒有電腦加入。"),
        ),
        words("No certificate was given; the code is worth nothing any more.", "沒有核發憑證；這個加入碼已失效。"),
        words("Invite it again for a new code.", "請重新邀請以取得新的加入碼。"),
    )
}

/// Nobody was invited.
pub(super) fn nobody_invited() -> Failure {
    Failure::new(
        Exit::NotFound,
        "H-912",
        words("No code is waiting for a PC here.", "這裡沒有等候使用的加入碼。"),
        words("Nothing was opened.", "沒有開啟任何連線。"),
        words(
            "Invite a PC: `holdfast invite 1-118 --name NAME --region CODE --dir DIR`.",
            "邀請一台電腦：`holdfast invite 1-118 --name 名稱 --region 縣市代碼 --dir 資料夾`。",
        ),
    )
}

/// The folder belongs to another node or alliance.
pub(super) fn somebody_already(path: &std::path::Path) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Failed,
        "H-913",
        words(format!("{shown} holds the papers of a node already."), format!("{shown} 裡已有某個據點的憑證。")),
        words("Nothing was changed: a key is never written over.", "沒有更動任何內容：金鑰不會被覆寫。"),
        words("Choose another folder: --dir DIR.", "請換一個資料夾：--dir 資料夾。"),
    )
}
