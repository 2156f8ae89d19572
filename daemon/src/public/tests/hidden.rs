//! What the staff leaves out: at once, everywhere, for as long as they say.

use super::*;
use crate::public::NotHidden;

#[tokio::test]
async fn what_is_hidden_is_gone_with_the_next_visitor_from_every_page_and_file_and_stays_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = [
        own(),
        node("1-2", "信義店", "TPE", &json!({"operating.status": reading("open", 5), "stock.water": reading("plenty", 5)})),
    ];
    let (board, _) = board_in(folder.path(), &nodes, RealmKind::Exercise);
    let house = House { board, asked: Arc::default(), folder };
    let water = |text: &str| text.matches("飲用水").count();
    let files = ["index.html", "en.html", "status.json", "sites.geojson", "sites.csv"];
    for file in files {
        assert_eq!(water(&house.file(file).await), if file == "en.html" { 0 } else { 2 }, "{file}");
    }
    let view = house.board.hide(None, Some("飲用水"), true).await.expect("hidden");
    assert!(view.hidden.iter().any(|one| one.line.as_deref() == Some("stock.water") && one.site == "1-1"), "{view:?}");
    for file in files {
        let text = house.file(file).await;
        assert!(text.contains("信義店"), "{file}");
        assert_eq!(water(&text), if file == "en.html" { 0 } else { 1 }, "{file}");
        assert_eq!(text.matches("Drinking water").count(), if file == "index.html" { 0 } else { 1 }, "{file}");
    }
    let status: Value = serde_json::from_str(&house.file("status.json").await).expect("JSON");
    let lines = |status: &Value, site: usize| status["sites"][site]["lines"].to_string();
    assert!(!lines(&status, 0).contains("stock.water") && lines(&status, 1).contains("stock.water"), "only one's own is meant");
    house.board.hide(Some("1-2"), None, true).await.expect("hidden");
    assert!(!house.file("index.html").await.contains("信義店"));
    // A restart.
    let (again, _) = board_in(house.folder.path(), &nodes, RealmKind::Exercise);
    assert_eq!(again.view(), house.board.view());
    assert!(!again.file("status.json").await.expect("an answer").expect("a file").contains("信義店"));
    again.hide(Some("信義店"), None, false).await.expect("shown");
    again.hide(None, Some("water"), false).await.expect("shown");
    assert!(again.view().hidden.iter().all(|one| one.line.as_deref() != Some("stock.water")));
    assert!(again.file("index.html").await.expect("an answer").expect("a file").contains("信義店"));
}

#[tokio::test]
async fn what_is_not_on_the_board_can_not_be_hidden_and_what_can_not_be_kept_is_not_hidden() {
    let house = House::of(&[own()], RealmKind::Exercise);
    assert!(matches!(house.board.hide(Some("9-9"), None, true).await, Err(NotHidden::Site(_))));
    for line in ["capacity.people", "message.staff", "stock.water.count", "operating.status", "x\u{202e}"] {
        assert!(matches!(house.board.hide(None, Some(line), true).await, Err(NotHidden::Line(_))), "{line}");
    }
    assert!(house.board.view().hidden.is_empty());
    let gone = house.folder.path().to_owned();
    drop(house.folder);
    assert!(!gone.exists());
    assert!(matches!(house.board.hide(None, Some("water"), true).await, Err(NotHidden::Disk(_))));
    assert!(house.board.view().hidden.is_empty());
}
