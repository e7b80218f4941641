// Shows what a push service delivers while no page of the desk is open. It names nobody and quotes nothing: the server
// sends the words. It answers for no page and stores nothing.

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => {
  event.waitUntil(show(read(event.data)));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});

/** What was sent, or nothing but the name of the programme: a browser wants something shown for each message. */
function read(data) {
  try {
    const { title, body, tag, url } = data.json();
    return { title: String(title), body: String(body), tag: String(tag), url: String(url) };
  } catch {
    return { title: "Accueil", body: "", tag: "wait", url: "/staff" };
  }
}

const show = ({ title, body, tag, url }) =>
  self.registration.showNotification(title, { body, tag: `accueil-${tag}`, renotify: true, data: { url } });

/** The page that is open, or a new one; never anything outside the desk. */
async function open(wanted) {
  const url = new URL(wanted || "/staff", self.location.origin);
  if (url.origin !== self.location.origin || url.pathname !== "/staff") return;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const desk = pages.find((page) => new URL(page.url).pathname === "/staff");
  if (!desk) return self.clients.openWindow(url.href);
  desk.postMessage({ open: url.hash.slice(1) });
  return desk.focus();
}
