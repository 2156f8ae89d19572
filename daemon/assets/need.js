// Part 2: ask for supplies, and what was asked for. A request keeps its key until it is saved, so that pressing twice asks once.
import { bytes, call, confirmed, el, put } from "./dom.js";
import { deliveryLine, follow, refusalWords, refuse } from "./deliver.js";
import { goodsWords } from "./goods.js";
import { ageLine, amount, clock, isChinese, itemName, itemUnit, said, t, ticking, unit } from "./words.js";

const PRIORITIES = ["immediate", "urgent", "routine", "low"];
const HOURS = [2, 4, 8, 24, 48];
const ENDED = ["cancelled", "closed", "expired", "declined", "duplicate"];
const NOTE_BYTES_MAX = 64;

let catalogue = { items: [] };
let mine = "";
let role = "";
let key = newKey();
// What was last sent under the key: another wish gets another key, the same one pressed again does not.
let sent = "";
let list = null;
let shown = "";
// The select of the form as it stands, what it offers, and that in words.
let to = null;
let choices = [];
let offered = "";
// By request: the answer to the last press on it, where that was refused. Said until the next press.
const refused = new Map();

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function build(place, items) {
  catalogue = items;
  list = el("div", { class: "requests" });
  put(
    place,
    el("h2", { id: "need-title" }, () => t("need.title")),
    form(),
    el("h3", { id: "open-title" }, () => t("need.list")),
    list,
  );
}

/** The form: fields, and what became of the last request. Once that is saved the fields are made anew, so that nothing of it is left. */
function form() {
  const place = el("div", { class: "need" });
  const result = el("div", { class: "sent", role: "status", "aria-live": "polite" });
  const trouble = el("p", { class: "trouble", role: "alert" });
  const send = el("button", { type: "submit", class: "main big" }, () => t("need.send"));
  let filled = fields(place);
  const submit = async (event) => {
    event.preventDefault();
    const wish = filled();
    put(trouble, wish.problem);
    if (wish.problem) return;
    if (sent && sent !== wish.typed) key = newKey();
    sent = wish.typed;
    send.disabled = true;
    put(result, () => t("own.saving"));
    const answer = await call("/api/v1/requests", { ...wish.body, key });
    send.disabled = false;
    if (!answer.ok) return refuse(result, trouble, answer);
    key = newKey();
    sent = "";
    // What was typed while it was sent is another request.
    if (filled().typed === wish.typed) filled = fields(place);
    const follows = el("span");
    put(result, el("strong", { class: "spoken" }, answer.body.id ?? ""), " ", follows);
    follow(follows, answer.body.ticket, answer.body.delivery, () => "");
  };
  return el("form", { class: "need", novalidate: true, on: { submit } }, place, trouble, send, result);
}

/** Empty fields in `place`. Gives back what reads them. */
function fields(place) {
  const lines = el("div", { class: "lines" });
  const priority = choose("priority", PRIORITIES.map((word) => [word, () => t(`priority.${word}`)]), "routine");
  const by = el("select", { id: "by" },
    option("", () => t("need.by_none")),
    HOURS.map((n) => option(n, () => t("need.by_hours", { n }))),
    option("own", () => t("need.by_own")));
  const at = el("input", { type: "datetime-local", hidden: true, "aria-label": () => t("need.by") });
  by.addEventListener("change", () => (at.hidden = by.value !== "own"));
  to = el("select", { id: "to" });
  offered = "";
  offer();
  const note = el("input", { type: "text", id: "note", autocomplete: "off" });
  put(lines, line(lines));
  put(
    place,
    lines,
    el("button", { type: "button", class: "quiet", on: { click: () => lines.append(line(lines)) } }, () => t("need.add")),
    el("div", { class: "field" }, el("span", { class: "label" }, () => t("need.priority")), priority.node),
    el("div", { class: "field" }, el("label", { for: "to", class: "label" }, () => t("need.to")), to),
    el("div", { class: "pair" },
      el("div", { class: "field" }, el("label", { for: "by", class: "label" }, () => t("need.by")), by, at),
      el("div", { class: "field" }, el("label", { for: "note", class: "label" }, () => t("need.note")), note)),
  );
  return () => read(lines, priority.value(), by.value, at.value, to.value, note.value.trim());
}

function option(value, words) {
  return el("option", { value }, words);
}

function choose(name, choices, chosen) {
  let value = chosen;
  const buttons = choices.map(([word, words]) =>
    el("button", { type: "button", class: "choice", "aria-pressed": String(word === value), on: { click: () => set(word) } }, words),
  );
  const set = (word) => {
    value = word;
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(choices[at][0] === word)));
  };
  return { node: el("div", { class: "choices", role: "group", "aria-label": () => t(`need.${name}`) }, buttons), value: () => value };
}

/** One line of goods: which, and how many of its unit. */
function line(lines) {
  const item = el("select", { class: "item", "aria-label": () => t("need.item"), on: { change: () => change() } },
    catalogue.items.map((one) => option(one.code, () => said(one))),
    option("other", () => t("need.other")));
  const what = el("input", { type: "text", class: "other", hidden: true, "aria-label": () => t("need.other"), placeholder: () => t("need.other_what"), autocomplete: "off" });
  const count = el("input", { type: "number", class: "count", min: 1, step: 1, inputmode: "numeric", "aria-label": () => t("need.count"), placeholder: () => t("need.count") });
  const measure = el("span", { class: "measure" });
  const change = () => {
    const other = item.value === "other";
    what.hidden = !other;
    put(measure, () => unit(other ? "H87" : itemUnit(item.value)));
  };
  const drop = el("button", { type: "button", class: "quiet", "aria-label": () => t("need.drop"), on: { click: () => lines.children.length > 1 && row.remove() } }, "✕");
  const row = el("div", { class: "line" }, item, what, count, measure, drop);
  change();
  return row;
}

/** The form as the API wants it, and what was typed to tell it from another; or what is wrong in words. */
function read(lines, priority, by, at, asks, note) {
  const items = [];
  for (const row of lines.children) {
    const item = row.querySelector(".item").value;
    const other = row.querySelector(".other").value.trim();
    const count = row.querySelector(".count").value;
    if (!/^[1-9]\d*$/.test(count)) return { problem: () => t("need.count_missing") };
    if (item === "other" && !other) return { problem: () => t("need.other_missing") };
    items.push(item === "other" ? `other:${other}=${count}` : `${item}:${count}`);
  }
  const room = { max: NOTE_BYTES_MAX, zh: Math.floor(NOTE_BYTES_MAX / 3) };
  if (bytes(note) > NOTE_BYTES_MAX) return { problem: () => t("need.too_long", room) };
  const body = { items, priority };
  if (asks) body.to = asks;
  if (note) body.note = note;
  if (by === "own") {
    const time = new Date(at).getTime();
    if (!Number.isFinite(time) || time < Date.now()) return { problem: () => t("need.by_past") };
    body.needed_by = time;
  } else if (by) {
    body.needed_by = Date.now() + Number(by) * 3_600_000;
  }
  return { body, typed: JSON.stringify([items, priority, by, at, asks, note]) };
}

/** Who may be asked: nobody named first, which is the home hub or else every hub, as on the command line. */
function addressees(status) {
  const home = status.home_hub;
  const hubs = status.nodes.filter((node) => node.role === "hub" && node.id !== mine && node.id !== home?.id);
  return [
    ["", home ? t("need.to_home", { who: home.name }) : t("need.to_all")],
    ...(home ? [["all", t("need.to_all")]] : []),
    ...hubs.map((hub) => [hub.id, `${hub.name} (${hub.id})`]),
  ];
}

/** Whom to choose from; who is chosen stays so. */
function offer() {
  const signature = JSON.stringify(choices);
  if (signature === offered) return;
  offered = signature;
  const chosen = to.value;
  put(to, choices.map(([value, words]) => option(value, words)));
  if (choices.some(([value]) => value === chosen)) to.value = chosen;
}

/** The list, as everybody with the same entries sees it; and who may be asked. */
export function update(requests, status) {
  mine = status.node.id;
  role = status.nodes.find((node) => node.id === mine)?.role ?? "";
  choices = addressees(status);
  offer();
  const signature = JSON.stringify([isChinese(), requests.requests]);
  // Untouched while equal, so that a focus is not lost.
  if (signature === shown) return;
  shown = signature;
  const held = document.activeElement?.dataset?.act;
  const unfolded = list.querySelector("details")?.open;
  const open = requests.requests.filter((request) => !ENDED.includes(request.status));
  const ended = requests.requests.filter((request) => ENDED.includes(request.status));
  put(
    list,
    open.length ? open.map(card) : el("p", { class: "empty" }, t("need.empty")),
    ended.length ? el("details", { class: "more", open: unfolded }, el("summary", {}, t("need.ended", { n: ended.length })), ended.map(card)) : null,
  );
  if (held) list.querySelector(`[data-act="${CSS.escape(held)}"]`)?.focus();
}

// The node that asked, or who asked through it.
function asker(request) {
  const node = request.requested_by.name;
  return request.person ? t("person.by", { who: request.person.name, firm: request.person.delegated_by, node }) : node;
}

function card(request) {
  const own = request.requested_by.id === mine || request.consignee.id === mine;
  const ended = ENDED.includes(request.status);
  const answer = refused.get(request.request);
  const trouble = el("p", { class: "trouble", role: "alert" }, answer ? () => refusalWords(answer) : null);
  const act = (name, question) =>
    el("button", { type: "button", "data-act": `${name} ${request.request}`, on: { click: () => doIt(request, name, question, trouble) } }, t(`need.${name}`));
  const asked = request.asked_at ? ticking(Math.max(0, (Date.now() - request.asked_at) / 1000)) : null;
  return el(
    "article",
    { class: "request", "data-priority": request.priority, "data-ended": ended ? "yes" : false },
    el("header", {},
      el("strong", { class: "spoken" }, request.request),
      el("span", { class: "chip", "data-priority": request.priority }, t(`priority.${request.priority}`)),
      el("span", { class: "chip" }, t(`request.${request.status}`))),
    el("p", { class: "goods" }, request.lines.map((one) => `${one.text ?? itemName(one.item)} ${amount(one.requested, one.unit)}`).join(t("list.comma"))),
    el("p", {}, `→ ${request.consignee.name}`, !request.person && request.requested_by.id === request.consignee.id ? "" : ` ${t("need.asked_by", { who: asker(request) })}`),
    el("p", {}, t("need.asks", { who: request.to?.name ?? t("need.to_all") })),
    request.note ? el("p", { class: "note" }, request.note) : null,
    el("p", { class: "value" }, request.needed_by ? `${t("need.by")} ${clock(request.needed_by)} · ` : "", ageLine(asked, "need.asked")),
    // How far an own request got says who received it; of others' the list of those is all there is.
    request.delivery ? el("p", {}, deliveryLine(request.delivery, request.asked_at)) : seenBy(request),
    !ended && request.delivery?.state === "reached" ? el("p", { class: "age" }, t("need.waits")) : null,
    (request.commitments ?? []).map(promise),
    request.unable?.length ? el("p", {}, t("need.unable", { who: request.unable.map((node) => node.name).join(t("list.comma")) })) : null,
    request.flags.map(flagged),
    own && !ended
      ? el("div", { class: "row" },
          request.flags.includes("cancel_of_older_version") ? act("confirm", t("need.confirm_ask", { id: request.request })) : null,
          act("close", t("need.close_ask", { id: request.request })),
          act("cancel", t("need.cancel_ask", { id: request.request })))
      : null,
    !own && !ended ? supplies(request, trouble) : null,
    trouble,
  );
}

/** `duplicate_of:R-...` has its request behind it. */
function flagged(flag) {
  const [word, of] = flag.split(":");
  return el("p", { class: "flag" }, "⚠ ", t(`flag.${word}`, { of: of ?? "" }));
}

/** Who promised what, and where it is. */
function promise(one) {
  const sum = (stage) => one.lines.reduce((total, line) => total + (line[stage] ?? 0), 0);
  const [accepted, moving] = [sum("accepted"), sum("in_transit")];
  const left = accepted + moving ? ` · ${t("need.promised_left", { accepted, moving })}` : "";
  return el("p", { class: "value" }, `◆ ${t("need.promised", { who: one.supplier.name, goods: goodsWords(one.lines) })}${left}`,
    (one.flags ?? []).map((flag) => el("span", { class: "flag" }, ` ⚠ ${t(`flag.${flag}`)}`)));
}

/** What a hub, or whoever was asked by name, can do for a request of others. */
function supplies(request, trouble) {
  if (role !== "hub" && request.to?.id !== mine) return null;
  const promised = (request.commitments ?? []).filter((one) => one.supplier.id === mine);
  const waiting = promised.filter((one) => one.lines.some((line) => line.committed > 0)).map((one) => one.commitment);
  const act = (name, path, body, question) =>
    el("button", { type: "button", "data-act": `${name} ${request.request}`, on: { click: () => write(request, path, body, question, trouble) } }, t(`need.${name}`));
  const about = { id: request.request };
  return el("div", { class: "row" },
    request.status === "fulfilled" ? null : act("promise", "commitments", { request: request.request }, t("need.promise_ask", about)),
    waiting.length ? act("consign", "consignments", { commitments: waiting }, null) : null,
    promised.length || request.unable?.some((node) => node.id === mine)
      ? null
      : act("cannot", "requests/unable", { request: request.request }, t("need.cannot_ask", about)));
}

function seenBy(request) {
  const who = request.acknowledged_by.map((node) => node.name).join(t("list.comma"));
  return who ? el("p", {}, `● ${t("need.seen_by", { who })}`) : null;
}

function doIt(request, name, question, trouble) {
  return write(request, `requests/${name}`, { request: request.request, version: request.version }, question, trouble);
}

async function write(request, path, body, question, trouble) {
  if (question && !(await confirmed(question, t("ask.yes"), t("ask.no")))) return;
  refused.delete(request.request);
  put(trouble);
  const answer = await call(`/api/v1/${path}`, body);
  if (answer.ok) return document.dispatchEvent(new CustomEvent("holdfast-changed"));
  refused.set(request.request, answer);
  put(trouble, () => refusalWords(answer));
}
