// Small helpers to build the page. Data only ever becomes text nodes or attributes, never markup.

/** Makes an element. `attributes`: `class`, `on: {click: f}`, anything else is set as an attribute; false and null are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  put(node, ...children);
  return node;
}

/** Replaces everything in `node`. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
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
    return { ok: false, status: 0, body: null };
  }
}
