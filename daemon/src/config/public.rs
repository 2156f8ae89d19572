//! The section `[public]`: the board that anybody on the shop's network may read.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Faults;

/// Longest address that a poster carries: beyond it a code gets too fine to be scanned from a step away.
const ADDRESS_BYTES_MAX: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPublic {
    listen: Option<SocketAddr>,
    address: Option<String>,
}

/// The public's board, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PublicSettings {
    /// Where it listens, if it does.
    pub listen: Option<SocketAddr>,
    /// What people type or scan, where that is not what the board itself sees.
    pub address: Option<String>,
}

impl RawPublic {
    pub(super) fn check(self, api: SocketAddr, faults: &mut Faults<'_>) -> PublicSettings {
        if let Some(listen) = self.listen {
            let typed = listen.to_string();
            if listen.port() == 0 {
                let expected = (
                    "visitors must know the port: give one, such as 0.0.0.0:8080",
                    "訪客必須知道連接埠：請填寫，例如 0.0.0.0:8080",
                );
                faults.note("public", "listen", &typed, expected);
            }
            if listen.port() == api.port() && listen.port() != 0 {
                let expected = (
                    "that is the port of [api] listen, which is for the staff alone: give the board another one, such as 0.0.0.0:8080",
                    "這是 [api] listen 的連接埠，只供店員使用：請給看板另一個，例如 0.0.0.0:8080",
                );
                faults.note("public", "listen", &typed, expected);
            }
        }
        if let Some(address) = self.address.as_deref().filter(|address| !is_address(address)) {
            let expected = (
                format!(
                    "it must be what visitors type, such as http://192.168.1.20:8080/, at most {ADDRESS_BYTES_MAX} characters"
                ),
                format!("應為訪客輸入的網址，例如 http://192.168.1.20:8080/，最多 {ADDRESS_BYTES_MAX} 個字元"),
            );
            faults.note("public", "address", address, (&expected.0, &expected.1));
        }
        PublicSettings { listen: self.listen, address: self.address }
    }
}

/// `http://HOST[:PORT]/...`, in plain letters, without a person's name in it.
fn is_address(address: &str) -> bool {
    let plain = address.len() <= ADDRESS_BYTES_MAX && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    let parsed = address.parse::<axum::http::Uri>().ok().filter(|_| plain);
    parsed.is_some_and(|uri| {
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        host && web && uri.query().is_none() && !address.contains(['@', '#'])
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::faults_of;

    #[test]
    fn what_can_not_be_a_board_at_a_door_is_told_with_its_line() {
        for (bad, hint) in [
            ("listen = \"0.0.0.0:0\"", "must know the port"),
            ("listen = \"0.0.0.0:8787\"", "for the staff alone"),
            ("listen = \"the door\"", "an IP address and a port"),
            ("listen = \"0.0.0.0\"", "an IP address and a port"),
            ("address = \"192.168.1.20\"", "http://192.168.1.20:8080/"),
            ("address = \"ftp://192.168.1.20/\"", "http://192.168.1.20:8080/"),
            ("address = \"http://me@192.168.1.20/\"", "http://192.168.1.20:8080/"),
            ("address = \"http://192.168.1.20/?x\"", "http://192.168.1.20:8080/"),
            ("address = \"http://看板/\"", "http://192.168.1.20:8080/"),
            (&*format!("address = \"http://192.168.1.20/{}\"", "x".repeat(100)), "at most 100"),
        ] {
            let faults = faults_of(&format!("[public]\n{bad}\n"));
            assert!(faults.len() == 1 && faults[0].starts_with("line 7") && faults[0].contains(hint), "{bad}: {faults:?}");
        }
        for good in [
            "listen = \"0.0.0.0:8080\"",
            "listen = \"[::]:80\"",
            "address = \"http://192.168.1.20:8080/\"",
            "address = \"https://board.example/taipei\"",
        ] {
            assert!(faults_of(&format!("[public]\n{good}\n")).is_empty(), "{good}");
        }
    }
}
