//! Opening a serial port, and what is wrong where that does not work.

use std::path::Path;

use holdfast_proto::domain::refusal::Words;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use tokio_serial::{DataBits, ErrorKind, FlowControl, Parity, SerialPortBuilderExt, SerialStream, StopBits};

use crate::code::Code;

/// Why a radio port is not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no such port: unplugged, or named wrongly.
    Missing,
    /// Another program holds it; which, where the system tells.
    Held(Option<String>),
    /// This user may not open it.
    NoRight,
    /// It can be opened and is no serial port, or takes no such speed.
    Unfit(String),
    /// It was open and went away.
    Gone(String),
    /// It was open and took nothing any more.
    Stuck,
}

impl Trouble {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => Code::RadioMissing,
            Self::Held(_) => Code::RadioHeld,
            Self::NoRight => Code::RadioNoRight,
            Self::Unfit(_) => Code::RadioUnfit,
            Self::Gone(_) => Code::RadioGone,
            Self::Stuck => Code::RadioStuck,
        }
    }

    /// What happened, what it means, what to do.
    #[must_use]
    pub fn words(&self, port: &str) -> Words {
        let (en, zh) = match self {
            Self::Missing => (
                format!(
                    "The radio port {port} is not there, so nothing goes by radio. It is tried all the time: plug the modem in, \
                     or correct [radio] port."
                ),
                format!("找不到無線電連接埠 {port}，因此無法經無線電傳送。程式會一直重試：請接上數據機，或更正 [radio] port。"),
            ),
            Self::Held(by) => {
                let by_en = by.clone().unwrap_or_else(|| "another program".to_owned());
                let by_zh = by.as_ref().map_or_else(|| "另一個程式".to_owned(), |by| format!("程式 {by} "));
                (
                    format!(
                        "The radio port {port} is held by {by_en}, so nothing goes by radio. It is tried all the time: end that \
                         program, or give this node another port in [radio] port."
                    ),
                    format!(
                        "無線電連接埠 {port} 正由{by_zh}使用，因此無法經無線電傳送。程式會一直重試：請結束該程式，或在 [radio] port \
                         改用其他連接埠。"
                    ),
                )
            }
            Self::NoRight => (
                format!(
                    "This user may not open the radio port {port}, so nothing goes by radio. Let it, for example by `usermod -aG \
                     dialout USER`, and start again."
                ),
                format!(
                    "沒有權限開啟無線電連接埠 {port}，因此無法經無線電傳送。請給予權限，例如 `usermod -aG dialout USER`，再重新啟動。"
                ),
            ),
            Self::Unfit(cause) => (
                format!(
                    "The radio port {port} can't be used: {cause}. Nothing goes by radio. Check [radio] port and baud against the \
                     modem's manual."
                ),
                format!(
                    "無法使用無線電連接埠 {port}（{cause}），因此無法經無線電傳送。請對照數據機說明書檢查 [radio] port 與 baud。"
                ),
            ),
            Self::Gone(cause) => (
                format!(
                    "The radio port {port} went away: {cause}. Nothing goes by radio until it is back. Check plug and power of the \
                     modem."
                ),
                format!("無線電連接埠 {port} 中斷（{cause}），恢復前無法經無線電傳送。請檢查數據機的接頭與電源。"),
            ),
            Self::Stuck => (
                format!(
                    "The radio port {port} takes nothing any more and is opened anew. If that stays so, switch the modem off and on."
                ),
                format!("無線電連接埠 {port} 不再接受資料，正在重新開啟。若一直如此，請將數據機關閉再開啟。"),
            ),
        };
        Words { en, zh }
    }
}

/// Opens a port for this program alone: eight bits, no parity, no lines of flow control, which many modems don't have.
pub(super) fn open(path: &str, baud: u32) -> Result<SerialStream, Trouble> {
    let builder = tokio_serial::new(path, baud).data_bits(DataBits::Eight).parity(Parity::None).stop_bits(StopBits::One);
    builder.flow_control(FlowControl::None).open_native_async().map_err(|error| trouble(path, &error))
}

/// The library says little; the system says more.
fn trouble(path: &str, error: &tokio_serial::Error) -> Trouble {
    match rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT | Errno::NODEV | Errno::NXIO | Errno::NOTDIR) => Trouble::Missing,
        Err(Errno::BUSY) => Trouble::Held(holder(path)),
        Err(Errno::ACCESS | Errno::PERM) => Trouble::NoRight,
        Err(other) => Trouble::Unfit(other.to_string()),
        // Its lock is taken.
        Ok(_) if error.kind() == ErrorKind::NoDevice => Trouble::Held(holder(path)),
        Ok(_) => Trouble::Unfit(error.to_string()),
    }
}

/// Name and number of another program that has the port open, as far as this user may see.
fn holder(path: &str) -> Option<String> {
    let port = Path::new(path).canonicalize().ok()?;
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let number = process.file_name().into_string().unwrap_or_default();
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let Ok(open) = std::fs::read_dir(process.path().join("fd")) else { continue };
        if open.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == port)) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} ({number})", name.trim()));
        }
    }
    None
}
