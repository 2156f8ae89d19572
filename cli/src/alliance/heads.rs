//! `alliance heads`: what a daemon holds last of a node's logbooks, so that whoever revokes its key can say what still counts.

use holdfast_proto::control::person::unhex;
use holdfast_proto::control::{HeadView, HeadsView};
use holdfast_proto::id::Incarnation;
use holdfast_proto::identity::Cut;

use crate::client::path_part;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::target::{self, Wish};
use crate::text::clean;

/// `alliance heads`.
///
/// # Errors
/// No daemon answers, or it does not know the node.
pub(super) fn heads(desk: &mut Desk<'_>, wish: &Wish, id: &str) -> Result<Exit, Failure> {
    // The folder is the alliance's, not a demo's.
    let wish = Wish { dir: None, ..wish.clone() };
    let (target, client) = target::open(desk, &wish)?;
    target::tell_default(desk, &target);
    let view = client.ask::<HeadsView>(&format!("/api/v1/heads/{}", path_part(id)))?;
    if desk.json {
        desk.object(&serde_json::json!(view));
        return Ok(Exit::Done);
    }
    let [count, giver] = view.generation;
    let name = clean(&view.node.name);
    desk.say(
        &desk.lang.of(
            format!("{} {name}, key {count}.{giver}", view.node.id),
            format!("{} {name}，金鑰 {count}.{giver}", view.node.id),
        ),
    );
    let lines: Vec<String> = view.logbooks.iter().flat_map(|head| lines(desk, head)).collect();
    if lines.is_empty() {
        desk.say(desk.lang.of("  nothing of it is held here", "  這裡沒有它的任何紀錄"));
    }
    desk.say_all(lines);
    Ok(Exit::Done)
}

fn lines(desk: &Desk<'_>, head: &HeadView) -> Vec<String> {
    let [count, random] = head.incarnation;
    let life = format!("{count}-{random:04x}");
    let mut lines = Vec::new();
    if head.number > 0 {
        lines.push(format!("  --cut {life}/{}/{}", head.number, head.hash));
    }
    if let Some((number, stories)) = &head.forked {
        lines.push(desk.lang.of(
            format!("  two stories from number {number} on: frozen below. One of them is settled by"),
            format!("  自編號 {number} 起有兩種說法，已凍結在此之前。擇一即可了結："),
        ));
        lines.extend(stories.iter().map(|hash| format!("    --cut {life}/{number}/{hash}")));
    }
    lines
}

/// What still counts, as typed.
///
/// # Errors
/// One of them is not as `alliance heads` shows it, or a life is named twice.
pub(super) fn cuts(typed: &[String]) -> Result<Vec<Cut>, Failure> {
    let mut cuts = typed.iter().map(|text| cut(text).ok_or_else(|| no_cut(text))).collect::<Result<Vec<Cut>, Failure>>()?;
    cuts.sort_unstable();
    match cuts.windows(2).position(|pair| pair[0].incarnation == pair[1].incarnation) {
        Some(twice) => Err(no_cut(&typed[twice])),
        None => Ok(cuts),
    }
}

fn cut(text: &str) -> Option<Cut> {
    let mut parts = text.trim().split('/');
    let (life, number, hash) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let (count, random) = life.split_once('-')?;
    let incarnation = Incarnation { count: count.parse().ok()?, random: u16::from_str_radix(random, 16).ok()? };
    let cut = Cut { incarnation, number, hash: unhex(&hash.to_ascii_lowercase())? };
    Some(cut).filter(|cut| cut.number > 0 && parts.next().is_none())
}

fn no_cut(text: &str) -> Failure {
    let text = clean(text);
    Failure::usage(
        "H-850",
        words(
            format!("\"{text}\" names no last word, or a life that another names."),
            format!("「{text}」不是最後一筆的寫法，或同一段紀錄寫了兩次。"),
        ),
        words(
            "Write LIFE/NUMBER/HASH as `holdfast alliance heads ID` prints it, one for each life.",
            "請照 `holdfast alliance heads 代號` 顯示的內容填寫 紀錄/編號/雜湊，每段紀錄一次。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_as_it_is_shown_and_nothing_else_is_one() {
        let hash = "00112233445566778899aabbccddeeff";
        let good = cuts(&[format!("2-00ff/7/{hash}"), format!(" 1-7f3a/41/{}", hash.to_uppercase())]).expect("reads");
        let lives: Vec<(u16, u16, u32)> =
            good.iter().map(|cut| (cut.incarnation.count, cut.incarnation.random, cut.number)).collect();
        assert_eq!(lives, [(1, 0x7f3a, 41), (2, 0xff, 7)]);
        for bad in [
            "",
            "1-7f3a/41",
            "1-7f3a/0/00112233445566778899aabbccddeeff",
            "1.7f3a/41/00112233445566778899aabbccddeeff",
            "1-7f3a/41/0011",
            "1-7f3a/41/00112233445566778899aabbccddeeff/1",
        ] {
            assert!(cuts(&[bad.to_owned()]).is_err(), "{bad:?}");
        }
        let twice = [format!("1-7f3a/41/{hash}"), format!("1-7f3a/42/{hash}")];
        assert!(cuts(&twice).is_err());
    }
}
