// The public's board at the door: where it is, what it leaves out. Hiding holds from the next visitor on, on this site's board alone.
import { call, el, keepTrue, put, retell, text } from "./dom.js";
import { refusalWords } from "./deliver.js";
import { label, said, t } from "./words.js";

// Beside levels of stock and services these readings stand on the board.
const SHOWN = ["message.public", "access.status", "capacity.state", "power.source", "network.internet", "network.mobile"];

let panel = null;
let list = null;
let choice = null;
let trouble = null;
let status = null;
let signature = "";

export function build(place) {
  signature = "";
  list = el("ul", { class: "lines" });
  trouble = el("p", { class: "trouble", role: "alert" });
  choice = el("select", { "aria-label": () => t("door.what") });
  const summary = el("summary", {}, () => t("door.title", { n: hidden().length }));
  const where = el("p", { class: "note" });
  keepTrue(where, () => text(where, status?.board?.listen ? t("door.where", { address: address() }) : t("door.off")));
  const hide = el("button", { type: "button", id: "door-hide", on: { click: () => change("hide", choice.value) } }, () => t("door.hide"));
  panel = el("details", { class: "more", id: "door", hidden: true }, summary, where, el("p", {}, () => t("door.explain")), list, el("div", { class: "line" }, choice, hide), trouble);
  place.insertBefore(panel, place.querySelector(".foot"));
}

function hidden() {
  return status?.board?.hidden ?? [];
}

function address() {
  return status.board.address ?? status.board.listen;
}

/** What this site says that anybody may read and that is not hidden yet. */
function published() {
  const own = status.nodes.find((node) => node.id === status.node.id)?.readings ?? {};
  const out = new Set(hidden().filter((one) => one.site === status.node.id).map((one) => one.line));
  return Object.keys(own).filter((name) => (SHOWN.includes(name) || /^(stock|service)\.[^.]+$/.test(name)) && !out.has(name));
}

export function update(news) {
  status = news;
  panel.hidden = !status.board;
  const now = JSON.stringify([status.board ?? null, status.board ? published() : [], t("door.show")]);
  if (now === signature) return;
  signature = now;
  const chosen = choice.value;
  put(choice, (status.board ? published() : []).map((name) => el("option", { value: name }, label(name))));
  if ([...choice.options].some((option) => option.value === chosen)) choice.value = chosen;
  put(list, hidden().map((one) => el("li", { class: "line" }, el("span", { class: "note" }, said(one)), el("button", { type: "button", on: { click: () => change("show", one.line, one.site) } }, t("door.show")))));
  // The title counts what is hidden.
  retell();
}

/** The banner: what is hidden must not be forgotten. */
export function hiddenWords(news) {
  const all = news.board?.hidden ?? [];
  return all.length ? t("banner.hidden", { what: all.map(said).join(t("list.comma")) }) : "";
}

async function change(how, line, site) {
  if (how === "hide" && !line) return;
  put(trouble);
  const answer = await call(`/api/v1/board/${how}`, { line: line ?? "", site: site ?? "" });
  if (!answer.ok) return put(trouble, () => refusalWords(answer));
  document.dispatchEvent(new Event("holdfast-changed"));
}
