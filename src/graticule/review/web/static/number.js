// A number as the answer: a field, a slider over its range, and the prediction with its limits on the same scale.

const $ = (id) => document.getElementById(id);
const SLIDER_STEPS = 1000, FINE = 1 / 200, COARSE = 1 / 20;

/** A number without a long tail of digits, for people. */
export const shortened = (value, digits = 4) => String(Number(Number(value).toPrecision(digits)));

/** How numbers are written with their unit, as the server writes them. */
export function worder({ unit }) {
  return (value) => `${value}${unit ? ` ${unit}` : ""}`;
}

/** What a number may be, in words. */
function allowed({ target, unit, least, most }) {
  const bounds = least !== null && most !== null ? ` from ${least} to ${most}` : least !== null ? ` of at least ${least}` : most !== null ? ` of at most ${most}` : "";
  return `${target} is a number${unit ? ` in ${unit}` : ""}${bounds}`;
}

/** The number that a text is, or why it is none: the same checks as on the server, before anything is sent. */
export function read(text, asked) {
  const { unit, least, most } = asked;
  let cut = text.trim().normalize("NFKC");
  const own = unit.normalize("NFKC");
  if (own && cut.endsWith(own)) cut = cut.slice(0, -own.length).trim();
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(cut) ? Number(cut) : NaN;
  if (/^[-+]?\d+,\d+$/.test(cut)) return { error: `“${text}” has a comma: write a decimal point. ${allowed(asked)}` };
  if (!Number.isFinite(value)) return { error: `“${text}” is no number that can be saved: ${allowed(asked)}` };
  if ((least !== null && value < least) || (most !== null && value > most)) return { error: `${value} is not possible: ${allowed(asked)}` };
  return { value: value + 0 };
}

/** The mean of texts with numbers and the unit, or null where there are fewer than two. */
export function meanOf(texts, asked) {
  const values = texts.map((text) => read(text ?? "", asked).value).filter((value) => value !== undefined);
  return values.length < 2 ? null : Number((values.reduce((a, b) => a + b, 0) / values.length).toPrecision(12));
}

/** The scale of the slider: positions from 0 to 1, linear or logarithmic. */
function scaleOf({ reach, logarithmic }) {
  if (reach === null) return null;
  const [low, high] = logarithmic ? reach.map(Math.log) : reach;
  const step = 10 ** Math.floor(Math.log10((reach[1] - reach[0]) * FINE));
  return {
    place: (value) => ((logarithmic ? Math.log(Math.max(value, Number.MIN_VALUE)) : value) - low) / (high - low),
    value: (place) => {
      const at = low + place * (high - low);
      return logarithmic ? Number(Math.exp(at).toPrecision(3)) : Number((Math.round(at / step) * step).toPrecision(12));
    },
  };
}

/** The panel in the place of the classes. `choose` takes a number as text, `trouble` a message. */
export function numberPanel(asked, { choose, trouble, leave }) {
  const field = $("number-field"), slider = $("slider"), scale = scaleOf(asked), words = worder(asked);
  let one = null, shown = "";
  $("scale-of-numbers").hidden = scale === null;
  if (scale) {
    slider.max = String(SLIDER_STEPS);
    const [low, high] = asked.reach.map((end) => shortened(end));
    $("least").textContent = low;
    $("most").textContent = high;
  }

  const inside = (place) => Math.min(1, Math.max(0, place));
  const typed = () => read(field.value, asked).value;

  /** Where stepping begins: what is typed, else what the page may show, else the middle. */
  function start() {
    const known = typed() ?? one?.number?.value ?? one?.number?.given;
    return known ?? (scale ? scale.value(0.5) : 0);
  }

  function mark(id, from, to = from) {
    const element = $(id), known = scale !== null && Number.isFinite(from ?? NaN) && Number.isFinite(to ?? NaN);
    element.hidden = !known;
    if (!known) return;
    const left = inside(scale.place(from)), right = inside(scale.place(to));
    element.style.left = `${100 * left}%`;
    if (to !== from) element.style.width = `${100 * (right - left)}%`;
  }

  /** The slider follows the field. */
  function follow() {
    const value = typed();
    slider.classList.toggle("unset", value === undefined);
    if (!scale) return;
    slider.value = String(Math.round(SLIDER_STEPS * inside(scale.place(value ?? start()))));
    slider.setAttribute("aria-valuetext", value === undefined ? "no number yet" : words(value));
  }

  function set(value) {
    const { least, most } = asked;
    field.value = String(Math.min(most ?? Infinity, Math.max(least ?? -Infinity, value)));
    trouble(null);
    follow();
  }

  function step(share) {
    if (!one || one.problem) return;
    if (!scale) return set(Number((start() + Math.sign(share)).toPrecision(12)));
    const from = start(), to = scale.value(scale.place(from) + share);
    // a step is never lost to rounding
    set(to === from ? Number((from + Math.sign(share) * Math.abs(from || 1) * 0.01).toPrecision(3)) : to);
  }

  function save() {
    if (!one || one.problem) return;
    if (!field.value.trim()) return trouble(one.suggested ? "Type a number first, or accept the prediction with the space bar." : "Type a number first.");
    const found = read(field.value, asked);
    if (found.error) {
      trouble(found.error);
      field.focus();
      field.select();
      return;
    }
    leave();
    choose(words(found.value));
  }

  /** The prediction in words, "" where there is none or it is withheld. */
  function predicted(number) {
    if (!Number.isFinite(number?.value ?? NaN)) return "";
    const limits = Number.isFinite(number.low ?? NaN) ? `limits at ${Math.round(100 * asked.level)} %: ${shortened(number.low)} to ${words(shortened(number.high))}` : "without limits";
    return `predicted ${words(shortened(number.value))}, ${limits}`;
  }

  function show(next, standing) {
    one = next;
    const stands = standing !== undefined && standing !== null && !standing.startsWith("/") ? String(read(standing, asked).value ?? "") : "";
    field.disabled = slider.disabled = !one || Boolean(one.problem);
    // an answer of the server must not take away what is being typed
    const about = `${one?.id} ${stands}`;
    if (about !== shown) field.value = stands;
    shown = about;
    const number = one?.number;
    mark("limits", number?.low, number?.high);
    mark("predicted", number?.value);
    mark("given", number?.given);
    $("prediction").textContent = predicted(number);
    $("prediction").hidden = $("prediction").textContent === "";
    $("keep").hidden = !number || number.given === null;
    $("kept").textContent = number?.given === null || number?.given === undefined ? "" : words(number.given);
    follow();
  }

  field.addEventListener("input", () => { trouble(null); follow(); });
  slider.addEventListener("input", () => set(scale.value(Number(slider.value) / SLIDER_STEPS)));
  $("number").addEventListener("submit", (event) => { event.preventDefault(); save(); });
  const steps = { ArrowUp: FINE, ArrowDown: -FINE, PageUp: COARSE, PageDown: -COARSE };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { field.value = ""; follow(); leave(); }
    if (!steps[event.key]) return;
    event.preventDefault();
    step(steps[event.key]);
  });
  // Enter saves wherever one is, but on what has a meaning of its own for it
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (event.target.matches("button, a, textarea, select, input:not([type=range])")) return;
    event.preventDefault();
    save();
  });
  const negative = asked.least === null || asked.least < 0;

  return {
    show,
    keep: () => { if (one?.number && one.number.given !== null && !one.problem) choose(words(one.number.given)); },
    /** Keys that belong to the number; false for others. */
    key: (event) => {
      if (steps[event.key]) return step(steps[event.key]) ?? true;
      if (!/^[0-9.,]$/.test(event.key) && !(event.key === "-" && negative)) return false;
      if (field.disabled) return true;
      field.focus();
      field.value = event.key;
      trouble(null);
      follow();
      return true;
    },
  };
}
