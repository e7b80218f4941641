// What calls somebody to the screen: the title, a word for screen readers, a sound, a message of the browser.

import { beginPush, endPush, followClicks } from "./push.js";
import { $, state } from "./state.js";
import { say } from "./words.js";

let known = null;
let unread = new Set();
let sound = null;

const choice = (name) => {
  try {
    return localStorage.getItem(`accueil_${name}`) === "on";
  } catch {
    return false;
  }
};

function choose(name, on) {
  try {
    localStorage.setItem(`accueil_${name}`, on ? "on" : "off");
  } catch {
    // The choice then lasts as long as the page.
  }
  chosen[name] = on;
  $(`alert-${name}`).setAttribute("aria-pressed", on);
}

const chosen = { sound: choice("sound"), window: choice("window") && window.Notification?.permission === "granted" };

export function setUpAlerts({ toast }) {
  for (const name of ["sound", "window"]) $(`alert-${name}`).setAttribute("aria-pressed", chosen[name]);
  $("alert-window").hidden = !("Notification" in window);
  $("alert-sound").addEventListener("click", () => {
    choose("sound", !chosen.sound);
    if (chosen.sound) ring();
  });
  $("alert-window").addEventListener("click", async () => {
    if (chosen.window) {
      choose("window", false);
      return endPush();
    }
    const allowed = (await Notification.requestPermission()) === "granted";
    choose("window", allowed);
    if (!allowed) return toast(say("window_refused"), { isTrouble: true });
    toast(say((await beginPush()) ? "window_always" : "window_open_page"));
  });
  followClicks();
  if (chosen.window) beginPush();
  // A browser lets a page make sounds only after somebody has touched it.
  document.addEventListener("pointerdown", () => chosen.sound && player(), { once: true });
  document.addEventListener("visibilitychange", () => document.hidden || seen());
}

/** Compare with what was there the last time. */
export function noteCalls() {
  const calling = new Map(state.calling.map((each) => [each.conversation_id, each]));
  if (known) {
    const waits = [...calling.values()].filter((each) => each.control === "waiting" && known.get(each.conversation_id)?.control !== "waiting");
    const wrote = [...calling.values()].filter((each) => {
      const before = known.get(each.conversation_id);
      const isSeen = !document.hidden && state.open?.id === each.conversation_id;
      return each.control === "staff" && before?.control === "staff" && each.last_seq > before.last_seq && !isSeen;
    });
    for (const each of wrote) unread.add(each.conversation_id);
    if (waits.length) call("waits_now", waits);
    else if (wrote.length) call("wrote_now", wrote);
  }
  known = calling;
  seen();
}

export function seen() {
  if (!document.hidden && state.open) unread.delete(state.open.id);
  for (const id of unread) if (!known?.has(id)) unread.delete(id);
  const number = (state.counts.waiting || 0) + unread.size;
  document.title = (number ? `(${number}) ` : "") + say("programme");
}

function call(words, calls) {
  const name = words === "waits_now" && document.querySelector(`#row-${calls[0].conversation_id} .row-name`);
  $("heard").textContent = name ? `${say(words)} ${name.textContent}` : say(words);
  if (chosen.sound) ring();
  if (chosen.window && document.hidden) {
    // Neither name nor words: others may see the screen.
    const shown = new Notification(say("programme"), { body: say(words), tag: "accueil" });
    shown.onclick = () => {
      window.focus();
      location.hash = calls[0].conversation_id;
      shown.close();
    };
  }
}

const player = () => (sound ??= new AudioContext());

/** Two soft tones, half a second. */
function ring() {
  const audio = player();
  audio.resume();
  [660, 880].forEach((height, place) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + place * 0.16;
    tone.frequency.value = height;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.4);
  });
}
