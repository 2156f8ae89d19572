// How far a write got, followed until it has arrived: the four steps of every write.
import { call, el, isSilent, put } from "./dom.js";
import { clock, said, t } from "./words.js";

const SHAPES = { saved_here: "◌", reached: "◔", received: "●", acted_on: "✓" };
// Nobody reached for so long is worth a person's attention (people.md 1.2, rule 4).
const NOBODY_MS = 30 * 60_000;
const followers = new Map();

/** A delivery in words, and a shape that says the same without colour. `since`: when it was saved, in milliseconds. */
export function deliveryLine(delivery, since) {
  const late = () => delivery.state === "saved_here" && since && Date.now() - since > NOBODY_MS;
  const words = () => t(`delivery.${delivery.state}`, { n: delivery.neighbours, who: (delivery.acknowledged_by ?? []).join(t("list.comma")) });
  return el(
    "span",
    { class: "delivery", "data-state": delivery.state, "data-late": () => (late() ? "yes" : false) },
    el("span", { class: "shape", "aria-hidden": "true" }, SHAPES[delivery.state] ?? "◌"),
    " ",
    () => (late() ? t("delivery.nobody") : words()),
  );
}

/** Shows in `place` what was saved and how far it got; goes on until it was received, or another write takes the place. Of a write
 * from before a reload nobody knows how far it got until the node was asked: then `delivery` is null. */
export function follow(place, ticket, delivery, what, { since = Date.now(), extra = null } = {}) {
  unfollow(place);
  let stopped = false;
  let timer = 0;
  const how = el("span");
  put(place, el("span", { class: "what" }, () => [clock(since), what()].filter(Boolean).join(" ")), " ", how, extra);
  const show = (news) => {
    delivery = news;
    put(how, delivery ? deliveryLine(delivery, since) : null);
  };
  const plan = () => {
    if (stopped || delivery?.state === "received" || delivery?.state === "acted_on") return;
    const old = Date.now() - since;
    timer = setTimeout(look, old < 60_000 ? 3_000 : 20_000);
  };
  const look = async () => {
    // Another write took its place.
    if (!place.isConnected) return unfollow(place);
    const answer = await call(`/api/v1/delivery/${encodeURIComponent(ticket)}`);
    if (stopped) return;
    // 404: the node knows nothing of it any more, so nothing is claimed.
    if (answer.status === 404) return show(null);
    if (answer.ok) show(answer.body);
    plan();
  };
  followers.set(place, {
    ticket,
    show,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  });
  show(delivery);
  if (delivery) plan();
  else look();
}

/** What stands in `place` is no longer brought up to date. */
export function unfollow(place) {
  followers.get(place)?.stop();
  followers.delete(place);
}

/** News from the event stream. */
export function delivered(ticket, delivery) {
  for (const follower of followers.values()) if (follower.ticket === ticket) follower.show(delivery);
}

/** What a refusal says: what happened, what it means, what to do, and its code. Where nothing answered it is open whether the write
 * was saved: that is said the same way while the program is silent and after it answers again. */
export function refusalWords(answer) {
  const error = answer.body;
  if (!error?.what) return t(isSilent() ? "error.no_answer" : "error.press_again");
  return t("error.words", { what: said(error.what), means: said(error.means), fix: said(error.fix), code: error.code });
}

/** Says that a write was refused, or that nothing answered it; that one stays open, so nothing else may claim to know. */
export function refuse(result, trouble, answer) {
  put(result, answer.body?.what ? () => t("own.not_saved") : null);
  put(trouble, () => refusalWords(answer));
}
