//! The radio for people: one line, and a warning where something is wrong.

use holdfast_proto::control::{HeardView, NodeName, RadioView, Warning};
use holdfast_proto::id::NodeId;

use super::RadioState;
use crate::code::Code;

/// What the API tells of the radio. `waits`: words and bytes that the node has for it; `name`: of a node, empty where unknown.
#[must_use]
pub fn radio_view(state: &RadioState, waits: (usize, usize), name: impl Fn(NodeId) -> String) -> (RadioView, Option<Warning>) {
    let report = &state.report;
    let named = |node: NodeId| NodeName { id: node.to_string(), name: name(node) };
    let heard: Vec<HeardView> =
        report.heard.iter().map(|(node, ago)| HeardView { node: named(*node), ago_s: ago.as_secs() }).collect();
    let waiting = u32::try_from(waits.0 + usize::from(report.waiting > 0)).unwrap_or(u32::MAX);
    let bytes = waits.1.saturating_add(report.waiting.saturating_mul(100));
    let wait_s = u64::try_from(bytes).unwrap_or(u64::MAX) / u64::from(report.pace_now);
    let hour_percent = report.used / 10_000;
    let warning = match &state.trouble {
        Some(trouble) => {
            let words = trouble.words(&state.port);
            Some(Warning { code: trouble.code().to_string(), en: words.en, zh: words.zh })
        }
        None => report.deaf.then(|| deaf(&state.port)),
    };
    let (en, zh) = line(state.trouble.is_none(), heard.first(), heard.len(), hour_percent, (waiting, wait_s));
    let view = RadioView {
        port: state.port.clone(),
        open: state.trouble.is_none(),
        heard,
        hour_percent,
        waiting,
        wait_s,
        sent: report.sent,
        received: report.received,
        noise: report.noise,
        en,
        zh,
    };
    (view, warning)
}

fn deaf(port: &str) -> Warning {
    Warning {
        code: Code::RadioDeaf.to_string(),
        en: format!(
            "The modem on {port} takes everything and not one byte ever came from it: nobody is in range, or it sends nothing. Look \
             whether it keys the radio; check cable, [radio] baud and framing."
        ),
        zh: format!(
            "{port} 的數據機收下所有資料，卻從未傳回任何位元組：可能無人在通訊範圍內，或它根本沒有發射。請看它是否啟動發射，並檢查接線、\
             [radio] 的 baud 與 framing。"
        ),
    }
}

fn line(open: bool, last: Option<&HeardView>, heard: usize, percent: u32, (waiting, wait_s): (u32, u64)) -> (String, String) {
    let (en, zh) = match (open, last) {
        (false, _) => ("the port is not open".to_owned(), "連接埠未開啟".to_owned()),
        (true, None) => ("nobody heard yet".to_owned(), "尚未收到任何電台".to_owned()),
        (true, Some(last)) => {
            let who = if last.node.name.is_empty() { &last.node.id } else { &last.node.name };
            let (more_en, more_zh) = match heard - 1 {
                0 => (String::new(), String::new()),
                more => (format!(" and {more} more"), format!("，另有 {more} 台")),
            };
            let (ago_en, ago_zh) = span(last.ago_s);
            (format!("heard {who} {ago_en} ago{more_en}"), format!("{ago_zh}前收到 {who}{more_zh}"))
        }
    };
    let (wait_en, wait_zh) = span(wait_s);
    let (waits_en, waits_zh) = match waiting {
        0 => ("nothing waits".to_owned(), "沒有待送".to_owned()),
        some => (format!("{some} waiting, about {wait_en}"), format!("{some} 則待送，約 {wait_zh}")),
    };
    (
        format!("radio: {en}; the hour is {percent} % full; {waits_en}"),
        format!("無線電：{zh}；本小時已用 {percent} %；{waits_zh}"),
    )
}

fn span(seconds: u64) -> (String, String) {
    match seconds {
        0..120 => (format!("{seconds} s"), format!("{seconds} 秒")),
        120..7_200 => (format!("{} min", seconds / 60), format!("{} 分鐘", seconds / 60)),
        _ => (format!("{} h", seconds / 3_600), format!("{} 小時", seconds / 3_600)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_proto::link::radio::station::Report;

    use super::super::Trouble;
    use super::*;

    fn state(report: Report, trouble: Option<Trouble>) -> RadioState {
        RadioState { port: "/dev/ttyUSB0".to_owned(), trouble, report }
    }

    #[test]
    fn staff_sees_in_one_line_whether_the_radio_hears_anybody() {
        let heard = |n| (NodeId { issuer: 1, serial: n }, Duration::from_secs(u64::from(n)));
        let report = Report { heard: vec![heard(2), heard(9)], used: 140_000, pace_now: 15, ..Report::default() };
        let name = |node: NodeId| if node.serial == 2 { "Hub B".to_owned() } else { String::new() };
        let (view, warning) = radio_view(&state(report, None), (3, 600), name);
        assert_eq!(view.en, "radio: heard Hub B 2 s ago and 1 more; the hour is 14 % full; 3 waiting, about 40 s");
        assert_eq!(view.zh, "無線電：2 秒前收到 Hub B，另有 1 台；本小時已用 14 %；3 則待送，約 40 秒");
        assert_eq!((warning, view.heard[1].node.id.as_str()), (None, "1-9"));
        let report = Report { pace_now: 15, ..Report::default() };
        let (view, _) = radio_view(&state(report, None), (0, 0), name);
        assert_eq!(view.en, "radio: nobody heard yet; the hour is 0 % full; nothing waits");
    }

    #[test]
    fn a_port_that_is_not_there_and_one_that_hears_nothing_are_told() {
        let report = Report { deaf: true, pace_now: 15, ..Report::default() };
        let (view, warning) = radio_view(&state(report.clone(), Some(Trouble::Missing)), (0, 0), |_| String::new());
        assert!(!view.open && warning.is_some_and(|warning| warning.code == "H-751"));
        let (view, warning) = radio_view(&state(report, None), (0, 0), |_| String::new());
        assert!(view.open && warning.is_some_and(|warning| warning.code == "H-757"));
    }
}
