// How far a write got, followed until it has arrived: the four steps of every write.
import { call, el, put } from "./dom.js";
import { clock, t } from "./words.js";

const SHAPES = { saved_here: "◌", reached: "◔", received: "●", acted_on: "✓" };
// Nobody reached for so long is worth a person's attention (people.md 1.2, rule 4).
const NOBODY_MS = 30 * 60_000;
const followers = new Map();

/** A delivery in words. `since`: when it was saved, in milliseconds. */
export function deliveryWords(delivery, since) {
  if (delivery.state === "saved_here" && since && Date.now() - since > NOBODY_MS) return t("delivery.nobody");
  return t(`delivery.${delivery.state}`, { n: delivery.neighbours, who: (delivery.acknowledged_by ?? []).join(t("list.comma")) });
}

/** Shape and words; the shape says the same without colour. */
export function deliveryLine(delivery, since) {
  const late = delivery.state === "saved_here" && since && Date.now() - since > NOBODY_MS;
  return el(
    "span",
    { class: "delivery", "data-state": delivery.state, "data-late": late ? "yes" : false },
    el("span", { class: "shape", "aria-hidden": "true" }, SHAPES[delivery.state] ?? "◌"),
    " ",
    deliveryWords(delivery, since),
  );
}

/** Shows in `place` what was saved and how far it got; goes on until it was received, or another write takes the place. Of a write
 * from before a reload nobody knows how far it got until the node was asked: then `delivery` is null. */
export function follow(place, ticket, delivery, what, { since = Date.now(), extra = null } = {}) {
  unfollow(place);
  let stopped = false;
  let timer = 0;
  const show = (news) => {
    delivery = news;
    const told = delivery ? [" ", deliveryLine(delivery, since)] : null;
    put(place, el("span", { class: "what" }, [clock(since), what()].filter(Boolean).join(" ")), told ?? [], extra);
  };
  const plan = () => {
    if (stopped || delivery?.state === "received" || delivery?.state === "acted_on") return;
    const old = Date.now() - since;
    timer = setTimeout(look, old < 60_000 ? 3_000 : 20_000);
  };
  const look = async () => {
    // The page was built anew (another language): the new line follows by itself.
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

/** What a refusal says: what happened, what it means, what to do, and its code. */
export function refusalWords(answer, said) {
  const error = answer.body;
  if (!error?.what) return t("error.no_answer");
  return t("error.words", { what: said(error.what), means: said(error.means), fix: said(error.fix), code: error.code });
}
