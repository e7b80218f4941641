"use strict";
/* The phone: shows what the server says happened in a chat, and tells it what the person does. Text of the bot is built
   from Telegram's entities, node by node; nothing is ever read as HTML. */

const PEOPLE = [
  { id: 600000001, name: "Amina" },
  { id: 600000002, name: "Jonas" },
  { id: 600000003, name: "Mei" },
];
const LANGUAGES = [
  ["en", "English"], ["fr", "Français"], ["es", "Español"], ["pt", "Português"], ["uk", "Українська"], ["ar", "العربية"],
  ["zh", "中文"], ["de", "Deutsch (not one of ours)"], ["", "not told"],
];
const TYPING_LASTS = 5000;
const LINKS = /^(https?|mailto|tel|tg):/i;

const $ = (id) => document.getElementById(id);
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

const phone = { person: PEOPLE[0], seen: 0, messages: new Map(), bot: null, blocked: false, turn: 0, typing: 0, dots: null };

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error || `${answer.status}`);
  return found;
}

const account = () => ({ id: phone.person.id, name: phone.person.name, language_code: languageOf(phone.person) });
const languageOf = (person) => localStorage.getItem(`language ${person.id}`) ?? "fr";

async function act(deed, values = {}) {
  try {
    return await ask("/control/deed", { person: account(), deed, ...values });
  } catch (error) {
    tell(error instanceof TypeError ? "The server has stopped." : error.message);
    return null;
  }
}

function tell(text) {
  $("notice").textContent = text;
  $("notice").hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { $("notice").hidden = true; }, 5000);
}

/* ── Text ── */

const WRAPPERS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote" };

function wrapper(entity, text) {
  if (WRAPPERS[entity.type]) return make(WRAPPERS[entity.type]);
  if (entity.type === "spoiler") return make("span", { className: "spoiler", tabIndex: 0 });
  if (entity.type === "text_link" && LINKS.test(entity.url)) return link(entity.url);
  if (entity.type === "bot_command") {
    const node = make("a", { href: "#" });
    node.addEventListener("click", (event) => { event.preventDefault(); act("says", { text }); });
    return node;
  }
  return make("span");
}

const link = (url) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" });

/* Offsets are UTF-16 units, as in JavaScript. Entities are sorted by start, the longer first: they nest. */
function formatted(text, entities, from = 0, to = text.length) {
  const parts = document.createDocumentFragment();
  let at = from;
  for (let i = 0; i < entities.length; i++) {
    const entity = entities[i];
    const start = entity.offset, end = entity.offset + entity.length;
    if (start < at || end > to) continue;
    parts.append(...withLinks(text.slice(at, start)));
    const inside = entities.slice(i + 1).filter((each) => each.offset >= start && each.offset + each.length <= end);
    const node = wrapper(entity, text.slice(start, end));
    node.append(formatted(text, inside, start, end));
    parts.append(node);
    at = end;
  }
  parts.append(...withLinks(text.slice(at, to)));
  return parts;
}

/* Telegram makes a link of a bare address. */
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/).map((part, n) => {
    if (n % 2 === 0) return document.createTextNode(part);
    const node = link(part);
    node.textContent = part;
    return node;
  });
}

/* ── Messages ── */

const THINGS = {
  photo: () => "🖼 Photo",
  document: (it) => `📎 ${it.file_name}`,
  voice: () => "🎤 Voice message",
  video: () => "🎞 Video",
  audio: (it) => `🎵 ${it.file_name}`,
  sticker: (it) => it.emoji,
  location: (it) => `📍 ${it.latitude}, ${it.longitude}`,
  contact: (it) => `👤 ${it.first_name} ${it.phone_number}`,
  poll: (it) => `📊 ${it.question}`,
};

function bubble(message) {
  const text = message.text ?? message.caption ?? "";
  const entities = message.entities ?? message.caption_entities ?? [];
  const node = make("div", { className: "bubble", dir: "auto" });
  for (const [kind, words] of Object.entries(THINGS)) {
    if (!message[kind]) continue;
    const thing = make("span", { className: "thing", textContent: words(message[kind]) });
    const file = message[kind].file_id;
    node.append(file && message.from?.is_bot ? Object.assign(link(`/control/files/${file}`), { download: message[kind].file_name ?? "file" }) : thing);
    if (node.lastChild !== thing) node.lastChild.append(thing);
  }
  if (text) {
    const words = make("div", { className: "words", dir: "auto" });
    words.append(formatted(text, entities));
    node.append(words);
  }
  const time = new Date(message.date * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  node.append(make("span", { className: "when", dir: "ltr", textContent: message.edit_date ? `edited ${time}` : time }));
  return node;
}

function keys(message) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (!rows.length) return [];
  const pad = make("div", { className: "keys", dir: "auto" });
  for (const row of rows) pad.append(make("div", {}, ...row.map((each) => key(message, each))));
  return [pad];
}

function key(message, button) {
  if (button.url) return Object.assign(link(LINKS.test(button.url) ? button.url : "#"), { textContent: `${button.text} ↗`, dir: "auto" });
  const node = make("button", { type: "button", textContent: button.text, dir: "auto" });
  node.addEventListener("click", async () => {
    node.setAttribute("aria-busy", "true");
    toEnd();
    const done = await act("presses", { message_id: message.message_id, data: button.callback_data });
    if (done) waiting.set(done.query_id, node); else node.removeAttribute("aria-busy");
  });
  return node;
}

const waiting = new Map();

function show(event) {
  const message = event.message;
  if (event.kind === "action") return typing();
  if (event.kind === "answer") {
    waiting.get(event.query_id)?.removeAttribute("aria-busy");
    waiting.delete(event.query_id);
    if (event.text) tell(event.text);
    return undefined;
  }
  if (event.from_bot) stopTyping();
  if (event.kind === "delete") {
    phone.messages.get(message.message_id)?.remove();
    phone.messages.delete(message.message_id);
    return undefined;
  }
  const node = phone.messages.get(message.message_id) ?? make("li");
  node.className = event.from_bot ? "" : "own";
  node.replaceChildren(bubble(message), ...(event.from_bot ? keys(message) : []));
  if (phone.messages.has(message.message_id)) return undefined;
  phone.messages.set(message.message_id, node);
  $("talk").insertBefore(node, phone.dots);
  return node;
}

const toEnd = () => { $("talk").scrollTop = $("talk").scrollHeight; };

/* The newest is in view; of what is longer than the screen, its beginning. */
function reveal(nodes) {
  toEnd();
  const first = nodes.find((node) => node && !node.classList.contains("own"));
  if (!first) return;
  const hidden = $("talk").getBoundingClientRect().top + 16 - first.getBoundingClientRect().top;
  if (hidden > 0) $("talk").scrollTop -= hidden;
}

function typing() {
  $("doing").textContent = "typing …";
  $("doing").className = "types";
  if (!phone.dots) {
    phone.dots = make("li", {}, make("span", { className: "dots" }, make("i"), make("i"), make("i")));
    phone.dots.setAttribute("aria-hidden", "true");
    $("talk").append(phone.dots);
  }
  clearTimeout(phone.typing);
  phone.typing = setTimeout(stopTyping, TYPING_LASTS);
}

function stopTyping() {
  clearTimeout(phone.typing);
  phone.dots?.remove();
  phone.dots = null;
  $("doing").textContent = "bot";
  $("doing").className = "";
}

/* ── The loop ── */

async function follow(turn) {
  while (turn === phone.turn) {
    try {
      await facts();
      const found = await ask(`/control/chats/${phone.person.id}/events?after=${phone.seen}&timeout=20`);
      if (turn !== phone.turn) return;
      const talk = $("talk");
      const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 120;
      // What happened long ago is not happening now.
      const recent = found.events.filter((each) => each.message || Date.now() / 1000 - each.at < TYPING_LASTS / 1000);
      const shown = recent.map(show);
      if (found.events.length && atEnd) reveal(phone.seen ? shown : []);
      phone.seen = found.next;
    } catch {
      if (turn !== phone.turn) return;
      $("facts").textContent = "The server does not answer. It is asked again every two seconds.";
      await new Promise((next) => setTimeout(next, 2000));
    }
  }
}

async function facts() {
  const state = await ask("/control/state");
  phone.bot = state.bot;
  $("bot").textContent = state.bot.first_name;
  $("desk").hidden = !state.desk;
  for (const each of $("desk").querySelectorAll("a")) Object.assign(each, { href: state.desk + each.dataset.page, target: "_blank", rel: "noopener" });
  const known = state.people.find((each) => each.id === phone.person.id);
  phone.blocked = Boolean(known?.is_blocking);
  $("block").textContent = phone.blocked ? "Unblock the bot" : "Block the bot";
  const isNew = phone.messages.size === 0;
  $("start").hidden = !isNew && !phone.blocked;
  $("start").textContent = phone.blocked ? "Unblock" : "Start";
  $("composer").hidden = isNew || phone.blocked;
  const lines = [state.calls ? `Calls of the bot: ${state.calls}.` : "No bot has called yet."];
  if (state.pending) lines.push(`Updates that wait for it: ${state.pending}.`);
  const fast = Object.values(state.violations).reduce((sum, each) => sum + each, 0);
  if (fast) lines.push(`Calls faster than Telegram allows: ${fast}.`);
  $("facts").textContent = lines.join("\n");
}

async function take(person) {
  phone.turn += 1;
  phone.person = person;
  phone.seen = 0;
  phone.messages.clear();
  waiting.clear();
  stopTyping();
  $("notice").hidden = true;
  $("talk").replaceChildren();
  $("person").value = String(person.id);
  $("language").value = languageOf(person);
  sessionStorage.setItem("person", person.id);
  const turn = phone.turn;
  await act("appears");
  follow(turn);
  const menu = await ask(`/control/menu?language=${languageOf(person)}`).catch(() => null);
  if (menu?.description && turn === phone.turn) $("talk").prepend(make("li", { className: "line", dir: "auto", textContent: menu.description }));
}

/* ── Hands ── */

function toggle(button, panel, isOpen = panel.hidden) {
  panel.hidden = !isOpen;
  button.setAttribute("aria-expanded", String(isOpen));
}

function showNotes(isOpen) {
  $("notes").classList.toggle("open", isOpen);
  $("more").setAttribute("aria-expanded", String(isOpen));
}

/* The keys go back to the button that opened what is closed. */
function closeAll() {
  const opener = [$("commands"), $("clip"), $("more")].find((each) => each.getAttribute("aria-expanded") === "true");
  toggle($("commands"), $("menu"), false);
  toggle($("clip"), $("attach"), false);
  showNotes(false);
  opener?.focus();
}

async function openMenu() {
  const found = await ask(`/control/menu?language=${languageOf(phone.person)}`).catch(() => ({ commands: [] }));
  const entries = found.commands.map((each) => {
    const entry = make("button", { type: "button" }, make("b", { textContent: `/${each.command}` }), make("span", { textContent: each.description, dir: "auto" }));
    entry.addEventListener("click", () => { toggle($("commands"), $("menu"), false); act("says", { text: `/${each.command}` }); });
    return entry;
  });
  $("menu").replaceChildren(...(entries.length ? entries : [make("p", { textContent: "The bot has set no commands." })]));
  toggle($("clip"), $("attach"), false);
  toggle($("commands"), $("menu"));
}

const OTHERS = [
  ["Photos or files …", () => $("file").click()],
  ["Voice message", () => act("sends", { items: [{ kind: "voice", name: "voice.oga", data: btoa("a voice") }] })],
  ["Sticker", () => act("sends", { items: [{ kind: "sticker", emoji: "👋" }] })],
  ["Location", () => act("sends", { items: [{ kind: "location" }] })],
  ["Contact", () => act("sends", { items: [{ kind: "contact", name: phone.person.name }] })],
  ["Poll", () => act("sends", { items: [{ kind: "poll", question: "A question?" }] })],
];

async function sendFiles(files) {
  const items = [];
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    const kind = file.type.startsWith("image/") ? "photo" : "document";
    items.push({ kind, name: file.name, media_type: file.type, data: btoa(text) });
  }
  // Photos make an album; files go one by one.
  const photos = items.filter((each) => each.kind === "photo");
  if (photos.length) await act("sends", { items: photos });
  for (const each of items.filter((it) => it.kind === "document")) await act("sends", { items: [each] });
}

async function sendWords() {
  const text = $("words").value.trim();
  if (!text) return;
  $("words").value = "";
  grow();
  if (!(await act("says", { text }))) $("words").value = text;
  toEnd();
}

function grow() {
  const words = $("words");
  words.style.blockSize = "auto";
  words.style.blockSize = `${Math.min(words.scrollHeight, 140)}px`;
}

async function open(link) {
  const payload = link.match(/[?&]start=([A-Za-z0-9_-]*)/)?.[1] ?? link.trim();
  if (!/^[A-Za-z0-9_-]{0,64}$/.test(payload)) return tell("A start link carries up to 64 letters, digits, _ or -.");
  return act("says", { text: `/start ${payload}`.trim() });
}

function wire() {
  $("person").replaceChildren(...PEOPLE.map((each) => make("option", { value: each.id, textContent: `${each.name} (demo)` })));
  $("language").replaceChildren(...LANGUAGES.map(([code, name]) => make("option", { value: code, textContent: code ? `${name} · ${code}` : name })));
  $("person").addEventListener("change", () => take(PEOPLE.find((each) => String(each.id) === $("person").value)));
  $("language").addEventListener("change", () => { localStorage.setItem(`language ${phone.person.id}`, $("language").value); act("appears"); });
  $("block").addEventListener("click", async () => { await act(phone.blocked ? "unblocks" : "blocks"); facts(); });
  $("start").addEventListener("click", async () => {
    if (phone.blocked) { await act("unblocks"); return facts(); }
    return act("says", { text: "/start" });
  });
  $("opener").addEventListener("submit", async (event) => {
    event.preventDefault();
    await open($("link").value);
    $("link").value = "";
    showNotes(false);
  });
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); sendWords(); });
  $("words").addEventListener("input", grow);
  $("words").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); sendWords(); }
  });
  $("commands").addEventListener("click", openMenu);
  $("clip").addEventListener("click", () => { toggle($("commands"), $("menu"), false); toggle($("clip"), $("attach")); });
  $("attach").append(...OTHERS.map(([name, send]) => {
    const entry = make("button", { type: "button", textContent: name });
    entry.addEventListener("click", () => { toggle($("clip"), $("attach"), false); send(); });
    return entry;
  }));
  $("file").addEventListener("change", async () => { await sendFiles([...$("file").files]); $("file").value = ""; });
  $("more").addEventListener("click", () => showNotes(!$("notes").classList.contains("open")));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeAll(); });
  $("talk").addEventListener("click", closeAll);
}

async function begin() {
  wire();
  const before = Number(sessionStorage.getItem("person"));
  await take(PEOPLE.find((each) => each.id === before) ?? PEOPLE[0]);
  const start = new URLSearchParams(location.search).get("start");
  if (start !== null) {
    history.replaceState(null, "", location.pathname);
    await open(start);
  }
}

begin();
