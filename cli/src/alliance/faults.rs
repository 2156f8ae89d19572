//! Why a file of an alliance is not taken and why nothing was signed: one cause, in both languages, with what mends it.

use std::path::Path;

use holdfast_proto::domain::refusal::Words;
use holdfast_proto::identity::{ArmorFault, Beyond, CannotIssue, IssuerCertificate, Rejected, TEXT_BYTES_MAX, clean_text};

use crate::failure::{Exit, Failure, words};

/// A line or block of a file that can't be used.
pub(crate) fn unsound(path: &Path, line: usize, why: &Words) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Failed,
        "H-870",
        words(format!("{shown}, line {line}: {}.", why.en), format!("{shown} 第 {line} 行：{}。", why.zh)),
        words(
            "The file is damaged or of another alliance; nothing was used from it.",
            "檔案已損壞或屬於其他聯盟，未採用其中內容。",
        ),
        words("Copy it again from where it was made.", "請從原處重新複製。"),
    )
}

/// A file that shall be carried about and holds a key.
pub(crate) fn a_secret(file: &Path, line: usize) -> Failure {
    let shown = file.display();
    Failure::usage(
        "H-874",
        words(format!("{shown}, line {line} holds a secret key."), format!("{shown} 第 {line} 行是機密金鑰。")),
        words(
            "Name a file of certificates, drafts or revocations, or the paper of a key; a key stays where it was made.",
            "請指定憑證、草案、撤銷書或金鑰紙本的檔案；金鑰應留在產生它的地方。",
        ),
    )
}

/// A file that is sound but holds something else than what is wanted from it.
pub(crate) fn without(path: &Path, kind: &str) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Failed,
        "H-870",
        words(format!("There is no {kind} in {shown}."), format!("{shown} 裡面沒有 {kind}。")),
        words("Nothing was used from it.", "未採用其中內容。"),
        words("Check that it is the file meant.", "請確認是不是這個檔案。"),
    )
}

/// What is wrong with a line of armor.
pub(crate) fn of_armor(fault: ArmorFault) -> Words {
    words(fault.to_string(), fault.zh())
}

/// Why the roster does not take an object.
pub(crate) fn of_roster(error: Rejected) -> Words {
    let (en, zh) = match error {
        Rejected::Malformed => ("it is no certificate, or a value in it is out of range", "這不是憑證，或其中有超出範圍的值"),
        Rejected::TooLong => ("it is larger than any certificate may be", "比任何憑證都大"),
        Rejected::WeakKey => ("the key in it is weak", "其中的金鑰不夠安全"),
        Rejected::OtherRealm => ("it is of another alliance, or of an exercise", "屬於其他聯盟或演練"),
        Rejected::BadSignature => ("its signature does not fit it and this alliance", "簽章與內容或這個聯盟不符"),
        Rejected::TooFewRoots { have, want } => {
            return words(
                format!("it is signed by {have} of the {want} root keys it needs"),
                format!("需要 {want} 把根金鑰簽署，只有 {have} 把"),
            );
        }
        Rejected::TooFewVouchers => {
            ("too few nodes, or of too few firms, vouch for this guest", "替這位訪客擔保的據點或企業不足")
        }
        Rejected::UnknownCharter => ("it names a charter version that is not in the file", "所指的章程版本不在檔案裡"),
        Rejected::UnknownIssuer => ("the certificate of its issuer is not in the file", "核發者的憑證不在檔案裡"),
        Rejected::UnknownAuthor => ("its author has no certificate in the file", "作者的憑證不在檔案裡"),
        Rejected::Beyond(Beyond::Serial) => ("its serial is outside the range of its issuer", "序號超出核發者的範圍"),
        Rejected::Beyond(Beyond::Role) => ("its issuer may not give that role", "核發者不能核發這種類型"),
        Rejected::Beyond(Beyond::Region) => ("its issuer may not certify in that region", "核發者不能在這個縣市核發"),
        Rejected::Beyond(Beyond::Giver) => (
            "the deputy may not give it: the serial is not its own, and the key before has not ended itself by its paper",
            "代理者不能核發：序號不在其範圍，而前一把金鑰尚未以紙本停用",
        ),
        Rejected::Older => ("it is older than another one in the file", "比檔案裡的另一份舊"),
        Rejected::Void => {
            ("one name was given to two keys, or one key to two names", "同一名稱給了兩把金鑰，或同一金鑰給了兩個名稱")
        }
        Rejected::KeyMismatch => ("its key is not the one that the certificate names", "金鑰與憑證所載不同"),
        Rejected::Revoked => ("its key was revoked", "金鑰已被撤銷"),
        Rejected::Replaced => ("its key was replaced by a newer one", "金鑰已由較新的取代"),
        Rejected::WrongKind => ("it is not the kind of object that belongs here", "這裡不該放這種內容"),
        Rejected::Full => ("the alliance holds as many certificates as a node can carry", "聯盟的憑證數量已達據點可承載的上限"),
    };
    words(en, zh)
}

/// A new certificate that every node would refuse, with what its issuer may do.
pub(crate) fn refused_by_nodes(error: Rejected, issuer: Option<&IssuerCertificate>) -> Failure {
    let why = of_roster(error);
    let fix = match (error, issuer) {
        (Rejected::Beyond(Beyond::Serial), Some(issuer)) => {
            let (number, first) = (issuer.number, u32::from(issuer.first));
            let last = first + u32::from(issuer.max_nodes) - 1;
            words(
                format!("Issuer {number} gives serials {first} to {last}: choose --id {number}-{first} up to {number}-{last}."),
                format!("核發者 {number} 可核發序號 {first} 到 {last}：--id 請填 {number}-{first} 到 {number}-{last}。"),
            )
        }
        _ => words(
            "See with `holdfast alliance show` what the file holds and what its issuer may give.",
            "請用 `holdfast alliance show` 查看檔案內容與核發者的權限。",
        ),
    };
    Failure::new(
        Exit::Refused,
        "H-868",
        words(format!("The nodes would refuse this certificate: {}.", why.en), format!("各據點會拒絕這張憑證：{}。", why.zh)),
        words("Nothing was written.", "沒有寫入任何檔案。"),
        fix,
    )
}

/// Refuses a name that may not stand in a certificate.
///
/// # Errors
/// Says which of the rules it breaks.
pub(crate) fn name(flag: &str, text: &str) -> Result<(), Failure> {
    if clean_text(text, TEXT_BYTES_MAX).is_ok() {
        return Ok(());
    }
    let bytes = text.len();
    let (what, fix) = if bytes > TEXT_BYTES_MAX {
        (
            words(
                format!("The text of {flag} has {bytes} bytes; at most {TEXT_BYTES_MAX} fit."),
                format!("{flag} 的文字有 {bytes} 位元組，最多 {TEXT_BYTES_MAX}。"),
            ),
            words(
                format!("Shorten it to {TEXT_BYTES_MAX} letters, or {} Chinese characters.", TEXT_BYTES_MAX / 3),
                format!("請縮短為最多 {TEXT_BYTES_MAX} 個英文字母或 {} 個中文字。", TEXT_BYTES_MAX / 3),
            ),
        )
    } else if text.trim().is_empty() {
        (words(format!("The text of {flag} is empty."), format!("{flag} 的文字是空的。")), words("Give a name.", "請填寫名稱。"))
    } else {
        (
            words(
                format!("The text of {flag} holds line breaks, invisible characters, or blanks at its ends."),
                format!("{flag} 的文字含有換行、看不見的字元，或前後有空白。"),
            ),
            words("Type it again as one plain line.", "請重新打成一行純文字。"),
        )
    };
    Err(not_signed(Exit::Usage, what, fix))
}

/// Refuses a range of serials that does not fit.
///
/// # Errors
/// Names the most that fits.
pub(crate) fn serials(first: u16, max_nodes: u16) -> Result<(), Failure> {
    let room = (1_u32 << 16) - u32::from(first);
    if u32::from(max_nodes) <= room {
        return Ok(());
    }
    Err(not_signed(
        Exit::Usage,
        words(
            format!("{max_nodes} serials from {first} end above 65535."),
            format!("從 {first} 起的 {max_nodes} 個序號會超過 65535。"),
        ),
        words(format!("Give --max-nodes {room} or less."), format!("--max-nodes 最多填 {room}。")),
    ))
}

/// What the signing itself refuses; names and numbers were looked at before.
pub(crate) fn cannot_issue(error: CannotIssue, dir: &Path) -> Failure {
    let shown = dir.display();
    match error {
        CannotIssue::TooFewRoots { have, want } => not_signed(
            Exit::Refused,
            words(
                format!("Of the {want} root keys that must sign, {have} are in {shown}."),
                format!("需要 {want} 把根金鑰簽署，{shown} 裡只有 {have} 把。"),
            ),
            words("Bring the missing root-N.key files into that folder.", "請將缺少的 root-N.key 放入該資料夾。"),
        ),
        CannotIssue::NameLength { .. } | CannotIssue::NameUnclean | CannotIssue::WeakKey => not_signed(
            Exit::Usage,
            words(format!("A value can't stand in a certificate: {error}."), format!("有值不能寫入憑證：{}。", error.zh())),
            words("Give another one.", "請換一個。"),
        ),
        CannotIssue::BadValue => not_signed(
            Exit::Usage,
            words(
                "A value can't stand in a certificate: a number out of its range, or a key given twice.",
                "有值不能寫入憑證：數字超出範圍，或同一金鑰用了兩次。",
            ),
            words("Compare the values with `--help`.", "請對照 `--help` 的說明檢查各值。"),
        ),
    }
}

fn not_signed(exit: Exit, what: Words, fix: Words) -> Failure {
    Failure::new(exit, "H-871", what, words("Nothing was signed or written.", "沒有簽署，也沒有寫入任何檔案。"), fix)
}

/// A key that was bound to another computer.
pub(crate) fn elsewhere(path: &Path) -> Failure {
    Failure::new(
        Exit::Refused,
        "H-718",
        words(
            format!("The node key {} belongs to another computer, or this one's system was installed anew.", path.display()),
            format!("據點金鑰 {} 屬於另一台電腦，或這台電腦的系統已重新安裝。", path.display()),
        ),
        words(
            "Two computers with one key would be taken for one node that contradicts itself.",
            "兩台電腦共用一把金鑰會被視為自相矛盾的同一據點。",
        ),
        words(
            "Join anew in another folder: `holdfast replace ID` where certificates are given, `holdfast join CODE --dir FOLDER` here.",
            "請在另一個資料夾重新加入：核發處執行 `holdfast replace 代號`，這裡執行 `holdfast join 加入碼 --dir 資料夾`。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn a_name_is_refused_for_the_one_rule_it_breaks() {
        let long = "甲".repeat(17);
        for (text, part) in
            [(long.as_str(), "51 bytes; at most 48"), (" ", "is empty"), ("a\u{202e}b", "invisible"), ("a ", "blanks")]
        {
            let said = name("--firm", text).unwrap_err().lines(Lang::En).concat();
            assert!(said.contains(part) && said.contains("--firm"), "{said}");
        }
        assert!(name("--firm", &"甲".repeat(16)).is_ok());
        assert!(serials(65_000, 536).is_ok());
        assert!(serials(65_000, 537).unwrap_err().lines(Lang::Zh).concat().contains("最多填 536"));
    }

    #[test]
    fn no_sentence_of_a_cause_is_of_the_other_language() {
        let armor = [ArmorFault::NotABlock, ArmorFault::UnknownKind, ArmorFault::LineLength, ArmorFault::Cut, ArmorFault::Size];
        let roster =
            [Rejected::Malformed, Rejected::TooFewRoots { have: 1, want: 2 }, Rejected::Beyond(Beyond::Serial), Rejected::Void];
        for words in armor.into_iter().map(of_armor).chain(roster.into_iter().map(of_roster)) {
            assert!(!words.zh.contains(|c: char| c.is_ascii_lowercase()) && words.en.is_ascii(), "{words:?}");
        }
    }
}
