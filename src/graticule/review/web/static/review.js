// The script of all review pages. Decisions go through an outbox that survives reloads, so that a key press never waits
// for the server and nothing that was pressed is lost.

import { meanOf, numberPanel, read, worder } from "./number.js";

const $ = (id) => document.getElementById(id);
const page = document.body.dataset.page;
const WORDS = { "/doubtful": "doubtful", "/novel": "none of these" };
const DEEDS = { note: "a note", undo: "taken back", delete: "deleted", change: "now ", adjudicate: "settled as " };
const worded = (value) => WORDS[value] ?? value ?? "–";

// characters that act instead of show, such as a mark that turns the direction of text, could make one name look like another
const plain = (name) => String(name ?? "").replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const name of ["textContent", "title"]) if (typeof properties[name] === "string") element[name] = plain(properties[name]);
  element.append(...children.filter((child) => child !== null && child !== undefined).map((child) => (typeof child === "string" ? plain(child) : child)));
  return element;
}

/** A random id. On another host without encryption a browser has no `crypto.randomUUID`. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const digits = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function call(address, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    return { status: 0, content: { error: "the server does not answer" } };
  }
  let content = {};
  try {
    content = await response.json();
  } catch {
    content = { error: `the server answered ${response.status}` };
  }
  return { status: response.status, content };
}

/* ---- the outbox ---- */

const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const outbox = { key: "", who: "", memory: new Map(), last: "", status: null, sending: false, failures: 0, leaving: false, onSent: () => {}, onRefused: () => false };

// "Ann" must not send what "Ann Bo" pressed: after the person there is nothing but the time and the id
const isOwn = (key) => key.startsWith(`${outbox.key} `) && /^\d{15} [0-9a-f-]{36}$/.test(key.slice(outbox.key.length + 1));

// an entry for each letter: two tabs that write at the same time do not overwrite each other's
function waiting() {
  const found = [...outbox.memory];
  for (let i = 0; i < localStorage.length; i += 1) {
    const key = localStorage.key(i);
    if (isOwn(key)) found.push([key, JSON.parse(localStorage.getItem(key))]);
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, letter]) => ({ ...letter, key }));
}

function send(address, content) {
  // the server refuses it when the session is another person's by then
  const body = { ...content, who: outbox.who };
  // in the order of the key presses, also after those of an earlier visit
  const before = Number((waiting().at(-1)?.key ?? outbox.last).slice(outbox.key.length + 1).split(" ")[0]) || 0;
  outbox.last = `${outbox.key} ${String(Math.max(Date.now(), before + 1)).padStart(15, "0")} ${newId()}`;
  try {
    localStorage.setItem(outbox.last, JSON.stringify({ address, body }));
  } catch {
    outbox.memory.set(outbox.last, { address, body });
  }
  state();
  flush();
}

function drop(letter) {
  localStorage.removeItem(letter.key);
  outbox.memory.delete(letter.key);
}

function flush() {
  if (outbox.sending) return;
  outbox.sending = true;
  // one tab at a time; the ids of the decisions make a second sending harmless where there are no locks
  const run = () => empty().finally(() => { outbox.sending = false; });
  if (navigator.locks) navigator.locks.request(outbox.key, run);
  else run();
}

async function empty() {
  for (let letters = waiting(); letters.length > 0; letters = waiting()) {
    const letter = letters[0];
    const { status, content } = await call(letter.address, letter.body);
    if (status === 409 && typeof content.who === "string" && content.who !== outbox.who) return reload();
    const final = status === 201 || [404, 409, 413, 422].includes(status);
    if (!final) {
      outbox.failures += 1;
      outbox.status = status;
      state();
      setTimeout(flush, RETRY_MS[Math.min(outbox.failures, RETRY_MS.length) - 1]);
      return;
    }
    outbox.failures = 0;
    outbox.status = null;
    drop(letter);
    state();
    if (status === 201) outbox.onSent(letter, content);
    else if (!outbox.onRefused(letter, content.error ?? "it was refused")) notice(`A decision was not stored: ${content.error ?? "it was refused"}`, letter.body.image);
    const refused = content.refused ?? [];
    if (refused.length) notice(`${refused.length} of ${letter.body.images.length} images were not accepted: ${refused[0].error}`);
  }
}

/** Another person goes on in this browser: what this one pressed stays here, and is sent when they are back. */
function reload() {
  outbox.leaving = true;
  location.reload();
}

/** How many decisions each other person has left in this browser. */
function keptForOthers(store) {
  const kept = new Map();
  for (let i = 0; i < localStorage.length; i += 1) {
    const key = localStorage.key(i);
    if (!key.startsWith(`graticule outbox of ${store}, `) || isOwn(key)) continue;
    const { who } = JSON.parse(localStorage.getItem(key)).body;
    if (who) kept.set(who, (kept.get(who) ?? 0) + 1);
  }
  return kept;
}

/** What was refused stays in sight until it is dealt with. */
function notice(text, image) {
  const done = make("button", { type: "button", textContent: "dismiss" });
  const line = make("li", {}, make("span", { textContent: text }), image ? make("a", { href: `/?id=${image}`, textContent: "look at it again" }) : null, done);
  done.addEventListener("click", () => { line.remove(); $("refused").hidden = !$("refused").children.length; });
  $("refused").append(line);
  $("refused").hidden = false;
}

function state() {
  const n = waiting().length, status = outbox.status ?? undefined;
  const shown = $("state");
  let words = "all saved";
  if (n > 0 && status === undefined) words = `saving ${n}`;
  else if (n > 0 && status === 401) words = `${n} kept in this browser: open the address that the new start of the server printed`;
  else if (n > 0 && status === 503) words = `${n} kept in this browser: the server cannot store them now`;
  else if (n > 0) words = `${n} kept in this browser: no connection, trying again`;
  // every key press changes it for a moment: only trouble is worth being read out
  shown.setAttribute("aria-live", n > 0 && status !== undefined ? "polite" : "off");
  if (shown.textContent !== words) shown.textContent = words;
  shown.classList.toggle("busy", n > 0 && status === undefined);
  shown.classList.toggle("bad", n > 0 && status !== undefined);
}

addEventListener("beforeunload", (event) => { if (waiting().length > 0 && !outbox.leaving) event.preventDefault(); });
addEventListener("online", flush);
addEventListener("storage", state);

/* ---- dialogs ---- */

let asking = Promise.resolve();

/** One question after the other: a refusal may come in while a dialog is open. */
function ask(title, text, options) {
  asking = asking.then(() => question(title, text, options));
  return asking;
}

function question(title, text, { field = "", needed = true } = {}) {
  const dialog = $("ask");
  const input = $("ask-field");
  $("ask-title").textContent = title;
  $("ask-text").textContent = text;
  $("ask-label").textContent = field;
  $("ask-label").hidden = input.hidden = field === "";
  input.required = field !== "" && needed;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  (field === "" ? dialog.querySelector("button[value=yes]") : input).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const agreed = dialog.returnValue === "yes";
      $("view")?.focus({ preventScroll: true });
      resolve(agreed ? (field === "" ? true : input.value.trim() || null) : null);
    }, { once: true });
  });
}

$("ask-field").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    $("ask").querySelector("button[value=yes]").click();
  }
});

/* ---- what is asked for in the address ---- */

const asked = new URLSearchParams(location.search);
const filters = new URLSearchParams();
for (const form of document.querySelectorAll(".filters")) {
  if (page === "record") continue;
  for (const field of form.elements) {
    if (!field.name) continue;
    if (asked.has(field.name)) field.value = asked.get(field.name);
    if (page === "grid" && field.name === "kind" && !asked.has("kind")) field.value = "all";
    if (field.value !== "") filters.set(field.name, field.value);
  }
}

/* ---- one image ---- */

const AHEAD = 3;
const MOST_SKIPPED = 160, MOST_PASSED = 50;
const LINGER_MS = 150;

function imagePage(settings) {
  const items = [];
  const pictures = new Map();
  const done = [];
  const view = { zoom: 1, x: 0, y: 0, fit: 1 };
  let at = -1, counts = { left: 0, total: 0, done: 0 }, since = 0, explains = false, loading = null, over = false, failed = null, told = "";
  const item = () => items[at];
  const number = settings.number && numberPanel(settings.number, { choose, trouble, leave: () => $("view").focus({ preventScroll: true }) });

  const rows = settings.classes.map((name, k) => {
    const meter = make("meter", { min: 0, max: 1, value: 0, ariaLabel: `score of ${name}` });
    const score = make("span", { className: "score" });
    const key = k < 9 ? make("kbd", { textContent: String(k + 1) }) : make("span");
    const button = make("button", { type: "button", title: name }, key, make("bdi", { className: "label", textContent: name }), score, meter);
    button.addEventListener("click", () => choose(name));
    $("classes").append(make("li", {}, button));
    return { name, button, meter, score };
  });

  function picture(one) {
    let found = pictures.get(one.id);
    if (!found) {
      found = new Image();
      found.alt = "";
      found.src = `/api/image/${one.id}?of=${settings.of}&side=1600`;
      found.decode().catch(() => {});
      pictures.set(one.id, found);
    }
    return found;
  }

  function tidy() {
    const near = new Set(items.slice(Math.max(0, at - 4), at + AHEAD + 3).map((one) => one.id));
    for (const id of pictures.keys()) if (!near.has(id)) pictures.delete(id);
  }

  let turned = 0;  // images before this one that were passed may come again
  function passed() {
    return [...new Set(items.slice(turned, Math.max(at, turned)).filter((one) => !one.value).map((one) => one.id))];
  }

  function load() {
    if (loading || over) return loading;
    loading = (async () => {
      const held = items.slice(Math.max(at, 0)).filter((one) => !one.value).map((one) => one.id);
      const left = passed();
      const unsent = waiting().flatMap((letter) => letter.body.image ?? []);
      const query = new URLSearchParams(filters);
      query.set("n", String(AHEAD + 1));
      query.set("skip", [...held, ...left.slice(-MOST_PASSED), ...unsent.slice(-MOST_SKIPPED)].join(","));
      const { status, content } = await call(`/api/queue?${query}`);
      failed = status === 200 ? null : content.error;
      if (failed && status !== 422) setTimeout(more, 2000);
      if (status === 200) {
        // what was decided while the answer was on the way is open in the answer, and may be stored by now
        const known = new Set([...items.filter((one, k) => k >= at || one.value).map((one) => one.id), ...left, ...unsent]);
        const fresh = content.items.filter((one) => !known.has(one.id));
        // those passed without a decision have their turn when no other is left
        const turn = content.items.length === 0 && left.length > 0;
        if (turn) turned = items.length;
        over = content.items.length === 0 && !turn;
        if (!over && !fresh.length) setTimeout(more, turn ? 0 : 500);
        items.push(...fresh);
        counts = content;
        fresh.forEach(picture);
        if (!settings.can_compare) for (const near of fresh.flatMap((one) => one.nearest)) new Image().src = `/api/training/${near.id}/thumb?of=${settings.of}`;
      } else over = status === 422;
    })();
    loading.then(() => { loading = null; });
    return loading;
  }

  async function more() {
    await load();
    if (shownId !== (item()?.id ?? null) || !item()) show();
    else progress();
  }

  async function on() {
    if (at < items.length) at += 1;
    show();
    if (items.length - at <= AHEAD) await more();
  }

  let shownId = null;
  function show() {
    const one = item();
    $("empty").hidden = Boolean(one);
    $("sheet").hidden = !one;
    trouble(one?.problem ?? null);
    progress();
    if (!one) {
      $("empty").textContent = loading || (!over && !failed) ? "one moment" : failed ? `The next image is not here: ${failed}. It is tried again.` : "Nothing is left here. Choose other images above, or look at the overview.";
      $("name").textContent = $("why").textContent = "";
      $("scale").hidden = $("near").hidden = $("so-far").hidden = $("legend").hidden = $("accept").hidden = true;
      rows.forEach(({ button }) => { button.disabled = true; });
      number?.show(null);
      shownId = null;
      return;
    }
    const found = picture(one);
    found.id = "image";
    if ($("image") !== found) $("image").replaceWith(found);
    if (shownId !== one.id) {
      since = performance.now();
      shownId = one.id;
      fit();
    }
    adjust();
    describe(one);
    map();
    linger();
    tidy();
    document.body.dataset.shown = one.id;
    $("said").textContent = plain(`${told}${one.name}. ${$("why").textContent}`);
    told = "";
  }

  function describe(one) {
    $("name").textContent = plain(one.name);
    $("why").textContent = plain(one.value ? `you said ${worded(one.value)}` : one.blind ? "judge it by itself: the model's opinion is withheld" : one.why);
    const standing = one.value ?? one.mine?.value;
    for (const { name, button, meter, score } of rows) {
      const known = one.classes.find((c) => c.name === name);
      button.disabled = Boolean(one.problem);
      button.classList.toggle("suggested", name === one.suggested);
      button.classList.toggle("mine", name === standing);
      button.classList.toggle("out", known.in_set === false);
      meter.hidden = known.score === null;
      meter.value = known.score ?? 0;
      score.textContent = known.score === null ? "" : `${known.in_set ? "possible, " : ""}${known.score.toFixed(known.score > 0.995 ? 3 : 2)}`;
    }
    number?.show(one, standing);
    $("accept").disabled = one.suggested === null || Boolean(one.problem);
    $("accept").hidden = settings.blind || settings.number?.predicted === false;
    $("accepted").textContent = plain(one.suggested ?? "");
    near(one);
    const told = one.history.map((event) => make("li", {}, make("bdi", { textContent: event.who }),
      `: ${DEEDS[event.action] ?? ""}${event.value ? worded(event.value) : ""}${event.bulk ? ", many at once" : ""}${event.reason ? `: ${event.reason}` : ""}`));
    if (one.given) told.unshift(make("li", { textContent: `${one.given}, as the data came` }));
    $("history").replaceChildren(...told);
    $("so-far").hidden = told.length === 0;
    if ($("explain")) $("explain").disabled = !one.explain;
  }

  /* the training images that it could be compared with */

  const comparable = (one) => Boolean(settings.can_compare && one && !one.blind && !one.problem);

  function near(one) {
    const byClass = comparable(one) && (one.compared === undefined || one.compared.length > 0);
    const list = $("near-list");
    $("near").hidden = !byClass && one.nearest.length === 0;
    list.classList.toggle("by-class", byClass);
    if (byClass) {
      const names = [...new Set([one.suggested, one.given, ...[...one.classes].sort((a, b) => b.score - a.score).map(({ name }) => name)].filter(Boolean))];
      const found = one.compared ?? names.slice(0, 3).map((name) => ({ class: name, images: [] }));
      list.replaceChildren(...found.map((group) => make("li", {}, make("bdi", { textContent: group.class, title: group.class }), ...Array.from({ length: 4 }, (_, k) => {
        if (k >= group.images.length) return make("i", { className: one.compared ? "" : "coming" });
        return make("img", { src: `/api/training/${group.images[k]}/thumb?of=${settings.of}`, alt: `training image of ${group.class}` });
      }))));
    } else {
      list.replaceChildren(...one.nearest.map((other) => make("li", {}, make("figure", {},
        make("img", { src: `/api/training/${other.id}/thumb?of=${settings.of}`, alt: `training image of ${other.class}` }),
        make("figcaption", { textContent: other.class, title: other.class })))));
    }
  }

  /** They are looked for when a person stays at an image, so that quick work never waits behind them; then for the next one. */
  let staying = 0;
  function linger() {
    clearTimeout(staying);
    staying = setTimeout(async () => {
      for (const one of [item(), items[at + 1]]) await compare(one);
    }, LINGER_MS);
  }

  async function compare(one) {
    if (!comparable(one) || one.compared !== undefined) return;
    const { status, content } = await call(`/api/nearest/${one.id}?of=${settings.of}`);
    one.compared = status === 200 ? content.classes : [];
    for (const id of one.compared.flatMap((group) => group.images)) new Image().src = `/api/training/${id}/thumb?of=${settings.of}`;
    if (one === item()) near(one);
  }

  function progress() {
    const pending = items.slice(0, at).filter((one) => one.value && one.fresh).length;
    const left = Math.max(0, counts.left - pending);
    $("progress").max = Math.max(1, counts.total);
    $("progress").value = counts.total - left;
    $("left").textContent = `${left.toLocaleString("en")} left of ${counts.total.toLocaleString("en")}`;
  }

  function trouble(text) {
    $("trouble").hidden = !text;
    $("trouble").textContent = plain(text ?? "");
  }

  /* deciding */

  async function choose(value, action = "label") {
    const one = item();
    if (!one || one.problem) return;
    let reason = null;
    if (value === (one.value ?? one.mine?.value)) return on();
    if (one.value || one.mine) {
      const before = worded(one.value ?? one.mine.value);
      reason = await ask("Change your decision", `${before} becomes ${worded(value)}. The record keeps both.`, { field: "Why?" });
      if (reason === null) return;
      if (action === "label") action = "change";
    }
    const event = {
      client_id: newId(), action, image: one.id, value: action === "label" || action === "change" ? value : null,
      reason, seconds: Math.min(1e6, (performance.now() - since) / 1000), blind: one.blind,
    };
    one.before = { value: one.value, mine: one.mine };
    one.value = value;
    one.pressed = performance.now();
    one.fresh = one.fresh ?? !one.mine;
    done.push(at);
    told = `${worded(value)}. Next: `;
    send("/api/event", event);
    on();
  }

  function undo() {
    if (!done.length) {
      if (item()?.mine) {
        send("/api/event", { client_id: newId(), action: "undo", image: item().id });
        item().mine = item().value = null;
        item().pressed = performance.now();
        show();
      }
      return;
    }
    at = done.pop();
    const one = item();
    one.pressed = performance.now();
    one.value = one.before?.value ?? null;
    one.mine = one.before?.mine ?? null;
    send("/api/event", { client_id: newId(), action: "undo", image: one.id });
    show();
  }

  outbox.onRefused = (letter) => {
    const one = items.findLast((other) => other.id === letter.body.image);
    if (one && !["note", "adjudicate"].includes(letter.body.action)) one.value = one.before?.value ?? null;
    if (one && one === item()) refresh(one);
    return false;
  };

  async function refresh(one) {
    const pressed = one.pressed;
    const { status, content } = await call(`/api/item/${one.id}`);
    // an answer from before the last key press is out of date; the one after it is asked for when that is stored
    if (status !== 200 || one.pressed !== pressed || waiting().some((letter) => letter.body.image === one.id)) return;
    Object.assign(one, content);
    if (one === item()) describe(one);
  }
  outbox.onSent = (letter) => {
    const one = items.findLast((other) => other.id === letter.body.image);
    if (one && one === item()) refresh(one);
  };

  /* looking */

  function fit() {
    const one = item(), box = $("view").getBoundingClientRect();
    const width = one.width || picture(one).naturalWidth || 1, height = one.height || picture(one).naturalHeight || 1;
    view.fit = Math.min(box.width / width, box.height / height);
    Object.assign(view, { zoom: view.fit, width, height, x: (box.width - width * view.fit) / 2, y: (box.height - height * view.fit) / 2 });
    place();
  }

  function place() {
    const one = item();
    if (!one) return;
    const sheet = $("sheet");
    Object.assign(sheet.style, { width: `${view.width}px`, height: `${view.height}px`, transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})` });
    sheet.classList.toggle("coarse", view.zoom > 3);
    $("veil").hidden = !one.bar;
    if (one.bar) {
      $("veil").style.top = `${100 * one.bar.top / view.height}%`;
      $("veil").style.height = `${100 * (one.bar.bottom - one.bar.top) / view.height}%`;
    }
    scaleBar(one);
    const image = picture(one);
    if (view.zoom > view.fit * 1.01 && Math.max(view.width, view.height) > 1600 && !image.src.endsWith("side=0")) image.src = `/api/image/${one.id}?of=${settings.of}&side=0`;
  }

  function scaleBar(one) {
    $("scale").hidden = !one.pixel_size_nm;
    if (!one.pixel_size_nm) return;
    const perPixel = one.pixel_size_nm / view.zoom;
    const power = 10 ** Math.floor(Math.log10(perPixel * 150));
    const length = [5, 2, 1].map((step) => step * power).find((nm) => nm <= perPixel * 150);
    $("scale-bar").style.width = `${length / perPixel}px`;
    const [unit, size] = length >= 1e6 ? ["mm", 1e6] : length >= 1e3 ? ["µm", 1e3] : ["nm", 1];
    $("scale-text").textContent = `${Number((length / size).toPrecision(3))} ${unit}`;
  }

  function zoom(factor, x, y) {
    if (!item()) return;
    const box = $("view").getBoundingClientRect();
    const cx = x ?? box.width / 2, cy = y ?? box.height / 2;
    const next = Math.min(Math.max(view.zoom * factor, view.fit), Math.max(40, view.fit * 8));
    view.x = cx - (cx - view.x) * next / view.zoom;
    view.y = cy - (cy - view.y) * next / view.zoom;
    view.zoom = next;
    if (next <= view.fit * 1.001) fit();
    else place();
  }

  function adjust() {
    const image = $("image");
    if (image) image.style.filter = `brightness(${$("brightness").value}%) contrast(${$("contrast").value}%)`;
  }

  function map() {
    const one = item(), shown = $("map");
    shown.hidden = !(explains && one?.explain);
    $("explain")?.setAttribute("aria-pressed", String(explains));
    $("legend").hidden = shown.hidden;
    if (shown.hidden) return;
    const about = one.value && !WORDS[one.value] ? one.value : one.suggested;
    $("legend-class").textContent = plain(about);
    // the map of the image before must not lie over this one while its own is on the way
    const address = `/api/explanation/${one.id}?of=${settings.of}&class=${encodeURIComponent(about)}`;
    if (shown.getAttribute("src") !== address) shown.removeAttribute("src");
    shown.onerror = () => { shown.hidden = $("legend").hidden = true; trouble("there is no evidence map of this image"); };
    shown.src = address;
  }

  const canvas = $("view");
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  const touches = new Map();
  canvas.addEventListener("pointerdown", (event) => { touches.set(event.pointerId, event); canvas.setPointerCapture(event.pointerId); canvas.classList.add("drags"); });
  canvas.addEventListener("pointermove", (event) => {
    const before = touches.get(event.pointerId);
    if (!before) return;
    const others = [...touches.values()].filter((other) => other.pointerId !== event.pointerId);
    if (others.length) {
      const box = canvas.getBoundingClientRect(), [other] = others;
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      zoom(apart(event) / apart(before), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
    } else {
      view.x += event.clientX - before.clientX;
      view.y += event.clientY - before.clientY;
      place();
    }
    touches.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => { touches.delete(event.pointerId); canvas.classList.remove("drags"); });
  new ResizeObserver(() => { if (item()) fit(); }).observe(canvas);
  for (const id of ["brightness", "contrast"]) $(id).addEventListener("input", adjust);

  $("note").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("note-field").value.trim();
    if (!text || !item()) return;
    send("/api/event", { client_id: newId(), action: "note", image: item().id, reason: text, blind: item().blind });
    $("note-field").value = "";
    $("view").focus();
  });
  $("note-field").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); $("note").requestSubmit(); }
    if (event.key === "Escape") $("view").focus();
  });
  const named = () => settings.classes.filter((name) => name.toLowerCase().includes($("find").value.trim().toLowerCase()));
  const narrow = () => rows.forEach(({ name, button }) => { button.parentElement.hidden = !named().includes(name); });
  $("find").addEventListener("input", narrow);
  $("find").addEventListener("keydown", (event) => {
    if (event.key === "Escape") { $("find").value = ""; narrow(); $("view").focus(); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const text = $("find").value.trim().toLowerCase();
    const exact = settings.classes.filter((name) => name.toLowerCase() === text);
    const found = exact.length === 1 ? exact : named();
    if (!text || found.length !== 1) return trouble(`${found.length} classes have “${text}” in their name: type on, or go to one with tab`);
    $("find").value = "";
    narrow();
    $("view").focus();
    choose(found[0]);
  });

  const actions = {
    accept: () => { if (item()?.suggested && !$("accept").disabled) choose(item().suggested); },
    novel: () => choose("/novel", "novel"),
    doubtful: () => choose("/doubtful", "doubtful"),
    undo,
    back: () => { if (at > 0) { at -= 1; show(); refresh(item()); } },
    on,
    in: () => zoom(1.4), out: () => zoom(1 / 1.4), all: () => { if (item()) fit(); },
    explain: () => { explains = !explains; map(); },
    note: () => $("note-field").focus(),
    find: () => { if (number) return; $("find-row").hidden = false; $("find").focus(); },
    keep: () => number?.keep(),
    grid: () => { if (settings.can_grid) location.href = `/grid${item()?.suggested ? `?class=${encodeURIComponent(item().suggested)}` : ""}`; },
    move: (x, y) => { view.x -= x * 60; view.y -= y * 60; place(); },
  };
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const keys = { " ": "accept", n: "novel", d: "doubtful", z: "undo", ArrowLeft: "back", ArrowRight: "on", "+": "in", "=": "in", "-": "out", 0: "all", e: "explain", g: "grid", m: "note", "/": "find", ...(number && { k: "keep", w: "all" }) };
  onKey((event) => {
    if (number && !event.shiftKey && number.key(event)) return true;
    if (event.shiftKey && moves[event.key]) return actions.move(...moves[event.key]);
    if (/^[1-9]$/.test(event.key) && settings.classes[event.key - 1]) return choose(settings.classes[event.key - 1]);
    return keys[event.key] ? actions[keys[event.key]]() : false;
  });
  onButtons(actions);

  // a button that was clicked keeps the focus: space would press it again on the next image
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest(".work button")) canvas.focus({ preventScroll: true });
  });

  (async () => {
    if (asked.has("id")) {
      const { status, content } = await call(`/api/item/${asked.get("id")}`);
      if (status === 200) items.push(content);
      else trouble(content.error);
    }
    await on();
  })();
}

/* ---- many at once ---- */

function gridPage() {
  const grid = $("grid");
  if (!grid) return;
  let current = { items: [], page: 0, pages: 0, total: 0, class: "" };
  const columns = () => getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const tiles = () => [...grid.children];
  const wrong = new Set();

  async function load(number) {
    const query = new URLSearchParams(filters);
    query.set("page", String(number));
    const { status, content } = await call(`/api/grid?${query}`);
    if (status !== 200) {
      $("grid-count").textContent = plain(content.error);
      return;
    }
    current = content;
    grid.replaceChildren(...content.items.map((one) => {
      const tile = make("button", { type: "button", ariaPressed: String(wrong.has(one.id)), title: plain(one.name) },
        make("img", { src: `/api/thumb/${one.id}?of=${settings.of}`, alt: "", loading: "lazy" }),
        make("span", { textContent: one.score.toFixed(3) }), make("span", { className: "path", dir: "rtl" }, make("bdi", { dir: "ltr", textContent: plain(one.name) })));
      tile.dataset.id = one.id;
      tile.addEventListener("click", () => mark(tile));
      return tile;
    }));
    count();
    tiles()[0]?.focus({ preventScroll: true });
  }

  const marked = () => tiles().filter((tile) => tile.ariaPressed === "true");
  function mark(tile) {
    tile.ariaPressed = String(tile.ariaPressed !== "true");
    if (tile.ariaPressed === "true") wrong.add(tile.dataset.id);
    else wrong.delete(tile.dataset.id);
    count();
  }
  function count() {
    const n = marked().length;
    for (const button of document.querySelectorAll("[data-do^=page-]")) button.hidden = current.pages < 2;
    $("grid-count").textContent = plain(current.total === 0 ? "nothing is left of this class"
      : `${current.total.toLocaleString("en")} of ${current.class}, ${current.pages > 1 ? `page ${current.page + 1} of ${current.pages}` : "all shown"}: ${current.items.length - n} to accept, ${n} marked as wrong`);
  }

  async function accept() {
    const chosen = tiles().filter((tile) => tile.ariaPressed !== "true");
    if (!chosen.length) return;
    const agreed = await ask("Accept many at once", `${chosen.length} images become ${current.class}. ${marked().length} marked ones are left for a look one by one.`);
    if (!agreed) return;
    send("/api/bulk", { value: current.class, images: chosen.map((tile) => ({ id: tile.dataset.id, client_id: newId() })) });
  }
  // the accepted ones are gone from the list, so that the same page holds the next ones
  outbox.onSent = (letter) => { if (letter.address === "/api/bulk") load(current.page); };

  const actions = { "accept-all": accept, "page-back": () => load(Math.max(0, current.page - 1)), "page-on": () => load(Math.min(current.pages - 1, current.page + 1)) };
  onButtons(actions);
  onKey((event) => {
    const all = tiles(), place = all.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
    if (step) return (all[place + step] ?? all[place] ?? all[0])?.focus();
    if (event.key === "x" && place >= 0) return mark(all[place]);
    if (event.key === "a") return accept();
    if (event.key === "PageDown") return actions["page-on"]();
    if (event.key === "PageUp") return actions["page-back"]();
    if (event.key === "g") { location.href = "/"; return true; }
    return false;
  });
  load(0);
}

/* ---- disagreements ---- */

function disagreementsPage(settings) {
  let number = 0, total = 0;
  async function load() {
    const { status, content } = await call(`/api/disagreements?page=${number}`);
    if (status !== 200) { $("open-count").textContent = plain(content.error); return; }
    // what was settled and is not sent yet is open for the server still
    const settled = new Set(waiting().filter(({ body }) => body.action === "adjudicate").map(({ body }) => body.image));
    const left = content.items.filter((one) => !settled.has(one.id));
    total = content.total - (content.items.length - left.length);
    count();
    $("open").replaceChildren(...left.map(article));
    document.querySelector("[data-do=page-back]").hidden = number === 0;
    document.querySelector("[data-do=page-on]").hidden = (number + 1) * 20 >= content.total;
    $("open").firstElementChild?.focus({ preventScroll: true });
  }
  function count() {
    $("open-count").textContent = plain(total === 0 ? "There are none." : `${total} to settle`);
  }
  function choiceOf(one, value, letter) {
    const key = letter && make("kbd", { textContent: letter });
    const button = make("button", { type: "button", className: one.readings.some((reading) => reading.value === value) ? "named" : "" }, make("bdi", { textContent: worded(value) }), key);
    button.addEventListener("click", () => settle(one, value));
    return button;
  }
  const NEITHER = { "/novel": "n", "/doubtful": "d" };
  function classesOf(one) {
    const values = [...settings.classes, ...Object.keys(NEITHER)];
    return make("p", { className: "choices" }, ...values.map((value, k) => choiceOf(one, value, NEITHER[value] ?? (k < 9 ? String(k + 1) : null))));
  }
  /** Of numbers: those that were said, their mean, or another one. */
  const numbersSaid = (one) => [...new Set(one.readings.map(({ value }) => value).filter((value) => value && !value.startsWith("/")))];
  const meanSaid = (one) => {
    const mean = meanOf(one.readings.map(({ value }) => value), settings.number);
    return mean === null ? null : worder(settings.number)(mean);
  };
  function numbersOf(one) {
    const mean = meanSaid(one);
    const field = make("input", { inputMode: "decimal", autocomplete: "off", ariaLabel: `another ${settings.number.target}` });
    const problem = make("span", { className: "broken", role: "alert" });
    const other = make("form", {}, field, settings.number.unit ? make("span", { textContent: ` ${settings.number.unit} ` }) : null, make("button", { textContent: "settle" }), problem);
    other.addEventListener("submit", (event) => {
      event.preventDefault();
      const found = read(field.value, settings.number);
      problem.textContent = found.error ?? "";
      if (!found.error) settle(one, worder(settings.number)(found.value));
    });
    const average = mean && choiceOf(one, mean, "m");
    average?.prepend("mean ");
    return make("div", { className: "choices" }, ...numbersSaid(one).map((value, k) => choiceOf(one, value, k < 9 ? String(k + 1) : null)), average,
      ...Object.entries(NEITHER).map(([value, letter]) => choiceOf(one, value, letter)), other);
  }
  function article(one) {
    const choices = settings.number ? numbersOf(one) : classesOf(one);
    const said = one.readings.map((reading) => make("li", {}, make("bdi", { textContent: reading.who }), ": ", make("b", {}, make("bdi", { textContent: worded(reading.value) })),
      reading.blind ? ", blind" : "", reading.reason ? `, “${reading.reason}”` : ""));
    const box = make("article", { tabIndex: 0 }, make("img", { src: `/api/image/${one.id}?of=${settings.of}&side=640`, alt: `image ${one.name}` }),
      make("div", {}, make("h2", {}, make("bdi", { textContent: plain(one.name) })), make("ul", {}, ...said), choices));
    box.item = one;
    return box;
  }
  function settle(one, value) {
    const box = [...$("open").children].find((other) => other.item === one);
    const next = box.nextElementSibling ?? box.previousElementSibling;
    box.remove();
    next?.focus();
    total -= 1;
    count();
    send("/api/event", { client_id: newId(), action: "adjudicate", image: one.id, value, blind: false });
  }
  outbox.onSent = () => { if (!$("open").children.length && !waiting().length) { number = 0; load(); } };
  outbox.onRefused = ({ body }, error) => {
    if (body.action !== "adjudicate") return false;
    if (!/reason/.test(error)) { load(); return false; }
    // somebody settled it in the meantime: their verdict is replaced with a reason, or stands
    ask("Settle it anew", error, { field: "Why?" }).then((reason) => {
      if (reason === null) notice(`It was not settled anew: ${error}`, body.image);
      else send("/api/event", { ...body, client_id: newId(), reason });
    });
    return true;
  };
  onButtons({ "page-back": () => { number -= 1; load(); }, "page-on": () => { number += 1; load(); } });
  onKey((event) => {
    const all = [...$("open").children];
    const place = Math.max(0, all.findIndex((box) => box.contains(document.activeElement)));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return all[place + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    const listed = settings.number && all[place] ? numbersSaid(all[place].item) : settings.classes;
    if (/^[1-9]$/.test(event.key) && listed[event.key - 1] && all[place]) return settle(all[place].item, listed[event.key - 1]);
    if (event.key === "m" && settings.number && all[place] && meanSaid(all[place].item)) return settle(all[place].item, meanSaid(all[place].item));
    if (event.key === "n" && all[place]) return settle(all[place].item, "/novel");
    if (event.key === "d" && all[place]) return settle(all[place].item, "/doubtful");
    return false;
  });
  load();
}

/* ---- the record ---- */

function recordPage() {
  $("verify").addEventListener("submit", async (event) => {
    event.preventDefault();
    const shown = $("verified");
    shown.className = "";
    shown.textContent = "reading the whole record";
    const { status, content } = await call("/api/verify", { head: $("given").value.trim() || null });
    if (status !== 200) { shown.textContent = content.error; shown.className = "broken"; return; }
    shown.className = content.sound ? "sound" : "broken";
    const missing = content.missing_guards.length ? ` The guards ${content.missing_guards.join(", ")} are missing.` : "";
    const foreign = content.foreign_rules.length ? ` The database holds what is not ours and may alter or hide events: ${content.foreign_rules.join(", ")}.` : "";
    shown.textContent = content.sound ? `Sound: ${content.n_events} events, none changed. The end is ${content.tail}.` : `Not sound: ${content.problem ?? ""}${missing}${foreign}`;
  });
  $("sign").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [batch, meaning, scope] = ["batch", "meaning", "scope"].map((id) => $(id).value.trim());
    if (!(await ask("Sign", `You sign the batch “${batch}” as “${meaning}”. A signature cannot be taken back.`))) return;
    const { status, content } = await call("/api/sign", { batch, meaning, scope, who: outbox.who });
    if (status === 409 && typeof content.who === "string") return reload();
    $("signed").className = status === 201 ? "sound" : "broken";
    $("signed").textContent = plain(status === 201 ? `Signed: ${content.n_images} images, head ${content.seq}:${content.head}` : content.error);
  });
  // without encryption a browser gives no clipboard, except on this machine: then the head is selected
  const copy = async () => {
    try {
      await navigator.clipboard.writeText($("head").textContent);
      $("verified").textContent = "The head is in the clipboard.";
    } catch {
      getSelection().selectAllChildren($("head"));
      $("verified").textContent = "The head is selected: copy it with the keys of your system.";
    }
  };
  onButtons({ copy });
  onKey(() => false);
}

/* ---- keys and buttons ---- */

function onKey(handle) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.target.matches("textarea, select, input:not([type=range])")) return;
    if (event.target.matches("input") && /^(Arrow|Page|Home|End)/.test(event.key)) return;
    if (event.key === "Enter" || (event.key === " " && event.target.matches("button, a"))) return;
    if (event.key === "?") { event.preventDefault(); $("help").showModal(); return; }
    if (handle(event) !== false) event.preventDefault();
  });
}

function onButtons(actions) {
  document.addEventListener("click", (event) => {
    const name = event.target.closest?.("[data-do]")?.dataset.do;
    if (name === "help") $("help").showModal();
    else if (actions[name]) actions[name]();
  });
}

/** The session is the browser's: when another person goes on in it in another tab, this one must not speak for the first. */
function watch(settings) {
  const key = `graticule person at ${settings.store}`;
  if (!settings.who) return;
  try {
    localStorage.setItem(key, settings.who);
  } catch { /* without storage tabs cannot tell each other */ }
  addEventListener("storage", (event) => { if (event.key === key && event.newValue && event.newValue !== settings.who) reload(); });
}

/* ---- start ---- */

const { status, content: settings } = await call("/api/settings");
if (status === 200) {
  // another person at the same browser does not send what this one decided
  outbox.key = `graticule outbox of ${settings.store}, ${settings.who}`;
  outbox.who = settings.who ?? "";
  state();
  watch(settings);
  if (settings.number) Object.assign(WORDS, { "/doubtful": "cannot tell", "/novel": "nothing to measure" });
  const start = { image: imagePage, grid: gridPage, disagreements: disagreementsPage, record: recordPage }[page];
  if (start) start(settings);
  else onKey(() => false);
  for (const [who, n] of keptForOthers(settings.store)) notice(`${n === 1 ? "One decision" : `${n} decisions`} of ${who} ${n === 1 ? "is" : "are"} kept in this browser, to be sent when ${who} reviews here again.`);
  flush();
} else notice(content.error);
