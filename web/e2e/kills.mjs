// Line 2 of what is promised: the browser is killed at random moments while records are made. None is lost, and none is
// there twice. `KILLS` says how often, `SEED` repeats the moments.

import assert from "node:assert/strict";
import { api, chip, kill, logIn, phone, signUp } from "./phone.mjs";

const KILLS = Number(process.env.KILLS ?? 4);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const EMAIL = "eva@kills.example";
/** Moments after the press, in milliseconds, of a simple generator of numbers. */
let state = SEED;
const moment = () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return (state >>> 16) % 400;
};

console.log(`kills: SEED=${SEED}, ${KILLS} times`);
let eva = await phone();
await signUp(eva.page, EMAIL, "Verkstad AB", "Eva Ek");
await chip(eva.page, "Allt är skickat");
const seen = { saved: 0, begun: 0 };
for (let n = 0; n < KILLS; n += 1) {
  await eva.page.goto("/");
  await eva.page.getByText("Nytt ärende").click();
  await eva.page.getByLabel("Rubrik").fill(`Nummer ${n}`);
  await eva.page.getByLabel("Vad har hänt").fill("Det som har hänt");
  // What was typed is on the disk some milliseconds later; what is pressed is on it before the page says so.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const pressed = eva.page.getByRole("button", { name: "Skapa", exact: true }).click().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, moment()));
  await kill(eva);
  await pressed;
  eva = await phone();
  await eva.page.goto("/");
  const list = eva.page.getByRole("heading", { name: "Ärenden" });
  const door = eva.page.getByRole("heading", { name: "Logga in" });
  await list.or(door).waitFor();
  // A browser that is killed may lose the cookie of a session that has just begun.
  await new Promise((resolve) => setTimeout(resolve, 500));
  if (await door.isVisible()) await logIn(eva.page, EMAIL);
  await chip(eva.page, "Allt är skickat");
  const made = (await api(eva.page, "/v1/records?limit=100")).records.filter((it) => it.title === `Nummer ${n}`);
  if (made.length === 1) {
    seen.saved += 1;
    continue;
  }
  assert.equal(made.length, 0, "it is there once");
  // Then it is as it was typed, and is made now.
  const title = eva.page.getByLabel("Rubrik");
  await title.waitFor();
  assert.equal(await title.inputValue(), `Nummer ${n}`, "what was begun is there");
  seen.begun += 1;
  await eva.page.getByRole("button", { name: "Skapa", exact: true }).click();
  await eva.page.getByRole("heading", { name: `Nummer ${n}` }).waitFor();
  await chip(eva.page, "Allt är skickat");
}
const { records } = await api(eva.page, "/v1/records?limit=100");
const titles = records.map((it) => it.title).sort();
assert.deepEqual(titles, Array.from({ length: KILLS }, (_, n) => `Nummer ${n}`).sort(), "each is there once");
await eva.context.close();
console.log(`kills: ${seen.saved} were sent, ${seen.begun} were still as they were typed; none lost, none twice: ok`);
