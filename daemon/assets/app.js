// Starts the page, reads from the node, follows its events and shows the banners. The four parts are own.js, goods.js, need.js, board.js.
import { call, el, isSilent, keepTrue, put, setSilent, text } from "./dom.js";
import { delivered } from "./deliver.js";
import { ago, clock, loadWords, modeWords, said, setCatalogue, setLanguage, t } from "./words.js";
import * as own from "./own.js";
import * as goods from "./goods.js";
import * as need from "./need.js";
import * as board from "./board.js";
import * as door from "./door.js";

// News within this time are read together; a busy alliance must not make the page read without end.
const GATHER_MS = 150;
const GAP_MS = 1_000;
// Read anyway, so that a dead connection is noticed.
const ANYWAY_MS = 15_000;
const NEWS = ["board", "entries", "withdrawn", "peer_up", "peer_down", "healed", "forked", "incarnation", "stopped", "store_failed", "fault", "lagged"];
const RELOADED = "holdfast.reloaded";

let catalogue = null;
let status = null;
let requests = null;
let consignments = null;
let conflicts = null;
let lastRead = 0;
let planned = 0;
let reading = false;
let wanted = false;
let source = null;

const place = (id) => document.getElementById(id);

function build() {
  own.build(place("own"), catalogue, status);
  goods.build(place("goods"));
  door.build(place("own"));
  need.build(place("need"), catalogue);
  board.build(place("board"), status);
  place("loading").hidden = true;
  place("main").hidden = false;
  place("jump").hidden = false;
}

function show() {
  text(place("name"), status.node.name);
  document.title = `${status.node.name} · Holdfast`;
  document.documentElement.dataset.realm = status.realm;
  own.update(status);
  goods.update(consignments, conflicts, status);
  door.update(status);
  need.update(requests, status);
  board.update(status);
  top();
}

/** What the header says of the neighbours. A silent program has told nothing of them since. */
function net() {
  if (isSilent()) return t("net.unknown");
  return status.neighbours ? t("net.links", { n: status.neighbours }) : t("net.none");
}

let bannersShown = "";

/** The clock, the neighbours and the banners above everything. */
function top() {
  text(place("clock"), clock(Date.now()));
  text(place("loading"), t(isSilent() ? "banner.never" : "loading"));
  if (!status) return;
  text(place("net"), net());
  const found = [];
  if (isSilent()) found.push(["warn", t("banner.gone", { time: clock(lastRead), ago: ago((Date.now() - lastRead) / 1000) })]);
  if (!isSilent() && status.neighbours === 0) found.push(["calm", t("banner.cut")]);
  const own = status.nodes.find((node) => node.id === status.node.id);
  if (own?.mode && own.mode.mode !== "standby") found.push(["mode", t("banner.mode", { words: modeWords(own.mode) })]);
  const left = door.hiddenWords(status);
  if (left) found.push(["calm", left]);
  if (own?.lapsed) found.push(["calm", t("banner.lapsed")]);
  const coming = goods.onTheRoad(consignments, status.node.id);
  if (coming) found.push(["calm", `→ ${t("banner.coming", { n: coming })}`]);
  if (status.conflicts) found.push(["warn", `⚠ ${t("banner.conflicts", { n: status.conflicts })}`]);
  for (const warning of status.warnings ?? []) found.push(["warn", t("banner.warning", { what: said(warning), code: warning.code })]);
  // In the calm colour: it is news only where a warning above says so.
  if (!isSilent() && status.radio) found.push(["calm", said(status.radio)]);
  const signature = JSON.stringify(found);
  if (signature === bannersShown) return;
  bannersShown = signature;
  put(place("banners"), found.map(([kind, words]) => el("p", { class: `banner ${kind}` }, words)));
}

/** Reads everything again, at most once a second. */
function refresh() {
  wanted = true;
  if (planned || reading) return;
  const wait = Math.max(GATHER_MS, GAP_MS - (Date.now() - lastRead));
  planned = setTimeout(read, lastRead ? wait : 0);
}

async function read() {
  planned = 0;
  reading = true;
  wanted = false;
  const answers = await Promise.all([
    catalogue ? { ok: true, body: catalogue } : call("/api/v1/catalogue"),
    call("/api/v1/status"),
    call("/api/v1/requests"),
    call("/api/v1/consignments"),
    call("/api/v1/conflicts"),
  ]);
  reading = false;
  if (answers.some((answer) => answer.status === 401)) return reload();
  if (answers.every((answer) => answer.ok)) {
    const first = catalogue === null;
    catalogue = answers[0].body;
    status = answers[1].body;
    requests = answers[2].body;
    consignments = answers[3].body;
    conflicts = answers[4].body;
    lastRead = Date.now();
    setSilent(false);
    if (first) {
      setCatalogue(catalogue);
      build();
    }
    show();
  } else {
    setSilent(true);
  }
  if (wanted) refresh();
}

/** The right to ask ended (a new token): the page itself gives a new one, tried once a minute. */
function reload() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last > 60_000) {
    sessionStorage.setItem(RELOADED, String(Date.now()));
    location.reload();
  }
}

function listen() {
  source?.close();
  source = new EventSource("/api/v1/events");
  for (const name of NEWS) source.addEventListener(name, refresh);
  source.addEventListener("delivery", (event) => {
    try {
      const news = JSON.parse(event.data);
      delivered(news.ticket, news.delivery);
    } catch {
      // Not readable: the next reading of everything says it too.
    }
    refresh();
  });
  source.addEventListener("open", refresh);
  source.addEventListener("error", () => {
    refresh();
    // The browser dials again by itself unless it was refused.
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || listen(), 3_000);
  });
}

/** The words change in place; what shows data is shown again. Nothing that somebody filled in is touched. */
function language(name) {
  setLanguage(name);
  if (status) show();
}

place("lang-zh").addEventListener("click", () => language("zh-TW"));
place("lang-en").addEventListener("click", () => language("en"));
document.addEventListener("holdfast-changed", refresh);
// A browser holds six connections to one address: a page nobody looks at must not keep one.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source?.close();
    source = null;
  } else {
    refresh();
    listen();
  }
});
setInterval(() => document.hidden || refresh(), ANYWAY_MS);

await loadWords();
keepTrue(document.body, top);
refresh();
listen();
