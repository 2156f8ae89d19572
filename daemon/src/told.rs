//! What keeps `holdfastd` from running, in both languages: the English stands with each error, the Chinese here.

use std::io;

use holdfast_loopback::token::TokenError;
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::node::RestoreError;

use crate::config::ConfigError;
use crate::link::LinkError;
use crate::log::LogError;
use crate::run::RunError;
use crate::stamp::StampError;
use crate::start::StartError;
use crate::store::StoreError;

/// What the system said, in Chinese where it is one of the usual things; else as it came.
pub(crate) fn system(cause: &io::Error) -> String {
    use io::ErrorKind as Kind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system has many more; those are shown as they came")]
    let known = match cause.kind() {
        Kind::NotFound => "沒有這個檔案或資料夾",
        Kind::PermissionDenied => "沒有權限",
        Kind::AlreadyExists => "已經存在",
        Kind::IsADirectory => "這是資料夾，不是檔案",
        Kind::NotADirectory => "路徑中有一段不是資料夾",
        Kind::StorageFull | Kind::QuotaExceeded => "磁碟空間不足",
        Kind::ReadOnlyFilesystem => "磁碟只能讀取",
        Kind::AddrInUse => "已被其他程式使用",
        Kind::AddrNotAvailable => "這台電腦沒有這個位址",
        Kind::InvalidData => "內容不是文字",
        _ => return cause.to_string(),
    };
    known.to_owned()
}

/// The same for a cause of which only the words are left.
fn said(cause: &str) -> String {
    if cause.to_lowercase().contains("in use") { "已被其他程式使用".to_owned() } else { cause.to_owned() }
}

impl RunError {
    /// What happened, what it means, what to do.
    #[must_use]
    pub fn words(&self) -> Words {
        let zh = match self {
            Self::Config(error) => config(error),
            Self::Log(LogError(cause)) => {
                format!("看不懂 [log] filter（{cause}）。沒有啟動。請填等級，例如 `info`，或 `info,holdfast_daemon=debug`")
            }
            Self::Runtime(cause) => {
                format!("系統無法提供事件佇列（{}）。沒有啟動。請提高可開啟的檔案數（ulimit -n）後再啟動", system(cause))
            }
            Self::Start(error) => start(error),
            Self::Link(error) => link(error),
            Self::Store(error) => store(error),
            Self::Listen { address, cause } => format!(
                "API 無法使用 {address}：{}。沒有啟動。請在 [api] listen 改用其他連接埠，或停止使用它的程式",
                system(cause)
            ),
            Self::Public { address, cause } => format!(
                "民眾看板無法使用 {address}：{}。沒有啟動。請在 [public] listen 改用其他連接埠，或停止使用它的程式",
                system(cause)
            ),
            Self::Hidden { folder, cause } => format!(
                "無法讀取 {} 裡的 board.json，不知道看板該隱藏什麼：{}。為免顯示已隱藏的內容，沒有啟動。請修正該檔再啟動；確定沒有要隱藏的內容才刪除它",
                folder.display(),
                system(cause)
            ),
            Self::Token(error) => token(error),
        };
        Words { en: self.to_string(), zh }
    }
}

fn config(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { path, cause } => {
            format!("無法讀取設定檔 {}：{}。沒有啟動。請確認 --config 所給的路徑", path.display(), system(cause))
        }
        ConfigError::Wrong { path, faults } => {
            let line = |line: Option<usize>| line.map_or_else(String::new, |line| format!("第 {line} 行："));
            let faults: String = faults.iter().map(|fault| format!("\n  {}{}", line(fault.line), fault.words.zh)).collect();
            format!("無法使用設定檔 {}，沒有啟動：{faults}\n請更正後再啟動", path.display())
        }
    }
}

pub(crate) fn start(error: &StartError) -> String {
    match error {
        StartError::Paper(error) => error.words().zh,
        StartError::Store(error) => store(error),
        StartError::Stamp(error) => stamp(error),
        StartError::Restore(RestoreError::NoCharter) => {
            "聯盟檔案裡沒有聯盟章程，無法分辨該相信誰。請向核發本據點憑證的人重新索取".to_owned()
        }
        StartError::Restore(RestoreError::Charter(why)) => {
            format!("聯盟檔案裡的聯盟章程無法使用（{}），無法分辨該相信誰。請向核發本據點憑證的人重新索取", why.zh())
        }
        StartError::Restore(RestoreError::NotCertified(node)) => format!(
            "聯盟檔案裡沒有據點 {node} 與這把金鑰的憑證，其他據點不會相信這台電腦。請放回為這台電腦一起核發的金鑰與聯盟檔案，或重新核發"
        ),
        StartError::Random(cause) => {
            format!("系統無法提供亂數（{cause}）。沒有亂數就無法保密連線，因此沒有啟動。請一分鐘後再啟動；若一直如此，請重新開機")
        }
    }
}

fn stamp(error: &StampError) -> String {
    format!(
        "無法使用連續性戳記 {}：{}。沒有它，本據點無法證明資料是最新的，因此不會寫入任何自己的資料。請確認資料夾存在、此使用者可以寫入、\
         磁碟正常",
        error.path.display(),
        system(&error.source)
    )
}

fn store(error: &StoreError) -> String {
    match error {
        StoreError::InUse { path } => format!(
            "資料夾 {} 正由另一個 holdfastd（或查看它的工具）使用。兩個程式共用一份資料，會以同一個身分互相矛盾，因此這個沒有啟動。\
             請停止另一個，或為這個設定自己的 data_dir",
            path.display()
        ),
        StoreError::NoRight { path, .. } => format!(
            "沒有權限使用資料夾 {0}，無法儲存任何資料。請把資料夾交給執行 holdfastd 的使用者，例如 `chown -R holdfast {0}`，\
             或設定其他 data_dir",
            path.display()
        ),
        StoreError::ReadOnly { path, .. } => format!(
            "資料夾 {} 所在的磁碟只能讀取，無法儲存任何資料；故障的磁碟常會自行變成唯讀。請檢查磁碟並以可寫入方式掛載，或設定其他 data_dir",
            path.display()
        ),
        StoreError::Full { path, .. } => format!(
            "資料夾 {} 所在的磁碟已滿，holdfastd 需要一點空間才能啟動。請清出一些空間（20 MB 即可）再啟動；沒有遺失任何資料",
            path.display()
        ),
        StoreError::Newer { path, found, known } => format!(
            "{} 裡的資料是第 {found} 版格式，這個 holdfastd 只懂到第 {known} 版：它由較新的版本寫入。沒有改動任何資料。\
             請重新安裝較新的 holdfastd，或設定其他 data_dir",
            path.display()
        ),
        StoreError::Engine { version, cause } => {
            format!("內建的 SQLite {version} 不可靠，不能用來存資料（{cause}）。沒有改動任何資料。請安裝內附 SQLite 的 holdfastd")
        }
        StoreError::Garbled { path, cause } => {
            format!("{} 裡的資料已損壞（{cause}）。可以擱置它，再由鄰近據點補回。請檢查磁碟", path.display())
        }
        StoreError::Disk { path, cause } => format!(
            "無法使用 {} 裡的資料（{cause}）。修好之前不會儲存任何資料。請確認磁碟正常、資料夾在本機的檔案系統上",
            path.display()
        ),
    }
}

fn token(error: &TokenError) -> String {
    match error {
        TokenError::Readable { path, mode } => format!(
            "這台電腦的其他使用者也能讀取權杖檔 {0}（權限 {mode:04o}），因此不再保密。請刪除它再啟動（會產生新的），或執行：chmod 600 {0}",
            path.display()
        ),
        TokenError::Malformed { path } => format!(
            "權杖檔 {} 裡不是權杖（64 個十六進位數字），可能寫到一半，或是別的檔案。請確認 [api] token_file；若沒有錯，\
             請刪除它再啟動，會產生新的",
            path.display()
        ),
        TokenError::Io { path, cause } => {
            format!(
                "無法讀取或產生權杖檔 {}：{}。沒有啟動。請確認資料夾可以建立，且此使用者可以寫入",
                path.display(),
                system(cause)
            )
        }
    }
}

fn link(error: &LinkError) -> String {
    match error {
        LinkError::Listen { kind, address, cause } => {
            format!("{kind} 無法使用 {address}：{}。沒有啟動。請在設定檔的 [{kind}] 改用其他位址", said(cause))
        }
        LinkError::Key(cause) => format!(
            "據點金鑰無法用於連線（{cause}）。沒有連線就收不到任何消息，因此沒有啟動。請產生新的金鑰並重新核發：holdfast alliance issue"
        ),
        LinkError::Setup { kind, cause } => {
            format!("無法建立 {kind} 連線（{cause}）。沒有啟動。請更正設定檔的 [{kind}]，或填 enabled = false 不用這種連線")
        }
    }
}
