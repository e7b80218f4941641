// The way to the server: requests with the session's CSRF token, and the stream that says when to look again.

export const start = JSON.parse(document.getElementById("start").textContent);

/** Whether the desk has such a request: the last word of its address, "messages/one" for one message. */
export const can = (deed) => start.can.includes(deed);

const BEAT = 15000;
/** Without a beat for so long the connection is dead, whatever the browser believes. */
const SILENCE = 2.7 * BEAT;
/** A page that comes back after so long without a beat has slept. */
const NAP = 1.4 * BEAT;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.errors?.[0]?.message || problem.title || String(status));
    this.status = status;
    this.code = problem.code || "";
    this.field = problem.errors?.[0]?.field || "";
    this.why = problem.why || "";
  }

  /** Of an answer that htmx has read. */
  static by({ status, response }) {
    try {
      return new Refused(status, JSON.parse(response));
    } catch {
      return new Refused(status, {});
    }
  }
}

/** JSON in, JSON out. Throws Refused for an answer of the server that is a no, TypeError when there was none. */
export async function ask(path, { method = "GET", body } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": start.language };
  if (method !== "GET") headers["X-CSRF-Token"] = start.csrf;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`/staff/api/${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

export const post = (path, body) => ask(path, { method: "POST", body });

const UPLOAD_LASTS = 300000;

/** Send bytes as the body of a request; `progress` is told the share that has left. Rejects as `ask` does. */
export function upload(path, blob, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/staff/api/${path}`);
    request.responseType = "json";
    request.timeout = UPLOAD_LASTS;
    for (const [name, value] of [["Accept", "application/json"], ["Accept-Language", start.language], ["X-CSRF-Token", start.csrf]])
      request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => total && progress(loaded / total);
    request.onload = () => (request.status < 300 ? resolve(request.response) : reject(new Refused(request.status, request.response || {})));
    request.onerror = request.ontimeout = () => reject(new TypeError("no answer"));
    request.send(blob);
  });
}

export const isOver = (error) => error instanceof Refused && error.status === 401;

/** No answer, or one that may be different in a moment. */
export const isPassing = (error) => !(error instanceof Refused) || error.status >= 500 || error.status === 429;

/** 1, 2, 4 … 30 s, with some chance in it so that a whole office does not come back at the same instant. */
export const patience = (attempt) => Math.min(30000, 1000 * 2 ** attempt) * (0.75 + Math.random() / 2);

/**
 * Follow the stream for ever. `moved` is called at each connection as well, so that nothing is missed. `broken` at once
 * when the stream ends or the page wakes from a sleep, `lost` when it does not come back soon, `back` when it does.
 * `typing` and `people` tell of the conversation given to `look`.
 */
export function follow({ moved, typing, people, broken, lost, back, over }) {
  let attempt = 0;
  let missing = 0;
  let retry = 0;
  let heard = Date.now();
  let opened = "";
  let stream = null;

  function connect() {
    clearTimeout(retry);
    const old = stream;
    const own = new EventSource(`/staff/events${opened ? `?open=${opened}` : ""}`);
    stream = own;
    const on = (name, then) =>
      own.addEventListener(name, (event) => {
        // What was on its way while we slept may come before any timer has noticed that we did.
        if (Date.now() - heard > SILENCE && own === stream) return again();
        heard = Date.now();
        then?.(JSON.parse(event.data));
      });
    on("beat");
    on("moved", () => {
      old?.close();
      attempt = 0;
      clearTimeout(missing);
      missing = 0;
      back();
      moved();
    });
    on("typing", (signal) => own === stream && typing(signal));
    on("people", (place) => own === stream && people(place));
    on("signed_out", () => {
      own.close();
      over();
    });
    own.onerror = () => (own === stream ? failed(own) : own.close());
  }

  async function failed(own) {
    broken();
    // A reload or a short restart should not flash a banner.
    missing ||= setTimeout(lost, 1500);
    if (own.readyState !== EventSource.CLOSED) return;
    try {
      await ask("conversations?limit=1");
    } catch (error) {
      if (isOver(error)) return over();
    }
    if (own === stream) retry = setTimeout(connect, patience(attempt++));
  }

  function again() {
    heard = Date.now();
    stream.close();
    broken();
    missing ||= setTimeout(lost, 1500);
    connect();
  }

  const wake = (silence) => () => Date.now() - heard > silence && again();
  setInterval(wake(SILENCE), 1000);
  document.addEventListener("visibilitychange", wake(NAP));
  document.addEventListener("resume", wake(NAP));
  window.addEventListener("pageshow", (event) => event.persisted && again());
  window.addEventListener("offline", () => {
    broken();
    clearTimeout(missing);
    // The browser knows: there is nothing to wait for.
    missing = -1;
    lost();
  });
  window.addEventListener("online", again);
  connect();
  return {
    /** Hear who writes in this conversation; the old connection is kept until the new one speaks. */
    look(conversation) {
      if (conversation === opened) return;
      opened = conversation;
      connect();
    },
  };
}
