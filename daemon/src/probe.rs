//! Asks the central systems from time to time whether they are there, and nothing else: no answer of theirs is read beyond that it is
//! one. What follows from silence is the node's (`crisis`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// `HTTP/1.1 200`: as much as is read.
const STATUS_BYTES: usize = 12;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whether somebody takes a connection there; also what an `https` address comes to: its certificate is nobody's business here.
    Tcp {
        /// `HOST:PORT`.
        at: String,
    },
    /// Whether a server answers a GET with anything below 500.
    Http {
        /// `HOST:PORT`.
        at: String,
        /// As in the address line.
        host: String,
        /// Begins with `/`.
        path: String,
    },
}

/// Not something that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTarget;

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        let text = text.trim();
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(NoTarget);
        }
        let with_port = |host: &str, port: Option<u16>| {
            let bare = host
                .rsplit_once(':')
                .filter(|(name, digits)| !name.is_empty() && digits.parse::<u16>().is_ok_and(|port| port > 0));
            match (bare, port) {
                (Some(_), _) => Ok(host.to_owned()),
                (None, Some(port)) if !host.is_empty() && !host.ends_with(':') => Ok(format!("{host}:{port}")),
                _ => Err(NoTarget),
            }
        };
        if let Some(rest) = text.strip_prefix("http://") {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let path = if path.is_empty() { "/" } else { path };
            return Ok(Self::Http { at: with_port(host, Some(80))?, host: host.to_owned(), path: path.to_owned() });
        }
        let (rest, port) = match text.strip_prefix("https://") {
            Some(rest) => (rest.split('/').next().unwrap_or_default(), Some(443)),
            None => (text.strip_prefix("tcp://").unwrap_or(text), None),
        };
        Ok(Self::Tcp { at: with_port(rest, port)? })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { at } => write!(f, "tcp://{at}"),
            Self::Http { host, path, .. } => write!(f, "http://{host}{path}"),
        }
    }
}

impl Target {
    /// Whether it answers now.
    async fn answers(&self) -> bool {
        timeout(ANSWER_MAX, self.ask()).await.is_ok_and(|answered| answered.unwrap_or(false))
    }

    async fn ask(&self) -> std::io::Result<bool> {
        match self {
            Self::Tcp { at } => TcpStream::connect(at).await.map(|_| true),
            Self::Http { at, host, path } => {
                let mut stream = TcpStream::connect(at).await?;
                let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: holdfast\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).await?;
                let mut status = [0; STATUS_BYTES];
                stream.read_exact(&mut status).await?;
                Ok(status.starts_with(b"HTTP/1.") && matches!(status[9], b'1'..=b'4'))
            }
        }
    }
}

/// A target and how often it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// What.
    pub target: Target,
    /// How often.
    pub every: Duration,
}

/// Asks until nobody listens any more. Without settings nothing is asked.
pub(crate) fn spawn(settings: Option<ProbeSettings>) -> mpsc::Receiver<bool> {
    let (told, answers) = mpsc::channel(1);
    let Some(ProbeSettings { target, every }) = settings else { return answers };
    tokio::spawn(async move {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let answered = target.answers().await;
            tracing::debug!(%target, answered, "the central systems were asked");
            if told.send(answered).await.is_err() {
                return;
            }
        }
    });
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_people_write_it() {
        let tcp = |at: &str| Ok(Target::Tcp { at: at.to_owned() });
        assert_eq!("eoc.example:443".parse(), tcp("eoc.example:443"));
        assert_eq!("tcp://192.0.2.1:22".parse(), tcp("192.0.2.1:22"));
        assert_eq!("https://eoc.example/health".parse(), tcp("eoc.example:443"));
        assert_eq!("https://eoc.example:8443".parse(), tcp("eoc.example:8443"));
        assert_eq!("[2001:db8::1]:443".parse(), tcp("[2001:db8::1]:443"));
        let http = "http://eoc.example:8080/a?b=c".parse::<Target>().unwrap();
        assert_eq!(http.to_string(), "http://eoc.example:8080/a?b=c");
        for wrong in
            ["", "eoc.example", "eoc.example:", "eoc.example:0", "http://", "eoc.example:99999", "a b:1", "http://x\r\ny/"]
        {
            assert_eq!(wrong.parse::<Target>(), Err(NoTarget), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_counts_and_a_refusal_a_silence_and_a_broken_server_do_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let http: Target = format!("http://{at}/health").parse().unwrap();
        let tcp: Target = at.to_string().parse().unwrap();
        let server = tokio::spawn(async move {
            for answer in ["", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Broken\r\n\r\n", "hello, who is there?"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                if answer.is_empty() {
                    continue;
                }
                let mut asked = [0; 16];
                stream.read_exact(&mut asked).await.unwrap();
                assert!(asked.starts_with(b"GET /health HTTP"));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        assert!(tcp.answers().await);
        assert!(http.answers().await);
        assert!(!http.answers().await, "a server that is broken is not there for anybody");
        assert!(!http.answers().await, "no HTTP");
        server.await.unwrap();
        assert!(!tcp.answers().await, "refused");
    }
}
