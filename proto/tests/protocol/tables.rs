//! The tables of `PROTOCOL.md` against the code: a row more, less or other than the code's is an error that shows the right table.

use holdfast_proto::config::*;
use holdfast_proto::domain::authority::{FOR_PERSONS, Right, right};
use holdfast_proto::domain::fact::order::CAUSES;
use holdfast_proto::domain::fact::supply;
use holdfast_proto::domain::fact::{
    DESK_BYTES_MAX, FACTS_PER_ACKNOWLEDGE, FactKind, LINES_MAX, NOTE_BYTES_MAX, OTHER_BYTES_MAX, PRIORITIES,
};
use holdfast_proto::domain::field::{Choice, FIELDS, Kind};
use holdfast_proto::domain::item::{CODE_BYTES_MAX, COUNT_MAX, LEVELS, STOCK_VALID_S};
use holdfast_proto::domain::observation::{LIVE_MAX, OBSERVE_EVERY_MS, OBSERVE_IN_ROW};
use holdfast_proto::domain::reading::{BASES, VALID_S_MAX};
use holdfast_proto::domain::service::{AVAILABILITY, SERVICE_VALID_S, SERVICES};
use holdfast_proto::id::{Class, DocKind, ISSUER_MAX};
use holdfast_proto::identity::{DELEGATION_DAYS_MAX, NODE_DELEGATIONS_MAX, PINS_MAX, RealmKind, Region, Role, Tag};

use super::vectors::{Sample, name_of};

const TEXT: &str = include_str!("../../PROTOCOL.md");

type Rows = Vec<Vec<String>>;

/// The rows of the first table below a heading, without its head.
fn table(heading: &str) -> Rows {
    let start = TEXT.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("PROTOCOL.md has no heading `{heading}`"));
    let below = TEXT[start..].lines().skip(2).take_while(|line| !line.starts_with('#'));
    let lines = below.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    lines.skip(2).map(cells).collect()
}

#[track_caller]
fn same(heading: &str, code: Rows) {
    let said = table(heading);
    let width = code.first().map_or(0, Vec::len);
    let said: Rows = said.into_iter().map(|row| row.into_iter().take(width).collect()).collect();
    let show = |rows: &Rows| rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect::<String>();
    assert!(said == code, "the table below `{heading}` in PROTOCOL.md should be:\n{}", show(&code));
}

fn row<const N: usize>(cells: [&dyn ToString; N]) -> Vec<String> {
    cells.iter().map(|cell| cell.to_string()).collect()
}

fn words(words: &[Choice]) -> String {
    words.iter().map(|word| format!("{} {}", word.number, word.code)).collect::<Vec<_>>().join(", ")
}

#[test]
fn field_numbers() {
    let form = |value: &Kind| match value {
        Kind::Choice { words: list } => words(list),
        Kind::Integer { unit, decimals, max } => format!("integer 0..={max}, unit {unit}, decimals {decimals}"),
        Kind::Text { bytes_max } => format!("text, {bytes_max} B at most"),
    };
    let document = |kind| if kind == DocKind::Board { "board" } else { "detail" };
    let rows = FIELDS.iter().map(|f| row([&f.id, &f.name, &document(f.document), &(f.valid_s / 3_600), &form(&f.value)]));
    same("### Field numbers", rows.collect());
}

#[test]
fn service_numbers() {
    same("### Service numbers", SERVICES.iter().map(|service| row([&service.number, &service.code])).collect());
}

#[test]
fn short_lists_of_words() {
    let lists: [(&str, &[Choice]); 6] = [
        ("stock level", LEVELS),
        ("availability of a service", AVAILABILITY),
        ("basis", BASES),
        ("priority", PRIORITIES),
        ("cause of a mode", CAUSES),
        ("cause of a release", supply::CAUSES),
    ];
    let mut rows: Rows = lists.iter().map(|(name, list)| row([name, &words(list)])).collect();
    let kinds =
        [RealmKind::Actual, RealmKind::Exercise, RealmKind::Simulation].map(|kind| format!("{} {}", kind.code(), kind.text()));
    let roles = Role::ALL.map(|role| format!("{} {}", role.code(), role.text()));
    let regions: Vec<_> = Region::all().map(|region| format!("{} {}", region.index(), region.code())).collect();
    rows.extend([
        row([&"realm kind", &kinds.join(", ")]),
        row([&"role", &roles.join(", ")]),
        row([&"region", &regions.join(", ")]),
    ]);
    same("### Short lists of words", rows);
}

#[test]
fn fact_kinds() {
    same("### Fact kinds", FactKind::ALL.iter().map(|kind| row([&kind.number(), &kind.word()])).collect());
}

#[test]
fn rights() {
    let said = |role, kind| match right(role, kind) {
        Right::No => "no",
        Right::Own => "own",
        Right::OfOthers => "of others",
        Right::Asked => "asked",
        Right::Carrier => "carrier",
        Right::Consignee => "consignee",
        Right::Deputy => "deputy",
        Right::InItsRegions => "in its regions",
        Right::Yes => "yes",
    };
    let of = |kind: &FactKind| Role::ALL.map(|role| said(role, *kind));
    let rows = FactKind::ALL.iter().map(|kind| {
        let [store, hub, authority, guest] = of(kind);
        row([&kind.word(), &store, &hub, &authority, &guest])
    });
    same("### Rights", rows.collect());
}

#[test]
fn what_persons_may_be_given() {
    same("### Through persons", FOR_PERSONS.iter().map(|kind| row([&kind.number(), &kind.word()])).collect());
}

#[test]
fn classes() {
    let names = [(Class::FLASH, "flash"), (Class::URGENT, "urgent"), (Class::ROUTINE, "routine")];
    let names = names.into_iter().chain([(Class::DEFERRED, "deferred"), (Class::BULK, "bulk")]);
    same("### Classes", names.map(|(class, name)| row([&class.get(), &name])).collect());
    assert_eq!(Class::new(5), None);
}

#[test]
fn tags() {
    let tags = [
        Tag::Charter,
        Tag::Issuer,
        Tag::Node,
        Tag::Entry,
        Tag::Board,
        Tag::Detail,
        Tag::Revocation,
        Tag::Deputy,
        Tag::Delegation,
        Tag::Act,
        Tag::Guest,
    ];
    same("### Tags", tags.iter().map(|tag| row([&tag.text()])).collect());
}

#[test]
fn limits() {
    let days = FLOOR_AFTER.as_secs() / 86_400;
    let limits: &[(&str, u64)] = &[
        ("WIRE_VERSION", WIRE_VERSION.into()),
        ("FRAME_BYTES_MAX", FRAME_BYTES_MAX as u64),
        ("HEADER_BYTES_MAX", HEADER_BYTES_MAX as u64),
        ("BODY_BYTES_MAX", BODY_BYTES_MAX as u64),
        ("FACTS_MAX", FACTS_MAX as u64),
        ("BOARD_BYTES_MAX", BOARD_BYTES_MAX as u64),
        ("BOARD_BYTES_MAX_HUB", BOARD_BYTES_MAX_HUB as u64),
        ("BOARD_BYTES_KEPT", BOARD_BYTES_KEPT as u64),
        ("DETAIL_BYTES_MAX", DETAIL_BYTES_MAX as u64),
        ("DETAIL_BYTES_MAX_HUB", DETAIL_BYTES_MAX_HUB as u64),
        ("WINDOW_STORE", WINDOW_STORE.into()),
        ("WINDOW_HUB", WINDOW_HUB.into()),
        ("WINDOW_GUEST", WINDOW_GUEST.into()),
        ("FLOOR_AFTER (days)", days),
        ("FLOOR_PERCENT", FLOOR_PERCENT.into()),
        ("WINDOW_WARN_PERCENT", WINDOW_WARN_PERCENT.into()),
        ("AHEAD_RANGES_MAX", AHEAD_RANGES_MAX as u64),
        ("INCARNATIONS_MAX", INCARNATIONS_MAX as u64),
        ("INCARNATIONS_WARN", INCARNATIONS_WARN as u64),
        ("AUTHORS_MAX", AUTHORS_MAX as u64),
        ("ISSUER_MAX", ISSUER_MAX.into()),
        ("BUCKETS_FEW", BUCKETS_FEW as u64),
        ("BUCKETS_MANY", BUCKETS_MANY as u64),
        ("BUCKETS_FEW_MAX", BUCKETS_FEW_MAX as u64),
        ("LINKS_MAX", LINKS_MAX as u64),
        ("MEMBERS_MAX", MEMBERS_MAX as u64),
        ("STRANGERS_MAX", STRANGERS_MAX as u64),
        ("CANDIDATES_MAX", CANDIDATES_MAX as u64),
        ("QUOTA_EVERY (seconds)", QUOTA_EVERY.as_secs()),
        ("QUOTA_BURST", QUOTA_BURST.into()),
        ("QUOTA_EVERY_HUB (seconds)", QUOTA_EVERY_HUB.as_secs()),
        ("QUOTA_BURST_HUB", QUOTA_BURST_HUB.into()),
        ("QUOTA_SPARE_EVERY (milliseconds)", QUOTA_SPARE_EVERY.as_millis() as u64),
        ("QUOTA_SPARE", QUOTA_SPARE.into()),
        ("OUTBOX_MAX", OUTBOX_MAX as u64),
        ("PENDING_MAX", PENDING_MAX as u64),
        ("COMMANDS_MAX", COMMANDS_MAX as u64),
        ("FETCH_MAX", FETCH_MAX as u64),
        ("DESK_BYTES_MAX", DESK_BYTES_MAX as u64),
        ("NOTE_BYTES_MAX", NOTE_BYTES_MAX as u64),
        ("OTHER_BYTES_MAX", OTHER_BYTES_MAX as u64),
        ("LINES_MAX", LINES_MAX as u64),
        ("FACTS_PER_ACKNOWLEDGE", FACTS_PER_ACKNOWLEDGE as u64),
        ("CODE_BYTES_MAX", CODE_BYTES_MAX as u64),
        ("COUNT_MAX", COUNT_MAX),
        ("VALID_S_MAX (days)", u64::from(VALID_S_MAX) / 86_400),
        ("STOCK_VALID_S (hours)", u64::from(STOCK_VALID_S) / 3_600),
        ("SERVICE_VALID_S (hours)", u64::from(SERVICE_VALID_S) / 3_600),
        ("LIVE_MAX", LIVE_MAX as u64),
        ("OBSERVE_EVERY_MS (minutes)", OBSERVE_EVERY_MS.unsigned_abs() / 60_000),
        ("OBSERVE_IN_ROW", OBSERVE_IN_ROW.unsigned_abs()),
        ("DELEGATION_DAYS_MAX", DELEGATION_DAYS_MAX.into()),
        ("NODE_DELEGATIONS_MAX", NODE_DELEGATIONS_MAX.into()),
        ("PINS_MAX", PINS_MAX as u64),
        ("GREETING_BYTES_MAX", holdfast_proto::control::person::GREETING_BYTES_MAX as u64),
    ];
    same("## 14 Limits", limits.iter().map(|(name, value)| row([name, value])).collect());
}

#[test]
fn messages() {
    let rows = Sample::make().messages.iter().enumerate().map(|(number, m)| row([&number, &name_of(m), &fields_of(m)])).collect();
    let said: Rows =
        table("### Messages").into_iter().map(|row| vec![row[0].clone(), row[1].clone(), names_in(&row[2])]).collect();
    let show = |rows: &Rows| rows.iter().map(|row| format!("| {} |\n", row.join(" | "))).collect::<String>();
    assert!(said == rows, "`Messages` in PROTOCOL.md should name:\n{}", show(&rows));
}

/// The fields of a message as its debug form has them.
fn fields_of(message: &impl std::fmt::Debug) -> String {
    let shown = format!("{message:?}");
    let inner = shown.split_once("{ ").map_or("", |(_, inner)| inner);
    let (mut depth, mut names, mut word) = (0_usize, Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for c in inner.chars() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' | '(' if !quoted => depth += 1,
            '}' | ']' | ')' if !quoted => depth = depth.saturating_sub(1),
            ':' if depth == 0 && !quoted => names.push(std::mem::take(&mut word)),
            c if c.is_alphanumeric() || c == '_' => word.push(c),
            _ => word.clear(),
        }
    }
    names.join(", ")
}

/// The field names of a cell such as `nonce: integer; root: 16 B`.
fn names_in(cell: &str) -> String {
    cell.split(';').filter_map(|part| part.split_once(':')).map(|(name, _)| name.trim()).collect::<Vec<_>>().join(", ")
}
