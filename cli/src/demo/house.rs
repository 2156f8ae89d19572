//! The folder of a demo: claimed, furnished with certificates and configurations made on the spot, and removed without a trace.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use holdfast_proto::identity::{
    Alliance, AlliancePlan, ArmorKind, FirmPlan, NodePlan, RealmKind, Region, Role, armor, found_alliance,
};
use jiff::Timestamp;

use super::Plan;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::target::{DemoFile, DemoNode};

/// Ports of sync links start so far above the base.
const SYNC_ABOVE: u16 = 100;
/// The public board of a node: TCP, where sync has the same number of UDP.
const BOARD_ABOVE: u16 = SYNC_ABOVE;
/// Ports of gossip links start so far above the base.
const GOSSIP_ABOVE: u16 = 200;
/// Bits a second on the air of a demo.
pub(super) const RADIO_RATE: u32 = 1_200;
/// From the key to the first bit there.
pub(super) const RADIO_KEY_UP_MS: u64 = 300;
/// Days the certificates of a demo last; it lives for hours.
const DAYS: u32 = 30;
/// Node b is the hub.
const HUB_PLACE: u16 = 1;
/// What stands in the folder beside the nodes' own.
const OWN_FILES: [&str; 3] = ["demo.json", "demo.json.new", "control.sock"];
/// Letters and shops of the nodes, in order.
const PLACES: [(&str, &str); 9] = [
    ("a", "Store A 甲店"),
    ("b", "Hub B 乙倉"),
    ("c", "Store C 丙店"),
    ("d", "Store D 丁店"),
    ("e", "Store E 戊店"),
    ("f", "Store F 己店"),
    ("g", "Store G 庚店"),
    ("h", "Store H 辛店"),
    ("i", "Store I 壬店"),
];

/// A folder that is ours until [`Folder::remove`].
#[derive(Debug)]
pub(super) struct Folder {
    /// Where.
    pub(super) dir: PathBuf,
    /// Folders that were not there before, deepest first; `dir` itself may be among them.
    pub(super) made: Vec<PathBuf>,
}

impl Folder {
    /// Takes the folder: new, empty, or left by a demo that died. Anything else stays untouched.
    ///
    /// # Errors
    /// It holds something else, or can't be made.
    pub(super) fn claim(dir: &Path) -> Result<Self, Failure> {
        let mut made = Vec::new();
        let mut above = Some(dir);
        while let Some(path) = above.filter(|path| !path.as_os_str().is_empty() && !path.exists()) {
            made.push(path.to_owned());
            above = path.parent();
        }
        files::folder(dir)?;
        let mut folder = Self { dir: dir.to_owned(), made };
        if folder.is_empty()? {
            return Ok(folder);
        }
        // What a dead demo had made for itself becomes ours to remove.
        folder.made = DemoFile::read(dir).map(|file| file.made).unwrap_or_default();
        folder.made.retain(|path| dir.starts_with(path));
        folder.sweep();
        if folder.is_empty()? { Ok(folder) } else { Err(foreign(dir)) }
    }

    fn is_empty(&self) -> Result<bool, Failure> {
        let mut entries =
            std::fs::read_dir(&self.dir).map_err(|error| Failure::file("H-862", ("read", "讀取"), &self.dir, &error))?;
        Ok(entries.next().is_none())
    }

    /// Removes what a demo makes; nothing where no demo has been.
    fn sweep(&self) {
        let left: Vec<String> =
            DemoFile::read(&self.dir).map(|file| file.nodes.into_iter().map(|node| node.name).collect()).unwrap_or_default();
        for (letter, _) in PLACES.iter().filter(|(letter, _)| left.iter().any(|name| name == letter)) {
            drop(std::fs::remove_dir_all(self.dir.join(letter)));
        }
        for file in OWN_FILES {
            drop(std::fs::remove_file(self.dir.join(file)));
        }
    }

    /// Removes what was made, and the folders above as far as they were made for it and are empty.
    pub(super) fn remove(&self) {
        self.sweep();
        for path in &self.made {
            // Only empty ones go: what somebody put there meanwhile stays.
            drop(std::fs::remove_dir(path));
        }
    }
}

fn foreign(dir: &Path) -> Failure {
    let shown = dir.display();
    Failure::new(
        Exit::Failed,
        "H-881",
        words(format!("The folder {shown} holds things that are no demo's."), format!("資料夾 {shown} 內有不屬於示範的檔案。")),
        words(
            "The demo removes its folder when it ends, so it takes only an empty or new one.",
            "示範結束時會移除其資料夾，因此只使用空的或新的資料夾。",
        ),
        words("Give another folder: --dir DIR.", "請用 --dir 指定另一個資料夾。"),
    )
}

/// The nodes of a plan as `demo.json` names them; none runs yet.
pub(super) fn nodes(plan: &Plan) -> Vec<DemoNode> {
    PLACES
        .iter()
        .take(usize::from(plan.nodes))
        .zip(0_u16..)
        .map(|((letter, _), place)| {
            let folder = plan.dir.join(letter);
            DemoNode {
                name: (*letter).to_owned(),
                id: format!("1-{}", place + 1),
                api: format!("http://127.0.0.1:{}", plan.port_base + place),
                token_file: folder.join("api.token"),
                pid: None,
                config: folder.join("holdfast.toml"),
            }
        })
        .collect()
}

/// The name people read on a node's certificate.
pub(super) fn shop(place: usize) -> &'static str {
    PLACES.get(place).map_or("", |(_, name)| name)
}

/// Refuses a taken port before anything is made.
///
/// # Errors
/// Names the port and what to do.
pub(super) fn check_ports(plan: &Plan) -> Result<(), Failure> {
    for place in 0..u16::from(plan.nodes) {
        let api = plan.port_base + place;
        for port in [api, api + BOARD_ABOVE] {
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
                return Err(taken(port, "tcp"));
            }
        }
        for port in [api + SYNC_ABOVE, api + GOSSIP_ABOVE] {
            if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
                return Err(taken(port, "udp"));
            }
        }
    }
    Ok(())
}

fn taken(port: u16, kind: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-882",
        words(format!("Port {port}/{kind} is in use by another program."), format!("連接埠 {port}/{kind} 正被另一個程式使用。")),
        words("The demo was not started; nothing was made.", "示範沒有啟動，也沒有建立任何檔案。"),
        words(
            "End the other program (perhaps another demo), or choose other ports: --port-base 9787.",
            "請關閉該程式（可能是另一個示範），或改用其他連接埠：--port-base 9787。",
        ),
    )
}

/// Makes keys, certificates and a configuration for each node; the first ones have these radio ports.
///
/// # Errors
/// The folder can't be written.
pub(super) fn furnish(plan: &Plan, nodes: &[DemoNode], radios: &[PathBuf]) -> Result<(), Failure> {
    let alliance = alliance(plan)?;
    let objects: Vec<(ArmorKind, &[u8])> = alliance
        .objects
        .iter()
        .enumerate()
        .map(|(place, object)| {
            let kind = match place {
                0 => ArmorKind::Charter,
                1 => ArmorKind::Issuer,
                _ => ArmorKind::Node,
            };
            (kind, object.as_ref())
        })
        .collect();
    let text: String = objects.into_iter().map(|(kind, bytes)| armor(kind, bytes)).collect();
    for ((node, issued), place) in nodes.iter().zip(&alliance.nodes).zip(0_u16..) {
        let folder = plan.dir.join(&node.name);
        files::folder(&folder)?;
        files::key(&folder.join("node.key"), ArmorKind::NodeKey, &issued.secret)?;
        files::replace(&folder.join("alliance.hf"), &text)?;
        files::replace(&node.config, &config(plan, place, radios.get(usize::from(place))))?;
    }
    Ok(())
}

fn alliance(plan: &Plan) -> Result<Alliance, Failure> {
    let region = Region::from_code("TPE").ok_or_else(|| unmade("TPE"))?;
    let nodes = PLACES
        .iter()
        .take(usize::from(plan.nodes))
        .zip(0_u16..)
        .map(|((_, name), place)| {
            let (role, tier) = if place == HUB_PLACE { (Role::Hub, 2) } else { (Role::Store, 1) };
            NodePlan { name: (*name).to_owned(), role, region, tier }
        })
        .collect();
    let today = u32::try_from(Timestamp::now().as_second() / 86_400).unwrap_or(0);
    let founded = found_alliance(&AlliancePlan {
        seed: files::random()?,
        kind: RealmKind::Simulation,
        roots: 1,
        k: 1,
        firms: vec![FirmPlan { firm: "Practice 演練企業".to_owned(), nodes }],
        // A day early: a clock a little behind is no reason to show certificates as not yet begun.
        not_before: today.saturating_sub(1),
        days: DAYS,
    });
    founded.map_err(|error| unmade(&error.to_string()))
}

fn unmade(why: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "H-883",
        words(format!("The demo's certificates can't be made: {why}."), format!("無法製作示範憑證：系統訊息「{why}」。")),
        words("The demo was not started.", "示範沒有啟動。"),
        words("This is a fault of the program; please report it.", "這是程式的錯誤，請回報。"),
    )
}

fn config(plan: &Plan, place: u16, radio: Option<&PathBuf>) -> String {
    let (api, count) = (plan.port_base + place, u16::from(plan.nodes));
    let others = |above: u16| {
        (0..count)
            .filter(|other| *other != place)
            .map(|other| format!("\"127.0.0.1:{}\"", plan.port_base + other + above))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let home = if place == HUB_PLACE { "" } else { "home_hub = \"1-2\"\n" };
    let radio = radio.map(|port| {
        let (port, rate, key_up) = (port.display(), RADIO_RATE, RADIO_KEY_UP_MS);
        format!("[radio]\nport = \"{port}\"\nframing = \"kiss\"\nrate = {rate}\nkey_up = \"{key_up}ms\"\n\n")
    });
    let radio = radio.unwrap_or_default();
    let (board, sync, gossip) = (api + BOARD_ABOVE, api + SYNC_ABOVE, api + GOSSIP_ABOVE);
    format!(
        "# Made by `holdfast demo`; gone when it ends.\n\
         [node]\ndata_dir = \"data\"\nkey_file = \"node.key\"\nalliance_file = \"alliance.hf\"\nstamp_file = \"continuity.stamp\"\n{home}\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\ntoken_file = \"api.token\"\n\n\
         [public]\nlisten = \"127.0.0.1:{board}\"\n\n\
         [sync]\nenabled = true\nlisten = \"127.0.0.1:{sync}\"\npeers = [{}]\nadvertise = [\"127.0.0.1:{sync}\"]\n\n\
         [gossip]\nenabled = true\nlisten = \"127.0.0.1:{gossip}\"\nmdns = false\npeers = [{}]\n\n\
         {radio}[log]\nformat = \"text\"\nfilter = \"info\"\n",
        others(SYNC_ABOVE),
        others(GOSSIP_ABOVE)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(dir: &Path) -> Plan {
        Plan { dir: dir.to_owned(), nodes: 3, port_base: 20_000, headless: true, radio: false }
    }

    #[test]
    fn what_a_dead_demo_left_goes_with_the_next_one() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("state/holdfast/demo");
        let folder = Folder::claim(&dir).unwrap();
        let plan = plan(&dir);
        let nodes = nodes(&plan);
        let file = DemoFile {
            schema: "holdfast.demo/1".into(),
            nodes: nodes.clone(),
            supervisor_pid: 1,
            control: dir.join("control.sock"),
            ready: false,
            made: folder.made.clone(),
        };
        files::replace(&dir.join("demo.json"), &serde_json::to_string(&file).unwrap()).unwrap();
        furnish(&plan, &nodes, &[]).unwrap();
        assert!(dir.join("b/node.key").is_file());
        drop(folder);
        Folder::claim(&dir).unwrap().remove();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_with_foreign_things_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("precious"), "x").unwrap();
        assert!(Folder::claim(home.path()).is_err());
        assert!(home.path().join("precious").is_file());
    }

    #[test]
    fn folders_made_for_a_demo_go_with_it() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(&home.path().join("state/holdfast/demo")).unwrap();
        folder.remove();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_taken_port_is_named() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let failure =
            check_ports(&Plan { dir: PathBuf::new(), nodes: 2, port_base: port, headless: true, radio: false }).unwrap_err();
        assert!(failure.to_string().contains(&port.to_string()));
    }
}
