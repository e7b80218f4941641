// Names of colleagues, offered after an @ while a note is written.

import { ask, can, start } from "./api.js";
import { $ } from "./state.js";
import { make, say } from "./words.js";

const MOST = 6;
/** What stands before the caret when a name is being written. */
const BEGUN = /(?:^|[^\p{L}\p{N}_.])@([\p{L}\p{N}_.+'’-]*)$/u;

const text = $("text");
const list = $("mentions");
let colleagues = null;
let found = [];
let chosen = 0;

export function setUpMentions(isNote) {
  if (!can("desks")) return;
  text.addEventListener("input", () => (isNote() ? offer() : endMention()));
  text.addEventListener("keydown", onKey);
  text.addEventListener("blur", endMention);
  // A press must not take the keyboard out of the text.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) take([...list.children].indexOf(option));
  });
}

/** "" where everybody who was called was told. */
export const notToldWords = (note) => (note?.not_told.length ? say("not_told", { names: note.not_told.join(", ") }) : "");

export function endMention() {
  found = [];
  show();
}

const folded = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The server knows a colleague by the whole name with dots in place of blanks. */
const written = ({ name }) => name.trim().replace(/\s+/g, ".");

const begun = () => BEGUN.exec(text.value.slice(0, text.selectionStart))?.[1];

async function offer() {
  if (begun() === undefined) return endMention();
  colleagues ??= ask("desks").then((answer) => answer.colleagues.filter(({ email }) => email !== start.me.email));
  // Names that could not be read are not offered; whoever is written in full is told all the same.
  const known = await colleagues.catch(() => {
    colleagues = null;
    return [];
  });
  const name = begun();
  if (name === undefined || document.activeElement !== text) return endMention();
  const wanted = folded(name);
  const fits = ({ name: whole, email }) => [whole, ...whole.split(/\s+/), written({ name: whole }), email].some((each) => folded(each).startsWith(wanted));
  found = known.filter(fits).slice(0, MOST);
  // Written in full: nothing is left to choose.
  if (found.length === 1 && folded(written(found[0])) === wanted) found = [];
  chosen = 0;
  show();
}

function show() {
  list.hidden = !found.length;
  list.replaceChildren(...found.map(({ name, email }, place) =>
    make("li", { role: "option", id: `mention-${place}`, "aria-selected": String(place === chosen) }, make("b", {}, name), " ", make("span", { class: "soft" }, email))));
  if (list.hidden) {
    for (const name of ["aria-autocomplete", "aria-haspopup", "aria-controls", "aria-activedescendant"]) text.removeAttribute(name);
    return;
  }
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-haspopup", "listbox");
  text.setAttribute("aria-controls", list.id);
  text.setAttribute("aria-activedescendant", `mention-${chosen}`);
  $("heard").textContent = say("mention_offered", { count: found.length });
}

function onKey(event) {
  if (!found.length || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const deed = {
    ArrowDown: () => choose(1),
    ArrowUp: () => choose(-1),
    Enter: () => take(chosen),
    Tab: () => take(chosen),
    Escape: endMention,
  }[event.key];
  if (!deed || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  deed();
}

function choose(by) {
  chosen = (chosen + by + found.length) % found.length;
  show();
}

function take(place) {
  const end = text.selectionStart;
  text.setRangeText(`${written(found[place])} `, end - begun().length, end, "end");
  endMention();
  text.dispatchEvent(new Event("input"));
}
