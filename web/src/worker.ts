// Keeps what the pages are made of on the device, so that they open in a cellar too. It keeps nothing that the API says: what a
// person sees is in the database of their device.

declare const FILES: string[];
declare const RELEASE: string;

/** So long a page waits for a newer one; then it is the one that is kept. */
const PATIENCE = 3_000;

// The library of types for pages does not know workers.
interface Worker {
  addEventListener(kind: "install" | "activate", does: (event: { waitUntil(done: Promise<unknown>): void }) => void): void;
  addEventListener(kind: "fetch", does: (event: { request: Request; respondWith(answer: Promise<Response>): void }) => void): void;
  skipWaiting(): Promise<void>;
}
const worker = self as unknown as Worker;

worker.addEventListener("install", (event) => {
  const keep = async () => {
    const kept = await caches.open(RELEASE);
    await kept.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener("activate", (event) => {
  // Pages that are open have all that they are made of already.
  const others = async () => Promise.all((await caches.keys()).filter((it) => it !== RELEASE).map((it) => caches.delete(it)));
  event.waitUntil(others());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/v1/")) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (FILES.includes(url.pathname)) event.respondWith(file(request));
});

/** The page as the service has it, where that comes soon; else as it is kept. */
async function page(request: Request): Promise<Response> {
  const kept = async () => (await caches.match("/")) ?? Response.error();
  const late = new Promise<Response>((resolve) => setTimeout(async () => resolve(await kept()), PATIENCE));
  const newest = fetch(request).then((it) => (it.status < 500 ? it : kept()), kept);
  return Promise.race([newest, late]);
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
