// Words in both languages, times and ages. The two catalogues have the same keys (a test holds them to it).
import { el, retell, text } from "./dom.js";

const STORE = "holdfast.lang";
const catalogues = {};
let language = first();

function first() {
  let kept = null;
  try {
    kept = localStorage.getItem(STORE);
  } catch {
    // Storage may be switched off; the browser's language then decides at every visit.
  }
  if (kept === "en" || kept === "zh-TW") return kept;
  return (navigator.languages ?? [navigator.language]).some((tag) => /^zh/i.test(tag)) ? "zh-TW" : "en";
}

export async function loadWords() {
  for (const name of ["en", "zh-TW"]) {
    const response = await fetch(`/i18n/${name}.json`);
    catalogues[name] = await response.json();
  }
  apply();
}

export function setLanguage(name) {
  language = name;
  try {
    localStorage.setItem(STORE, name);
  } catch {
    // See above: it holds until the page is closed.
  }
  apply();
}

function apply() {
  document.documentElement.lang = isChinese() ? "zh-Hant-TW" : "en";
  for (const node of document.querySelectorAll("[data-say]")) text(node, t(node.dataset.say));
  document.getElementById("lang-zh").setAttribute("aria-pressed", String(isChinese()));
  document.getElementById("lang-en").setAttribute("aria-pressed", String(!isChinese()));
  retell();
}

export function isChinese() {
  return language === "zh-TW";
}

/** The words for a key; `{name}` is filled from `values`. English has one plural rule: KEY.one where n is 1. */
export function t(key, values = {}) {
  const words = catalogues[language] ?? {};
  const found = (values.n === 1 && words[`${key}.one`]) || words[key] || key;
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Picks the language of something with `en` and `zh`. */
export function said(thing) {
  return (isChinese() ? thing.zh : thing.en) || thing.en || thing.zh || "";
}

/** A Rec 20 code as people read it. Unknown codes are shown as they are. */
export function unit(code) {
  if (!code || code === "C62") return "";
  const key = `unit.${code}`;
  const words = t(key);
  return words === key ? code : words;
}

/** "40 L", "40 公升". */
export function amount(value, code) {
  const name = unit(code);
  const number = typeof value === "number" ? value.toLocaleString("en-US") : String(value);
  return name ? `${number} ${name}` : number;
}

/** 14:05, with the day where it is not today's and the year where it is not this one. */
export function clock(ms) {
  const [date, now] = [new Date(ms), new Date()];
  const two = (n) => String(n).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === now.toDateString()) return time;
  const day = `${two(date.getMonth() + 1)}/${two(date.getDate())} ${time}`;
  return date.getFullYear() === now.getFullYear() ? day : `${date.getFullYear()}/${day}`;
}

/** "3 min ago". */
export function ago(seconds) {
  if (seconds < 60) return t("age.now");
  if (seconds < 3600) return t("age.minutes", { n: Math.floor(seconds / 60) });
  if (seconds < 48 * 3600) return t("age.hours", { n: Math.floor(seconds / 3600) });
  return t("age.days", { n: Math.floor(seconds / 86400) });
}

/** An age that goes on counting: give it seconds at a moment, it knows them now. `null` is an unknown age. */
export function ticking(seconds) {
  if (seconds === null || seconds === undefined) return null;
  const since = performance.now() - seconds * 1000;
  return () => Math.max(0, (performance.now() - since) / 1000);
}

/** Words of an age: "as of 14:05 (3 min ago)", or that it is not known. `key` may say it another way. */
export function asOf(age, key = "age.as_of") {
  if (!age) return t("age.unknown");
  const seconds = age();
  return t(key, { time: clock(Date.now() - seconds * 1000), ago: ago(seconds) });
}

/** A line with an age that ticks. */
export function ageLine(age, key) {
  return el("span", { class: "age" }, () => asOf(age, key));
}

let fields = new Map();
let items = new Map();
let services = new Map();

export function setCatalogue(catalogue) {
  fields = new Map((catalogue.fields ?? []).map((field) => [field.name, field]));
  items = new Map((catalogue.items ?? []).map((item) => [item.code, item]));
  services = new Map((catalogue.services ?? []).map((service) => [service.code, service]));
}

export const LEVELS = ["plenty", "low", "nearly_out", "none"];
export const OFFERS = ["adequate", "insufficient", "not_offered"];

/** Name of an item by its code. */
export function itemName(code) {
  const item = items.get(code);
  return item ? said(item) : code;
}

export function itemUnit(code) {
  return items.get(code)?.unit;
}

/** Label of a reading by its name: a field, `stock.ITEM`, `stock.ITEM.count`, `service.NAME`. */
export function label(name) {
  const field = fields.get(name);
  if (field) return said(field);
  const [kind, code, count] = name.split(".");
  if (kind === "stock" && count === "count") return t("stock.count_of", { item: itemName(code) });
  if (kind === "stock") return itemName(code);
  if (kind === "service" && services.has(code)) return said(services.get(code));
  return name;
}

/** A reading's value in words; says nothing of its age. */
/** In which mode a site works, who switched it and why: "resilience mode, by an order (O-7Q4K2M9 of Hualien EOC: typhoon)". */
export function modeWords(mode) {
  const by = mode.order && mode.ordered_by ? t("mode.order_of", { order: mode.order, who: mode.ordered_by.name }) : mode.desk;
  const why = [by, mode.reason].filter(Boolean).join(t("list.colon"));
  const words = t("mode.said", { mode: valueWords("node.mode", mode.mode), cause: t(`cause.${mode.cause}`) });
  return why ? t("mode.why", { words, why }) : words;
}

export function valueWords(name, value, code) {
  const field = fields.get(name);
  const word = (field?.words ?? []).find((choice) => choice.word === value);
  if (word) return said(word);
  if (name.startsWith("stock.") && LEVELS.includes(value)) return t(`level.${value}`);
  if (name.startsWith("service.") && [...OFFERS, "unknown"].includes(value)) return t(`offer.${value}`);
  return typeof value === "object" ? JSON.stringify(value) : amount(value, code);
}

/** Past its validity now, whatever it was when it was read. */
export function isStale(reading, age) {
  return reading.stale || !age || age() > reading.valid_s;
}
