//! The help of every command and argument in the chosen language. English stands where a command is declared; Chinese stands here.

mod board;
mod guest;
mod supply;

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::args::Cli;
use crate::lang::Lang;
use crate::report_args;

/// Shown at the end of `--help`.
const AFTER: &str = "\
Examples:
  holdfast demo                                       three practice nodes on this computer
  holdfast --demo-node a report stock water=120 rice=low
  holdfast request new --item water:40 --priority urgent --needed-by 6h
  holdfast commit R-7Q4KM2X --arrival 2h              promises all that nobody covers yet
  holdfast timeline R-7Q4KM2X                         what was done about it, from need to receipt
  holdfast status                                     who is open, what is left, who needs what
  holdfast wait converged --timeout 30s

Without a command: starts the demo and stays until Ctrl-C; where a demo runs or a daemon is named, shows the status.

Exit codes:
  0 done   1 failed   2 wrong usage   3 daemon not running   4 not found
  5 refused (rights)   6 saved here, not yet delivered   7 wait timed out

Environment: HOLDFAST_API, HOLDFAST_TOKEN_FILE, HOLDFAST_LANG, NO_COLOR. A flag beats the environment, the environment a running demo.
Languages: --lang zh-TW 或 HOLDFAST_LANG=zh-TW 以中文顯示。";

const AFTER_ZH: &str = "\
範例：
  holdfast demo                                       在這台電腦上啟動三個演練據點
  holdfast --demo-node a report stock water=120 rice=low
  holdfast request new --item water:40 --priority urgent --needed-by 6h
  holdfast commit R-7Q4KM2X --arrival 2h              承諾尚無人承諾的全部物資
  holdfast timeline R-7Q4KM2X                         從需求到簽收的處理經過
  holdfast status                                     誰開放、還剩什麼、誰需要什麼
  holdfast wait converged --timeout 30s

不加指令：啟動示範，直到按 Ctrl-C；示範執行中或已指定背景程式時，顯示現況。

結束代碼：
  0 完成   1 失敗   2 用法錯誤   3 背景程式未執行   4 找不到
  5 權限不足   6 已存在本機，尚未送出   7 等待逾時

環境變數：HOLDFAST_API、HOLDFAST_TOKEN_FILE、HOLDFAST_LANG、NO_COLOR。選項優先於環境變數，環境變數優先於執行中的示範。
In English: --lang en";

/// As clap lays it out, with the one heading it would not let be named.
const TEMPLATE_ZH: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";
/// Flags that every command takes stand under this.
const GLOBAL: &str = "Global options";

/// Command and argument help: English as declared, Chinese.
const CHINESE: &[(&str, &str)] = &[
    ("Keep resilience nodes coordinated when the central systems are down", "中央系統中斷時，讓各韌性據點仍能協調運作"),
    // Commands.
    (
        "Start a practice alliance of real daemons on this computer, or steer the one that runs",
        "在這台電腦上啟動由真正背景程式組成的演練聯盟，或操作執行中的演練",
    ),
    ("Found an alliance, certify issuers and nodes, read certificates", "成立聯盟、核發憑證給核發者與據點、查看憑證"),
    ("Show who is open, what is left, and what needs attention", "顯示誰開放、還剩什麼、哪些事待處理"),
    ("Say how this node is: status, access, power, stock, services, ...", "回報本據點現況：狀態、出入、電力、存量、服務等"),
    (
        "Make the key of who works at this computer, to act through nodes by a delegation; it stays here",
        "為在這台電腦工作的人員產生金鑰，以便依授權透過據點操作；金鑰只留在這裡",
    ),
    ("Folder for the key, and later for the delegation", "存放金鑰與之後授權檔的資料夾"),
    (
        "Act as the person whose key and delegation lie in this folder, through the node named with --hub",
        "以此資料夾中金鑰與授權的人員身分，透過 --hub 指定的據點操作",
    ),
    (
        "With --as: the sync address of a node that serves, such as 192.168.1.20:4401",
        "與 --as 並用：提供服務的據點 sync 位址，例如 192.168.1.20:4401",
    ),
    (
        "Let a person act through nodes for a time, signed by an issuer in --dir or by a node for itself",
        "讓某人在一段時間內透過據點操作，由 --dir 中的核發者簽署，或由據點為自己簽署",
    ),
    (
        "Take a delegation away; what was said by it until now stands. Everybody is told at once, as far as lines go",
        "收回授權；之前依授權所說的仍然有效。線路可及之處會立即告知所有據點",
    ),
    (
        "The person's public key, 64 hex digits, as `holdfast person` printed it on that person's computer",
        "該人員的公開金鑰（64 個十六進位數字），即其電腦執行 `holdfast person` 時顯示的內容",
    ),
    ("The issuer that delegates, signed with its key in --dir", "授權的核發者，以 --dir 中的金鑰簽署"),
    (
        "Or the node that delegates for itself: the folder with its node.key and alliance.hf",
        "或由據點為自己授權：存有 node.key 與 alliance.hf 的資料夾",
    ),
    ("Number of the delegation below who gives it; the next free one where absent", "授權單位下的授權編號；未填則用下一個"),
    (
        "What may be said: request, update, cancel, confirm, close, observation, order, ratify, countermand; one of commit, receive, ... or supply for all that is done with goods; repeat for each",
        "可做的事：request、update、cancel、confirm、close、observation、order、ratify、countermand；物資作業可逐項填 commit、receive 等，或以 supply 代表全部；可重複",
    ),
    (
        "County or city whose nodes may serve and that orders may be for; repeat for each; all of the issuer's where absent",
        "可提供服務的據點與命令所及的縣市；可重複；未填則與核發者相同",
    ),
    (
        "The one node that may serve; each of the firm in these regions where absent",
        "唯一可提供服務的據點；未填則為該企業在這些縣市的所有據點",
    ),
    ("In so many days it begins; today where absent", "幾天後生效；未填則今天起"),
    ("Days it holds, up to 30", "有效天數，最多 30"),
    ("Which, such as 1/3 or 1-118/3", "哪一份授權，例如 1/3 或 1-118/3"),
    ("Where a node gave it: the folder with its node.key and alliance.hf", "由據點授權時：存有 node.key 與 alliance.hf 的資料夾"),
    ("Nothing that was said by it counts; no daemon is asked", "依此授權所說的全部作廢；不詢問背景程式"),
    ("Ask for supplies and follow what was asked", "提出補給需求並追蹤"),
    ("Write down what somebody saw of another node", "記下有人看到的其他據點狀況"),
    ("Let somebody carry what no link brings: a file out, a file in", "由人攜帶連線送不到的資料：寫出檔案、收下檔案"),
    ("Write all that a node out of reach may lack into a file for it", "把連不到的據點可能缺少的資料全部寫入檔案"),
    ("Take in a file that somebody carried here; reading it twice does no harm", "收下有人帶來的檔案；重複讀取沒有壞處"),
    ("The node it is carried to, by id or name", "要帶去的據點，填代號或名稱"),
    (
        "The file, such as one on a USB stick; courier-ID.hfc here where absent",
        "檔案，例如在隨身碟上；未填為目前資料夾的 courier-代號.hfc",
    ),
    (
        "Show it as a row of QR codes instead, as far as that goes: what is urgent first",
        "改以一排 QR 碼顯示，能放多少算多少，緊急的優先",
    ),
    ("The file that was carried here; - for QR codes, as a scanner types them", "帶來的檔案；填 - 表示由掃描器輸入 QR 碼"),
    (
        "How long it was on its way, such as 3h; without it nobody knows how old its reports are",
        "路上花了多久，例如 3h；未填則無法得知其中回報有多舊",
    ),
    ("Show whom this node reaches, and how", "顯示本據點連得到誰、用什麼方式"),
    (
        "Print one line per change until Ctrl-C; a daemon that restarts is waited for",
        "每有變化顯示一行，直到按 Ctrl-C；背景程式重新啟動時會等它",
    ),
    ("Let a PC join: makes a code for it, waits for it and certifies it", "讓一台電腦加入：產生加入碼、等候它，並核發憑證"),
    ("Make this PC a node of an alliance, with the code somebody gave for it", "用他人給的加入碼，讓這台電腦成為聯盟的據點"),
    ("Let another PC take the place of a node whose PC is dead or gone", "電腦故障或遺失時，讓另一台電腦接替該據點"),
    (
        "Somebody who may certify a few nodes in an issuer's stead, signed by that issuer in --dir",
        "可代替核發者核發少數據點的代理者，由 --dir 中的該核發者簽署",
    ),
    ("Whose deputy", "哪個核發者的代理者"),
    ("Number of the deputy below that issuer, never used again", "代理者在該核發者下的編號，不重複使用"),
    ("Who it is, for people", "供人辨識的名稱"),
    ("First of the serials it may give, which lie in the issuer's", "可核發的第一個序號，須在核發者範圍內"),
    ("Serials it may give, up to 50", "可核發的序號數，最多 50"),
    (
        "County or city its nodes may stand in; repeat for each; all of the issuer's where absent",
        "其據點可在的縣市；可重複；未填則與核發者相同",
    ),
    ("What its nodes may be; repeat for each; store where absent", "其據點可為的類型；可重複；未填則為商店"),
    ("Sign with the key of this deputy, not with the issuer's", "用這位代理者的金鑰簽署，而非核發者的"),
    ("Where to wait for PCs: all addresses of this computer where absent", "在哪個位址等候；未填則為這台電腦的所有位址"),
    (
        "The address to print with the code, where PCs reach this computer by another one",
        "與加入碼一起顯示的位址，供對方以其他位址連到這台電腦時使用",
    ),
    ("Do not ask here whether the words are the same: whoever has the code joins", "這裡不詢問指紋詞是否一樣：有加入碼就能加入"),
    ("Only make the code; wait for the PC later, with `holdfast invite`", "只產生加入碼；之後再用 `holdfast invite` 等候"),
    ("Minutes that the code holds, up to a day", "加入碼有效的分鐘數，最多一天"),
    (
        "A neighbour it shall always try; repeat for each, up to 8. On one network nodes find each other",
        "它應一直嘗試連線的相鄰據點；可重複，最多 8 個。同一網路的據點會自動互相找到",
    ),
    ("The hub that its requests ask", "它的需求要詢問的物流中心"),
    (
        "Who it will be, ISSUER-SERIAL, such as 1-118; absent: wait for those invited before",
        "它將成為哪個據點：核發者-序號，例如 1-118；未填則等候先前邀請的",
    ),
    ("The code, such as 7Q4K-M2X2, or all that the QR says", "加入碼，例如 7Q4K-M2X2，或 QR 的全部內容"),
    ("Where whoever gave it waits; looked for on the local network where absent", "發碼者等候的位址；未填則在區域網路上尋找"),
    ("Do not ask here whether the words are the same", "這裡不詢問指紋詞是否一樣"),
    ("Days the new certificate holds, up to ten years", "新憑證有效的天數，最多十年"),
    (
        "A deputy's only: the paper of the dead PC's key; papers/ID-N.hf in --dir where absent",
        "僅代理者使用：故障電腦的金鑰紙本；未填則為 --dir 裡的 papers/代號-N.hf",
    ),
    ("Wait until something is so; exit code 7 if it is not in time", "等到某件事達成；逾時則結束代碼為 7"),
    ("Print one hash of the state: equal exactly where the state is equal", "顯示資料的摘要：資料相同，摘要才相同"),
    ("Check this node and say how to mend what is wrong", "檢查本據點，並說明如何修正"),
    ("Show settings and files, check a daemon's configuration", "顯示設定與檔案，檢查背景程式的設定檔"),
    ("Print completions for a shell", "輸出命令列自動補完"),
    ("Print the manual page", "輸出使用手冊"),
    ("Print the version", "顯示版本"),
    ("Print version", "顯示版本"),
    ("Print help", "顯示說明"),
    ("Show its nodes", "顯示示範的據點"),
    ("Cut node a off from the others on every IP link", "切斷據點 a 與其他據點的所有 IP 連線"),
    ("End all cuts", "恢復所有連線"),
    ("Pull a node's plug: kill -9", "讓據點斷電：kill -9"),
    ("Start a node again", "重新啟動據點"),
    ("Make root keys and the charter in --dir", "在 --dir 資料夾產生根金鑰與章程"),
    ("Certify an issuer or a node; its key is made in place", "核發憑證給核發者或據點；金鑰在原地產生"),
    (
        "Take a node's key away: stolen, lost, replaced. Everybody is told at once, as far as lines go",
        "撤銷據點的金鑰：遭竊、遺失或已更換。連得到的據點會立即得知",
    ),
    (
        "Give the daemon here certificates or revocations from a file, for everybody in reach",
        "把檔案中的憑證或撤銷書交給這裡的背景程式，並轉告所有連得到的據點",
    ),
    ("An alliance file, a revocation, or the paper of a node's key", "聯盟檔、撤銷書或據點金鑰的紙本"),
    ("The node, ISSUER-SERIAL, such as 1-118", "據點，寫成核發者-序號，例如 1-118"),
    ("Why, for people", "原因，供人閱讀"),
    (
        "Sign with the root keys at hand, not with the issuer's: what the roots say takes the place of what an issuer said",
        "用手邊的根金鑰而非核發者的金鑰簽署：根金鑰的決定取代核發者的決定",
    ),
    (
        "Only what the daemon here had heard so long ago still counts, such as 2h; otherwise all it holds",
        "只有這麼久以前已收到的內容仍然有效，例如 2h；未填則為這裡保存的全部內容",
    ),
    (
        "Do not say what still counts: all of it is in question until somebody does. Needs no daemon",
        "暫不決定哪些仍然有效：在有人決定之前全部視為尚未確定。不需要背景程式",
    ),
    ("Nothing it ever said counts. Needs no daemon", "它說過的內容全部作廢。不需要背景程式"),
    ("Read certificates and keys from a file, secrets left out", "查看檔案中的憑證與金鑰，不顯示機密"),
    ("An issuer, signed by the roots in --dir", "核發者，由 --dir 內的根金鑰簽署"),
    ("A node, signed by an issuer in --dir", "據點，由 --dir 內的核發者簽署"),
    ("Ask for supplies", "提出補給需求"),
    ("List requests, open ones first", "列出補給需求，未結的在前"),
    ("Change a request; what is given replaces, the rest stays", "更改需求；只取代填寫的部分"),
    ("The need is gone", "已不需要"),
    ("The need is met or given up; ends the request", "需求已滿足或放棄；結案"),
    ("A cancel of an older version was flagged: the need still stands", "有人取消了較舊的版本：確認仍需要"),
    (
        "Until this node and its neighbours hold the same; all nodes of a demo, where none is named: each must run",
        "等到本據點與鄰近據點一致；未指定據點時為示範的所有據點，且都要在執行",
    ),
    ("Until a write got somewhere", "等到寫入的資料送達"),
    ("Until this node knows a request", "等到本據點收到某筆需求"),
    ("What this command would use, and whence", "這個指令會使用的設定與來源"),
    ("Files and folders this command uses", "這個指令使用的檔案與資料夾"),
    ("Check a daemon's configuration file", "檢查背景程式的設定檔"),
    // Global flags.
    ("Speak to this node of the running demo: a, b, c, ...", "指定執行中示範的據點：a、b、c 等"),
    (
        "Folder of the demo; of the alliance with `alliance`, `invite` and `replace`; of the new node with `join` and `guest`",
        "示範的資料夾；`alliance`、`invite`、`replace` 為聯盟的資料夾；`join`、`guest` 為新據點的資料夾",
    ),
    ("Speak to the daemon at this address, such as http://127.0.0.1:8787", "指定背景程式的位址，例如 http://127.0.0.1:8787"),
    ("File with that daemon's token", "該背景程式的權杖檔"),
    ("Print one JSON object instead of text", "輸出一個 JSON 物件"),
    ("Language: zh-TW or en", "語言：zh-TW 或 en"),
    ("Say nothing but data and errors", "只顯示資料與錯誤"),
    ("Say more", "顯示更多訊息"),
    ("No colour", "不用顏色"),
    // Arguments.
    ("The shell", "命令列的種類"),
    ("How many nodes", "據點數量"),
    (
        "First port: P+i for the page and API, P+100+i for links and the public board, P+200+i for links",
        "起始連接埠：P+i 供頁面與 API，P+100+i 供連線與民眾看板，P+200+i 供連線",
    ),
    (
        "Give a and b a radio each: one channel of 1,200 bit/s that no cut touches",
        "讓 a 與 b 各有一台無線電：共用 1,200 bit/s 的頻道，切斷時仍可使用",
    ),
    ("Print one JSON line when ready, nothing else", "就緒時只輸出一行 JSON"),
    ("a, b, c, ...", "a、b、c 等"),
    ("Which kind; kinds can't mix", "聯盟種類；不同種類不能混用"),
    ("No drill", "實際運作，不是演練"),
    ("A drill on real machines", "在實際電腦上的演練"),
    ("Demo and tests; the only kind that obeys faults", "示範與測試；只有這種會聽從故障指令"),
    ("How many of the root keys must sign, such as 2/3", "需要幾把根金鑰簽署，例如 2/3"),
    ("A firm of the alliance; repeat for each", "聯盟的企業；可重複填寫"),
    ("Switch the mode in which this site works, or show it", "切換或顯示本據點的運作模式"),
    ("Order modes for whole regions, ratify or countermand, name deputies", "對縣市下達運作模式命令、追認或撤回、指定代理者"),
    (
        "standby, alert, resilience, recovery, drill or suspended; absent: show it and who switched it",
        "standby、alert、resilience、recovery、drill 或 suspended；未填則顯示目前模式與切換者",
    ),
    ("Why, up to 64 bytes", "原因，最多 64 位元組"),
    (
        "Order a mode for the nodes of some regions; authorities only, or who acts for one",
        "命令某些縣市的據點採用某模式；限主管機關或其代理者",
    ),
    ("List orders, which of them are in force, and who acts for whom", "列出命令、哪些有效、誰代理誰"),
    ("Make an order that a deputy gave one's own", "追認代理者所下的命令"),
    ("End an order that a deputy gave", "撤回代理者所下的命令"),
    ("Name who acts for this authority when it is not heard; without a name: nobody", "指定本機關失聯時的代理者；不填則不指定"),
    (
        "standby, alert, resilience, recovery, drill or suspended; none: nothing is ordered any more",
        "standby、alert、resilience、recovery、drill 或 suspended；none 表示解除命令",
    ),
    ("County or city, such as HUA, or all; repeat for each", "縣市代碼，例如 HUA，或 all；可重複填寫"),
    ("The authority that is not heard and that named this node to act for it", "已失聯且曾指定本據點代理的主管機關"),
    ("O-...", "O-..."),
    ("The mode ordered in its place; nothing is ordered where absent", "改為命令的模式；未填則解除"),
    ("Hubs or authorities by id or name, the first first", "集散中心或主管機關的代號或名稱，依順位填寫"),
    ("After how long unheard they may act, such as 2h", "失聯多久後可代理，例如 2h"),
    ("An authority whose orders are for every region, not for its own alone", "可對所有縣市下命令的主管機關，而非只限本縣市"),
    (
        "A root whose key was made elsewhere with `alliance key`; repeat for each",
        "金鑰已在別處以 `alliance key` 產生的根；可重複填寫",
    ),
    (
        "Make a root key in --dir, where it stays, and print what others need of it",
        "在 --dir 產生根金鑰並留在那裡，印出他人所需的部分",
    ),
    ("The firm that keeps it", "保管它的企業"),
    (
        "Change who the roots are, or how many must sign; issuers and revocations are signed again",
        "更換根金鑰，或需要幾把簽署；核發者與撤銷書會一併重新簽署",
    ),
    (
        "Sign with the root keys in --dir what others drafted, or take in what is signed by enough",
        "用 --dir 裡的根金鑰簽署他人的草案；簽足者納入聯盟檔",
    ),
    ("A file of drafts", "草案檔"),
    ("Do not ask here", "這裡不詢問"),
    (
        "Let certificates hold longer: same node, same key. Everybody is told at once, as far as lines go",
        "延長憑證效期：據點與金鑰不變，並立即告知連得到的據點",
    ),
    (
        "Check a folder or file as the nodes would: signatures, dates, keys and who may read them",
        "照據點的標準檢查資料夾或檔案：簽章、日期、金鑰及其讀取權限",
    ),
    ("An alliance file, or a folder with one and with keys", "聯盟檔，或含有聯盟檔與金鑰的資料夾"),
    (
        "A root that goes: its firm, or the first digits of its key; repeat for each",
        "退出的根：企業名稱，或金鑰開頭的數字；可重複填寫",
    ),
    ("A firm that comes, whose key is made here; repeat for each", "加入的企業，金鑰在這裡產生；可重複填寫"),
    (
        "How many of the roots must sign from then on, such as 3/5; as before where absent",
        "此後需要幾把根金鑰簽署，例如 3/5；未填則不變",
    ),
    ("Nodes, ISSUER-SERIAL, such as 1-118", "據點：核發者-序號，例如 1-118"),
    ("A deputy, ISSUER-NUMBER, such as 1-3; repeat for each", "代理者：核發者-編號，例如 1-3；可重複填寫"),
    ("All that end within so many days and whose key to sign with is here", "這麼多天內到期、且簽署所需金鑰在這裡的全部憑證"),
    (
        "Days they hold from today, up to ten years; nodes 400 and deputies 30 where absent",
        "從今天起的有效天數，最多十年；未填則據點 400 天、代理者 30 天",
    ),
    ("An alliance file, certificate or key", "聯盟檔、憑證或金鑰"),
    ("Number of the issuer, never used again", "核發者編號，不重複使用"),
    ("The firm it certifies for", "所屬企業"),
    ("Serials it may give", "可核發的序號數量"),
    ("First of these serials", "起始序號"),
    ("ISSUER-SERIAL, such as 1-118", "核發者-序號，例如 1-118"),
    ("Its name, as people say it", "大家稱呼它的名稱"),
    ("store, hub or authority", "store 門市、hub 集散中心、authority 主管機關"),
    ("1..=3", "級別 1 到 3"),
    ("County or city it stands in, ISO 3166-2:TW, such as TPE", "所在縣市，ISO 3166-2:TW，例如 TPE"),
    ("Days it holds, up to ten years", "有效天數，最多十年"),
    ("Folder for its key and its alliance file; DIR/nodes/ID where absent", "存放金鑰與聯盟檔的資料夾；未填為 DIR/nodes/ID"),
    (
        "When it was so, if written down late, at most 30 days: 20m (ago), 14:05, \"2026-11-23 14:05\" or RFC 3339",
        "補登時填當時的時間，最多 30 天前：20m（20 分鐘前）、14:05、\"2026-11-23 14:05\" 或 RFC 3339",
    ),
    ("Label of the desk or person, up to 32 bytes", "櫃檯或人員的標記，最多 32 位元組"),
    (
        "How it is known: self_reported, sensor, inferred, inspected, crowd, carried",
        "如何得知：self_reported、sensor、inferred、inspected、crowd、carried",
    ),
    ("How long it holds, such as 2h", "有效多久，例如 2h"),
    ("Those that are over too", "包括已結束的"),
    ("R-...", "R- 開頭的需求編號"),
    ("ITEM:QTY such as water:40, or other:TEXT=QTY; repeat for each", "品項:數量，例如 water:40，或 other:品名=數量；可重複填寫"),
    ("immediate, urgent, routine or low", "immediate 最速件、urgent 速件、routine 普通件、low 不急"),
    (
        "6h (from now), 14:05, 2026-11-24 (by the end of that day), \"2026-11-24 14:05\" or RFC 3339",
        "6h（6 小時後）、14:05、2026-11-24（當天結束前）、\"2026-11-24 14:05\" 或 RFC 3339",
    ),
    ("The node the goods are for, where not this one", "物資要送往的據點，若不是本據點"),
    (
        "The node asked, or `all` hubs; absent = this node's home hub, or all hubs",
        "向哪個據點提出，或 `all` 所有集散中心；未填為本據點的主要集散中心，沒有則為全部",
    ),
    ("Free text, up to 64 bytes", "備註，最多 64 位元組"),
    (
        "Repeating with the same key adds nothing; another request needs another key",
        "用相同的 key 重送不會重複；另一筆需求請用另一個 key",
    ),
    ("The version you saw; the newest where absent", "您看到的版本；未填為最新版"),
    ("Replaces all lines; repeat for each", "取代所有品項；可重複填寫"),
    ("Replaces the priority", "取代優先等級"),
    ("Replaces the time", "取代需要時間"),
    ("Replaces the note", "取代備註"),
    ("Why, up to 64 bytes", "原因，最多 64 位元組"),
    ("The node seen, by id or name", "看到的據點，填代號或名稱"),
    (
        "What was seen, such as status=closed power.source=none stock.water=low",
        "看到的狀況，例如 status=closed power.source=none stock.water=low",
    ),
    ("Said by whom, how; up to 64 bytes", "誰說的、如何得知；最多 64 位元組"),
    ("How long at most, such as 30s", "最多等多久，例如 30s"),
    ("The ticket printed with the write", "寫入時顯示的編號"),
    ("How far", "送達程度"),
    ("A neighbour has it", "鄰近據點已收到"),
    ("The addressee has it", "收件據點已收到"),
    ("Or until it has come so far", "或等到這個進度"),
    ("This node holds it", "本據點已有"),
    ("An addressee received it", "對方已收到"),
    ("It is over", "已結束"),
    ("Such as holdfast.toml", "例如 holdfast.toml"),
];

/// The whole command, with its help in this language. A command that misses something says what, in place of all of its help.
pub(crate) fn command(lang: Lang) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).global(true).help("Print help");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print version");
    let root = Cli::command()
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(help.help_heading(GLOBAL))
        .arg(version.help_heading(GLOBAL))
        .after_help(lang.of(AFTER, AFTER_ZH));
    told(root, lang)
}

/// The Chinese of a command's or argument's English help.
pub(crate) fn chinese(english: &str) -> Option<String> {
    let own = CHINESE
        .iter()
        .chain(supply::CHINESE)
        .chain(board::CHINESE)
        .chain(guest::CHINESE)
        .find(|(en, _)| *en == english)
        .map(|(_, zh)| (*zh).to_owned());
    own.or_else(|| report_args::chinese(english))
}

fn told(command: Command, lang: Lang) -> Command {
    let command = command.arg_required_else_help(false).mut_subcommands(|sub| told(sub, lang));
    if lang == Lang::En {
        return command;
    }
    let about = command.get_about().and_then(|about| chinese(&about.to_string()));
    let command = command.help_template(TEMPLATE_ZH).subcommand_help_heading("指令").mut_args(arg_told);
    about.map_or_else(|| command.clone(), |about| command.clone().about(about))
}

fn arg_told(arg: Arg) -> Arg {
    let english = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let heading = match arg.get_help_heading() {
        Some(GLOBAL) => "通用選項",
        _ if arg.is_positional() => "引數",
        _ => "選項",
    };
    let Some(mut text) = chinese(&english) else { return arg };
    if !arg.get_action().takes_values() {
        return arg.help(text).help_heading(heading);
    }
    // What clap would add is English.
    let values: Vec<String> = arg.get_possible_values().iter().map(value_told).collect();
    if !values.is_empty() {
        text.push_str(&format!("［可填：{}］", values.join("、")));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() {
        text.push_str(&format!("［預設：{}］", defaults.join("、")));
    }
    arg.help(text).help_heading(heading).hide_default_value(true).hide_possible_values(true)
}

fn value_told(value: &PossibleValue) -> String {
    let help = value.get_help().and_then(|help| chinese(&help.to_string()));
    help.map_or_else(|| value.get_name().to_owned(), |help| format!("{}（{help}）", value.get_name()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn each(command: &Command, see: &mut dyn FnMut(String, String)) {
        let name = command.get_name().to_owned();
        see(name.clone(), command.get_about().map(ToString::to_string).unwrap_or_default());
        for arg in command.get_arguments() {
            see(format!("{name} {}", arg.get_id()), arg.get_help().map(ToString::to_string).unwrap_or_default());
            let values = if arg.get_action().takes_values() { arg.get_possible_values() } else { Vec::new() };
            for value in values.iter().filter(|value| value.get_help().is_some()) {
                see(
                    format!("{name} {} {}", arg.get_id(), value.get_name()),
                    value.get_help().map(ToString::to_string).unwrap_or_default(),
                );
            }
        }
        for sub in command.get_subcommands() {
            each(sub, see);
        }
    }

    #[test]
    fn every_command_and_argument_has_its_help_in_both_languages() {
        let mut used = BTreeSet::new();
        each(&command(Lang::En), &mut |name, english| {
            assert!(!english.is_empty(), "{name}");
            let zh = chinese(&english).unwrap_or_else(|| panic!("{name}: no Chinese for {english:?}"));
            assert!(zh != english || !zh.contains(' '), "{name}: {zh}");
            used.insert(english);
        });
        let idle: Vec<_> = CHINESE
            .iter()
            .chain(supply::CHINESE)
            .chain(board::CHINESE)
            .chain(guest::CHINESE)
            .filter(|(en, _)| !used.contains(*en))
            .collect();
        assert!(idle.is_empty(), "no command says this any more: {idle:?}");
    }

    #[test]
    fn chinese_help_has_no_english_frame() {
        fn look(command: &mut Command) {
            let text = command.render_long_help().to_string();
            for word in ["Usage", "Options:", "Arguments:", "Commands:", "Print", "default:", "possible values"] {
                assert!(!text.contains(word), "{word}: {text}");
            }
            for sub in command.get_subcommands_mut() {
                look(sub);
            }
        }
        let mut root = command(Lang::Zh);
        root.build();
        look(&mut root);
    }
}
