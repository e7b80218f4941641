// Words, times and small pieces of the page.

import { start } from "./api.js";

const strings = start.strings;
const locale = start.language === "en" ? "en-GB" : start.language;
const paris = { timeZone: "Europe/Paris" };
const clockFormat = new Intl.DateTimeFormat(locale, { ...paris, hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(locale, { ...paris, weekday: "long", day: "numeric", month: "long" });
const dateFormat = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
const momentFormat = new Intl.DateTimeFormat(locale, { ...paris, dateStyle: "full", timeStyle: "medium" });
const percentFormat = new Intl.NumberFormat(locale, { style: "percent" });
const unit = (name) => new Intl.NumberFormat(start.language, { style: "unit", unit: name, unitDisplay: "short" });
const [minutes, hours, days] = ["minute", "hour", "day"].map(unit);
const [kilobytes, megabytes] = ["kilobyte", "megabyte"].map(
  (name) => new Intl.NumberFormat(locale, { style: "unit", unit: name, maximumFractionDigits: 1 }),
);

let ahead = 0;
/** Waiting times are counted on the server's clock. */
export const setServerNow = (now) => { ahead = Date.parse(now) - Date.now(); };
const now = () => Date.now() + ahead;
const localFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const shortMomentFormat = new Intl.DateTimeFormat(locale, { ...paris, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const partsFormat = new Intl.DateTimeFormat("en-GB", {
  ...paris, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});

export const say = (key, values = {}) =>
  strings[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
/** The words of a mark for the office. */
export const alertWords = (kind) => say(kind in strings ? kind : "failed_turn");
export const languageName = (code) => strings.languages[code] || code;
export const clockTime = (instant) => clockFormat.format(new Date(instant));
export const dayOf = (instant) => dayFormat.format(new Date(instant));
export const moment = (instant) => momentFormat.format(new Date(instant));
export const shortMoment = (instant) => shortMomentFormat.format(new Date(instant));
/** On the clock of whoever reads this, when that is not the French one. */
export const momentHere = (instant) => localFormat.format(new Date(instant));
export const dateWords = (day) => dateFormat.format(new Date(day));
export const fileSize = (bytes) =>
  bytes < 1e6 ? kilobytes.format(Math.max(0.1, bytes / 1e3)) : megabytes.format(bytes / 1e6);
export const percent = (share) => percentFormat.format(share);

export function elapsed(since) {
  const passed = Math.max(0, Math.floor((now() - Date.parse(since)) / 60000));
  if (passed < 60) return minutes.format(passed);
  if (passed < 48 * 60) return hours.format(Math.floor(passed / 60));
  return days.format(Math.floor(passed / 1440));
}

export const nameOf = (row) =>
  row.student ? row.student.name : say("unnamed", { number: row.conversation_id.slice(0, 4).toUpperCase() });

/** make("p", { class: "hint", hidden: true }, "text", node …) */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// ---------------------------------------------------------------- French time

/** A French clock at an instant: { date: "2026-11-30", hour: 9, minute: 0, weekday: 1 … 7 from Monday }. */
export function parisParts(instant) {
  const found = Object.fromEntries(partsFormat.formatToParts(instant).map(({ type, value }) => [type, value]));
  const date = `${found.year}-${found.month}-${found.day}`;
  return { date, hour: Number(found.hour), minute: Number(found.minute), weekday: new Date(date).getUTCDay() || 7 };
}

export const dateInParis = (instant = new Date(now())) => parisParts(instant).date;

/** The instant of "2026-11-30T09:00" on a French clock. */
export function parisInstant(local) {
  const wanted = Date.parse(`${local}:00Z`);
  let instant = wanted;
  // The distance from UTC is that of the instant itself, which is known only once it is found: twice is enough.
  for (let turn = 0; turn < 2; turn += 1) {
    const { date, hour, minute } = parisParts(new Date(instant));
    const shown = Date.parse(`${date}T${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}:00Z`);
    instant += wanted - shown;
  }
  return new Date(instant);
}

// ---------------------------------------------------------------- what runs out

/** "4:12", or nothing when the time is over. */
export function leftWords(until) {
  const seconds = Math.floor((until - now()) / 1000);
  return seconds > 0 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
}

export function countDown() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const left = leftWords(Number(node.dataset.until));
    if (left) node.querySelector("[data-left]").textContent = left;
    else node.remove();
  }
}
