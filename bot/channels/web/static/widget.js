/**
 * Accueil's chat as one web component, `<accueil-chat>`; no build step, nothing loaded from elsewhere.
 *
 * On another site: `<script src="https://accueil.example/widget.js" data-language="fr" defer></script>` adds a button
 * that opens the chat. Inside a page: `<accueil-chat inline language="fr"></accueil-chat>`; with `chosen` the language is
 * the reader's own choice, which the server then never changes by itself.
 *
 * From the page: `element.ask("text")` opens the chat and sends the text; a `CustomEvent("accueil:ask", {detail: {text}})`
 * on the document does the same. No conversation exists on the server before somebody opens the chat.
 */
(() => {
  "use strict";

  const ORIGIN = document.currentScript?.src ? new URL(document.currentScript.src).origin : location.origin;
  const ASKED_LANGUAGE = document.currentScript?.dataset.language;
  const API = `${ORIGIN}/api/v1`;
  const STORE = `accueil:${ORIGIN}`;
  const DRAFT = `${STORE}:draft`;
  const LONGEST = 4000;
  const COUNT_FROM = 3600;
  const SECOND = 1000;
  const TYPING_LASTS = 20 * SECOND;
  const TYPING_AGAIN = 3 * SECOND;
  // The server's heartbeat comes every 15 s: two missed ones mean that the line is dead, even if the socket is not.
  const SILENCE_BEFORE_RECONNECT = 40 * SECOND;
  const STREAM_TRIES_BEFORE_POLLING = 3;
  const POLLING_LASTS = 120 * SECOND;
  const SEND_TRIES = 6;
  const MOST_BYTES = 20 * 1024 * 1024;
  const LONGEST_FILE_NAME = 300;
  // A network that is gone does not always say so.
  const UPLOAD_SILENCE = 60 * SECOND;
  const PAGE = 200;
  const LOOK_EVERY = 2 * SECOND;
  // The largest file over a slow phone.
  const FILE_LASTS = 300 * SECOND;
  const TABS = ["steps", "data", "telegram"];
  // A sentence would have to be understood first, in seven languages; the transcript shows it in words all the same.
  const LINK_COMMAND = "/link";

  // ------------------------------------------------------------------------------------------------- small things

  /** Build a node: `h("a", {href, class: "x"}, "text", child)`; keys starting with "on" are listeners. */
  function h(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function icon(...paths) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    for (const d of paths) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  }

  const ICONS = {
    bell: ["M4 17h16", "M6 17a6 6 0 0 1 12 0", "M12 11V8", "M10 8h4", "M3 20h18"],
    globe: ["M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18", "M3 12h18", "M12 3c5 5 5 13 0 18c-5-5-5-13 0-18"],
    fresh: ["M4 5h16v11h-8l-5 4v-4H4z", "M12 7.5v6", "M9 10.5h6"],
    close: ["M6 6l12 12", "M18 6L6 18"],
    send: ["M4 12h15", "M13 6l6 6l-6 6"],
    person: ["M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8", "M4 20c1-4 4-6 8-6s7 2 8 6"],
    down: ["M12 5v14", "M6 13l6 6l6-6"],
    file: ["M5 7l1.5 1.5L9 6", "M12 7.5h8", "M5 13l1.5 1.5L9 12", "M12 13.5h8", "M5 19l1.5 1.5L9 18", "M12 19.5h8"],
    paper: ["M6 3h8l4 4v14H6z", "M14 3v4h4", "M9 12h6", "M9 16h6"],
    save: ["M12 4v11", "M7 10.5l5 5l5-5", "M5 20h14"],
    back: ["M19 12H5", "M11 6l-6 6l6 6"],
    calendar: ["M4 6h16v14H4z", "M4 10.5h16", "M8.5 3v5", "M15.5 3v5"],
    clip: ["M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4l7.6-7.6"],
    plane: ["M21 4L3 11.5l6 2.5l8 6z", "M21 4L9 14v6l3.5-3.5"],
  };

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const length = (text) => [...text].length;

  /** Exponential, with jitter: many widgets must not come back in the same instant. */
  const backoff = (failures, longest = 30 * SECOND) =>
    Math.min(longest, SECOND * 2 ** Math.max(0, failures - 1)) * (0.5 + Math.random() / 2);

  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    // A page without TLS has no randomUUID, but has random bytes.
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  /** What survives a reload: `{id, token, language, isChosen, page, pending}`. Without storage the page's lifetime has to do. */
  const saved = {
    memory: null,
    read() {
      try {
        return JSON.parse(localStorage.getItem(STORE)) ?? this.memory;
      } catch {
        return this.memory;
      }
    },
    write(value) {
      this.memory = value;
      try {
        if (value === null) localStorage.removeItem(STORE);
        else localStorage.setItem(STORE, JSON.stringify(value));
      } catch {
        // Storage may be forbidden or full: the conversation then lives as long as the page.
      }
    },
  };

  /** What is being written: a phone lets go of a page that is not looked at. With the tab it is gone. */
  const draft = {
    read() {
      try {
        return sessionStorage.getItem(DRAFT) ?? "";
      } catch {
        return "";
      }
    },
    write(text) {
      try {
        if (text) sessionStorage.setItem(DRAFT, text);
        else sessionStorage.removeItem(DRAFT);
      } catch {
        // As above.
      }
    },
  };

  // ----------------------------------------------------------------------------------------------------- Markdown

  const INLINE = new RegExp(
    [
      String.raw`\\(?<escaped>[\\\x60*_{}\[\]()#+\-.!<>~|])`,
      "`(?<code>[^`]+)`",
      String.raw`\*\*(?<strong>\S(?:.*?\S)?)\*\*`,
      String.raw`(?<![\p{L}\p{N}_])__(?<strong2>\S(?:.*?\S)?)__(?![\p{L}\p{N}_])`,
      String.raw`\*(?<em>[^\s*](?:.*?[^\s*])?)\*`,
      String.raw`(?<![\p{L}\p{N}_])_(?<em2>[^\s_](?:.*?[^\s_])?)_(?![\p{L}\p{N}_])`,
      String.raw`\[(?<label>[^\[\]]+)\]\(\s*<?(?<href>[^\s()<>]+(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)`,
      String.raw`<(?<angle>(?:https?:\/\/|mailto:|tel:)[^>\s]+)>`,
      String.raw`(?<bare>https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]*_])`,
    ].join("|"),
    "gsu",
  );
  const MARKER = /^( {0,3})([-*+]|\d{1,9}[.)])[ \t]+/;
  const INDENTED = /^(?: {2,}|\t)\S/;

  /** The address when it is one that may be followed, else null: never javascript:, data: or a relative path. */
  function safeAddress(text) {
    try {
      const url = new URL(text);
      return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  }

  function link(address, ...children) {
    const external = /^https?:/.test(address) ? { target: "_blank" } : {};
    return h("a", { href: address, rel: "noopener noreferrer nofollow", ...external }, ...children);
  }

  function appendText(parent, text) {
    text.split("\n").forEach((line, index) => {
      if (index > 0) parent.append(h("br"));
      parent.append(line);
    });
  }

  function appendInline(parent, text) {
    let from = 0;
    for (const match of text.matchAll(INLINE)) {
      const found = match.groups;
      appendText(parent, text.slice(from, match.index));
      from = match.index + match[0].length;
      const address = safeAddress(found.href ?? found.angle ?? found.bare ?? "");
      const strong = found.strong ?? found.strong2;
      const emphasis = found.em ?? found.em2;
      if (found.escaped) parent.append(found.escaped);
      else if (found.code) parent.append(h("code", {}, found.code));
      else if (strong || emphasis) {
        const node = h(strong ? "strong" : "em");
        appendInline(node, strong ?? emphasis);
        parent.append(node);
      } else if (address) {
        const node = link(address);
        if (found.label) appendInline(node, found.label);
        else node.append((found.angle ?? found.bare).replace(/^(?:mailto|tel):/, ""));
        parent.append(node);
      } else appendText(parent, match[0]);
    }
    appendText(parent, text.slice(from));
  }

  function listAt(lines, start) {
    const ordered = /\d/.test(lines[start]) && /\d/.test(MARKER.exec(lines[start])[2]);
    const first = ordered ? parseInt(MARKER.exec(lines[start])[2], 10) : null;
    const list = h(ordered ? "ol" : "ul", { dir: "auto", start: first });
    let at = start;
    while (at < lines.length) {
      const marker = MARKER.exec(lines[at]);
      if (!marker || /\d/.test(marker[2]) !== ordered) break;
      const content = [lines[at].slice(marker[0].length)];
      at += 1;
      while (at < lines.length && (INDENTED.test(lines[at]) || (!lines[at].trim() && INDENTED.test(lines[at + 1] ?? "")))) {
        content.push(lines[at].replace(new RegExp(`^(?:\\t| {1,${marker[0].length}})`), ""));
        at += 1;
      }
      const item = h("li");
      appendBlocks(item, content);
      if (item.firstElementChild?.tagName === "P") item.firstElementChild.replaceWith(...item.firstElementChild.childNodes);
      list.append(item);
      const next = lines.slice(at).findIndex((line) => line.trim());
      if (next > 0 && MARKER.test(lines[at + next])) at += next;
    }
    return { list, next: at };
  }

  function appendBlocks(parent, lines) {
    let paragraph = [];
    const flush = () => {
      if (!paragraph.length) return;
      const node = h("p", { dir: "auto" });
      appendInline(node, paragraph.join("\n"));
      parent.append(node);
      paragraph = [];
    };
    let at = 0;
    while (at < lines.length) {
      const line = lines[at];
      const heading = /^#{1,6}\s+(.*)$/.exec(line);
      if (MARKER.test(line)) {
        flush();
        const { list, next } = listAt(lines, at);
        parent.append(list);
        at = next;
        continue;
      }
      if (heading) {
        flush();
        const node = h("strong");
        appendInline(node, heading[1]);
        parent.append(h("p", { dir: "auto" }, node));
      } else if (!line.trim()) flush();
      else paragraph.push(line.trim());
      at += 1;
    }
    flush();
  }

  /**
   * Markdown as nodes. No HTML is ever parsed, so nothing in a message can run. Each block has a direction of its own:
   * an Arabic sentence may introduce an answer that exists in English only.
   */
  function markdown(text) {
    const body = h("div", { class: "text" });
    appendBlocks(body, text.replace(/\r\n?/g, "\n").split("\n"));
    return body;
  }

  function plain(text) {
    const body = h("p", { class: "text", dir: "auto" });
    appendText(body, text);
    return body;
  }

  // ----------------------------------------------------------------------------------------------------- the wire

  class Problem extends Error {
    constructor(status, details, retryAfter) {
      super([details.detail, details.title].find((text) => typeof text === "string") ?? `HTTP ${status}`);
      this.status = status;
      this.details = details;
      this.retryAfter = retryAfter;
    }
  }

  const isGone = (error) => error instanceof Problem && (error.status === 401 || error.status === 404);

  async function call(path, { method = "GET", token, language, body, headers = {}, signal } = {}) {
    const response = await fetch(API + path, {
      method,
      signal,
      cache: "no-store",
      credentials: "omit",
      headers: {
        "Accept-Language": language,
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    if (response.ok) return response;
    const details = await response.json().catch(() => ({}));
    throw new Problem(response.status, details, Number(response.headers.get("Retry-After")) || 5);
  }

  /** Hands a file over and tells how much of it has gone (0 to 1). Rejects with a Problem, or a TypeError as `fetch` does. */
  function upload(path, { file, token, language, signal, onProgress }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let watchdog = 0;
      const stillAlive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => request.abort(), UPLOAD_SILENCE);
      };
      request.open("POST", API + path);
      request.responseType = "json";
      request.setRequestHeader("Accept-Language", language);
      request.setRequestHeader("Authorization", `Bearer ${token}`);
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.upload.onprogress = ({ loaded, total }) => {
        stillAlive();
        onProgress(loaded / total);
      };
      request.onload = () => {
        const { status, response } = request;
        if (status < 300) resolve(response);
        else reject(new Problem(status, response ?? {}, Number(request.getResponseHeader("Retry-After")) || 5));
      };
      request.onerror = request.onabort = () => reject(new TypeError("The file did not reach the server."));
      request.onloadend = () => clearTimeout(watchdog);
      signal.addEventListener("abort", () => request.abort());
      stillAlive();
      request.send(file);
    });
  }

  /** Yields `{event, data, id}` of a text/event-stream; calls `alive` for every piece that arrives. */
  async function* serverSentEvents(body, alive) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let current = { event: "message", data: [], id: null };
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (current.data.length) yield { ...current, data: current.data.join("\n") };
          current = { event: "message", data: [], id: null };
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/s.exec(line);
        if (field === "data") current.data.push(text);
        else if (field === "event") current.event = text;
        else if (field === "id") current.id = text;
      }
    }
  }

  /**
   * One conversation with the server: opens or restores it, listens, sends in order.
   *
   * `view` is told `onEvent(event)`, `onChanged(event)` for one told before, `onControl({control, staff_name, position})`, `onTyping({author, on})`,
   * `onLine("connecting" | "online" | "offline")`, `onRestored()`, `onGone()`, and for each message on its way
   * `onPending(item, state, details)`, `state` being "sending" | "retrying" | "slow" | "sent" | "failed" | "urgent",
   * and for a file `onProgress(item, part)`.
   */
  class Conversation {
    #view;
    #id = null;
    #token = null;
    #language;
    #isChosen;
    #page;
    #seen = new Set();
    // Only what was received in order moves this: our own message may be confirmed before an older one has come.
    #lastSeq = 0;
    #changes = 0;
    #queue = [];
    #draining = false;
    #files = [];
    #uploading = null;
    #opening = null;
    #ended = false;
    #wasRestored = false;
    #stop = new AbortController();
    #dead = new AbortController();
    #wake = () => {};

    /** `page` is the language of the page around the widget: when that changes later, it wins over the saved one. */
    constructor(view, { language, isChosen, page }) {
      this.#view = view;
      this.#language = language;
      this.#isChosen = isChosen;
      this.#page = page;
      const wake = () => this.#wake();
      const options = { signal: this.#stop.signal };
      const reconnect = () => {
        // After a change of network the old stream may be dead without saying so.
        this.#dead.abort();
        wake();
      };
      addEventListener("online", reconnect, options);
      addEventListener("offline", () => view.onLine("offline"), options);
      document.addEventListener("visibilitychange", () => document.hidden || wake(), options);
      // Words are kept and sent later; a file goes with the page.
      addEventListener("beforeunload", (event) => this.#uploading && event.preventDefault(), options);
    }

    get isOpen() {
      return this.#opening !== null;
    }

    /** The file that is on its way now, or null. */
    get uploading() {
      return this.#uploading;
    }

    get wasRestored() {
      return this.#wasRestored;
    }

    open() {
      this.#opening ??= this.#open();
      return this.#opening;
    }

    end() {
      this.#ended = true;
      this.#stop.abort();
      this.#wake();
    }

    async setLanguage(language) {
      this.#language = language;
      this.#isChosen = true;
      this.#save();
      if (!this.#id) return;
      const id = this.#id;
      await this.#call("", { method: "PATCH", body: { language } }).catch((error) => isGone(error) && this.#startAnew(id));
    }

    /** `content` is `{text}` or `{button, label}`; the same item may be sent again after it failed. */
    send(content) {
      const item = content.clientId ? content : { ...content, clientId: uuid() };
      this.#queue.push(item);
      this.#save();
      this.#view.onPending(item, "sending");
      this.open();
      this.#drain();
      return item;
    }

    retry() {
      this.#drain();
    }

    /** Files go one after the other, beside the words, which do not wait for them. `item` is `{clientId, file}`; after it failed it may be sent again. */
    sendFile(item) {
      item.stop = new AbortController();
      this.#files.push(item);
      this.#view.onPending(item, "sending");
      if (!this.#uploading) this.#drainFiles();
    }

    forgetFile(item) {
      this.#files = this.#files.filter((other) => other !== item);
      item.stop?.abort();
    }

    /** A request about this conversation: the student's path, their data. Rejects with a Problem. */
    async request(path, options) {
      await this.open();
      return this.#call(path, options);
    }

    forget(item) {
      this.#queue = this.#queue.filter((other) => other.clientId !== item.clientId);
      this.#save();
    }

    #call(path, options = {}) {
      const signal = options.signal ?? AbortSignal.any([this.#stop.signal, AbortSignal.timeout(20 * SECOND)]);
      return call(`/conversations/${this.#id}${path}`, {
        token: this.#token,
        language: this.#language,
        ...options,
        signal,
      });
    }

    #save() {
      if (!this.#id) return;
      const pending = this.#queue.map(({ clientId, text, button, label }) => ({ clientId, text, button, label }));
      saved.write({
        id: this.#id,
        token: this.#token,
        language: this.#language,
        isChosen: this.#isChosen,
        page: this.#page,
        pending,
      });
    }

    async #open() {
      const before = saved.read();
      this.#view.onLine("connecting");
      for (let failures = 1; !this.#ended; failures += 1) {
        try {
          if (before?.id && (await this.#restore(before))) break;
          await this.#create();
          break;
        } catch (error) {
          if (this.#ended) return;
          this.#view.onLine(failures > 1 ? "offline" : "connecting");
          await this.#pause(error.status === 429 ? error.retryAfter * SECOND : backoff(failures, 10 * SECOND));
        }
      }
      if (this.#ended) return;
      this.#takeUp(before?.pending ?? []);
      this.#view.onRestored();
      this.#online();
      this.#listen();
    }

    #online() {
      this.#view.onLine("online");
      this.#drain();
    }

    /** What was on its way when the page was left is sent now, before what was written since. */
    #takeUp(pending) {
      const known = new Set(this.#queue.map((item) => item.clientId));
      const left = pending.filter((item) => !known.has(item.clientId));
      this.#queue.unshift(...left);
      left.forEach((item) => this.#view.onPending(item, "sending"));
      this.#save();
    }

    async #restore({ id, token, language }) {
      [this.#id, this.#token] = [id, token];
      try {
        while ((await this.#fetchAfter(0)) === PAGE);
      } catch (error) {
        if (!isGone(error)) throw error;
        this.#id = null;
        saved.write(null);
        this.#view.onGone();
        return false;
      }
      if (this.#isChosen && language !== this.#language) await this.setLanguage(this.#language);
      this.#wasRestored = true;
      return true;
    }

    async #create() {
      const response = await call("/conversations", {
        method: "POST",
        language: this.#language,
        body: this.#isChosen ? { language: this.#language } : {},
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(20 * SECOND)]),
      });
      const made = await response.json();
      [this.#id, this.#token] = [made.conversation_id, made.token];
      this.#seen.clear();
      this.#lastSeq = 0;
      this.#changes = 0;
      made.messages.forEach((event) => this.#receive(event));
      this.#view.onControl({ control: made.control });
      this.#save();
    }

    /** `id` is the conversation that could not be found: both the listener and the sender may notice it. */
    async #startAnew(id) {
      if (this.#ended || this.#id !== id) return;
      this.#id = null;
      this.#opening = null;
      saved.write(null);
      this.#view.onGone();
      await this.open();
    }

    #receive(event) {
      this.#lastSeq = Math.max(this.#lastSeq, event.seq);
      this.#show(event);
    }

    #show(event) {
      if (this.#seen.has(event.seq)) return;
      this.#seen.add(event.seq);
      this.#view.onEvent(event);
    }

    /** How many events came. */
    async #fetchAfter(wait) {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout((wait + 15) * SECOND)]);
      const response = await this.#call(`/messages?after=${this.#lastSeq}&changes=${this.#changes}&limit=${PAGE}&wait=${wait}`, { signal });
      const page = await response.json();
      page.changed.forEach((event) => this.#view.onChanged(event));
      this.#changes = page.changes;
      page.events.forEach((event) => this.#receive(event));
      this.#view.onControl({ control: page.control });
      return page.events.length;
    }

    async #listen() {
      const id = this.#id;
      let failures = 0;
      let streamFailures = 0;
      let pollUntil = 0;
      while (!this.#ended && this.#id === id) {
        const polling = Date.now() < pollUntil;
        try {
          if (polling) {
            // The first look after a failure does not wait for news: what is unsent waits for its answer.
            await this.#fetchAfter(failures ? 0 : 25);
            this.#online();
          } else {
            await this.#stream(() => {
              failures = 0;
              streamFailures = 0;
            });
          }
          failures = 0;
          if (polling) continue;
        } catch (error) {
          if (this.#ended || this.#id !== id) return;
          if (isGone(error)) return void this.#startAnew(id);
          failures += 1;
          if (!polling && ++streamFailures >= STREAM_TRIES_BEFORE_POLLING) pollUntil = Date.now() + POLLING_LASTS;
          if (failures > 1 || !navigator.onLine) this.#view.onLine("offline");
        }
        // A message that waits to be sent is not kept waiting by the long pauses of a widget that only listens.
        await this.#pause(backoff(failures, this.#queue.length ? 5 * SECOND : 30 * SECOND));
      }
    }

    async #stream(alive) {
      const dead = new AbortController();
      this.#dead = dead;
      let watchdog = 0;
      const stillAlive = () => {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => dead.abort(), SILENCE_BEFORE_RECONNECT);
      };
      stillAlive();
      try {
        const response = await this.#call("/events", {
          headers: { Accept: "text/event-stream", "Last-Event-ID": String(this.#lastSeq) },
          signal: AbortSignal.any([this.#stop.signal, dead.signal]),
        });
        this.#online();
        const arrived = () => {
          stillAlive();
          alive();
        };
        for await (const { event, data } of serverSentEvents(response.body, arrived)) {
          const value = JSON.parse(data);
          if (event === "message") this.#receive(value);
          else if (event === "edited" || event === "deleted") this.#view.onChanged(value);
          else if (event === "control") this.#view.onControl(value);
          else if (event === "typing") this.#view.onTyping(value);
        }
      } finally {
        clearTimeout(watchdog);
      }
    }

    /** Waits, but not past the moment when the network or the reader comes back. */
    #pause(milliseconds) {
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }

    async #drain() {
      if (this.#draining) return;
      this.#draining = true;
      while (this.#queue.length && this.#id && !this.#ended) {
        const item = this.#queue[0];
        if (!(await this.#deliver(item))) break;
        this.forget(item);
      }
      this.#draining = false;
    }

    /** True when the message was accepted or refused for good; false when it stays queued for a better moment. */
    async #deliver(item) {
      const id = this.#id;
      const content = item.button ? { button: item.button } : { text: item.text };
      for (let tries = 1; !this.#ended; tries += 1) {
        try {
          const body = { client_id: item.clientId, ...content };
          const response = await this.#call("/messages", { method: "POST", body });
          const { event } = await response.json();
          this.#view.onPending(item, "sent", { event, isKnown: this.#seen.has(event.seq) });
          this.#seen.add(event.seq);
          return true;
        } catch (error) {
          if (this.#ended) return false;
          if (isGone(error)) {
            this.#startAnew(id);
            return false;
          }
          if (error.status === 429) {
            await this.#waitIn(item, error.retryAfter);
            continue;
          }
          const urgent = error.details?.urgent_text;
          if (urgent) this.#view.onPending(item, "urgent", { text: urgent });
          if (error.status < 500) {
            this.#view.onPending(item, "failed", { reason: error.message });
            return true;
          }
          if (urgent || tries >= SEND_TRIES) {
            this.#view.onPending(item, "failed", {});
            return false;
          }
          this.#view.onPending(item, "retrying");
          await new Promise((resolve) => setTimeout(resolve, backoff(tries, 10 * SECOND)));
        }
      }
      return false;
    }

    async #drainFiles() {
      while (this.#files.length && !this.#ended) {
        this.#uploading = this.#files.shift();
        await this.open();
        await this.#handOver(this.#uploading);
        this.#uploading = null;
      }
    }

    async #handOver(item) {
      const id = this.#id;
      const isOver = () => this.#ended || item.stop.signal.aborted;
      while (!isOver()) {
        try {
          // Half a character cannot be written in an address.
          const name = encodeURIComponent(item.file.name.slice(-LONGEST_FILE_NAME).replace(/[\ud800-\udfff]/gu, "") || "file");
          const { event } = await upload(`/conversations/${id}/files?client_id=${item.clientId}&name=${name}`, {
            file: item.file,
            token: this.#token,
            language: this.#language,
            signal: AbortSignal.any([this.#stop.signal, item.stop.signal]),
            onProgress: (part) => this.#view.onProgress(item, part),
          });
          this.#view.onPending(item, "sent", { event, isKnown: this.#seen.has(event.seq) });
          this.#seen.add(event.seq);
          return;
        } catch (error) {
          if (isOver()) return;
          if (error.status === 429) {
            await this.#waitIn(item, error.retryAfter);
            continue;
          }
          this.#view.onPending(item, "failed", error.status < 500 ? { reason: error.message } : {});
          if (isGone(error)) this.#startAnew(id);
          return;
        }
      }
    }

    async #waitIn(item, seconds) {
      for (let left = seconds; left > 0 && !this.#ended && !item.stop?.signal.aborted; left -= 1) {
        this.#view.onPending(item, "slow", { seconds: left });
        await new Promise((resolve) => setTimeout(resolve, SECOND));
      }
    }
  }

  // ----------------------------------------------------------------------------------------------------- the look

  // An adopted sheet, not a <style>: it needs no exception in the content security policy of the page around it.
  const SHEET = new CSSStyleSheet();
  SHEET.replaceSync(`
    :host {
      --paper: #fbf6ec; --card: #fffdf8; --line: #e2d5bf; --ink: #2b211b; --soft: #6a5a4d;
      --brick: #a33e28; --on-brick: #fff; --sun: #f3b33e; --sun-pale: #fdf0d2;
      --canal: #1d5c66; --canal-deep: #174b54; --canal-text: #1a5660; --on-canal: #fffaf0;
      --focus: #1d5c66;
      color-scheme: light dark; display: block; container-type: inline-size;
      font: 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif;
      color: var(--ink); text-align: start;
    }
    @media (prefers-color-scheme: dark) {
      :host {
        --paper: #1b1614; --card: #272019; --line: #453931; --ink: #f4eadc; --soft: #c0ae9d;
        --brick: #f0937b; --on-brick: #2b120b; --sun: #f6c566; --sun-pale: #3b2e16;
        --canal: #1f6571; --canal-deep: #133f47; --canal-text: #8ed1d8; --on-canal: #fffaf0;
        --focus: #f6c566;
      }
    }
    :host([hidden]), [hidden] { display: none !important; }
    :host(:not([inline])) { position: fixed; inset: auto 0 0 auto; z-index: 2147483000; container-type: normal; }
    :host([dir="rtl"]:not([inline])) { inset: auto auto 0 0; }
    *, *::before, *::after { box-sizing: border-box; }
    p, h2, h3, ul, ol { margin: 0; padding: 0; }
    button, select, textarea { font: inherit; color: inherit; }
    button { cursor: pointer; border: 0; background: none; min-block-size: 44px; min-inline-size: 44px; }
    button:disabled { cursor: default; opacity: .55; }
    svg { inline-size: 22px; block-size: 22px; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linecap: round; stroke-linejoin: round; flex: none; }
    :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
    header :focus-visible { outline-color: var(--sun); outline-offset: -3px; }
    .launcher:focus-visible { outline: 3px solid #fff; outline-offset: 0; box-shadow: 0 0 0 7px #174b54; }
    .scroller:focus-visible { outline-offset: -3px; }
    .only-heard { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

    .panel { display: flex; flex-direction: column; background: var(--paper); overflow: hidden; position: relative; }
    :host([inline]) { block-size: 100%; }
    :host([inline]) .panel { block-size: 100%; min-block-size: 420px; }
    :host(:not([inline])) .panel {
      position: fixed; inset-block-end: 20px; inset-inline-end: 20px;
      inline-size: min(410px, calc(100vw - 40px)); block-size: min(680px, calc(100dvh - 40px));
      border: 1px solid var(--line); border-radius: 20px; box-shadow: 0 18px 60px rgb(43 20 10 / .32);
      animation: rise .22s ease-out;
    }
    @media (max-width: 480px), (max-height: 520px) {
      :host(:not([inline])) .panel { inset: 0; inline-size: auto; block-size: 100dvh; border: 0; border-radius: 0; }
    }
    @keyframes rise { from { opacity: 0; transform: translateY(14px); } }

    .launcher {
      position: fixed; inset-block-end: 20px; inset-inline-end: 20px; display: flex; align-items: center; gap: 10px;
      min-block-size: 58px; max-inline-size: calc(100vw - 40px); padding: 8px 22px 8px 18px; border-radius: 29px;
      background: var(--brick); color: var(--on-brick); font-weight: 600; box-shadow: 0 8px 28px rgb(43 20 10 / .35);
    }
    .launcher svg { inline-size: 28px; block-size: 28px; }
    .launcher:hover { filter: brightness(1.08); }
    .badge { min-inline-size: 24px; padding: 1px 7px; border-radius: 12px; background: var(--sun); color: #2b211b; font-size: .85rem; }

    header { display: flex; align-items: center; gap: 4px; padding: 10px 8px 10px 14px; background: var(--canal-deep);
      color: var(--on-canal); border-block-end: 3px solid var(--sun); }
    :host([dir="rtl"]) header { padding: 10px 14px 10px 8px; }
    .bell { display: grid; place-items: center; inline-size: 42px; block-size: 42px; flex: none; border-radius: 50%;
      background: var(--sun); color: #4a1d10; margin-inline-end: 8px; }
    .bell svg { inline-size: 26px; block-size: 26px; }
    .who { flex: 1; min-inline-size: 0; }
    .name { font: 700 1.12rem/1.2 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "Noto Serif", serif; }
    .status { font-size: .82rem; line-height: 1.3; opacity: .92; overflow-wrap: anywhere; }
    .status::before { content: ""; display: inline-block; inline-size: 8px; block-size: 8px; border-radius: 50%;
      background: #8fd3a6; margin-inline-end: 6px; }
    [data-control="waiting"] .status::before { background: var(--sun); }
    [data-control="staff"] .status::before { background: #ff9d82; }
    [data-control="closed"] .status::before { background: #b9b0a6; }
    header button, .language { display: grid; place-items: center; border-radius: 12px; flex: none; }
    header button:hover, .language:hover { background: rgb(255 255 255 / .14); }
    .language { position: relative; grid-auto-flow: column; gap: 5px; min-block-size: 44px; padding-inline: 8px; font-size: .85rem; font-weight: 600; }
    .language:focus-within { outline: 3px solid var(--sun); outline-offset: -2px; }
    .languages { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; opacity: 0; cursor: pointer; }
    .languages option { color: #2b211b; background: #fffdf8; }
    @container (max-width: 350px) { .bell { display: none; } .scroller { padding-inline: 12px; } .bubble { max-inline-size: 100%; } }

    .banner { padding: 8px 16px; font-size: .88rem; background: var(--sun-pale); color: var(--ink); border-block-end: 1px solid var(--line); }
    .banner[data-state="offline"] { border-inline-start: 5px solid var(--brick); }

    .middle { position: relative; flex: 1; min-block-size: 0; display: flex; }
    .scroller { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 18px 16px 10px; position: relative; scrollbar-width: thin;
      scrollbar-color: var(--line) transparent; }
    .log { display: flex; flex-direction: column; gap: 14px; }
    .latest { position: absolute; inset-block-end: 10px; inset-inline-end: 12px; inline-size: 44px; border-radius: 50%;
      display: grid; place-items: center; background: var(--card); border: 1px solid var(--line); box-shadow: 0 4px 14px rgb(43 20 10 / .2); }

    .message { display: flex; flex-direction: column; align-items: flex-start; max-inline-size: 100%; position: relative; }
    .author { display: flex; align-items: center; flex-wrap: wrap; gap: 4px 7px; margin-block-end: 5px; font-size: .86rem; font-weight: 600; }
    .author.only-heard { display: block; }
    .bot + .bot .author, .staff + .staff .author { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
    .bot + .bot, .staff + .staff, .student + .student { margin-block-start: -6px; }
    .face { display: grid; place-items: center; inline-size: 26px; block-size: 26px; border-radius: 50%; background: var(--canal); color: var(--on-canal); font-size: .8rem; }
    .face svg { inline-size: 16px; block-size: 16px; }
    .staff .face { background: var(--sun); color: #4a1d10; }
    .role { padding: 0 8px; border-radius: 9px; border: 1px solid var(--line); color: var(--soft); font-weight: 500; font-size: .78rem; }
    .staff .role { background: var(--sun); border-color: var(--sun); color: #3b2106; }
    .bubble { max-inline-size: min(92%, 34em); padding: 10px 14px; border-radius: 4px 18px 18px 18px; background: var(--card);
      border: 1px solid var(--line); overflow-wrap: anywhere; }
    :host([dir="rtl"]) .bubble { border-radius: 18px 4px 18px 18px; }
    .staff .bubble { background: var(--sun-pale); border-color: var(--sun); border-inline-start-width: 4px; }
    .student { align-items: flex-end; }
    .student .bubble { background: var(--canal); color: var(--on-canal); border-color: transparent; border-radius: 18px 18px 4px 18px; max-inline-size: 86%; }
    :host([dir="rtl"]) .student .bubble { border-radius: 18px 18px 18px 4px; }
    .system { align-items: center; }
    .system .bubble, .system > .text { background: none; border: 0; padding: 2px 12px; max-inline-size: 100%; text-align: center; color: var(--soft); font-size: .9rem; }
    .system::before { content: ""; inline-size: 40px; border-block-start: 2px solid var(--sun); margin-block-end: 6px; }
    .urgent { border-inline-start: 6px solid var(--brick); padding-inline-start: 12px; }
    .urgent .author { color: var(--brick); font-size: 1rem; }
    .urgent .bubble { border-color: var(--brick); border-width: 2px; max-inline-size: 100%; font-weight: 500; }
    .text > * + * { margin-block-start: .6em; }
    .text ul, .text ol { padding-inline-start: 1.35em; }
    .text li + li { margin-block-start: .25em; }
    .text li::marker { color: var(--brick); }
    a { color: var(--canal-text); text-underline-offset: 3px; }
    a:hover { text-decoration-thickness: 2px; }
    code { font-family: ui-monospace, monospace; font-size: .92em; }
    time, .state { margin-block-start: 3px; padding-inline: 4px; font-size: .76rem; color: var(--soft); }
    .state { display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 0 10px; }
    [data-state="failed"] .state { color: var(--brick); font-weight: 600; }
    [data-state="sending"] .bubble, [data-state="retrying"] .bubble, [data-state="slow"] .bubble { opacity: .75; }
    .helped { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; margin-block-start: 4px; padding-inline: 4px; font-size: .86rem; color: var(--soft); }
    .helped .small { min-block-size: 36px; font-weight: 400; }
    .sentFile { display: grid; grid-template-columns: auto 1fr; gap: 2px 8px; align-items: center; }
    .sentFile > * { margin: 0; }
    .sentFile bdi { line-height: 1.3; }
    .sentFile .size { grid-column: 2; font-size: .86rem; line-height: 1.3; }
    .sentFile progress { grid-column: 1 / -1; inline-size: 100%; min-inline-size: 9em; block-size: 6px; margin-block: 6px 2px; appearance: none; border: 0; border-radius: 3px; overflow: hidden; background: rgb(255 255 255 / .3); }
    .sentFile progress::-webkit-progress-bar { background: none; }
    .sentFile progress::-webkit-progress-value { background: var(--sun); transition: inline-size .2s; }
    .sentFile progress::-moz-progress-bar { background: var(--sun); }
    [data-state="failed"] progress { display: none; }
    .small { text-decoration: underline; text-underline-offset: 3px; font-size: .86rem; font-weight: 600; padding-inline: 6px; color: var(--canal-text); }

    .paper { display: grid; grid-template-columns: auto 1fr; align-items: center; gap: 4px 10px; min-inline-size: min(15rem, 60cqi); }
    .paper > svg { align-self: start; inline-size: 30px; block-size: 30px; color: var(--canal-text); }
    .paperName { display: grid; gap: 1px; font-weight: 600; line-height: 1.3; }
    :host([dir="rtl"]) .paperName { text-align: right; }
    .paperName small { font-weight: 400; color: var(--soft); font-size: .86rem; }
    .save { grid-column: 1 / -1; justify-self: start; display: inline-flex; align-items: center; gap: 8px; margin-block: 6px 2px; padding: 6px 16px; border-radius: 22px;
      border: 1.5px solid var(--canal-text); color: var(--canal-text); background: var(--card); font-weight: 600; font-size: .94rem; }
    .save:hover:not([aria-disabled]) { background: var(--canal); border-color: var(--canal); color: var(--on-canal); }
    .save[aria-disabled] { opacity: .6; cursor: progress; }
    .save svg { inline-size: 18px; block-size: 18px; }
    .fileSaid { grid-column: 1 / -1; font-size: .86rem; }
    .fileSaid:empty { display: none; }

    .sources { margin-block-start: 10px; border-block-start: 1px dashed var(--line); font-size: .86rem; }
    .sources summary { display: flex; align-items: center; gap: 6px; min-block-size: 44px; margin-block-end: -8px; cursor: pointer; color: var(--soft); font-weight: 600; list-style: none; }
    .sources summary::-webkit-details-marker { display: none; }
    .sources summary::before { content: ""; inline-size: 7px; block-size: 7px; border: solid currentColor; border-width: 0 2px 2px 0; rotate: -45deg; transition: rotate .15s; }
    :host([dir="rtl"]) .sources summary::before { rotate: 135deg; }
    .sources[open] summary::before, :host([dir="rtl"]) .sources[open] summary::before { rotate: 45deg; }
    .sources ul { list-style: none; padding-block: 2px 4px; }
    .sources li + li { margin-block-start: 8px; }
    .sources small { display: block; color: var(--soft); font-size: .93em; }
    .chips { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 9px; }
    .chips button, .choices button { padding: 6px 16px; border-radius: 22px; border: 1.5px solid var(--canal-text);
      color: var(--canal-text); background: var(--card); font-weight: 600; font-size: .94rem; text-align: start; line-height: 1.3; }
    .chips button:hover:not(:disabled), .choices button:hover { background: var(--canal); border-color: var(--canal); color: var(--on-canal); }

    .typing { display: inline-flex; gap: 5px; margin-block-start: 12px; padding: 14px 16px; border-radius: 4px 18px 18px 18px; background: var(--card); border: 1px solid var(--line); }
    .typing i { inline-size: 8px; block-size: 8px; border-radius: 50%; background: var(--brick); animation: bounce 1.2s infinite ease-in-out; }
    .typing i:nth-child(2) { animation-delay: .15s; }
    .typing i:nth-child(3) { animation-delay: .3s; }
    @keyframes bounce { 0%, 60%, 100% { transform: none; opacity: .45; } 30% { transform: translateY(-5px); opacity: 1; } }
    .aside { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }

    footer { padding: 6px 14px 14px; border-block-start: 1px solid var(--line); background: var(--card); }
    .ways { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 8px; }
    .ways button { display: inline-flex; align-items: center; gap: 8px; padding: 4px 8px; margin-block-end: 4px; border-radius: 12px; font-size: .9rem;
      font-weight: 600; color: var(--canal-text); }
    .ways button:hover { text-decoration: underline; text-underline-offset: 4px; }
    .ways svg { inline-size: 18px; block-size: 18px; }
    .ways:not(:has(> :not([hidden]))) + .composer { margin-block-start: 8px; }
    .composer { display: grid; grid-template-columns: 1fr auto; align-items: end; gap: 4px 8px; }
    .composer:has(.attach:not([hidden])) { grid-template-columns: auto 1fr auto; }
    .attach { display: grid; place-items: center; inline-size: 48px; block-size: 48px; margin-inline-start: -6px; border-radius: 50%; color: var(--canal-text); }
    .attach:hover { background: var(--paper); }
    [data-dropping] .middle::after { content: ""; position: absolute; inset: 8px; border: 3px dashed var(--canal-text); border-radius: 14px; pointer-events: none; }
    .input { inline-size: 100%; max-block-size: 8.5em; min-block-size: 48px; resize: none; padding: 11px 16px; border-radius: 24px;
      border: 1.5px solid var(--soft); background: var(--paper); font-size: 1rem; line-height: 1.5; overflow-y: auto; scrollbar-width: thin; }
    .input::placeholder { color: var(--soft); opacity: 1; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    .input:focus-visible { outline-offset: 0; border-color: transparent; }
    .send { display: grid; place-items: center; inline-size: 48px; block-size: 48px; border-radius: 50%; background: var(--brick); color: var(--on-brick); }
    .send:hover:not(:disabled) { filter: brightness(1.1); }
    .send:disabled { background: none; color: var(--soft); border: 1.5px solid var(--line); opacity: 1; }
    :host([dir="rtl"]) .send svg { transform: scaleX(-1); }
    .counter { grid-column: 1 / -1; font-size: .8rem; color: var(--soft); padding-inline: 14px; }
    .counter:empty { display: none; }
    .counter.wrong { color: var(--brick); font-weight: 600; }

    .sheet { flex: 1; min-block-size: 0; display: flex; flex-direction: column; container-type: inline-size; animation: rise .18s ease-out; }
    .sheetTop { display: flex; flex-wrap: wrap; align-items: center; gap: 0 4px; padding: 6px 12px 0; border-block-end: 1px solid var(--line); background: var(--card); }
    .sheetTop [role="tablist"] { display: flex; flex-wrap: wrap; }
    .sheetTop [role="tab"] { padding-inline: 12px; border-radius: 12px 12px 0 0; font-weight: 600; color: var(--soft); border-block-end: 3px solid transparent; }
    .sheetTop [role="tab"]:hover { color: var(--ink); }
    .sheetTop [aria-selected="true"] { color: var(--ink); border-block-end-color: var(--brick); }
    .sheetTop :focus-visible { outline-offset: -3px; }
    .leave { display: inline-flex; align-items: center; justify-content: center; gap: 6px; margin-inline-start: auto; padding-inline: 10px; border-radius: 12px; font-weight: 600; font-size: .9rem; color: var(--canal-text); }
    .leave svg { inline-size: 18px; block-size: 18px; }
    :host([dir="rtl"]) .leave svg { transform: scaleX(-1); }
    .sheetBody { flex: 1; min-block-size: 0; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column; gap: 16px; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
    .sheetBody > * { flex: none; }
    .sheetBody > .typing { align-self: flex-start; margin: 0; }
    .sheetBody:focus-visible { outline-offset: -3px; }
    .sheetBody[aria-busy="true"] { opacity: .6; }
    .sheetBody:has(.sheetNote) { scroll-padding-block-start: 5rem; }
    .sheetNote { position: sticky; inset-block-start: -16px; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0 12px; padding: 4px 8px 4px 14px; border-radius: 12px; background: var(--sun-pale); border: 1px solid var(--sun); box-shadow: 0 4px 14px rgb(43 20 10 / .16); }
    :host([dir="rtl"]) .sheetNote { padding: 4px 14px 4px 8px; }
    .sheetNote span { flex: 1 1 10em; overflow-wrap: anywhere; }
    .tally { color: var(--soft); }
    .tally > * { white-space: nowrap; }
    .tally b { color: var(--brick); }
    .group h3, .box h3 { font: 700 1.06rem/1.3 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "Noto Serif", serif; }
    section.group > h3 { margin-block-end: 8px; }
    .group + .group { margin-block-start: 4px; }
    details.group + details.group { margin-block-start: -14px; }
    .group > summary, .step > summary { cursor: pointer; list-style: none; border-radius: 13px; }
    .group > summary { min-block-size: 44px; display: flex; align-items: center; gap: 10px; color: var(--soft); }
    .group > summary::-webkit-details-marker, .step > summary::-webkit-details-marker { display: none; }
    .group > summary::before, .step > summary::after { content: ""; flex: none; inline-size: 8px; block-size: 8px; border: solid currentColor; border-width: 0 2px 2px 0; rotate: -45deg; transition: rotate .15s; }
    :host([dir="rtl"]) .group > summary::before { rotate: 135deg; }
    .group[open] > summary::before, :host([dir="rtl"]) .group[open] > summary::before { rotate: 45deg; }
    .stepList { display: grid; gap: 8px; list-style: none; }
    .group[open] > .stepList { margin-block: 4px 14px; }
    .step { border: 1px solid var(--line); border-radius: 14px; background: var(--card); overflow-wrap: anywhere; }
    .step > summary { display: grid; grid-template-columns: 22px 1fr 12px; gap: 0 10px; align-items: center; align-content: center; min-block-size: 48px; padding: 10px 14px; }
    .step > summary:hover strong { text-decoration: underline; text-underline-offset: 4px; text-decoration-thickness: 1px; }
    .step > summary::after { grid-area: 1 / 3; margin: -4px 2px 0; rotate: 45deg; color: var(--soft); }
    .step[open] > summary::after { margin-block-start: 4px; rotate: 225deg; }
    .step > summary:focus-visible { outline-offset: -2px; }
    .mark { align-self: start; inline-size: 22px; block-size: 22px; margin-block-start: 1px; border-radius: 50%; border: 2px solid var(--canal-text); display: grid; place-items: center; font-size: 13px; font-weight: 700; line-height: 1; }
    .step[data-state="blocked"] .mark { border-style: dashed; border-color: var(--soft); }
    .step[data-state="unknown"] .mark { border-color: var(--sun); background: var(--sun); color: #3b2106; }
    .step[data-state="done"] .mark { background: var(--canal); border-color: var(--canal); color: var(--on-canal); }
    .step[data-state="not_needed"] .mark { border-color: var(--line); color: var(--soft); }
    .step[data-overdue] { border-inline-start: 5px solid var(--brick); }
    .step[data-overdue] > summary, .step[data-overdue] > .inside { padding-inline-start: 10px; }
    .step[data-overdue] .mark { border-color: var(--brick); background: var(--brick); color: var(--on-brick); }
    .step strong { font-weight: 600; line-height: 1.35; text-align: start; }
    :host([dir="rtl"]) .step > summary strong { text-align: right; }
    .step .when { grid-area: 2 / 2; font-size: .88rem; color: var(--soft); }
    .step[data-overdue] .when { color: var(--brick); font-weight: 600; }
    .step .inside { margin-block-start: 2px; padding: 0 14px 14px; display: grid; gap: 12px; font-size: .95rem; }
    .inside ul { padding-inline-start: 1.35em; list-style: disc; }
    .inside li::marker { color: var(--brick); }
    .inside .label { font-weight: 600; }
    .inside .chips { margin: 0; }
    .why { display: grid; gap: 6px; color: var(--soft); font-size: .88rem; }
    * + .why { padding-block-start: 10px; border-block-start: 1px dashed var(--line); }
    .calendar > summary svg { color: var(--canal-text); }
    .box { border: 1px solid var(--line); border-radius: 14px; background: var(--card); padding: 14px; display: grid; gap: 12px; overflow-wrap: anywhere; }
    .box .chips { margin: 0; }
    .chips button.grave { border-color: var(--brick); color: var(--brick); }
    .chips button.grave:hover:not(:disabled) { background: var(--brick); border-color: var(--brick); color: var(--on-brick); }
    .address { display: block; padding: 8px 12px; border-radius: 10px; background: var(--paper); border: 1px dashed var(--soft); font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; user-select: all; }
    .joining .question { font-weight: 600; }
    .go { display: inline-flex; align-items: center; gap: 8px; justify-self: start; min-block-size: 44px; padding: 6px 18px; border-radius: 22px; background: var(--brick); color: var(--on-brick); font-weight: 600; text-decoration: none; }
    .go:hover { filter: brightness(1.08); text-decoration: underline; }
    .scan { display: none; gap: 8px; }
    @media (hover: hover) and (pointer: fine) { .scan { display: grid; } }
    .qr { inline-size: min(190px, 100%); block-size: auto; stroke: none; stroke-width: 1; stroke-linecap: butt; border-radius: 8px; border: 1px solid var(--line); }
    @container (max-width: 400px) {
      .sheetTop [role="tab"] { padding-inline: 9px; font-size: .94rem; }
      .leave span { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
      .sheetTop:has(> * > .telegram:not([hidden])) > * > [role="tab"] { padding-inline: 6px; font-size: .86rem; }
      .sheetTop:has(> * > .telegram:not([hidden])) > .leave { padding-inline: 0; }
    }
    @container (max-width: 520px) {
      .sheetTop:has(> * > .telegram:not([hidden])) > .leave span { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    }

    .dialog { border: 1px solid var(--line); border-radius: 18px; padding: 22px; max-inline-size: min(340px, calc(100vw - 40px)); background: var(--card); color: var(--ink); }
    .dialog::backdrop { background: rgb(30 16 10 / .5); }
    .newTitle { font: 700 1.15rem/1.3 "Iowan Old Style", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, "Noto Serif", serif; margin-block-end: 6px; }
    .newText { color: var(--soft); }
    .choices { display: flex; flex-wrap: wrap; gap: 10px; margin-block-start: 18px; }
    .choices .confirm { background: var(--brick); border-color: var(--brick); color: var(--on-brick); }
    @media (prefers-reduced-motion: reduce) { *, *::before, *::after { animation: none !important; transition: none !important; } }
    @media (forced-colors: active) { .bubble, .send, .launcher { border: 1px solid; } .typing i { background: CanvasText; } }
  `);

  // ------------------------------------------------------------------------------------------------ the component

  class AccueilChat extends HTMLElement {
    static observedAttributes = ["language"];

    #strings = null;
    #language = null;
    #isChosen = false;
    #page = null;
    #languages = [];
    #conversation = null;
    #control = { control: "bot" };
    #events = [];
    #rated = new Set();
    #pending = new Map();
    #isOpen = false;
    #unread = 0;
    #typing = new Map();
    /** When colleagues were last told that the student types. */
    #typedAt = 0;
    #ui = {};
    #ready = null;
    #tab = "steps";
    #loading = null;
    #opener = null;
    #offersTelegram = null;
    #joining = null;
    #link = null;
    #nextLook = 0;

    get #isInline() {
      return this.hasAttribute("inline");
    }

    connectedCallback() {
      if (this.#ready) return;
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET];
      document.addEventListener("accueil:ask", (event) => this.ask(event.detail.text));
      document.addEventListener("visibilitychange", () => document.hidden || this.#lookAtTelegram());
      this.#page = this.getAttribute("language") || document.documentElement.lang || navigator.language;
      const before = saved.read();
      const isSamePage = before?.page === this.#page;
      this.#isChosen = this.hasAttribute("chosen") || (isSamePage && before.isChosen);
      this.#ready = this.#start(isSamePage ? before.language : this.#page);
    }

    attributeChangedCallback(_name, before, after) {
      if (before !== null && after && this.#ready) this.#ready.then(() => this.#chooseLanguage(after));
    }

    /** Opens the chat and sends the text as the student's message. */
    async ask(text) {
      await this.open();
      this.#closeSheet();
      this.#send({ text });
    }

    /** Opens the chat; the conversation on the server begins here and not before. */
    async open() {
      await this.#ready;
      this.#connect();
      if (this.#isInline || this.#isOpen) return;
      this.#isOpen = true;
      this.#unread = 0;
      this.#ui.panel.hidden = false;
      this.#ui.launcher.hidden = true;
      this.#countUnread();
      this.#onInput();
      this.#scrollToEnd();
      this.#ui.input.focus();
    }

    close() {
      if (this.#isInline || !this.#isOpen) return;
      this.#isOpen = false;
      this.#ui.panel.hidden = true;
      this.#ui.launcher.hidden = false;
      this.#ui.launcher.focus();
    }

    async #start(language) {
      for (let failures = 1; !(await this.#loadStrings(language)); failures += 1) {
        await new Promise((resolve) => setTimeout(resolve, backoff(failures)));
      }
      this.#build();
      this.#ui.input.value = draft.read();
      this.#translate();
      this.#offersTelegram = this.#askForChannels();
      if (!saved.read()?.id) this.#showHello();
      else if (this.#isInline) this.#connect();
    }

    async #loadStrings(language) {
      try {
        const response = await fetch(`${ORIGIN}/widget/strings/${encodeURIComponent(language)}`, { credentials: "omit" });
        if (!response.ok) return false;
        const loaded = await response.json();
        this.#strings = loaded.strings;
        this.#language = loaded.language;
        this.#languages = loaded.languages;
        this.lang = loaded.language;
        this.dir = loaded.direction;
        return true;
      } catch {
        return false;
      }
    }

    #connect() {
      this.#conversation ??= new Conversation(this.#view(), {
        language: this.#language,
        isChosen: this.#isChosen,
        page: this.#page,
      });
      if (!this.#conversation.isOpen) {
        this.#ui.scroller.setAttribute("aria-busy", "true");
        this.#conversation.open();
      }
    }

    #view() {
      return {
        onEvent: (event) => this.#onEvent(event),
        onChanged: (event) => this.#onChanged(event),
        onControl: (control) => this.#onControl(control),
        onTyping: ({ author, on }) => this.#setTyping(author, on),
        onLine: (state) => this.#onLine(state),
        onRestored: () => {
          this.#ui.scroller.removeAttribute("aria-busy");
          if (this.#conversation?.wasRestored) this.#takeUpJoining();
        },
        onGone: () => this.#onGone(),
        onPending: (item, state, details = {}) => this.#onPending(item, state, details),
        onProgress: (item, part) => this.#onProgress(item, part),
      };
    }

    // ---- building

    #build() {
      const button = (name, onclick, ...children) => {
        this.#ui[name] = h("button", { type: "button", class: name, onclick }, ...children);
        return this.#ui[name];
      };
      const node = (name, tag, properties, ...children) => {
        this.#ui[name] = h(tag, { class: name, ...properties }, ...children);
        return this.#ui[name];
      };

      const header = h(
        "header",
        {},
        h("span", { class: "bell" }, icon(...ICONS.bell)),
        h("div", { class: "who" }, node("name", "h2", {}), node("status", "p", { role: "status" })),
        node(
          "language",
          "label",
          {},
          icon(...ICONS.globe),
          node("code", "span", { "aria-hidden": "true" }),
          node("languages", "select", { onchange: (event) => this.#chooseLanguage(event.target.value) }),
        ),
        button("file", () => this.#toggleSheet(), icon(...ICONS.file)),
        button("fresh", () => this.#ui.dialog.showModal(), icon(...ICONS.fresh)),
        this.#isInline ? null : button("close", () => this.close(), icon(...ICONS.close)),
      );

      const composer = node(
        "composer",
        "form",
        { onsubmit: (event) => this.#submit(event) },
        button("attach", () => this.#ui.picker.click(), icon(...ICONS.clip)),
        node("picker", "input", { type: "file", multiple: true, hidden: true, onchange: () => this.#onPicked() }),
        node("input", "textarea", {
          rows: 1,
          dir: "auto",
          autocomplete: "off",
          enterkeyhint: "send",
          "aria-describedby": "counter",
          oninput: () => {
            this.#onInput();
            this.#tellTyping();
          },
          onkeydown: (event) => this.#onKey(event),
          onpaste: (event) => this.#onPaste(event),
        }),
        h("button", { type: "submit", class: "send" }, icon(...ICONS.send)),
        node("counter", "p", { id: "counter", role: "status" }),
      );
      this.#ui.send = composer.querySelector(".send");

      const dialog = node(
        "dialog",
        "dialog",
        { "aria-labelledby": "new-title", "aria-describedby": "new-text" },
        node("newTitle", "h3", { id: "new-title" }),
        node("newText", "p", { id: "new-text" }),
        h(
          "div",
          { class: "choices" },
          button("cancel", () => dialog.close()),
          button("confirm", () => this.#startNew()),
        ),
      );

      const eraseDialog = node(
        "eraseDialog",
        "dialog",
        { class: "dialog", "aria-labelledby": "erase-title", "aria-describedby": "erase-text" },
        node("eraseTitle", "h3", { id: "erase-title", class: "newTitle" }),
        node("eraseText", "p", { id: "erase-text", class: "newText" }),
        h(
          "div",
          { class: "choices" },
          button("keep", () => eraseDialog.close()),
          button("eraseNow", () => this.#erase(), ""),
        ),
      );
      this.#ui.eraseNow.classList.add("confirm");

      const tab = (name) => button(name, () => this.#showTab(name));
      const sheet = node(
        "sheet",
        "section",
        { hidden: true },
        h(
          "div",
          { class: "sheetTop" },
          node("tabs", "div", { role: "tablist", onkeydown: (event) => this.#onTabKey(event) }, ...TABS.map(tab)),
          button("leave", () => this.#leaveSheet(), icon(...ICONS.back), node("leaveText", "span", {}), node("behind", "b", { class: "badge", hidden: true })),
        ),
        node("sheetBody", "div", { role: "tabpanel", id: "sheet-body", tabindex: 0 }),
      );
      for (const name of TABS) {
        for (const [key, value] of [["role", "tab"], ["id", `tab-${name}`], ["aria-controls", "sheet-body"]]) this.#ui[name].setAttribute(key, value);
      }
      this.#ui.file.setAttribute("aria-expanded", false);
      this.#opener = this.#ui.file;
      const ways = h("div", { class: "ways" }, button("person", () => this.#askForPerson()), button("onward", () => this.#goToTelegram()));
      this.#ui.telegram.hidden = this.#ui.onward.hidden = true;

      node(
        "panel",
        "section",
        {
          hidden: !this.#isInline,
          role: this.#isInline ? "region" : "dialog",
          ondragover: (event) => this.#onDragOver(event),
          ondragleave: (event) => this.#ui.panel.contains(event.relatedTarget) || this.#endDrag(),
          ondrop: (event) => this.#onDrop(event),
        },
        header,
        node("banner", "p", { role: "status", hidden: true }),
        sheet,
        node(
          "middle",
          "div",
          {},
          node(
            "scroller",
            "div",
            {
              tabindex: 0,
              role: "log",
              "aria-live": "polite",
              "aria-relevant": "additions",
              onscroll: () => this.#onScroll(),
            },
            node("log", "div", {}),
            node("typing", "div", { hidden: true, "aria-hidden": "true" }, h("i"), h("i"), h("i")),
          ),
          button("latest", () => this.#scrollToEnd(), icon(...ICONS.down)),
        ),
        node("said", "p", { class: "aside", role: "status" }),
        node("footer", "footer", {}, ways, composer),
        dialog,
        eraseDialog,
      );
      this.#ui.latest.hidden = true;
      // Not for every button: the banner that appears meanwhile would take it from under the pointer that presses it.
      composer.addEventListener("focusin", () => this.#isInline && this.#connect());
      this.#ui.panel.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || event.defaultPrevented || this.#ui.dialog.open || this.#ui.eraseDialog.open) return;
        if (this.#ui.sheet.hidden) this.close();
        else this.#leaveSheet();
      });

      this.shadowRoot.append(this.#ui.panel);
      if (this.#isInline) return;
      button("launcher", () => this.open(), icon(...ICONS.bell), node("label", "span", {}), node("badge", "b", { hidden: true }));
      this.shadowRoot.append(this.#ui.launcher);
    }

    /** Writes every text of the frame; called again when the language changes. */
    #translate() {
      const [ui, text] = [this.#ui, this.#strings];
      ui.name.textContent = text.name;
      ui.panel.setAttribute("aria-label", text.panel);
      ui.scroller.setAttribute("aria-label", text.log);
      ui.code.textContent = this.#language.toUpperCase();
      ui.languages.setAttribute("aria-label", text.language);
      ui.languages.replaceChildren(
        ...this.#languages.map(({ code, name }) =>
          h("option", { value: code, lang: code, selected: code === this.#language }, name),
        ),
      );
      this.#name(ui.fresh, text.new);
      this.#name(ui.file, text.file);
      ui.leave.title = text.back_to_chat;
      ui.leaveText.textContent = text.back_to_chat;
      ui.sheet.setAttribute("aria-label", text.file);
      ui.tabs.setAttribute("aria-label", text.file);
      ui.steps.textContent = text.my_steps;
      ui.data.textContent = text.my_data;
      ui.telegram.textContent = text.telegram;
      ui.onward.replaceChildren(icon(...ICONS.plane), text.telegram);
      this.#name(ui.onward, text.telegram_go);
      ui.eraseTitle.textContent = text.erase_title;
      ui.eraseText.textContent = text.erase_text;
      ui.eraseNow.textContent = text.erase_now;
      ui.keep.textContent = text.cancel;
      this.#name(ui.send, text.send);
      this.#name(ui.attach, text.attach);
      this.#name(ui.latest, text.latest);
      if (ui.close) this.#name(ui.close, text.close);
      ui.person.replaceChildren(icon(...ICONS.person), text.person);
      ui.input.placeholder = text.placeholder;
      ui.input.setAttribute("aria-label", text.message);
      ui.newTitle.textContent = text.new_title;
      ui.confirm.textContent = text.new_confirm;
      ui.cancel.textContent = text.cancel;
      if (ui.label) ui.label.textContent = text.open;
      this.#countUnread();
      this.#showControl();
      this.#onInput();
    }

    #name(control, label) {
      control.setAttribute("aria-label", label);
      control.title = label;
    }

    // ---- what comes in

    #onEvent(event) {
      this.#ui.hello?.remove();
      if (event.kind === "erased") this.#clear();
      if (event.author !== "student" && !this.#ui.sheet.hidden && !this.#ui.scroller.hasAttribute("aria-busy")) this.#countBehindSheet();
      this.#events.push(event);
      if (event.author === "student" && this.#adopt(event)) return;
      const isAtEnd = this.#isAtEnd();
      const node = this.#message(event);
      this.#place(node, event.seq);
      if (event.author !== "student") {
        this.#setTyping("bot", false);
        this.#setTyping(event.author, false);
      }
      if (this.#ui.scroller.hasAttribute("aria-busy")) this.#scrollToEnd();
      else this.#scrollTo(node, isAtEnd);
      if (!this.#isInline && !this.#isOpen && event.author !== "student") {
        this.#unread += 1;
        this.#countUnread();
      }
    }

    /** A colleague has changed or taken back what is on the page; whoever comes back hears of all such messages. */
    #onChanged(event) {
      const place = this.#events.findIndex(({ seq }) => seq === event.seq);
      if (place < 0 || this.#events[place].text === event.text) return;
      this.#events[place] = event;
      [...this.#ui.log.children].find((node) => Number(node.dataset.seq) === event.seq)?.replaceWith(this.#message(event));
    }

    /** The stream may bring our own message before the answer to its POST does: it is the bubble already there. */
    #adopt(event) {
      for (const [clientId, { node, item }] of this.#pending) {
        if (node.dataset.seq || !this.#isAbout(item, event)) continue;
        this.#settle(clientId, event);
        return true;
      }
      return false;
    }

    #isAbout(item, event) {
      // The server may have cleaned the name: then the answer to the upload tells.
      if (item.file) return item === this.#conversation.uploading && event.text.includes(item.file.name);
      return (item.text ?? item.label).trim() === event.text.trim();
    }

    #onControl({ control, staff_name: name, position }) {
      const isSame = control === this.#control.control;
      // A poll brings the state alone; the name and the place in line known from the stream still hold.
      this.#control = {
        control,
        name: name ?? (isSame ? this.#control.name : null),
        position: position ?? (isSame ? this.#control.position : null),
      };
      if (control === "staff") this.#setTyping("bot", false);
      this.#showControl();
    }

    #showControl() {
      const [text, { control, name, position }] = [this.#strings, this.#control];
      const staff = name ?? this.#events.findLast((event) => event.author === "staff")?.author_name ?? text.a_person;
      const status = {
        bot: text.status_bot,
        waiting: position ? fill(text.status_position, { position }) : text.status_waiting,
        staff: fill(text.status_staff, { name: staff }),
        closed: text.status_closed,
      };
      this.#ui.panel.dataset.control = control;
      this.#ui.status.textContent = status[control] ?? "";
      this.#ui.person.hidden = control === "staff";
      const isAsked = control === "staff" || control === "waiting";
      this.#ui.newText.textContent = isAsked ? `${text.new_text_person} ${text.new_text}` : text.new_text;
      if (control !== "staff" && this.shadowRoot.activeElement === this.#ui.attach) this.#ui.input.focus();
      this.#ui.attach.hidden = control !== "staff";
    }

    #onLine(state) {
      this.#ui.banner.hidden = state === "online";
      this.#ui.banner.dataset.state = state;
      this.#ui.banner.textContent = state === "online" ? "" : this.#strings[state];
    }

    /** Takes away what was said; what is still on its way stays. */
    #clear() {
      this.#events = [];
      this.#rated.clear();
      for (const node of [...this.#ui.log.children]) if (!node.dataset.client) node.remove();
    }

    #onGone() {
      this.#ui.hello?.remove();
      this.#clear();
      this.#control = { control: "bot" };
      this.#ui.log.prepend(h("div", { class: "message system" }, plain(this.#strings.gone)));
      if (!this.#ui.sheet.hidden) this.#showTab(this.#tab);
    }

    #setTyping(author, on) {
      clearTimeout(this.#typing.get(author));
      this.#typing.delete(author);
      if (on && author !== "student") {
        this.#typing.set(author, setTimeout(() => this.#setTyping(author, false), TYPING_LASTS));
      }
      const isAtEnd = this.#isAtEnd();
      const isTyping = this.#typing.size > 0;
      if (isTyping === !this.#ui.typing.hidden) return;
      this.#ui.typing.hidden = !isTyping;
      const name = this.#typing.has("staff") ? this.#control.name ?? this.#strings.a_person : this.#strings.name;
      this.#ui.said.textContent = isTyping ? fill(this.#strings.typing, { name }) : "";
      if (isAtEnd && isTyping) this.#scrollToEnd();
    }

    // ---- what goes out

    #send(content) {
      this.#connect();
      this.#conversation.send(content);
    }

    #askForPerson() {
      this.#send({ text: this.#strings.person_message });
      this.#ui.input.focus();
    }

    #submit(event) {
      event.preventDefault();
      const text = this.#ui.input.value.trim();
      if (!text || length(text) > LONGEST) return;
      this.#write("");
      this.#ui.input.focus();
      this.#send({ text });
    }

    #onKey(event) {
      // Enter that ends a composition (Chinese, accents) chooses a word and does not send.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#ui.composer.requestSubmit();
    }

    #write(text) {
      this.#ui.input.value = text;
      this.#onInput();
    }

    #onInput() {
      const { input, counter, send } = this.#ui;
      draft.write(input.value);
      const count = length(input.value.trim());
      input.style.blockSize = "auto";
      // Not on the screen it has no height.
      if (input.offsetHeight) input.style.blockSize = `${input.scrollHeight + input.offsetHeight - input.clientHeight}px`;
      const isTooLong = count > LONGEST;
      counter.textContent =
        count < COUNT_FROM ? "" : fill(isTooLong ? this.#strings.too_long : this.#strings.counter, { count, limit: LONGEST });
      counter.classList.toggle("wrong", isTooLong);
      input.setAttribute("aria-invalid", isTooLong);
      send.disabled = count === 0 || isTooLong;
    }

    /** Only where a person may read it, never what is typed: the assistant has no use for it. */
    #tellTyping() {
      if (!["waiting", "staff"].includes(this.#control.control) || !this.#ui.input.value.trim()) return;
      if (Date.now() - this.#typedAt < TYPING_AGAIN) return;
      this.#typedAt = Date.now();
      this.#conversation?.request("/typing", { method: "POST" }).catch(() => {});
    }

    #onPending(item, state, details) {
      if (state === "sent") return this.#onSent(item, details);
      if (state === "urgent") return this.#showUrgent(details.text);
      let { node } = this.#pending.get(item.clientId) ?? {};
      if (!node) {
        node = this.#pendingMessage(item);
        this.#pending.set(item.clientId, { item, node });
        this.#ui.log.append(node);
        this.#scrollToEnd();
      }
      if (node.dataset.seq) return undefined;
      const isAtEnd = this.#isAtEnd();
      node.dataset.state = state;
      const text = this.#strings;
      const states = {
        sending: () => [text.sending, item.file ? this.#smallButton(text.cancel, () => this.#dropFile(item)) : null],
        retrying: () => [text.retrying],
        slow: () => [fill(text.slow_down, details)],
        failed: () => [
          details.reason ? fill(text.refused, details) : text.not_sent,
          details.reason ? null : this.#smallButton(text.try_again, () => this.#conversation.retry()),
          item.text ? this.#smallButton(text.edit, () => this.#takeBack(item)) : null,
        ],
      };
      const drawn = item.file && state === "failed" ? this.#failedFile(item, details) : states[state]();
      node.querySelector(".state").replaceChildren(...drawn.filter(Boolean));
      if (isAtEnd) this.#scrollToEnd();
      if (state === "sending" && ["bot", "waiting"].includes(this.#control.control)) this.#setTyping("bot", true);
      if (state === "failed") this.#setTyping("bot", false);
      return undefined;
    }

    #onSent(item, { event, isKnown }) {
      const pending = this.#pending.get(item.clientId);
      if (!pending) return;
      if (isKnown && !pending.node.dataset.seq) {
        // The stream brought it under a text cleaned by the server; its bubble stands already.
        pending.node.remove();
        this.#pending.delete(item.clientId);
        return;
      }
      if (!isKnown) this.#events.push(event);
      this.#settle(item.clientId, event);
      this.#pending.delete(item.clientId);
    }

    #settle(clientId, event) {
      const { node } = this.#pending.get(clientId);
      if (node.dataset.seq) return;
      const settled = this.#message(event);
      this.#pending.get(clientId).node = settled;
      node.remove();
      this.#place(settled, event.seq);
    }

    // ---- files

    #onPicked() {
      const { picker } = this.#ui;
      this.#attach([...picker.files]);
      // The same file may be chosen again.
      picker.value = "";
    }

    /** Programs that copy words often add a picture of them: the words are meant. */
    #onPaste(event) {
      const { files, types } = event.clipboardData;
      if (!files.length || types.includes("text/plain")) return;
      event.preventDefault();
      this.#attach([...files]);
    }

    /** Without this the browser would leave the page to show the file. */
    #onDragOver(event) {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      if (this.#control.control === "staff") this.#ui.panel.dataset.dropping = true;
    }

    #endDrag() {
      delete this.#ui.panel.dataset.dropping;
    }

    #onDrop(event) {
      this.#endDrag();
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      this.#closeSheet();
      this.#attach([...event.dataTransfer.files]);
    }

    /** Each as a message of its own, in their order. */
    #attach(files) {
      files.forEach((file) => this.#sendFile({ clientId: uuid(), file }));
    }

    #sendFile(item) {
      const reason = this.#whyNot(item);
      if (reason) this.#onPending(item, "failed", { reason });
      else this.#conversation.sendFile(item);
    }

    /** What is known before anything is sent; "" when nothing speaks against it. */
    #whyNot({ file }) {
      const text = this.#strings;
      if (file.size > MOST_BYTES) return text.upload_large;
      if (file.size === 0) return text.upload_empty;
      return this.#control.control === "staff" ? "" : text.upload_no_colleague;
    }

    #failedFile(item, { reason }) {
      const text = this.#strings;
      const mayWork = item.file.size > 0 && item.file.size <= MOST_BYTES;
      return [
        h("span", {}, reason ?? text.not_sent),
        mayWork ? this.#smallButton(text.try_again, () => this.#sendAgain(item)) : null,
        this.#smallButton(text.remove, () => this.#dropFile(item)),
      ];
    }

    #sendAgain(item) {
      this.#sendFile(item);
      this.#focusComposer();
    }

    #dropFile(item) {
      this.#conversation?.forgetFile(item);
      this.#pending.get(item.clientId).node.remove();
      this.#pending.delete(item.clientId);
      this.#focusComposer();
    }

    /** The button that was pressed is gone. On a phone the field would open its keyboard. */
    #focusComposer() {
      const { attach, input } = this.#ui;
      (attach.hidden ? input : attach).focus();
    }

    #onProgress(item, part) {
      const bar = this.#pending.get(item.clientId)?.node.querySelector("progress");
      if (bar) bar.value = part;
    }

    /** A file that has no place in the conversation yet: its name, its size, how much of it has gone. */
    #waitingFile({ name, size }) {
      return h(
        "div",
        { class: "text sentFile" },
        icon(...ICONS.clip),
        h("bdi", {}, name),
        h("span", { class: "size" }, this.#size(size)),
        h("progress", { max: 1, value: 0, "aria-label": name }),
      );
    }

    /** As the desk writes it: both read the same size of the same file. */
    #size(bytes) {
      const isLarge = bytes >= 1e6;
      const [unit, amount] = isLarge ? ["megabyte", bytes / 1e6] : ["kilobyte", Math.max(0.1, bytes / 1e3)];
      return new Intl.NumberFormat(this.#locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(amount);
    }

    #takeBack(item) {
      this.#conversation.forget(item);
      this.#pending.get(item.clientId).node.remove();
      this.#pending.delete(item.clientId);
      this.#write(item.text);
      this.#ui.input.focus();
    }

    #smallButton(label, onclick) {
      return h("button", { type: "button", class: "small", onclick }, label);
    }

    // ---- the student's own file: steps and data

    #toggleSheet() {
      if (!this.#ui.sheet.hidden) return this.#leaveSheet();
      return this.#openSheet(this.#tab === "telegram" ? "steps" : this.#tab, this.#ui.file);
    }

    #openSheet(tab, opener) {
      this.#opener = opener;
      this.#connect();
      this.#setSheet(true);
      this.#ui[tab].focus();
      return this.#showTab(tab);
    }

    #setSheet(isOpen) {
      const { sheet, middle, footer, file, behind } = this.#ui;
      [sheet.hidden, middle.hidden, footer.hidden, behind.hidden] = [!isOpen, isOpen, isOpen, true];
      behind.textContent = 0;
      file.setAttribute("aria-expanded", isOpen);
    }

    /** What goes on in the chat goes on in its field; whoever only leaves comes back to where they opened the sheet. */
    #closeSheet(next = this.#ui.input) {
      if (this.#ui.sheet.hidden) return;
      this.#setSheet(false);
      this.#scrollToEnd();
      next.focus();
    }

    #leaveSheet() {
      this.#closeSheet(this.#opener);
    }

    #countBehindSheet() {
      const { behind, said } = this.#ui;
      behind.textContent = Number(behind.textContent) + 1;
      behind.hidden = false;
      said.textContent = fill(this.#strings.open_unread, { count: behind.textContent });
    }

    #onTabKey(event) {
      if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
      event.preventDefault();
      const tabs = TABS.filter((each) => !this.#ui[each].hidden);
      const step = (event.key === "ArrowRight") === (this.dir !== "rtl") ? 1 : -1;
      const next = tabs[(tabs.indexOf(this.#tab) + step + tabs.length) % tabs.length];
      const name = { Home: tabs[0], End: tabs.at(-1) }[event.key] ?? next;
      this.#ui[name].focus();
      if (name !== this.#tab) this.#showTab(name);
    }

    async #showTab(name) {
      const { sheetBody } = this.#ui;
      this.#tab = name;
      for (const each of TABS) {
        this.#ui[each].setAttribute("aria-selected", each === name);
        this.#ui[each].tabIndex = each === name ? 0 : -1;
      }
      sheetBody.setAttribute("aria-labelledby", `tab-${name}`);
      sheetBody.replaceChildren(h("div", { class: "typing", "aria-hidden": "true" }, h("i"), h("i"), h("i")));
      const views = {
        steps: async () => this.#stepsView(await this.#json("/path")),
        data: async () => this.#dataView(await this.#json("/mydata")),
        telegram: async () => this.#telegramView(await this.#json("/telegram")),
      };
      await this.#load(views[name]);
    }

    /** Draws what `make` gives, or that it failed. False when something asked for later has taken the place. */
    async #load(make) {
      const { sheetBody } = this.#ui;
      const loading = (this.#loading = Symbol("loading"));
      sheetBody.setAttribute("aria-busy", "true");
      const drawn = await make().catch((error) => this.#troubleView(error));
      if (loading !== this.#loading) return false;
      sheetBody.replaceChildren(...drawn);
      sheetBody.removeAttribute("aria-busy");
      return true;
    }

    #troubleView(error) {
      const text = this.#strings;
      if (error.details?.code === "not_linked") {
        const link = () => {
          this.#closeSheet();
          this.#send({ text: LINK_COMMAND });
        };
        return [h("div", { class: "box" }, h("p", {}, text.not_linked), this.#deeds([text.link, link]))];
      }
      const again = async () => {
        this.#ui.sheetBody.focus();
        await this.#showTab(this.#tab);
      };
      return [h("div", { class: "box" }, h("p", { role: "alert" }, text.file_failed), this.#deeds([text.try_again, again]))];
    }

    /** In the place of everything: whether the deed was done is only known when the sheet is read again. */
    #showTrouble(error) {
      this.#ui.sheetBody.replaceChildren(...this.#troubleView(error));
      this.#ui.sheetBody.querySelector("button").focus();
    }

    async #json(path, options) {
      return (await this.#conversation.request(path, options)).json();
    }

    #deeds(...deeds) {
      return h("div", { class: "chips" }, ...deeds.map(([label, onclick, kind]) => h("button", { type: "button", class: kind, onclick }, label)));
    }

    #stepsView({ today, steps }, note = null) {
      const text = this.#strings;
      const groups = [
        ["open", text.steps_now, true],
        ["blocked", text.steps_later, true],
        ["unknown", text.steps_unclear, true],
        ["done", text.steps_done, false],
        ["not_needed", text.steps_not_needed, false],
      ];
      const { sheetBody } = this.#ui;
      const count = (state) => steps.filter((step) => step.status === state).length;
      const overdue = steps.filter((step) => step.overdue).length;
      const tally = h(
        "p",
        { class: "tally" },
        ...(overdue ? [h("b", {}, fill(text.count_overdue, { count: overdue })), " · "] : []),
        h("span", {}, fill(text.count_open, { count: count("open") })),
        " · ",
        h("span", {}, fill(text.count_done, { count: count("done") })),
      );
      const drawn = groups.flatMap(([state, title, isShown]) => {
        const members = steps.filter((step) => step.status === state);
        if (!members.length) return [];
        const list = h("ul", { class: "stepList" }, ...members.map((step) => h("li", {}, this.#step(step, today))));
        if (isShown) return [h("section", { class: "group" }, h("h3", {}, title), list)];
        const open = sheetBody.querySelector(`.group[data-state="${state}"]`)?.open;
        return [h("details", { class: "group", "data-state": state, open }, h("summary", {}, h("h3", {}, `${title} (${members.length})`)), list)];
      });
      // The one that stands there may show an address that is shown only once.
      const calendar = sheetBody.querySelector(".calendar") ?? this.#calendarBox();
      return [note, tally, calendar, ...drawn].filter(Boolean);
    }

    #step(step, today) {
      const text = this.#strings;
      const marks = { open: step.overdue ? "!" : "", blocked: "", unknown: "?", done: "✓", not_needed: "–" };
      const isOpen = ["open", "blocked", "unknown"].includes(step.status);
      const when = this.#when(step, today);
      const reasons = step.because.map((reason) => h("p", { dir: "auto" }, reason));
      // What keeps a step waiting comes before how to do it.
      const isWaiting = isOpen && step.status !== "open";
      return h(
        "details",
        { class: "step", "data-slug": step.slug, "data-state": step.status, "data-overdue": step.overdue },
        h(
          "summary",
          {},
          h("span", { class: "mark", "aria-hidden": "true" }, marks[step.status]),
          h("strong", { dir: "auto" }, step.title),
          when ? h("span", { class: "when" }, when) : null,
        ),
        h(
          "div",
          { class: "inside" },
          ...(isWaiting ? reasons : []),
          ...(isOpen ? this.#toDo(step) : []),
          h("div", { class: "why" }, ...(isWaiting ? [] : reasons), this.#stepSource(step)),
          step.status === "done" && step.done_on ? this.#deeds([text.undo, (event) => this.#change(event, step, false)]) : null,
        ),
      );
    }

    #toDo(step) {
      const text = this.#strings;
      const address = safeAddress(step.where?.url ?? "");
      const papers = step.needs.map((paper) => h("li", {}, paper));
      return [
        markdown(step.overdue ? step.late : step.do),
        papers.length ? h("div", {}, h("p", { class: "label" }, text.needs), h("ul", { dir: "auto" }, ...papers)) : null,
        address ? h("p", {}, h("span", { class: "label" }, text.where), " ", link(address, h("bdi", {}, step.where.title))) : null,
        this.#deeds([text.did_it, (event) => this.#change(event, step, true)]),
      ];
    }

    #stepSource({ source }) {
      const text = this.#strings;
      const address = safeAddress(source.url);
      const title = h("bdi", {}, source.title);
      return h("p", {}, text.source, " ", address ? link(address, title) : title, " · ", fill(text.checked, { date: this.#day(source.checked_on) }));
    }

    #when(step, today) {
      const text = this.#strings;
      if (step.status === "done") return step.done_on ? fill(text.done_on, { date: this.#day(step.done_on) }) : "";
      if (step.status === "not_needed") return "";
      // Advice to act before a day is of no use once that day is past.
      const flags = step.overdue ? "" : step.flags.includes("sunday") ? ` ${text.flag_sunday}` : step.flags.includes("holiday") ? ` ${text.flag_holiday}` : "";
      const parts = [];
      if (step.status === "blocked" && step.opens && step.opens > today) parts.push(fill(text.opens_on, { date: this.#day(step.opens) }));
      if (step.due) {
        const label = step.overdue ? text.was_due : step.provisional ? text.due_if_planned : text.due_by;
        parts.push(fill(label, { date: this.#day(step.due) }) + flags);
      }
      return parts.join(" · ");
    }

    async #change(event, step, done) {
      const { sheetBody, said } = this.#ui;
      const text = this.#strings;
      const at = sheetBody.scrollTop;
      event.currentTarget.disabled = true;
      const isDrawn = await this.#load(async () => {
        const path = await this.#json(`/path/${step.slug}`, { method: "PUT", body: { done } });
        const label = fill(done ? text.marked_done : text.marked_open, { step: step.title });
        const back = this.#smallButton(text.undo, (again) => this.#change(again, step, !done));
        said.textContent = label;
        return this.#stepsView(path, h("p", { class: "sheetNote" }, h("span", { dir: "auto" }, label), back));
      });
      if (!isDrawn) return;
      sheetBody.scrollTop = at;
      (sheetBody.querySelector(".sheetNote button") ?? sheetBody.querySelector("button")).focus({ preventScroll: true });
    }

    #calendarBox() {
      const text = this.#strings;
      const body = h("div", { class: "inside" });
      const show = (...children) => {
        const hadFocus = body.contains(this.shadowRoot.activeElement);
        body.replaceChildren(...children);
        if (hadFocus) body.querySelector("button").focus();
      };
      const offer = () => show(h("p", {}, text.calendar_text), this.#deeds([text.calendar_give, give], [text.calendar_stop, stop]));
      let isBusy = false;
      const guarded = (deed) => async () => {
        if (isBusy) return;
        isBusy = true;
        await deed().catch(() => show(h("p", { role: "alert" }, text.file_failed), this.#deeds([text.try_again, offer])));
        isBusy = false;
      };
      const give = guarded(async () => {
        const { url } = await this.#json("/calendar", { method: "POST" });
        const address = h("code", { class: "address", dir: "ltr" }, url);
        const copy = async (event) => {
          const button = event.currentTarget;
          try {
            await navigator.clipboard.writeText(url);
            button.textContent = this.#ui.said.textContent = text.copied;
          } catch {
            // A page without TLS may not write to the clipboard: the address is ready to be copied by hand.
            getSelection().selectAllChildren(address);
          }
        };
        const subscribe = h("a", { href: url.replace(/^https?:/, "webcal:"), rel: "noopener" }, text.calendar_subscribe);
        show(h("p", { role: "status" }, text.calendar_given), address, h("p", {}, subscribe), this.#deeds([text.copy, copy], [text.calendar_stop, stop, "grave"]));
      });
      const stop = guarded(async () => {
        await this.#conversation.request("/calendar", { method: "DELETE" });
        show(h("p", { role: "status" }, text.calendar_stopped), this.#deeds([text.calendar_give, give]));
      });
      offer();
      return h("details", { class: "step calendar" }, h("summary", {}, icon(...ICONS.calendar), h("strong", {}, text.calendar)), body);
    }

    #dataView(data) {
      const text = this.#strings;
      const save = async () => {
        try {
          const file = await (await this.#conversation.request("/mydata/export")).blob();
          const address = URL.createObjectURL(file);
          h("a", { href: address, download: "accueil-my-data.json" }).click();
          setTimeout(() => URL.revokeObjectURL(address), 60 * SECOND);
        } catch (error) {
          this.#showTrouble(error);
        }
      };
      const correct = () => {
        this.#closeSheet();
        this.#ui.input.placeholder = text.correct_hint;
      };
      const erase = () => this.#ui.eraseDialog.showModal();
      return [
        h("section", { class: "box" }, h("h3", {}, text.your_rights), this.#deeds([text.export, save], ...(data.linked ? [[text.correct, correct]] : []), [text.erase, erase, "grave"])),
        h("section", { class: "box" }, markdown(data.text)),
      ];
    }

    async #erase() {
      this.#ui.eraseDialog.close();
      try {
        await this.#conversation.request("/mydata", { method: "DELETE", body: { confirm: true } });
      } catch (error) {
        this.#showTrouble(error);
        return;
      }
      this.#write("");
      this.#startNew();
      this.#ui.log.prepend(h("div", { class: "message system", role: "status" }, plain(this.#strings.erased)));
    }

    // ---- the same conversation in Telegram

    /** Whether this desk is on Telegram; the ways there are shown only then. */
    async #askForChannels() {
      try {
        const { telegram } = await (await call("/channels", { language: this.#language })).json();
        const isOn = telegram.state === "on";
        this.#ui.telegram.hidden = this.#ui.onward.hidden = !isOn;
        return isOn;
      } catch {
        return false;
      }
    }

    /** A phone may have let go of the page while Telegram was in front: the question that waits is asked now. */
    async #takeUpJoining() {
      if (!(await this.#offersTelegram) || !this.#ui.sheet.hidden) return;
      const joining = await this.#json("/telegram").catch(() => null);
      if (joining?.state === "claimed" && this.#ui.sheet.hidden) await this.#openSheet("telegram", this.#ui.onward);
    }

    async #goToTelegram() {
      await this.#openSheet("telegram", this.#ui.onward);
      if (this.#isFollowing && ["none", "over", "refused"].includes(this.#joining?.state)) await this.#makeLink();
    }

    get #isFollowing() {
      return !this.#ui.sheet?.hidden && this.#tab === "telegram";
    }

    #telegramView(joining) {
      const text = this.#strings;
      this.#joining = joining;
      // A link made elsewhere since has another end, and ours no longer works.
      if (joining.expires_at !== this.#link?.expires_at) this.#link = null;
      clearTimeout(this.#nextLook);
      if (["issued", "claimed"].includes(joining.state)) this.#nextLook = setTimeout(() => this.#lookAtTelegram(), LOOK_EVERY);
      const parts = this.#telegramParts(joining);
      return [h("section", { class: "box joining", "data-state": joining.state }, h("h3", {}, text.telegram_go), ...parts)];
    }

    #telegramParts(joining) {
      const text = this.#strings;
      const name = `\u2068${joining.name || text.telegram_nameless}\u2069`;
      const make = [text.telegram_make, () => this.#makeLink()];
      const again = [text.telegram_new, () => this.#makeLink()];
      if (joining.state === "joined") {
        return [
          h("p", { role: "status" }, fill(text.telegram_joined, { name })),
          this.#onward(`https://t.me/${joining.bot}`),
          this.#deeds([text.telegram_leave, () => this.#leaveTelegram(), "grave"]),
        ];
      }
      if (joining.state === "claimed") {
        const answer = (path) => () => this.#answerTelegram(path);
        return [
          h("p", { class: "question", role: "alert" }, fill(text.telegram_asks, { name })),
          this.#deeds([text.telegram_yes, answer("confirm")], [text.telegram_no, answer("refuse"), "grave"]),
        ];
      }
      if (this.#link) {
        return [
          h("p", {}, text.telegram_how),
          this.#onward(this.#link.url),
          h("div", { class: "scan" }, h("p", {}, text.telegram_scan), this.#qrCode(this.#link.qr)),
          h("p", { class: "tally" }, fill(text.telegram_until, { time: this.#clock(this.#link.expires_at) })),
          this.#deeds(again),
        ];
      }
      const ended = { over: text.telegram_over, refused: text.telegram_refused }[joining.state];
      return [ended ? h("p", { role: "status" }, ended) : null, h("p", {}, text.telegram_text), this.#deeds(ended ? again : make)].filter(Boolean);
    }

    #onward(address) {
      const to = link(safeAddress(address), icon(...ICONS.plane), this.#strings.telegram_open);
      to.className = "go";
      return to;
    }

    /** Our own server's picture. A page may forbid to read markup at all; the link is there as well. */
    #qrCode(svg) {
      try {
        const code = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
        code.setAttribute("class", "qr");
        return code;
      } catch {
        return null;
      }
    }

    /** Every two seconds while it is looked at: the account may open the link, or its time run out. */
    async #lookAtTelegram() {
      clearTimeout(this.#nextLook);
      if (!this.#isFollowing || document.hidden || !["issued", "claimed"].includes(this.#joining?.state)) return;
      const before = this.#joining;
      const found = await this.#json("/telegram").catch(() => before);
      if (this.#joining !== before || !this.#isFollowing) return;
      if (found.state === before.state && found.claim === before.claim) {
        this.#nextLook = setTimeout(() => this.#lookAtTelegram(), LOOK_EVERY);
        return;
      }
      await this.#drawTelegram(async () => found);
    }

    async #drawTelegram(find) {
      const { sheetBody } = this.#ui;
      const hadFocus = sheetBody.contains(this.shadowRoot.activeElement);
      const isDrawn = await this.#load(async () => this.#telegramView(await find()));
      if (isDrawn && hadFocus) (sheetBody.querySelector(".go, button") ?? sheetBody).focus({ preventScroll: true });
    }

    async #makeLink() {
      await this.#drawTelegram(async () => {
        const made = await this.#json("/telegram", { method: "POST" });
        const joining = await this.#json("/telegram");
        this.#link = made;
        return joining;
      });
    }

    async #answerTelegram(path) {
      const { claim } = this.#joining;
      await this.#drawTelegram(() => this.#json(`/telegram/${path}`, { method: "POST", body: { claim } }));
    }

    async #leaveTelegram() {
      await this.#drawTelegram(async () => {
        await this.#conversation.request("/telegram", { method: "DELETE" });
        return this.#json("/telegram");
      });
    }

    // ---- drawing messages

    #showHello() {
      this.#ui.hello = this.#message({ author: "bot", kind: "text", text: this.#strings.hello, language: this.#language });
      this.#ui.log.replaceChildren(this.#ui.hello);
    }

    #pendingMessage(item) {
      return h(
        "div",
        { class: "message student", "data-client": item.clientId },
        h("p", { class: "author only-heard" }, this.#strings.you),
        h("div", { class: "bubble" }, item.file ? this.#waitingFile(item.file) : this.#written(item.text ?? item.label)),
        h("p", { class: "state", role: "status" }),
      );
    }

    #message(event) {
      const { author } = event;
      const isAside = author === "system";
      const node = h(
        "div",
        { class: `message ${isAside ? "system" : author}`, "data-seq": event.seq, lang: event.language },
        this.#author(event, isAside),
        h(
          "div",
          { class: "bubble" },
          ...(event.files?.length ? event.files.map((file) => this.#file(file)) : [author === "student" ? this.#written(event.text) : markdown(event.text)]),
          event.sources?.length ? this.#sources(event.sources) : null,
        ),
        event.created_at && !isAside ? this.#time(event.created_at, event.edited_at && !event.deleted) : null,
        event.buttons?.length ? this.#chips(event.buttons) : null,
        this.#mayBeRated(event) ? this.#helped(event) : null,
      );
      return node;
    }

    /** Once for a topic in a conversation. */
    #mayBeRated({ topic, seq }) {
      if (!topic || this.#rated.has(topic)) return false;
      return !this.#events.some((other) => other.topic === topic && other.seq < seq);
    }

    /** A quiet line under the answer: did it help, and if not, why. */
    #helped(event) {
      const text = this.#strings;
      const line = h("div", { class: "helped", role: "group", "aria-label": text.helped, lang: this.#language });
      const show = (words, ...buttons) => line.replaceChildren(h("span", { role: "status" }, words), ...buttons);
      const rate = async (rating, next) => {
        const rest = [...line.children];
        line.querySelectorAll("button").forEach((each) => (each.disabled = true));
        try {
          await this.#json("/ratings", { method: "POST", body: { seq: event.seq, ...rating } });
          this.#rated.add(event.topic);
          next();
        } catch {
          rest.forEach((each) => (each.disabled = false));
          line.replaceChildren(h("span", { role: "status" }, text.not_sent), ...rest.slice(1));
        }
      };
      const thank = () => show(text.thanks);
      const why = () =>
        show(
          text.not_helped,
          ...["wrong", "unclear", "not_my_case"].map((reason) =>
            this.#smallButton(text[`reason_${reason}`], () => rate({ helpful: false, reason }, thank)),
          ),
        );
      show(
        text.helped,
        this.#smallButton(text.helped_yes, () => rate({ helpful: true }, thank)),
        this.#smallButton(text.helped_no, () => rate({ helpful: false }, why)),
      );
      return line;
    }

    #written(text) {
      return plain(text === LINK_COMMAND ? this.#strings.link_message : text);
    }

    /** What a colleague sent. It needs the token, so that it is fetched here and handed to the browser as a whole. */
    #file(file) {
      const text = this.#strings;
      const said = h("p", { class: "fileSaid", role: "status" });
      const save = async () => {
        if (button.getAttribute("aria-disabled")) return;
        button.setAttribute("aria-disabled", true);
        said.textContent = text.paper_loading;
        try {
          const response = await this.#conversation.request(`/files/${file.id}`, { signal: AbortSignal.timeout(FILE_LASTS) });
          const address = URL.createObjectURL(await response.blob());
          h("a", { href: address, download: file.name }).click();
          setTimeout(() => URL.revokeObjectURL(address), 60 * SECOND);
          said.textContent = "";
        } catch (error) {
          said.textContent = isGone(error) ? text.paper_gone : text.paper_failed;
        }
        button.removeAttribute("aria-disabled");
      };
      const name = fill(text.paper_save_named, { name: `\u2068${file.name}\u2069` });
      const button = h("button", { type: "button", class: "save", "aria-label": name, onclick: save }, icon(...ICONS.save), text.paper_save);
      return h(
        "div",
        { class: "paper", lang: this.#language },
        icon(...ICONS.paper),
        h("p", { class: "paperName" }, h("bdi", {}, file.name), h("small", {}, this.#size(file.size))),
        button,
        said,
      );
    }

    #author(event, isAside) {
      const text = this.#strings;
      if (event.author === "student") return h("p", { class: "author only-heard" }, text.you);
      if (isAside) return h("p", { class: "author only-heard" }, text.role_system);
      const isStaff = event.author === "staff";
      const name = event.author_name ?? (isStaff ? text.a_person : text.name);
      const face = isStaff ? h("span", { class: "face", "aria-hidden": "true" }, [...name][0].toUpperCase()) : null;
      return h(
        "p",
        { class: "author", lang: this.#language },
        face ?? h("span", { class: "face", "aria-hidden": "true" }, icon(...ICONS.bell)),
        h("span", { class: "called", dir: "auto" }, name),
        h("span", { class: "role" }, isStaff ? text.role_staff : text.role_bot),
      );
    }

    #sources(sources) {
      const text = this.#strings;
      const dated = (label, day) => (day ? fill(label, { date: this.#day(day) }) : null);
      return h(
        "details",
        { class: "sources", lang: this.#language },
        h("summary", {}, fill(text.sources, { count: sources.length })),
        h(
          "ul",
          {},
          ...sources.map((source) => {
            const address = safeAddress(source.url ?? "");
            const dates = [dated(text.checked, source.checked_on), dated(text.valid, source.valid_until)];
            return h(
              "li",
              {},
              address ? link(address, source.title) : source.title,
              h("small", {}, dates.filter(Boolean).join(" · ")),
            );
          }),
        ),
      );
    }

    #chips(buttons) {
      const press = (button) => (event) => {
        event.currentTarget.disabled = true;
        this.#send({ button: button.key, label: button.label });
        this.#ui.input.focus();
      };
      return h(
        "div",
        { class: "chips" },
        ...buttons.map((button) => h("button", { type: "button", dir: "auto", onclick: press(button) }, button.label)),
      );
    }

    #time(moment, isChanged = false) {
      const when = new Date(moment);
      const isToday = when.toDateString() === new Date().toDateString();
      const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(isToday ? {} : { day: "numeric", month: "short" }) };
      const words = new Intl.DateTimeFormat(this.#locale, parts).format(when);
      return h("time", { datetime: moment, lang: this.#language }, isChanged ? `${words} · ${this.#strings.changed}` : words);
    }

    #clock(moment) {
      return new Intl.DateTimeFormat(this.#locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(moment));
    }

    #day(day) {
      const words = new Intl.DateTimeFormat(this.#locale, { dateStyle: "long", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
      // French says 1er janvier, which the patterns of the browser do not know.
      return this.#language === "fr" ? words.replace(/^1 /, "1er ") : words;
    }

    // The school writes the day first and counts 24 hours, in English too.
    get #locale() {
      return this.#language === "en" ? "en-GB" : this.#language;
    }

    #showUrgent(text) {
      const node = h(
        "div",
        { class: "message urgent", role: "alert" },
        h("p", { class: "author" }, this.#strings.urgent),
        h("div", { class: "bubble" }, markdown(text)),
      );
      this.#ui.log.append(node);
      this.#scrollTo(node, true);
    }

    /** In the order of the conversation, whatever the order of arrival; what has no number yet stays last. */
    #place(node, seq) {
      const later = [...this.#ui.log.children].find((other) => Number(other.dataset.seq) > seq);
      this.#ui.log.insertBefore(node, later ?? null);
    }

    #redraw() {
      this.#ui.scroller.setAttribute("aria-busy", "true");
      for (const event of this.#events) {
        const old = this.#ui.log.querySelector(`[data-seq="${event.seq}"]`);
        const isExpanded = old?.querySelector("details")?.open;
        const node = this.#message(event);
        if (isExpanded) node.querySelector("details").open = true;
        old?.replaceWith(node);
      }
      if (this.#ui.hello?.isConnected) this.#showHello();
      this.#ui.scroller.removeAttribute("aria-busy");
    }

    // ---- moving about

    #isAtEnd(tolerance = 80) {
      const { scrollHeight, scrollTop, clientHeight } = this.#ui.scroller;
      return scrollHeight - scrollTop - clientHeight <= tolerance;
    }

    /** A long answer is read from its beginning. */
    #scrollTo(node, wasAtEnd) {
      const { scroller } = this.#ui;
      if (!wasAtEnd) this.#onScroll();
      else if (node.offsetHeight > scroller.clientHeight - 24) scroller.scrollTop = node.offsetTop - 12;
      else this.#scrollToEnd();
    }

    #scrollToEnd() {
      this.#ui.scroller.scrollTop = this.#ui.scroller.scrollHeight;
    }

    #onScroll() {
      this.#ui.latest.hidden = this.#isAtEnd(24);
    }

    #countUnread() {
      const { launcher, badge } = this.#ui;
      if (!launcher) return;
      badge.hidden = this.#unread === 0;
      badge.textContent = this.#unread;
      const text = this.#unread ? fill(this.#strings.open_unread, { count: this.#unread }) : this.#strings.open;
      launcher.setAttribute("aria-label", text);
    }

    async #chooseLanguage(language) {
      if (language === this.#language || !(await this.#loadStrings(language))) return;
      this.#isChosen = true;
      this.#translate();
      this.#redraw();
      await this.#conversation?.setLanguage(this.#language);
      // Titles and reasons come in the language of the conversation, so only now.
      if (!this.#ui.sheet.hidden) await this.#showTab(this.#tab);
    }

    #startNew() {
      this.#ui.dialog.close();
      this.#closeSheet();
      this.#conversation?.end();
      saved.write(null);
      this.#conversation = null;
      this.#events = [];
      this.#rated.clear();
      this.#pending.clear();
      this.#setTyping("bot", false);
      this.#setTyping("staff", false);
      this.#onLine("online");
      this.#onControl({ control: "bot" });
      this.#showHello();
      this.#connect();
      this.#ui.input.focus();
    }
  }

  customElements.define("accueil-chat", AccueilChat);

  function addLauncher() {
    if (document.querySelector("accueil-chat")) return;
    document.body.append(h("accueil-chat", { language: ASKED_LANGUAGE }));
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", addLauncher);
  else addLauncher();
})();
