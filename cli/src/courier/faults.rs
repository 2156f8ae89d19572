//! What can go wrong with a courier file: on the stick, on the way, in the hand.

use std::io::Error;
use std::path::Path;

use holdfast_proto::message::courier::{FILE_BYTES_MAX, FORMAT, Flaw};

use crate::failure::{Exit, Failure, words};
use holdfast_proto::domain::refusal::Words;

/// The file can't be read.
pub(super) fn no_file(path: &Path, error: &Error) -> Failure {
    if error.kind() != std::io::ErrorKind::NotFound {
        return Failure::file("H-862", ("read", "讀取"), path, error);
    }
    let path = path.display();
    Failure::new(
        Exit::NotFound,
        "H-835",
        words(format!("There is no file {path}."), format!("沒有檔案 {path}。")),
        words("Nothing was taken in.", "沒有收下任何內容。"),
        words("Check the path, and that the stick is plugged in.", "請確認路徑，以及隨身碟已插好。"),
    )
}

/// The file can't be written.
pub(super) fn write(path: &Path, error: &Error) -> Failure {
    Failure::file("H-836", ("write", "寫入"), path, error)
}

/// What stands under that name is no courier file, so it is not written over.
pub(super) fn something_else(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Usage,
        "H-837",
        words(format!("{path} is there already and is no courier file."), format!("{path} 已存在，而且不是攜帶檔。")),
        words("Nothing was written: only an older courier file is written over.", "沒有寫出檔案：只會覆寫舊的攜帶檔。"),
        words("Choose another name with --out.", "請用 --out 指定別的檔名。"),
    )
}

/// Read back, the file is not what was written.
pub(super) fn not_as_written(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Failed,
        "H-838",
        words(format!("Read back, {path} is not what was written."), format!("讀回 {path} 時，內容與寫入的不同。")),
        words(
            "The stick does not keep what is written to it; the file was removed.",
            "這個儲存裝置無法保存寫入的內容；檔案已移除。",
        ),
        words("Use another stick.", "請改用其他隨身碟。"),
    )
}

/// The daemon's piece is not Base64.
pub(super) fn strange_piece() -> Failure {
    Failure::new(
        Exit::Failed,
        "H-812",
        words("The daemon's answer can't be read.", "無法讀取背景程式的回覆。"),
        words("No file was written.", "沒有寫出檔案。"),
        words(
            "Command and daemon should be of the same version; check with `holdfast doctor`.",
            "指令與背景程式的版本應相同；請用 `holdfast doctor` 檢查。",
        ),
    )
}

/// Larger than any courier file.
pub(super) fn too_large(path: &Path, bytes: u64) -> Failure {
    let (path, megabytes, max) = (path.display(), bytes.div_ceil(1 << 20), FILE_BYTES_MAX >> 20);
    Failure::new(
        Exit::Usage,
        "H-839",
        words(
            format!("{path} has {megabytes} MiB; a courier file has at most {max}."),
            format!("{path} 有 {megabytes} MiB；攜帶檔最多 {max} MiB。"),
        ),
        words(
            "It was not read to its end; whole words before that may have been taken in.",
            "沒有讀完；在那之前完整的內容可能已收下。",
        ),
        words("Check that it is the file meant.", "請確認是不是這個檔案。"),
    )
}

/// It is no courier file, or of another format.
pub(super) fn not_a_courier_file(path: &Path, flaw: Flaw) -> Failure {
    let path = path.display();
    let (what, fix) = match flaw {
        Flaw::Format(format) => (
            words(
                format!("{path} is a courier file of format {format}; this program reads format {FORMAT}."),
                format!("{path} 是格式版本 {format} 的攜帶檔；這個程式讀的是 {FORMAT}。"),
            ),
            words(
                "Install the same version on both PCs, or ask for a file of this version.",
                "請在兩台電腦安裝相同版本，或請對方用這個版本重寫。",
            ),
        ),
        Flaw::NotACourierFile | Flaw::Head | Flaw::Check | Flaw::After => (
            words(format!("{path} is no courier file: {flaw}."), format!("{path} 不是攜帶檔，或開頭已損壞。")),
            words("Check that it is the file `holdfast courier out` wrote.", "請確認是 `holdfast courier out` 寫出的檔案。"),
        ),
    };
    Failure::new(Exit::Usage, "H-840", what, words("Nothing was taken in.", "沒有收下任何內容。"), fix)
}

/// The file ends before its end.
pub(super) fn cut(path: &Path, after: u32, of: u32) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Failed,
        "H-842",
        words(format!("{path} is cut after {after} of {of} records."), format!("{path} 不完整：{of} 筆中只有前 {after} 筆。")),
        words("What stood before the cut was taken in; the rest is missing.", "缺口之前的內容都已收下，其餘的沒有。"),
        words("Ask for the file again; reading it twice does no harm.", "請對方再給一次檔案；重複讀取沒有壞處。"),
    )
}

/// The file is not as it was written.
pub(super) fn damaged(path: &Path, flaw: Flaw, after: u32) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Failed,
        "H-843",
        words(
            format!("{path} was damaged on the way: {flaw}; {after} records were read."),
            format!("{path} 在途中損壞，結尾與內容不符；已讀 {after} 筆。"),
        ),
        words("What proved itself was taken in; what did not was left out.", "能通過驗證的都已收下，不能的略過。"),
        words("Ask for the file again; reading it twice does no harm.", "請對方再給一次檔案；重複讀取沒有壞處。"),
    )
}

/// Some codes did not come.
pub(super) fn lacking(numbers: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-844",
        words(format!("Codes that did not come: {numbers}."), format!("缺少的 QR 碼：{numbers}。")),
        words("What stands before the first of them was taken in, the rest was not.", "第一張缺碼之前的內容已收下，其餘的沒有。"),
        words("Scan all of them again, in any order; twice does no harm.", "請依任意順序全部重新掃描；重複沒有壞處。"),
    )
}

/// Nothing that was typed is a line of a courier file.
pub(super) fn no_lines() -> Failure {
    Failure::new(
        Exit::Usage,
        "H-845",
        words("No code of a courier file came.", "沒有收到攜帶檔的 QR 碼。"),
        words("Nothing was taken in.", "沒有收下任何內容。"),
        words(
            "Show the codes with `holdfast courier out --to NODE --qr` and scan them here.",
            "請用 `holdfast courier out --to 據點 --qr` 顯示 QR 碼，在這裡掃描。",
        ),
    )
}

/// What is typed can't be read.
pub(super) fn no_input(cause: &Words) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-846",
        words(format!("What the scanner types can't be read: {}.", cause.en), format!("無法讀取掃描器的輸入：{}。", cause.zh)),
        words("Nothing was taken in.", "沒有收下任何內容。"),
        words(
            "Set the scanner to type plain letters and digits, with Enter behind each code.",
            "請將掃描器設為輸入一般英文字母與數字，每張之後加 Enter。",
        ),
    )
}
