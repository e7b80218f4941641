// One message of the transcript as a piece of the page.

import { can, start } from "./api.js";
import { clockTime, dateWords, dayOf, fileSize, leftWords, make, moment, percent, say } from "./words.js";

/** How long one's own words can be changed. */
const CHANGEABLE = 5 * 60000;

export const dayLine = (instant) => make("p", { class: "day" }, make("span", {}, dayOf(instant)));

/** `studentName` is said over what the student wrote; `conversation` is where its files are. */
export function messageNode(event, studentName, conversation) {
  if (event.kind !== "text") return noticeNode(event);
  const node = make("article", { class: `message from-${event.author}`, "data-seq": event.seq });
  const time = make("time", { datetime: event.created_at, title: moment(event.created_at) }, clockTime(event.created_at));
  const edited = event.edited_at && !event.deleted ? ` · ${say("edited")}` : "";
  node.append(make("p", { class: "byline" }, make("b", {}, bylineOf(event, studentName)), " ", time, edited));
  if (event.deleted) node.classList.add("deleted");
  const text = make("div", { class: "text", dir: event.html ? null : "auto", lang: event.language });
  if (event.html) fill(text, event.html);
  else text.textContent = event.text;
  // Of what a colleague sent the words only say its name again.
  if (event.author !== "staff" || !event.files.length) node.append(text);
  if (event.files.length) node.append(fileList(event.files, conversation));
  if (event.buttons.length) node.append(offered(event.buttons));
  if (event.sources.length) node.append(sourceList(event.sources));
  if (event.understanding) node.append(understood(event.understanding));
  if (event.author === "staff" && event.author_name === start.me.name && !event.deleted && can("messages/one")) {
    node.dataset.text = event.text;
    node.append(...changing(event.created_at, event.files.length ? ["delete"] : ["edit", "delete"]));
  }
  return node;
}

/** What only colleagues see. */
export function noteNode(note) {
  const { author } = note;
  const node = make("article", { class: "message note-private", "data-note": note.id });
  const time = make("time", { datetime: note.created_at, title: moment(note.created_at) }, clockTime(note.created_at));
  node.append(make("p", { class: "byline" }, make("b", {}, author.name), " ", time, ` · ${say("only_colleagues")}`));
  node.append(make("div", { class: "text", dir: "auto" }, ...withMentions(note)));
  if (author.email === start.me.email && can("notes/one")) node.append(...changing(note.created_at, ["delete"]));
  return node;
}

/** Bold is who was told; a name that reached nobody looks like any other word. */
const withMentions = ({ text, told }) =>
  text.split(/(@[\p{L}\p{N}_](?:[\p{L}\p{N}_.+'’-]*[\p{L}\p{N}_+])?)/u).map((part) => (told.includes(part) ? make("b", { class: "mention" }, part) : part));

/** The buttons that change one's own words, until their time is over. */
function changing(at, deeds) {
  const until = Date.parse(at) + CHANGEABLE;
  const left = leftWords(until);
  if (!left) return [];
  const buttons = deeds.map((deed) => make("button", { type: "button", "data-change": deed }, say(deed === "edit" ? "edit" : "delete")));
  return [make("p", { class: "foot changing", "data-until": until }, ...buttons, " ", make("span", { "data-left": "", "aria-hidden": "true" }, left))];
}

function noticeNode(event) {
  const node = make("div", { class: "notice", "data-seq": event.seq });
  const text = make("div", { lang: event.language });
  fill(text, event.html);
  node.append(text, make("time", { datetime: event.created_at, title: moment(event.created_at) }, clockTime(event.created_at)));
  return node;
}

/** A message that is on its way. */
export function pendingNode(pending, { again, edit }) {
  const node = make("article", { class: "message from-staff pending" });
  node.append(make("p", { class: "byline" }, make("b", {}, start.me.name)));
  node.append(make("div", { class: "text", dir: "auto" }, pending.text));
  const foot = make("p", { class: "foot", role: "status" });
  if (pending.refused) {
    node.classList.add("refused");
    foot.append(
      `${say("not_sent")} ${pending.refused} `,
      make("button", { type: "button", onclick: again }, say("try_again")),
      make("button", { type: "button", onclick: edit }, say(pending.blob ? "discard" : "edit")),
    );
  } else foot.append(onItsWay(pending));
  node.append(foot);
  return node;
}

/** In steps of ten: it is read out. */
export function onItsWay({ attempt, blob, share }) {
  if (attempt) return say("retrying");
  return blob ? say("file_sending", { percent: percent(Math.floor(share * 10) / 10) }) : say("sending");
}

const bylineOf = (event, studentName) => {
  if (event.author === "student") return studentName;
  if (event.author === "staff") return event.author_name || say("system");
  return say(event.author === "bot" ? "bot" : "system");
};

// The server made this from Markdown with every HTML in it escaped. Each block has a direction of its own: an Arabic
// sentence may introduce an answer that exists in English only.
function fill(node, html) {
  node.innerHTML = html;
  for (const block of node.children) block.dir = "auto";
  for (const link of node.querySelectorAll("a")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
}

const offered = (buttons) =>
  make("ul", { class: "offered", "aria-label": say("offered") }, ...buttons.map((button) => make("li", {}, button.label)));

function fileList(files, conversation) {
  const items = files.map((file) => fileNode(file, conversation));
  return make("ul", { class: "files", "aria-label": say("files") }, ...items);
}

/** One file: a link once it is here. */
export function fileNode(file, conversation) {
  const attributes = { class: `file is-${file.state}`, "data-file": file.id, role: file.state === "pending" ? "status" : null };
  const name = make("bdi", {}, file.name);
  if (file.state !== "kept") return make("li", attributes, name, " · ", say(`file_${file.state}`));
  const href = `/staff/api/conversations/${conversation}/files/${file.id}`;
  return make("li", attributes, make("a", { href, download: "" }, name), " · ", make("span", { class: "size" }, fileSize(file.size)));
}

function sourceList(sources) {
  const items = sources.map((source) => {
    const safe = /^https?:\/\//i.test(source.url);
    const title = safe
      ? make("a", { href: source.url, target: "_blank", rel: "noopener noreferrer" }, source.title)
      : make("span", {}, source.title);
    return make("li", {}, title, " ", make("span", { class: "soft" }, say("checked", { date: dateWords(source.checked_on) })));
  });
  return make("details", { class: "sources" }, make("summary", {}, say("sources", { count: sources.length })), make("ul", {}, ...items));
}

const ACTIONS = { urgent: "urgent_action" };

function understood({ what, confidence, action, others }) {
  // A guess that rounds to nothing says nothing.
  const isShown = (share) => share >= 0.005;
  const topic = what.length && isShown(confidence) ? say("understood", { topic: what.join(" + "), confidence: percent(confidence) }) : "";
  const deed = ACTIONS[action] || action;
  const summary = [topic, deed in start.strings ? say(deed) : ""].filter(Boolean).join(" · ");
  const guesses = others.filter((other) => isShown(other.confidence));
  if (!guesses.length) return make("p", { class: "understood" }, summary);
  const items = guesses.map((other) =>
    make("li", {}, `${other.title} `, make("meter", { value: other.confidence, "aria-hidden": "true" }), ` ${percent(other.confidence)}`),
  );
  return make("details", { class: "understood" }, make("summary", {}, summary), make("p", {}, say("candidates")), make("ul", {}, ...items));
}
