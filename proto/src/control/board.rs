//! The public's board at the door of one site: where it is, what it leaves out there, and what it is made of as files.

use serde::{Deserialize, Serialize};

/// Leave something out of this node's board, or show it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HideWish {
    /// Whose, by id or name; this node's where absent.
    #[serde(default)]
    pub site: Option<String>,
    /// An item, a service or a reading, by any of its names; the whole site where absent.
    #[serde(default)]
    pub line: Option<String>,
}

/// `GET /api/v1/board`: the public's board as this node has it. A setting of this node alone: nothing of it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// `holdfast.board/1`.
    pub schema: String,
    /// Where it listens, `0.0.0.0:8080`; absent where it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// The address that people are given, where the configuration says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What is left out.
    pub hidden: Vec<HiddenView>,
}

/// One thing that a board leaves out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HiddenView {
    /// Whose, `1-118`.
    pub site: String,
    /// `stock.water`, `service.wifi`, `power.source`; absent: the whole site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// What, for people.
    pub en: String,
    /// The same in Traditional Chinese.
    pub zh: String,
}

/// `GET /api/v1/board/files`: the board as files for any web server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardFilesView {
    /// `holdfast.board_files/1`.
    pub schema: String,
    /// Their names, the first page first.
    pub files: Vec<String>,
}

/// `GET /api/v1/board/files/NAME`: one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardFileView {
    /// `holdfast.board_file/1`.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// All of it.
    pub text: String,
}
