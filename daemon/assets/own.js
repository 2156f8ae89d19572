// Part 1: what this node says of itself. Every press is saved at once; fields and words come from the catalogue.
import { bytes, call, el, keepTrue, put, text } from "./dom.js";
import { follow, refuse, unfollow } from "./deliver.js";
import { LEVELS, OFFERS, ageLine, amount, isStale, label, said, t, ticking, unit, valueWords } from "./words.js";

// Shown first where the catalogue has them; every other field stands under "more".
const FIRST = ["operating.status", "access.status", "node.mode", "power.source", "power.hours"];
// Numbers shown first.
const NUMBERS = ["capacity.people", "capacity.occupancy"];
// Items shown before the first report; those the node reports on are always shown.
const ITEMS_FIRST = 4;
// people.md 4.2.
const UNDO_MS = 10_000;
const TICKET = "holdfast.ticket";

const rows = new Map();
let line = null;
let trouble = null;
let again = null;
let current = {};
// What was pressed and is not answered yet: shown at once, taken back if it was refused.
const pending = new Map();

export function build(place, catalogue, status) {
  current = mine(status);
  const fields = catalogue.fields ?? [];
  const find = (name) => fields.find((field) => field.name === name);
  const first = FIRST.map(find).filter(Boolean);
  const numbers = NUMBERS.map(find).filter(Boolean);
  const rest = fields.filter((field) => !first.includes(field) && !numbers.includes(field));
  const items = catalogue.items ?? [];
  const shown = items.filter((item, at) => at < ITEMS_FIRST || current[`stock.${item.code}`]);
  line = el("p", { class: "sent", role: "status", "aria-live": "polite" });
  trouble = el("p", { class: "trouble", role: "alert" });
  again = el("div", { class: "again", hidden: true }, el("p", {}, () => t("own.same_question")), sameButton());
  put(
    place,
    el("h2", { id: "own-title" }, () => t("own.title")),
    again,
    first.map(fieldRow),
    el("h3", {}, () => t("stock.title")),
    shown.map((item) => levelRow(item)),
    more(() => t("stock.more"), items.filter((item) => !shown.includes(item)).map((item) => levelRow(item))),
    numbers.length ? el("h3", {}, () => t("own.numbers")) : null,
    numbers.map(fieldRow),
    more(() => t("own.more"), [...rest.map(fieldRow), ...(catalogue.services ?? []).map(serviceRow)]),
    el("div", { class: "foot" }, trouble, line),
  );
  put(line, () => t("own.saved_at_press"));
  resume();
}

function mine(status) {
  return status.nodes.find((node) => node.id === status.node.id)?.readings ?? {};
}

function more(title, children) {
  if (!children.length) return null;
  return el("details", { class: "more" }, el("summary", {}, title), children);
}

function fieldRow(field) {
  if (field.kind === "choice") {
    const words = (field.words ?? []).filter((choice) => choice.word !== "unknown");
    return choiceRow(field.name, () => said(field), words.map((choice) => [choice.word, () => said(choice)]), field.document === "detail");
  }
  return field.kind === "integer" ? numberRow(field) : textRow(field);
}

function levelRow(item) {
  const choices = LEVELS.map((level) => [level, () => t(`level.${level}`)]);
  return choiceRow(`stock.${item.code}`, () => said(item), [...choices, ["", () => t("level.unsaid")]], false);
}

function serviceRow(service) {
  return choiceRow(`service.${service.code}`, () => said(service), OFFERS.map((offer) => [offer, () => t(`offer.${offer}`)]), false);
}

/** Shows what is reported in an input, but never over what was typed there and is not saved yet. The function made here takes the
 * reported value and gives back whether something else is typed. */
function reportedIn(input) {
  let shown = "";
  return (value) => {
    if (input.value === shown && input.value.trim() !== value) input.value = value;
    if (input.value.trim() === value) shown = input.value;
    return input.value !== shown;
  };
}

/** The catalogue writes English in small letters; a button begins with a large one. */
function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function heading(name, words, inner) {
  const age = el("span", { class: "value" });
  return { age, node: el("span", { class: "label", id: `l-${name}` }, words, inner ? el("small", {}, () => ` ${t("own.inner")}`) : null) };
}

function choiceRow(name, words, choices, inner) {
  const head = heading(name, words, inner);
  const buttons = choices.map(([word, shown]) =>
    el("button", { type: "button", class: "choice", "data-word": word, "aria-pressed": "false", on: { click: () => save(name, word) } }, () => capital(shown())),
  );
  rows.set(name, (reading) => {
    const value = pending.has(name) ? pending.get(name) : reading ? String(reading.value) : null;
    for (const button of buttons) {
      const pressed = value !== null && value !== "" && button.dataset.word === value;
      button.setAttribute("aria-pressed", String(pressed));
    }
    showAge(head.age, name, reading);
  });
  const row = el(
    "div",
    { class: "field", role: "group", "aria-labelledby": `l-${name}` },
    el("div", { class: "head" }, head.node, head.age),
    el("div", { class: "choices" }, buttons),
  );
  rows.get(name)(current[name]);
  return row;
}

function numberRow(field) {
  const head = heading(field.name, () => said(field), field.document === "detail");
  const input = el("input", {
    type: "number",
    inputmode: "decimal",
    min: field.min ?? 0,
    max: field.max,
    step: field.decimals ? "any" : 1,
    "aria-labelledby": `l-${field.name}`,
    on: { change: () => typed() },
  });
  const typed = () => {
    const fits = input.value !== "" && input.checkValidity();
    const range = { min: field.min ?? 0, max: field.max ?? "", digits: field.decimals };
    put(trouble, fits ? null : () => t(field.decimals ? "own.range" : "own.whole", range));
    if (fits) save(field.name, String(Number(input.value)));
  };
  const show = reportedIn(input);
  let wait = 0;
  const step = (direction) => {
    const given = Number(input.value) || 0;
    const now = field.decimals ? given : Math.trunc(given);
    const by = now + direction < 20 ? 1 : now + direction < 200 ? 5 : 10;
    const next = Math.min(Math.max(now + direction * by, field.min ?? 0), field.max ?? Number.MAX_SAFE_INTEGER);
    input.value = String(next);
    pending.set(field.name, String(next));
    clearTimeout(wait);
    wait = setTimeout(() => save(field.name, String(next)), 700);
  };
  const button = (sign, direction, words) =>
    el("button", { type: "button", class: "step", "aria-label": () => `${said(field)}: ${words()}`, on: { click: () => step(direction) } }, sign);
  rows.set(field.name, (reading) => {
    show(String(pending.get(field.name) ?? reading?.value ?? ""));
    showAge(head.age, field.name, reading);
  });
  rows.get(field.name)(current[field.name]);
  return el(
    "div",
    { class: "field" },
    el("div", { class: "head" }, head.node, head.age),
    el("div", { class: "number" }, button("−", -1, () => t("own.less")), input, button("+", 1, () => t("own.plus")), el("span", {}, () => unit(field.unit))),
  );
}

function textRow(field) {
  const max = field.max ?? field.bytes_max ?? 64;
  const head = heading(field.name, () => said(field), field.document === "detail");
  const left = el("small", { class: "left", "aria-live": "polite" });
  const input = el("input", { type: "text", "aria-labelledby": `l-${field.name}`, on: { input: () => tell() } });
  const button = el("button", { type: "button", on: { click: () => save(field.name, input.value.trim()) } }, () => t("own.save"));
  const show = reportedIn(input);
  const tell = () => {
    const typed = show(String(current[field.name]?.value ?? ""));
    const over = bytes(input.value) - max;
    button.disabled = over > 0;
    text(left, over > 0 ? t("need.too_long", { max, zh: Math.floor(max / 3) }) : typed && !pending.has(field.name) ? t("own.not_saved_yet") : "");
  };
  keepTrue(left, tell);
  rows.set(field.name, (reading) => {
    tell();
    showAge(head.age, field.name, reading);
  });
  rows.get(field.name)(current[field.name]);
  return el(
    "div",
    { class: "field" },
    el("div", { class: "head" }, head.node, head.age),
    el("div", { class: "number" }, input, button),
    left,
  );
}

function showAge(place, name, reading) {
  if (pending.has(name)) return put(place, t("own.saving"));
  if (!reading) return put(place, el("span", { class: "age" }, t("own.never")));
  const age = ticking(reading.age_s);
  const count = current[`${name}.count`];
  return put(
    place,
    count ? el("span", {}, `${amount(count.value, count.unit)} · `) : null,
    isStale(reading, age) ? el("b", { class: "stale" }, `${t("board.unknown_was", { was: valueWords(name, reading.value, reading.unit) })} `) : null,
    reading.derived ? el("span", { class: "age" }, `${t("board.derived")} `) : null,
    ageLine(age),
  );
}

/** New readings of this node. */
export function update(status) {
  current = mine(status);
  for (const [name, show] of rows) show(current[name]);
  askAgain();
}

/** Two hours without a touch: asks once whether all is as it was; one press makes every age young. */
function askAgain() {
  const ages = Object.values(current).filter((reading) => !reading.derived).map((reading) => reading.age_s ?? Infinity);
  again.hidden = ages.length === 0 || Math.min(...ages) < 2 * 3600;
}

function sameButton() {
  const press = () => {
    const values = {};
    for (const name of rows.keys()) {
      // A count says more than its level, and the level follows from it.
      const reading = current[`${name}.count`] ?? current[name];
      if (reading && !reading.derived && typeof reading.value !== "object") values[name] = String(reading.value);
    }
    again.hidden = true;
    send(values);
  };
  return el("button", { type: "button", class: "main", on: { click: press } }, () => t("own.same"));
}

function save(name, value) {
  const was = pending.has(name) ? pending.get(name) : current[name] === undefined ? null : String(current[name].value);
  pending.set(name, value);
  rows.get(name)?.(current[name]);
  // A press on what already holds makes it young again: that is a report too.
  const undo = was === null || was === value ? null : { [name]: was };
  return send({ [name]: value }, undo);
}

/** A report in words. */
function described(values) {
  const entries = Object.entries(values);
  if (entries.length !== 1) return t("own.same");
  const [name, value] = entries[0];
  const words = value === "" ? t("level.unsaid") : valueWords(name, /^\d+$/.test(value) ? Number(value) : value, current[name]?.unit);
  return t("own.said", { label: label(name), value: words });
}

/** One press takes the last report back, for ten seconds. */
function undoButton(values) {
  const press = () => {
    button.remove();
    const [name, value] = Object.entries(values)[0];
    save(name, value);
  };
  const button = el("button", { type: "button", class: "undo", on: { click: press } }, () => t("own.undo"));
  setTimeout(() => button.remove(), UNDO_MS);
  return button;
}

async function send(values, undo = null) {
  unfollow(line);
  put(trouble);
  put(line, () => t("own.saving"));
  const answer = await call("/api/v1/report", { values });
  for (const [name, value] of Object.entries(values)) {
    // A later press on the same row is still under way: it decides.
    if (pending.get(name) !== value) continue;
    pending.delete(name);
    if (answer.ok) {
      if (value === "") delete current[name];
      else current[name] = { ...(current[name] ?? { valid_s: 3600, basis: "self_reported" }), value, age_s: 0, stale: false };
    }
    rows.get(name)?.(current[name]);
  }
  if (!answer.ok) return refuse(line, trouble, answer);
  const since = Date.now();
  const extra = undo ? undoButton(undo) : null;
  follow(line, answer.body.ticket, answer.body.delivery, () => described(values), { since, extra });
  try {
    localStorage.setItem(TICKET, JSON.stringify({ ticket: answer.body.ticket, since, values }));
  } catch {
    // Without storage the line is gone after a reload; the report is not.
  }
}

/** After a reload the last write is followed on. */
function resume() {
  try {
    const kept = JSON.parse(localStorage.getItem(TICKET) ?? "null");
    if (kept?.ticket && kept.values && Date.now() - kept.since < 12 * 3_600_000) {
      follow(line, kept.ticket, null, () => described(kept.values), { since: kept.since });
    }
  } catch {
    // Nothing kept, or not ours.
  }
}
