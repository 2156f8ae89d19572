//! Chinese help of `holdfast board` and `holdfast export`.

pub(super) const CHINESE: &[(&str, &str)] = &[
    ("Say what the public's board at the door leaves out", "設定門口的民眾看板要隱藏什麼"),
    ("Show where the board is and what it leaves out", "顯示看板的網址，以及隱藏了什麼"),
    (
        "Leave something out of this node's board, from the next visitor on; the alliance still sees it",
        "讓本據點的看板不再顯示某一項，下一位訪客起生效；聯盟仍看得到",
    ),
    ("Show it on the board again", "在看板上恢復顯示"),
    (
        "An item, a service, or a reading such as power.source; absent: the whole site",
        "品項、服務，或 power.source 之類的項目；未填則指整個據點",
    ),
    ("Whose, by id or name; this node's where absent", "哪個據點（代號或名稱）；未填則為本據點"),
    ("Write what is known as files for others", "把已知的狀況寫成檔案，供他人使用"),
    ("The public's board as files for any web server or a USB stick", "把民眾看板寫成檔案，可放上任何網站或隨身碟"),
    (
        "All that is known of sites, requests, promises, convoys and conflicts, and every act, as sheets",
        "把已知的據點、需求、承諾、車隊與衝突，以及每個動作，寫成試算表檔案",
    ),
    ("The same as JSON lines", "同樣的內容，寫成 JSON Lines"),
    (
        "A request on paper, as an ICS 213 RR form to print; without an id an empty form, for the time without a PC",
        "把需求寫成可列印的 ICS 213 RR 表單；未填編號則為空白表單，供沒有電腦時使用",
    ),
    ("R-...; absent: an empty form", "R-...；未填則為空白表單"),
    ("The file, which any browser shows and prints", "檔案，任何瀏覽器都能開啟與列印"),
    ("The file; absent: to the terminal", "檔案；未填則輸出到終端機"),
    ("Where to; made where it is missing", "寫到哪個資料夾；不存在則建立"),
    (
        "Write them again and again, such as every 60s, until Ctrl-C; from 10s to 24h",
        "每隔一段時間重寫，例如 60s，直到按 Ctrl-C；10s 到 24h",
    ),
];
