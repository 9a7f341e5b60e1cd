// A phone in a cellar: what somebody does there is kept over reloads and a killed browser, sent when there is a connection,
// once, merged with what others did meanwhile, and shown to nobody else.

import assert from "node:assert/strict";
import { person, start } from "./browser.mjs";
import { api, chip, has, kill, logIn, logOut, phone, signUp } from "./phone.mjs";

const { SHOTS } = process.env;
const save = (page) => page.getByRole("button", { name: "Spara", exact: true }).click();

let eva = await phone();
await signUp(eva.page, "eva@cellar.example", "Källaren AB", "Eva Ek");
await chip(eva.page, "Allt är skickat");
await eva.page.evaluate(() => navigator.serviceWorker.ready);

// Line 1: a record and a comment, made without a connection, over a reload and a kill.
await eva.offline(true);
await eva.page.reload();
await eva.page.getByText("Nytt ärende").click();
await eva.page.getByLabel("Rubrik").fill("Läcka i källaren");
await eva.page.getByLabel("Vad har hänt").fill("Vatten på golvet");
await eva.page.reload();
await has(eva.page.getByLabel("Rubrik"), "Läcka i källaren");
await eva.page.getByRole("button", { name: "Skapa", exact: true }).click();
await eva.page.getByRole("heading", { name: "Läcka i källaren" }).waitFor();
await eva.page.getByLabel("Skriv något").fill("Pumpen är avstängd");
await eva.page.getByRole("button", { name: "Skicka", exact: true }).click();
await eva.page.getByText("Pumpen är avstängd").waitFor();
await chip(eva.page, "2 att skicka");
await eva.page.screenshot({ path: `${SHOTS}/offline-record.png`, fullPage: true });
await kill(eva);
eva = await phone();
await eva.offline(true);
await eva.page.goto("/");
await eva.page.getByRole("link", { name: "Läcka i källaren" }).waitFor();
await chip(eva.page, "offline · 2 att skicka");
await eva.page.getByRole("status").getByRole("link").click();
await eva.page.getByText("Nytt ärende: Läcka i källaren").waitFor();
await eva.page.screenshot({ path: `${SHOTS}/outbox.png`, fullPage: true });
await eva.offline(false);
// A browser that is killed may lose the cookie of a session that has just begun.
await eva.page.getByText("Allt är skickat").or(eva.page.getByRole("heading", { name: "Logga in" })).waitFor();
if (await eva.page.getByRole("heading", { name: "Logga in" }).isVisible()) await logIn(eva.page, "eva@cellar.example");
await chip(eva.page, "Allt är skickat");
const { records } = await api(eva.page, "/v1/records");
assert.deepEqual(records.map((it) => [it.title, it.number, it.version]), [["Läcka i källaren", "DEV-1", 1]]);
const path = `/v1/records/${records[0].id}`;
const { comments } = await api(eva.page, `${path}/comments`);
assert.deepEqual(comments.map((it) => it.text), ["Pumpen är avstängd"]);

// Line 4: she and somebody at a desk change different fields, and nobody is asked.
const browser = await start();
const desk = await person(browser);
await desk.page.goto("/");
await logIn(desk.page, "eva@cellar.example");
await desk.page.getByRole("link", { name: "Läcka i källaren" }).click();
await desk.page.getByText("Pumpen är avstängd").waitFor();
const here = new URL(desk.page.url()).pathname;
await eva.page.goto(here);
await eva.page.getByLabel("Orsak").waitFor();
await eva.offline(true);
await eva.page.getByLabel("Orsak").fill("Sprucket rör");
await save(eva.page);
await eva.page.getByText("Sparat på den här enheten.").waitFor();
await desk.page.getByLabel("Åtgärd").fill("Bytt rör");
await save(desk.page);
await desk.page.getByText("Sparat.", { exact: true }).waitFor();
await chip(desk.page, "Allt är skickat");
await eva.offline(false);
await chip(eva.page, "Allt är skickat");
const both = await api(eva.page, path);
assert.deepEqual([both.fields.cause, both.fields.action], ["Sprucket rör", "Bytt rör"]);

// The same field: she is asked, and what is not chosen stays in the history.
await desk.page.evaluate(() => dispatchEvent(new Event("focus")));
await has(desk.page.getByLabel("Orsak"), "Sprucket rör");
await has(eva.page.getByLabel("Åtgärd"), "Bytt rör");
await eva.offline(true);
await eva.page.getByLabel("Orsak").fill("Frost");
await save(eva.page);
await desk.page.getByLabel("Orsak").fill("Rost");
await save(desk.page);
await desk.page.getByText("Sparat.", { exact: true }).waitFor();
await eva.offline(false);
await chip(eva.page, "1 behöver dig");
await eva.page.getByRole("radio", { name: "Frost" }).check();
await eva.page.screenshot({ path: `${SHOTS}/merge.png`, fullPage: true });
await eva.page.getByRole("alert").getByRole("button", { name: "Spara" }).click();
await chip(eva.page, "Allt är skickat");
const { revisions } = await api(eva.page, `${path}/revisions`);
assert.deepEqual(revisions.slice(0, 2).map((it) => it.fields.cause), ["Frost", "Rost"]);

// Line 6: of three changes, one is refused, says why, and holds up no other.
for (const title of ["Ett", "Två", "Tre"]) {
  await eva.page.getByRole("link", { name: "Ärenden" }).click();
  await eva.page.getByText("Nytt ärende").click();
  await eva.page.getByLabel("Rubrik").fill(title);
  await eva.page.getByRole("button", { name: "Skapa", exact: true }).click();
  await eva.page.getByRole("heading", { name: title }).waitFor();
}
await chip(eva.page, "Allt är skickat");
const made = (await api(eva.page, "/v1/records?limit=3")).records;
await eva.offline(true);
for (const { id, title } of made) {
  await eva.page.getByRole("link", { name: "Ärenden" }).click();
  await eva.page.getByRole("link", { name: title }).click();
  await eva.page.getByLabel("Vad har hänt").fill(`${title}, igen`);
  await save(eva.page);
  await eva.page.getByText("Sparat på den här enheten.").waitFor();
  assert.equal(new URL(eva.page.url()).pathname, `/records/${id}`);
}
const gone = made.find((it) => it.title === "Två");
await desk.page.evaluate((it) => fetch(it, { method: "DELETE", headers: { "if-match": '"1"' } }), `/v1/records/${gone.id}`);
await eva.offline(false);
await chip(eva.page, "1 behöver dig");
await eva.page.getByRole("status").getByRole("link").click();
await eva.page.getByText("not_found").waitFor();
const after = (await api(eva.page, "/v1/records?limit=3")).records;
assert.deepEqual(after.slice(0, 2).map((it) => it.fields.description), ["Tre, igen", "Ett, igen"]);
await eva.page.screenshot({ path: `${SHOTS}/refused.png`, fullPage: true });
await eva.page.getByRole("button", { name: "Kasta" }).click();
await chip(eva.page, "Allt är skickat");

// Line 8: her log-in ends while she is away; she logs in, and it goes on.
await eva.offline(true);
await eva.page.goto(here);
await eva.page.getByLabel("Orsak").fill("Frost i januari");
await save(eva.page);
await eva.page.getByText("Sparat på den här enheten.").waitFor();
await desk.page.evaluate(() => fetch("/v1/sessions", { method: "DELETE" }));
await eva.offline(false);
await eva.page.getByText("Det du har gjort finns kvar på den här enheten").waitFor();
await logIn(eva.page, "eva@cellar.example");
await chip(eva.page, "Allt är skickat");
assert.equal((await api(eva.page, path)).fields.cause, "Frost i januari");

// She logs out with something unsent; whoever comes next sees none of it, and she finds it again.
await eva.page.getByRole("link", { name: "Ärenden" }).click();
await eva.page.getByText("Nytt ärende").click();
await eva.page.getByLabel("Rubrik").fill("Hennes egen anteckning");
await eva.page.getByText("Allt är skickat").waitFor();
await logOut(eva.page);
await eva.page.getByRole("heading", { name: "Logga in" }).waitFor();
await signUp(eva.page, "kurt@cellar.example", "Vinden AB", "Kurt Klang");
await chip(eva.page, "Allt är skickat");
await eva.page.getByText("Det finns inga ärenden än.").waitFor();
assert.equal(await eva.page.getByLabel("Rubrik").isVisible(), false);
await logOut(eva.page);
await logIn(eva.page, "eva@cellar.example");
await eva.page.getByRole("link", { name: "Läcka i källaren" }).waitFor();
await has(eva.page.getByLabel("Rubrik"), "Hennes egen anteckning");
await eva.page.screenshot({ path: `${SHOTS}/records-phone.png`, fullPage: true });

await desk.leave();
await eva.context.close();
await browser.close();
console.log("a phone in a cellar: ok");
