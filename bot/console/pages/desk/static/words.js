// Words, times and small pieces of the page.

import { start } from "./api.js";

const strings = start.strings;
const locale = start.language === "en" ? "en-GB" : start.language;
const paris = { timeZone: "Europe/Paris" };
const clockFormat = new Intl.DateTimeFormat(locale, { ...paris, hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(locale, { ...paris, weekday: "long", day: "numeric", month: "long" });
const shortDayFormat = new Intl.DateTimeFormat(locale, { ...paris, day: "numeric", month: "short" });
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

export const say = (key, values = {}) =>
  strings[key].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
export const languageName = (code) => strings.languages[code] || code;
export const clockTime = (instant) => clockFormat.format(new Date(instant));
export const dayOf = (instant) => dayFormat.format(new Date(instant));
export const moment = (instant) => momentFormat.format(new Date(instant));
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

export const clockOrDay = (instant) =>
  dayOf(instant) === dayOf(now()) ? clockTime(instant) : shortDayFormat.format(new Date(instant));

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
