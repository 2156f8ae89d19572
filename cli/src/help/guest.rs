//! Chinese help of `holdfast guest`.

pub(super) const CHINESE: &[(&str, &str)] = &[
    (
        "Let a PC that no firm certified say how it is: three nodes of two firms vouch for it, for a week",
        "讓未經任何企業認證的電腦回報自己的狀況：由兩家企業共三個據點擔保，為期一週",
    ),
    (
        "On the PC that is to be a guest: make its key in --dir; it stays there",
        "在要當訪客的電腦上：在 --dir 產生金鑰，金鑰不離開這台電腦",
    ),
    (
        "On a node: give its word for a guest, as the first with --key, or as another with the file of those before",
        "在據點上：替訪客擔保；第一個據點用 --key，其後的據點用前面簽過的檔案",
    ),
    ("On the PC that is to be a guest: take the file that all signed into --dir", "在要當訪客的電腦上：把簽妥的檔案收進 --dir"),
    (
        "Take certificates given elsewhere, by a deputy, another firm or those who vouch for a guest, into the alliance file in --dir",
        "把在別處核發的憑證（代理者、其他企業，或擔保訪客者所簽）收進 --dir 的聯盟檔",
    ),
    ("File with certificates", "憑證檔"),
    (
        "Show the last word that the daemon here holds of each life of a node, and two stories where it told two",
        "顯示這裡的背景程式所持有、某據點每段紀錄的最後一筆；若同一編號有兩種說法也一併顯示",
    ),
    (
        "The last word that still counts, as alliance heads shows it; repeat for each life, others do not count. Needs no daemon",
        "仍然有效的最後一筆，即 alliance heads 顯示的內容；每段紀錄各填一次，未填的一律無效。不需背景程式",
    ),
    ("The file that those before signed", "前面的據點簽過的檔案"),
    ("The file that all signed", "簽妥的檔案"),
    ("The folder with this node's node.key and alliance.hf", "本據點的 node.key 與 alliance.hf 所在的資料夾"),
    (
        "The guest's public key, 64 hex digits, as holdfast guest key printed it there",
        "訪客的公開金鑰（64 個十六進位數字），即其電腦執行 holdfast guest key 時顯示的內容",
    ),
    ("The guest's name, as people say it", "訪客的名稱，即平常的稱呼"),
    ("County or city the guest stands in, ISO 3166-2:TW, such as TPE", "訪客所在的縣市，ISO 3166-2:TW，例如 TPE"),
    ("Days it may stay, up to 7", "可停留的天數，最多 7"),
    ("Do not ask before signing what is in the file", "簽署檔案內容前不詢問"),
];
