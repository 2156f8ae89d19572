// Small helpers to build the page. Data only ever becomes text nodes or attributes, never markup.
// A function in place of a text or an attribute is words that stay true: they are asked again when the language is switched, when the
// node falls silent or answers again, and as time passes. Nothing has to be built anew for that, so nothing typed is lost.

const live = new Set();

/** Keeps what `node` shows true: `update` is called now, and whenever `retell` is while `node` is on the page. */
export function keepTrue(node, update) {
  update();
  live.add([node, update]);
  return node;
}

/** Says everything again that depends on the language, on the time, or on whether the node answers. */
export function retell() {
  for (const entry of live) {
    if (entry[0].isConnected) entry[1]();
    else live.delete(entry);
  }
}

setInterval(retell, 5_000);

function attribute(node, name, value) {
  if (value === false || value === null || value === undefined) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Makes an element. `attributes`: `class`, `on: {click: f}`, anything else is set as an attribute; false and null are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    } else if (typeof value === "function") {
      keepTrue(node, () => attribute(node, name, value()));
    } else {
      attribute(node, name, value);
    }
  }
  put(node, ...children);
  return node;
}

function words(said) {
  const node = document.createTextNode("");
  return keepTrue(node, () => text(node, said()));
}

/** Replaces everything in `node`. */
export function put(node, ...children) {
  const there = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.replaceChildren(...there.map((child) => (typeof child === "function" ? words(child) : child)));
  return node;
}

/** Sets text only where it differs, so that a screen reader is not told the same again. */
export function text(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/** Length in bytes as the node counts it. */
export function bytes(words) {
  return new TextEncoder().encode(words).length;
}

let silent = false;

/** Whether the node's program did not answer when it was last asked. */
export function isSilent() {
  return silent;
}

/** Notes that the program did not answer, or that it answers again. */
export function setSilent(now) {
  if (silent === now) return;
  silent = now;
  document.body.dataset.gone = silent ? "yes" : "no";
  retell();
}

/** Asks a yes-or-no question; resolves to true or false. Escape means no. */
export function confirmed(question, yes, no) {
  const box = document.getElementById("ask");
  return new Promise((resolve) => {
    const answer = (value) => {
      box.removeEventListener("cancel", onCancel);
      box.close();
      resolve(value);
    };
    const onCancel = (event) => {
      event.preventDefault();
      answer(false);
    };
    put(
      box,
      el("p", { id: "ask-text" }, question),
      el(
        "div",
        { class: "row" },
        el("button", { type: "button", class: "main", on: { click: () => answer(true) } }, yes),
        // Whoever presses Enter without reading changes nothing.
        el("button", { type: "button", autofocus: true, on: { click: () => answer(false) } }, no),
      ),
    );
    box.addEventListener("cancel", onCancel);
    box.showModal();
  });
}

/** Calls the API. Answers `{ok, body}`; `ok` is false with the error's JSON, or with null where nothing answered. */
export async function call(path, body) {
  const options = { headers: { accept: "application/json" }, signal: AbortSignal.timeout(28_000) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(path, options);
    const answer = await response.json().catch(() => null);
    return { ok: response.ok, status: response.status, body: answer };
  } catch {
    setSilent(true);
    return { ok: false, status: 0, body: null };
  }
}
