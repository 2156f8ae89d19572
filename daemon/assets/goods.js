// Part 3: what comes, what goes, and what people must decide. Each card says where the goods are and offers the next thing to do.
import { call, confirmed, el, put } from "./dom.js";
import { refusalWords } from "./deliver.js";
import { amount, clock, isChinese, itemName, itemUnit, t } from "./words.js";

// Nothing more happens to these.
const OVER = ["received", "refused", "unloaded", "lost", "returned"];
// Goods that left the sender can be signed for, whatever the driver said since.
const LEFT = ["departed", "arrived", "handed_over"];
const NEXT = { planned: ["load", "depart"], loaded: ["depart", "unload"], departed: ["arrive"], arrived: ["hand_over"] };
// These end something: a person is asked first.
const ASKED = ["unload"];
const DONE_BY_YES = ["release", "unload", "divert"];

let mine = "";
let list = null;
let shown = "";
// By consignment: the form of a receipt that somebody began to fill in.
const counting = new Map();
// By consignment or conflict: the answer to the last press, where that was refused.
const refused = new Map();

export function build(place) {
  list = el("div", { class: "requests" });
  put(place, el("h2", { id: "goods-title" }, () => t("goods.title")), list);
}

/** New lists; left alone while equal, so that a focus and what is typed are not lost. */
export function update(consignments, conflicts, status) {
  mine = status.node.id;
  const coming = consignments.consignments.filter((one) => one.to.id === mine && !OVER.includes(one.status));
  const going = consignments.consignments.filter((one) => isOurs(one) && one.to.id !== mine && !OVER.includes(one.status));
  const ours = conflicts.conflicts.filter(concerns);
  for (const name of counting.keys()) if (!coming.some((one) => one.consignment === name)) counting.delete(name);
  const signature = JSON.stringify([isChinese(), coming, going, ours]);
  if (signature === shown) return;
  shown = signature;
  const held = document.activeElement?.dataset?.act;
  put(
    list,
    ...part("goods.decide", ours.map(decision)),
    ...part("goods.coming", coming.map(arriving)),
    ...part("goods.going", going.map(leaving)),
    coming.length + going.length + ours.length ? null : el("p", { class: "empty" }, t("goods.none")),
  );
  if (held) list.querySelector(`[data-act="${CSS.escape(held)}"]`)?.focus();
}

/** How many convoys for this site left their sender and are not signed for. */
export function onTheRoad(consignments, me) {
  return consignments.consignments.filter((one) => one.to.id === me && LEFT.includes(one.status)).length;
}

function isOurs(one) {
  return one.sender.id === mine || one.carrier?.id === mine;
}

function concerns(conflict) {
  const supplies = (conflict.parts ?? []).some((goods) => goods.supplier.id === mine);
  return conflict.consignee.id === mine || supplies || conflict.proposals.some((proposal) => proposal.by.id === mine);
}

function part(title, cards) {
  return cards.length ? [el("h3", {}, t(title)), ...cards] : [];
}

/** "Water 40 L, rice 5 kg". */
export function goodsWords(lines) {
  return lines.map((one) => `${one.text ?? itemName(one.item)} ${amount(one.quantity, one.unit)}`).join(t("list.comma"));
}

function head(name, word) {
  return el("header", {}, el("strong", { class: "spoken" }, name), el("span", { class: "chip" }, word));
}

function whole(one) {
  const by = one.arrival ? el("p", { class: "value" }, t("goods.arrives", { time: clock(one.arrival) })) : null;
  const flags = (one.flags ?? []).map((flag) => el("p", { class: "flag" }, "⚠ ", t(`goods.flag.${flag}`)));
  return [el("p", { class: "goods" }, goodsWords(one.lines)), by, one.note ? el("p", { class: "note" }, one.note) : null, ...flags];
}

/** A button that writes, and where the answer is said if it was refused. */
function pressed(about, name, words, path, body, question = null, kind = null) {
  const press = async () => {
    if (question && !(await confirmed(question, t("ask.yes"), t("ask.no")))) return;
    await write(about, path, typeof body === "function" ? body() : body);
  };
  return el("button", { type: "button", class: kind, "data-act": `${name} ${about}`, on: { click: press } }, words);
}

async function write(about, path, body) {
  refused.delete(about);
  const answer = await call(`/api/v1/${path}`, body);
  if (!answer.ok) refused.set(about, answer);
  else counting.delete(about);
  shown = "";
  document.dispatchEvent(new CustomEvent("holdfast-changed"));
}

function trouble(about) {
  const answer = refused.get(about);
  return el("p", { class: "trouble", role: "alert" }, answer ? () => refusalWords(answer) : null);
}

/** Goods for this site: signed for as they came, counted, or refused. */
function arriving(one) {
  const name = one.consignment;
  const sign = (body) => ["consignments/receive", { consignment: name, ...body }];
  const open = counting.get(name);
  const form = open ?? (LEFT.includes(one.status) ? receipt(one) : null);
  const count = () => {
    counting.set(name, form);
    form.node.hidden = false;
    form.node.querySelector("input")?.focus();
  };
  if (form) form.node.hidden = !open;
  return el(
    "article",
    { class: "request" },
    head(name, t(`goods.state.${one.status}`)),
    el("p", {}, t("goods.from", { who: one.sender.name })),
    ...whole(one),
    form
      ? el("div", { class: "row" },
          pressed(name, "all", t("goods.all_here"), ...sign({}), t("goods.all_ask", { id: name, goods: goodsWords(one.lines) })),
          el("button", { type: "button", "data-act": `count ${name}`, on: { click: count } }, t("goods.count")),
          pressed(name, "refuse", t("goods.refuse"), ...sign({ refuse: true }), t("goods.refuse_ask", { id: name })))
      : null,
    form?.node ?? null,
    trouble(name),
  );
}

/** How much of each item was taken in, is unusable, or goes back; what is in none of the three is missing. */
function receipt(one) {
  const rows = one.lines.map((goods) => {
    const number = (kind, value) =>
      el("input", { type: "number", min: 0, max: goods.quantity, step: 1, value, inputmode: "numeric", "aria-label": () => `${goods.text ?? itemName(goods.item)}: ${t(`goods.${kind}`)}` });
    const inputs = { accepted: number("accepted", goods.quantity), damaged: number("damaged", 0), rejected: number("rejected", 0) };
    const fields = Object.entries(inputs).map(([kind, input]) => el("label", {}, el("small", {}, () => t(`goods.${kind}`)), input));
    return { goods, inputs, node: el("div", { class: "counted" }, el("span", { class: "name" }, `${goods.text ?? itemName(goods.item)} ${amount(goods.quantity, goods.unit)}`), fields) };
  });
  const body = () => {
    const wish = { consignment: one.consignment };
    for (const kind of ["accepted", "damaged", "rejected"]) {
      const counted = rows.filter((row) => Number(row.inputs[kind].value) > 0);
      wish[kind] = counted.map(({ goods, inputs }) => {
        const count = Math.trunc(Number(inputs[kind].value));
        return goods.text ? `other:${goods.text}=${count}` : `${goods.item}:${count}`;
      });
    }
    // Nothing counted at all would mean that everything came.
    if (!wish.accepted.length && !wish.damaged.length && !wish.rejected.length) wish.refuse = true;
    return wish;
  };
  const node = el("div", { class: "receipt", hidden: true },
    rows.map((row) => row.node),
    el("p", { class: "age" }, () => t("goods.rest_missing")),
    pressed(one.consignment, "sign", t("goods.sign"), "consignments/receive", body, null, "main"));
  return { node };
}

/** Goods this site sends or drives: the next step. */
function leaving(one) {
  const name = one.consignment;
  const steps = (NEXT[one.status] ?? []).map((step) =>
    pressed(name, step, t(`goods.step.${step}`), "consignments/step", { consignment: name, step }, ASKED.includes(step) ? t("goods.unload_ask", { id: name }) : null));
  return el(
    "article",
    { class: "request" },
    head(name, t(`goods.state.${one.status}`)),
    el("p", {}, t("goods.to", { who: one.to.name })),
    ...whole(one),
    steps.length ? el("div", { class: "row" }, steps) : el("p", { class: "age" }, t("goods.waits_for", { who: one.to.name })),
    trouble(name),
  );
}

/** Something that people must settle: what it is, what everybody is asked to do, and one button for this site's part. */
function decision(conflict) {
  const name = conflict.conflict;
  const own = conflict.proposals.filter((proposal) => proposal.by.id === mine && DONE_BY_YES.includes(proposal.what));
  const question = t("goods.resolve_ask", { what: own.map(proposed).join(t("list.comma")) });
  return el(
    "article",
    { class: "request", "data-priority": "urgent" },
    head(name, t(`goods.conflict.${conflict.kind}`)),
    el("p", {}, t("goods.about", { what: conflict.about, who: conflict.consignee.name })),
    (conflict.parts ?? []).map((goods) =>
      el("p", { class: "goods" }, t("goods.part", {
        who: goods.supplier.name,
        goods: `${itemName(goods.item)} ${amount(goods.kept + goods.surplus, itemUnit(goods.item))}`,
        held: t(`goods.held.${goods.held}`),
        surplus: amount(goods.surplus, itemUnit(goods.item)),
      }))),
    conflict.proposals.map((proposal) => el("p", { class: "note" }, "→ ", proposed(proposal))),
    own.length ? el("div", { class: "row" }, pressed(name, "resolve", t("goods.resolve"), "conflicts/resolve", { conflict: name }, question)) : null,
    trouble(name),
  );
}

function proposed(proposal) {
  const goods = proposal.item ? `${itemName(proposal.item)} ${amount(proposal.quantity, itemUnit(proposal.item))}` : "";
  return t(`goods.proposal.${proposal.what}`, { who: proposal.by.name, of: proposal.of, to: proposal.to ?? "", goods });
}
