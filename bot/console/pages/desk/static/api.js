// The way to the server: requests with the session's CSRF token, and the stream that says when to look again.

export const start = JSON.parse(document.getElementById("start").textContent);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.title || String(status));
    this.status = status;
    this.code = problem.code || "";
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

export const isOver = (error) => error instanceof Refused && error.status === 401;

/** No answer, or one that may be different in a moment. */
export const isPassing = (error) => !(error instanceof Refused) || error.status >= 500 || error.status === 429;

/** 1, 2, 4 … 30 s, with some chance in it so that a whole office does not come back at the same instant. */
export const patience = (attempt) => Math.min(30000, 1000 * 2 ** attempt) * (0.75 + Math.random() / 2);

/** Follow the stream for ever. `moved` is called at each connection as well, so that nothing is missed. */
export function follow({ moved, lost, back, over }) {
  let attempt = 0;
  let missing = 0;
  const connect = () => {
    const stream = new EventSource("/staff/events");
    stream.addEventListener("moved", () => {
      attempt = 0;
      clearTimeout(missing);
      missing = 0;
      back();
      moved();
    });
    stream.addEventListener("signed_out", () => {
      stream.close();
      over();
    });
    stream.onerror = async () => {
      // A reload or a short restart should not flash a banner.
      missing ||= setTimeout(lost, 1500);
      if (stream.readyState !== EventSource.CLOSED) return;
      try {
        await ask("inbox?limit=1");
      } catch (error) {
        if (isOver(error)) return over();
      }
      setTimeout(connect, patience(attempt++));
    };
  };
  connect();
}
