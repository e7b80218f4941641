// Messages of the browser while no page is open: the browser's push service delivers them to calls-worker.js.

import { post, start } from "./api.js";

const WORKER = "/staff/static/calls-worker.js";

const canPush = () => Boolean(start.push_key) && "serviceWorker" in navigator && "PushManager" in window;

/**
 * Let the server call this browser. Said again at each start of a page, since browsers change their address and a
 * sign-out ends it. False where the browser cannot: its messages then come from the open page alone.
 */
export async function beginPush() {
  if (!canPush()) return false;
  try {
    const { pushManager } = await navigator.serviceWorker.register(WORKER);
    const { endpoint, keys } = (await subscribed(pushManager)).toJSON();
    await post("push", { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } });
    return true;
  } catch {
    return false;
  }
}

export async function endPush() {
  if (!canPush()) return;
  try {
    const registration = await navigator.serviceWorker.getRegistration(WORKER);
    const known = await registration?.pushManager.getSubscription();
    if (!known) return;
    await post("push/stop", { endpoint: known.endpoint });
    await known.unsubscribe();
  } catch {
    // The server forgets a browser that cannot be reached any more.
  }
}

/** A click on a message opens the conversation in the page that is there. */
export function followClicks() {
  if (!canPush()) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data?.open) location.hash = data.open;
  });
}

async function subscribed(pushManager) {
  const options = { userVisibleOnly: true, applicationServerKey: bytesOf(start.push_key) };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    // Known to the browser by another key of ours, which is lost.
    const old = await pushManager.getSubscription();
    if (!old) throw error;
    await old.unsubscribe();
    return pushManager.subscribe(options);
  }
}

const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
