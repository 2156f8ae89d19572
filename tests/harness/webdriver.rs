//! A headless browser driven over plain WebDriver HTTP, with every host but loopback blocked.

use std::fs::write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::skip::artefacts;
use crate::wait::{SOON, eventually};

/// Key under which WebDriver names an element. W3C WebDriver, section 12.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running `chromedriver`; ended when dropped, after its browsers.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    base: String,
    agent: ureq::Agent,
}

impl Driver {
    /// Starts the installed `chromedriver`.
    ///
    /// # Errors
    /// What is not installed.
    pub fn start() -> Result<Self, String> {
        for program in ["chromedriver", "chromium"] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            found.map_err(|_| format!("{program} (Debian packages chromium chromium-driver)"))?;
        }
        let port = crate::free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|e| format!("chromedriver: {e}"))?;
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(60))).build();
        let driver = Self { child, base: format!("http://127.0.0.1:{port}"), agent: config.into() };
        eventually(SOON, "chromedriver answers", || {
            let mut answer = driver.agent.get(format!("{}/status", driver.base)).call().map_err(|e| e.to_string())?;
            let value: Value = answer.body_mut().read_json().map_err(|e| e.to_string())?;
            if value["value"]["ready"] == json!(true) { Ok(()) } else { Err(value.to_string()) }
        });
        Ok(driver)
    }

    /// Opens a browser window of the given size, in the given language such as `zh-TW`.
    ///
    /// # Panics
    /// If the browser does not start.
    #[must_use]
    pub fn open(&self, language: &str, width: u32, height: u32) -> Browser<'_> {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            // Nothing but loopback can be reached: the page must need no internet.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--accept-lang={language}"),
            format!("--lang={language}"),
        ];
        let options = json!({ "args": arguments, "prefs": { "intl.accept_languages": language } });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = self.call("POST", "/session", &wanted).expect("a headless browser starts");
        let session = answer["sessionId"].as_str().expect("a session has an id").to_owned();
        let browser = Browser { driver: self, session, _profile: profile };
        // A headless window is at least 500 pixels wide, whatever was asked for: the page is told the width of a phone this way.
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.pretend("Emulation.setDeviceMetricsOverride", &screen);
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.base);
        let result = match method {
            "GET" => self.agent.get(url).call(),
            "DELETE" => self.agent.delete(url).call(),
            _ => self.agent.post(url).send_json(body),
        };
        let mut answer = result.map_err(|e| e.to_string())?;
        let status = answer.status().as_u16();
        let mut value: Value = answer.body_mut().with_config().limit(64 << 20).read_json().map_err(|e| e.to_string())?;
        if status == 200 { Ok(value["value"].take()) } else { Err(value["value"]["message"].to_string()) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One browser window; closed when dropped.
#[derive(Debug)]
pub struct Browser<'a> {
    driver: &'a Driver,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.driver.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn pretend(&self, what: &str, params: &Value) {
        let told = json!({ "cmd": what, "params": params });
        self.call("POST", "/goog/cdp/execute", &told).expect("the browser pretends");
    }

    /// From the next page on no script of a page runs.
    ///
    /// # Panics
    /// If the browser can't.
    pub fn without_scripts(&self) {
        self.pretend("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Shows pages as at night, or as they would be printed (`screen` or `print`).
    ///
    /// # Panics
    /// If the browser can't.
    pub fn look(&self, medium: &str, dark: bool) {
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.pretend("Emulation.setEmulatedMedia", &json!({ "media": medium, "features": [scheme] }));
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// If the page can't be loaded.
    #[track_caller]
    pub fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url })).expect("the page loads");
    }

    /// Runs a function body in the page and gives back what it returns.
    ///
    /// # Errors
    /// What the browser says.
    pub fn script(&self, body: &str, args: &[Value]) -> Result<Value, String> {
        self.call("POST", "/execute/sync", &json!({ "script": body, "args": args }))
    }

    /// All visible text of the page.
    ///
    /// # Errors
    /// What the browser says.
    pub fn text(&self) -> Result<String, String> {
        let text = self.script("return document.body.innerText", &[])?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the visible text has `part`.
    ///
    /// # Panics
    /// After `limit`, with the text.
    #[track_caller]
    pub fn wait_text(&self, part: &str, limit: Duration) {
        eventually(limit, &format!("the page says {part:?}"), || {
            let text = self.text()?;
            if text.contains(part) { Ok(()) } else { Err(text) }
        });
    }

    fn element(&self, css: &str) -> Result<String, String> {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": css }))?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| found.to_string())
    }

    /// Waits until an element is there, scrolls to it and clicks it as a person would: it must be visible and not covered.
    ///
    /// # Panics
    /// If it never can be clicked.
    #[track_caller]
    pub fn click(&self, css: &str) {
        eventually(SOON, &format!("{css} can be clicked"), || {
            let element = self.element(css)?;
            self.script("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", &[json!({ ELEMENT: element })])?;
            self.call("POST", &format!("/element/{element}/click"), &json!({}))
        });
    }

    /// Waits until an element is there and types into it.
    ///
    /// # Panics
    /// If it never can be typed into.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        eventually(SOON, &format!("{css} can be typed into"), || {
            let element = self.element(css)?;
            self.call("POST", &format!("/element/{element}/clear"), &json!({}))?;
            self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text }))
        });
    }

    /// What the page wrote on the console at level SEVERE: broken scripts, blocked requests.
    ///
    /// # Errors
    /// What the browser says.
    pub fn errors(&self) -> Result<Vec<String>, String> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }))?;
        let lines = log.as_array().cloned().unwrap_or_default();
        Ok(lines.iter().filter(|l| l["level"] == "SEVERE").map(|l| l["message"].to_string()).collect())
    }

    /// Saves a picture of the window as `NAME.png` among the artefacts.
    ///
    /// # Panics
    /// If it can't be taken or written.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let picture = self.call("GET", "/screenshot", &Value::Null).expect("a screenshot");
        let bytes = base64(picture.as_str().unwrap_or_default());
        let path = artefacts().join(format!("{name}.png"));
        write(&path, bytes).expect("the screenshot can be written");
        path
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        let _ = self.call("DELETE", "", &Value::Null);
    }
}

/// Base64 without padding checks: WebDriver is the only source.
fn base64(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held).to_le_bytes()[0]);
            bits &= (1 << held) - 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_gives_the_bytes_back() {
        assert_eq!(base64("aG9sZGZhc3Q="), b"holdfast");
    }
}
