// Part 3: everyone's board. A value past its age turns grey and its word becomes "unknown"; what others saw stands beside it.
import { el, keepTrue, put, text } from "./dom.js";
import { ageLine, isChinese, isStale, label, modeWords, t, ticking, valueWords } from "./words.js";

const SHAPES = { open: "●", limited: "◐", closed: "✕", evacuating: "▲", unknown: "?" };
// On the card itself; everything else is in the table beneath.
const HEADLINES = ["access.status", "power.source", "power.hours", "capacity.people", "capacity.state", "message.public"];

let cards = new Map();
let listing = null;
let counts = null;
let search = null;
let openOnly = null;
let none = null;
let nodes = [];
let mine = "";

export function build(place, status) {
  cards = new Map();
  mine = status.node.id;
  listing = el("div", { class: "cards" });
  counts = el("p", { class: "counts", "aria-live": "polite" });
  search = el("input", { type: "search", placeholder: () => t("board.search"), "aria-label": () => t("board.search"), autocomplete: "off", on: { input: filter } });
  openOnly = el("button", { type: "button", class: "choice", "aria-pressed": "false", on: { click: toggle } }, () => t("board.open_only"));
  none = el("p", { class: "empty", role: "status", hidden: true }, () => t("board.none"));
  put(place, el("h2", { id: "board-title" }, () => t("board.title")), counts, el("div", { class: "row find" }, search, openOnly), none, listing);
}

function toggle() {
  openOnly.setAttribute("aria-pressed", String(openOnly.getAttribute("aria-pressed") !== "true"));
  filter();
}

/** 台 and 臺 are one for who searches. */
function fold(words) {
  return words.toLowerCase().replaceAll("臺", "台");
}

function filter() {
  const wanted = fold(search.value.trim());
  const open = openOnly.getAttribute("aria-pressed") === "true";
  let left = 0;
  for (const node of nodes) {
    const card = cards.get(node.id);
    const fits = !wanted || fold(`${node.name} ${node.id} ${node.region} ${node.firm}`).includes(wanted);
    card.article.hidden = !fits || (open && !["open", "limited"].includes(card.article.dataset.status));
    if (!card.article.hidden) left += 1;
  }
  none.hidden = left > 0;
}

/** What a node looks like, without its ages: unchanged cards are left alone and go on ticking. */
function signature(node) {
  return JSON.stringify([isChinese(), node], (name, value) => (name === "age_s" ? value === null : value));
}

export function update(status) {
  nodes = status.nodes;
  const tally = {};
  for (const node of nodes) {
    tally[node.operating_status] = (tally[node.operating_status] ?? 0) + 1;
    const known = cards.get(node.id);
    const looks = signature(node);
    // A younger age is news even where the words are the same; an older one is what the card counts to by itself.
    if (known && known.looks === looks && sum(node) >= known.sum) {
      known.sum = sum(node);
      continue;
    }
    const article = card(node);
    // A table someone opened stays open.
    if (known?.article.querySelector("details")?.open) article.querySelector("details")?.setAttribute("open", "");
    known?.article.replaceWith(article);
    cards.set(node.id, { article, looks, sum: sum(node) });
  }
  const present = new Set(nodes.map((node) => node.id));
  for (const [id, { article }] of cards) {
    if (present.has(id)) continue;
    article.remove();
    cards.delete(id);
  }
  nodes.forEach((node, at) => {
    const { article } = cards.get(node.id);
    if (listing.children[at] !== article) listing.insertBefore(article, listing.children[at] ?? null);
  });
  const summary = Object.keys(SHAPES).filter((word) => tally[word]).map((word) => `${SHAPES[word]} ${t(`status.${word}`)} ${tally[word]}`);
  if (counts.textContent !== summary.join("")) put(counts, summary.map((words) => el("span", {}, words)));
  filter();
}

function sum(node) {
  return Object.values(node.readings).reduce((total, reading) => total + (reading.age_s ?? 0), node.age_s ?? 0);
}

function card(node) {
  const readings = Object.entries(node.readings);
  const stock = readings.filter(([name]) => /^stock\.[^.]+$/.test(name));
  const article = el("article", { class: "card", "data-own": node.id === mine ? "yes" : false });
  const shape = el("span", { class: "shape", "aria-hidden": "true" });
  const word = el("span", { class: "word" });
  // A board is there from the first start; until somebody said something its age tells nothing.
  const spoken = readings.length > 0 || node.unknown_because !== "never_said";
  const operating = node.readings["operating.status"];
  const age = ticking(operating ? operating.age_s : node.age_s);
  keepTrue(article, () => {
    const old = operating && node.operating_status !== "unknown" && isStale(operating, age);
    const status = old ? "unknown" : node.operating_status;
    const was = old ? node.operating_status : node.was;
    article.dataset.status = SHAPES[status] ? status : "unknown";
    text(shape, SHAPES[status] ?? "?");
    text(word, was ? t("board.unknown_was", { was: t(`status.${was}`) }) : t(`status.${status}`));
  });
  put(
    article,
    el("header", {},
      el("h3", {}, node.name),
      el("span", { class: "meta" }, node.id),
      node.id === mine ? el("span", { class: "chip" }, t("board.mine")) : null,
      node.role === "store" ? null : el("span", { class: "chip" }, t(`role.${node.role}`)),
      node.id === mine ? null : el("span", { class: "meta link", "data-up": node.reachable ? "yes" : "no" }, t(node.reachable ? "board.linked" : "board.not_linked"))),
    el("p", { class: "status value" }, shape, " ", word),
    node.unknown_because ? el("p", { class: "why" }, t(`because.${node.unknown_because}`)) : null,
    node.mode && node.mode.mode !== "standby" ? el("p", { class: "mode" }, "◆ ", modeWords(node.mode)) : null,
    node.lapsed ? el("p", { class: "why" }, t("board.lapsed")) : null,
    node.forked ? el("p", { class: "flag" }, "⚠ ", t("board.forked")) : null,
    el("p", { class: "value" }, spoken ? ageLine(ticking(node.age_s)) : null, node.via ? el("span", { class: "age" }, ` · ${t("board.via", { via: node.via === "courier" ? t("board.courier") : node.via })}`) : null),
    el("ul", { class: "facts value" }, HEADLINES.filter((name) => node.readings[name]).map((name) => fact(name, node.readings[name]))),
    stock.length ? el("ul", { class: "stock value" }, stock.map(([name, reading]) => level(name, reading))) : null,
    (node.observations ?? []).map(observation),
    readings.length ? table(readings) : null,
  );
  return article;
}

/** Value in words, "unknown" once too old. */
function worded(name, reading) {
  const node = el("span", { class: "said" });
  const age = ticking(reading.age_s);
  return keepTrue(node, () => {
    const words = valueWords(name, reading.value, reading.unit);
    const old = isStale(reading, age);
    node.classList.toggle("stale", old);
    text(node, old ? t("board.unknown_was", { was: words }) : words);
  });
}

function fact(name, reading) {
  return el("li", {}, el("span", { class: "name" }, label(name)), " ", worded(name, reading));
}

function level(name, reading) {
  const words = worded(name, reading);
  const bars = el("span", { class: "bars", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  const chip = el("li", { class: "level", "data-level": String(reading.value) }, bars, el("span", { class: "name" }, label(name)), " ", words);
  return keepTrue(chip, () => (chip.dataset.stale = words.classList.contains("stale") ? "yes" : "no"));
}

function observation(seen) {
  const words = Object.entries(seen.readings).map(([name, reading]) => `${label(name)} ${valueWords(name, reading.value, reading.unit)}`);
  if (seen.note) words.push(`「${seen.note}」`);
  const by = seen.person ? t("person.by", { who: seen.person.name, firm: seen.person.delegated_by, node: seen.by.name }) : seen.by.name;
  const who = seen.desk ? `${by} (${seen.desk})` : by;
  return el("p", { class: "seen" }, "◇ ", t("board.seen", { who, what: words.join(t("list.comma")) }), " ", ageLine(ticking(seen.age_s)));
}

function table(readings) {
  const rows = readings.map(([name, reading]) =>
    el("tr", {},
      el("th", { scope: "row" }, label(name)),
      el("td", {}, worded(name, reading)),
      el("td", {}, ageLine(ticking(reading.age_s)), el("small", { class: "age" }, ` ${t(`basis.${reading.basis}`)}${reading.derived ? ` · ${t("board.derived")}` : ""}`))),
  );
  return el("details", { class: "more" }, el("summary", {}, t("board.all")), el("table", {}, el("tbody", {}, rows)));
}
