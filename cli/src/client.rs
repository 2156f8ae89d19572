//! One daemon's loopback API over HTTP: asks, tells, listens. Knows statuses and tokens, nothing of what the objects mean.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::{Agent, Body};

use crate::failure::{Exit, Failure, cause_of, said, words};
use crate::person::Person;

/// A daemon on the same machine answers in milliseconds; a write waits for the disk.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// A loopback connection is there at once or not at all.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Largest answer read: a status of 16,000 nodes is about 30 MB.
const ANSWER_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// How often a person's word is drafted anew because the node said something else meanwhile.
const SIGN_TRIES: u32 = 5;
/// Events waiting to be printed before the reader of the stream waits.
const EVENTS_MAX: usize = 1_024;

/// A daemon's API: where it is and what opens it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: String,
    token: Option<String>,
    agent: Agent,
    /// Who acts, where that is not the node itself.
    person: Option<Person>,
}

/// Where a daemon answers and which file holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http://127.0.0.1:8787`, or without the scheme.
    pub(crate) api: String,
    /// 64 hex digits.
    pub(crate) token_file: Option<PathBuf>,
}

impl Client {
    /// Reads the token; connects with the first question.
    ///
    /// # Errors
    /// The token file can't be read, or the address is not one.
    pub(crate) fn open(address: &Address) -> Result<Self, Failure> {
        let token = address.token_file.as_deref().map(read_token).transpose()?;
        Self::at(&address.api, token, None)
    }

    /// The API of a node that a person acts through.
    ///
    /// # Errors
    /// The address is not one.
    pub(crate) fn of_person(person: Person) -> Result<Self, Failure> {
        Self::at(&person.api.clone(), Some(person.token.clone()), Some(person))
    }

    fn at(api: &str, token: Option<String>, person: Option<Person>) -> Result<Self, Failure> {
        let base = base_url(api)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_MAX))
            .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { base, token, agent: config.into(), person })
    }

    /// The address as a person reads it.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A read.
    ///
    /// # Errors
    /// No daemon, or what the daemon refused.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failure> {
        let (status, text) = self.get_text(path)?;
        self.object(status, &text).map_err(Failure::of_a_look)
    }

    /// A read as the daemon wrote it, for those who want its very words.
    ///
    /// # Errors
    /// No daemon, or what the daemon refused.
    pub(crate) fn get_raw(&self, path: &str) -> Result<String, Failure> {
        let (status, text) = self.get_text(path)?;
        self.object(status, &text).map(|_| text).map_err(Failure::of_a_look)
    }

    /// A read as one of the API's types.
    ///
    /// # Errors
    /// As [`Self::get`], and an answer of another shape.
    pub(crate) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        read(self.get(path)?)
    }

    /// Status and text of a plain page such as `/readyz`.
    ///
    /// # Errors
    /// No daemon.
    pub(crate) fn get_text(&self, path: &str) -> Result<(u16, String), Failure> {
        let mut call = self.agent.get(format!("{}{path}", self.base)).config().timeout_global(Some(ANSWER_MAX)).build();
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = call.call().map_err(|error| self.unheard(&error, Sent::Look))?;
        let status = answer.status().as_u16();
        Ok((status, self.text(answer.body_mut(), Sent::Look)?))
    }

    /// A write.
    ///
    /// # Errors
    /// No daemon, or what the daemon refused; then nothing was changed.
    pub(crate) fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        match &self.person {
            Some(person) => self.say_as(person, path, serde_json::to_value(body).map_err(|error| strange(&error))?),
            None => self.send(path, body),
        }
    }

    /// A person's word: the node drafts it, the person signs it. Where another word came in between, both do it again.
    fn say_as(&self, person: &Person, path: &str, body: Value) -> Result<Value, Failure> {
        let wish = person.wish(path, body.clone())?;
        let mut tries = SIGN_TRIES;
        loop {
            let drafted = self.send("/api/v1/desk/draft", &wish)?;
            if drafted.get("schema").and_then(Value::as_str) != Some("holdfast.draft/1") {
                // It was said before, under the same key.
                return Ok(drafted);
            }
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let signing = person.sign(path, &body, &read(drafted)?, now)?;
            tries -= 1;
            match self.send("/api/v1/desk/act", &signing) {
                Err(failure) if failure.code() == "H-527" && tries > 0 => {}
                said => return said,
            }
        }
    }

    fn send(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        let json = serde_json::to_string(body).map_err(|error| strange(&error))?;
        let mut call = self.agent.post(format!("{}{path}", self.base)).config().timeout_global(Some(ANSWER_MAX)).build();
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = call
            .header("Content-Type", "application/json")
            .send(json.as_str())
            .map_err(|error| self.unheard(&error, Sent::Write))?;
        let status = answer.status().as_u16();
        let text = self.text(answer.body_mut(), Sent::Write)?;
        self.object(status, &text)
    }

    /// Everything that happens from now on, one object each; the channel closes when the daemon hangs up.
    ///
    /// # Errors
    /// No daemon, or it does not let us listen.
    pub(crate) fn events(&self) -> Result<Receiver<Value>, Failure> {
        let mut call = self.agent.get(format!("{}/api/v1/events", self.base)).header("Accept", "text/event-stream");
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = call.call().map_err(|error| self.unheard(&error, Sent::Look))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let text = self.text(answer.body_mut(), Sent::Look)?;
            return Err(Failure::from_answer(status, &text));
        }
        let (tx, rx) = sync_channel(EVENTS_MAX);
        let lines = BufReader::new(answer.into_body().into_with_config().limit(u64::MAX).reader()).lines();
        std::thread::spawn(move || {
            for line in lines {
                let Ok(line) = line else { return };
                let Some(data) = line.strip_prefix("data:") else { continue };
                let Ok(event) = serde_json::from_str::<Value>(data.trim()) else { continue };
                if tx.send(event).is_err() {
                    return;
                }
            }
        });
        Ok(rx)
    }

    fn text(&self, body: &mut Body, sent: Sent) -> Result<String, Failure> {
        body.with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(|error| self.unheard(&error, sent))
    }

    fn object(&self, status: u16, text: &str) -> Result<Value, Failure> {
        if !(200..300).contains(&status) {
            return Err(Failure::from_answer(status, text));
        }
        serde_json::from_str(text).map_err(|error| strange(&error))
    }

    /// No answer: nobody listens there, or it hung up.
    fn unheard(&self, error: &ureq::Error, sent: Sent) -> Failure {
        let base = &self.base;
        if is_before_sending(error) {
            return Failure::new(
                Exit::NotRunning,
                "H-811",
                words(format!("No daemon answers at {base}."), format!("{base} 沒有背景程式回應。")),
                words("holdfastd is not running there; nothing was sent.", "holdfastd 沒有在執行；沒有送出任何資料。"),
                words(
                    "Start it (`holdfastd --config FILE`), or `holdfast demo` to try; or give another --api.",
                    "請啟動它（`holdfastd --config 檔案`），試用請執行 `holdfast demo`；或用 --api 指定別的位址。",
                ),
            );
        }
        let cause = if let ureq::Error::Io(error) = error { cause_of(error) } else { said(error) };
        Failure::new(
            Exit::Failed,
            "H-813",
            words(
                format!("The daemon at {base} did not finish its answer: {}.", cause.en),
                format!("{base} 的背景程式沒有答完：{}。", cause.zh),
            ),
            match sent {
                Sent::Look => words("It was only asked; nothing was changed.", "這只是查詢，沒有更改任何資料。"),
                Sent::Write => words("What was asked may or may not have been done.", "要求的事可能已完成，也可能沒有。"),
            },
            match sent {
                Sent::Look => words(
                    "Check that it is a daemon of Holdfast that listens there, then try again.",
                    "請確認在該處回應的是 Holdfast 背景程式，再試一次。",
                ),
                Sent::Write => words(
                    "Look with `holdfast status`, then try again; a request repeated with the same --key adds nothing.",
                    "請用 `holdfast status` 查看後再試；用相同 --key 重送的需求不會重複。",
                ),
            },
        )
    }
}

/// What was on its way when no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// A question.
    Look,
    /// Something to be done.
    Write,
}

/// No connection came about: the daemon has not heard a word.
fn is_before_sending(error: &ureq::Error) -> bool {
    use ureq::Error;
    if let Error::Io(error) = error {
        return matches!(
            error.kind(),
            ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
                | ErrorKind::NetworkDown
                | ErrorKind::AddrNotAvailable
                | ErrorKind::PermissionDenied
        );
    }
    let late = matches!(error, Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve));
    late || matches!(error, Error::ConnectionFailed | Error::HostNotFound)
}

/// Reads an object as one of the API's types.
///
/// # Errors
/// The object has another shape: command and daemon are of different versions.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| strange(&error))
}

/// Escapes one part of a path.
pub(crate) fn path_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn strange(error: &serde_json::Error) -> Failure {
    let cause = said(error);
    Failure::new(
        Exit::Failed,
        "H-814",
        words(format!("The daemon's answer can't be read: {}.", cause.en), format!("讀不懂背景程式的回覆：{}。", cause.zh)),
        words("Command and daemon are probably of different versions.", "指令與背景程式的版本可能不同。"),
        words(
            "Install both from the same package; `holdfast version` names this one.",
            "請安裝同一套件的兩者；`holdfast version` 會顯示此版本。",
        ),
    )
}

fn base_url(api: &str) -> Result<String, Failure> {
    let bare = api.trim().trim_end_matches('/');
    let rest = bare.strip_prefix("http://").unwrap_or(bare);
    // A name that leads nowhere and a port that is none are found here, before anything is sent.
    let port = if rest.ends_with(']') || !rest.contains(':') { ":80" } else { "" };
    let leads = format!("{rest}{port}").to_socket_addrs().is_ok_and(|mut places| places.next().is_some());
    if rest.is_empty() || rest.contains("://") || rest.contains(['/', '?', '#', '@', ' ']) || !leads {
        return Err(Failure::usage(
            "H-815",
            words(format!("\"{api}\" is no address of a daemon."), format!("「{api}」不是背景程式的位址。")),
            words(
                "Write it as http://127.0.0.1:8787: a number or a name that this computer knows, and a port.",
                "請寫成 http://127.0.0.1:8787：數字位址或這台電腦認得的名稱，加上連接埠。",
            ),
        ));
    }
    Ok(format!("http://{rest}"))
}

fn read_token(path: &Path) -> Result<String, Failure> {
    let error = match std::fs::read_to_string(path) {
        // Anything else could not be said in a header, and no daemon makes such a token.
        Ok(text) if !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_graphic()) => {
            return Ok(text.trim().to_owned());
        }
        Ok(_) => ErrorKind::InvalidData.into(),
        Err(error) => error,
    };
    let shown = path.display();
    if error.kind() == ErrorKind::InvalidData {
        return Err(Failure::usage(
            "H-816",
            words(format!("There is no token in {shown}."), format!("{shown} 裡面沒有權杖。")),
            words(
                "Name the `token_file` of the daemon's configuration; it holds 64 hex digits.",
                "請指定背景程式設定中的 `token_file`；內容是 64 個十六進位數字。",
            ),
        ));
    }
    let (exit, what) = if error.kind() == ErrorKind::NotFound {
        (Exit::NotFound, words(format!("There is no token file {shown}."), format!("沒有權杖檔 {shown}。")))
    } else if error.kind() == ErrorKind::PermissionDenied {
        (Exit::Refused, words(format!("You may not read the token file {shown}."), format!("您無權讀取權杖檔 {shown}。")))
    } else {
        let cause = cause_of(&error);
        (Exit::Failed, words(format!("Could not read {shown}: {}.", cause.en), format!("無法讀取 {shown}：{}。", cause.zh)))
    };
    Err(Failure::new(
        exit,
        "H-816",
        what,
        words("Without the token the daemon answers nobody.", "沒有權杖，背景程式不會回應任何人。"),
        words(
            "Name the `token_file` of the daemon's configuration. The daemon makes it at its first start, for its own user: start it, or run this as that user.",
            "請指定背景程式設定中的 `token_file`。背景程式第一次啟動時會為自己的使用者建立此檔：請先啟動它，或以該使用者執行。",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_with_and_without_scheme() {
        assert_eq!(base_url("127.0.0.1:8787").unwrap(), "http://127.0.0.1:8787");
        assert_eq!(base_url("http://[::1]:8787/").unwrap(), "http://[::1]:8787");
        for wrong in ["", "https://x", "http://a/b", "http://a b", "nobody.invalid", "127.0.0.1:99999", "127.0.0.1:", "[::1"] {
            assert_eq!(base_url(wrong).unwrap_err().exit(), Exit::Usage, "{wrong}");
        }
    }

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(path_part("R-7Q4K"), "R-7Q4K");
        assert_eq!(path_part("1-2.0#5/甲"), "1-2.0%235%2F%E7%94%B2");
    }
}
