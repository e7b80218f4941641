// What the page knows: the list, the open conversation, and whether both are up to date.

import { start } from "./api.js";

export const $ = (id) => document.getElementById(id);

export const state = {
  tab: "waiting",
  limit: 50,
  counts: {},
  /** What may call the colleague to the screen. */
  calling: [],
  filters: { language: "", desk: "", tag: "" },
  /** What was searched for, while what was found is on the screen. */
  found: "",
  /** The open conversation: id, head, lastSeq (of what is shown), firstSeq. */
  open: null,
  /** Stream, list and transcript are all of now. Without it nothing is sent and nothing is done. */
  fresh: false,
  /** The session has ended: nothing more comes of waiting. */
  over: false,
  mode: "answer",
};

/** What other modules do; filled in by desk.js so that none of them needs the whole. */
export const tell = { refresh: async () => true, signedOut() {}, toast() {}, explain: async () => {}, wordsOf: async () => "", opened() {}, place() {} };

export const isMine = (head) => head.control === "staff" && head.assignee?.email === start.me.email;

/** Why nothing is sent or done at this moment. */
export const notNow = () => start.strings[state.over ? "signed_out" : "catching_up"];

/** Storage may be off; what is kept then lasts as long as the page. */
const lasting = new Map();

/** Whoever signs in next in this tab has nothing of it. */
const ours = (key) => `accueil_${start.me.email}_${key}`;

export function keep(key, value) {
  lasting.set(key, value);
  try {
    if (value) sessionStorage.setItem(ours(key), value);
    else sessionStorage.removeItem(ours(key));
  } catch {
    return;
  }
}

export function kept(key) {
  try {
    return sessionStorage.getItem(ours(key)) ?? lasting.get(key) ?? "";
  } catch {
    return lasting.get(key) ?? "";
  }
}
