// People come to work: they sign up, invite each other, edit one record, forget passwords, and go.

import assert from "node:assert/strict";
import { person, start } from "./browser.mjs";
import { newestLetter } from "./outbox.mjs";

const PASSWORD = "two lathes and a mill";
const browser = await start();

// Eva signs her company up, in Swedish.
const eva = await person(browser);
await eva.page.goto("/");
await eva.look("sign-in");
await eva.page.getByRole("link", { name: "Skapa konto för ett företag" }).click();
await eva.page.getByLabel("E-postadress").fill("eva@example.com");
await eva.look("sign-up-address");
await eva.page.getByRole("button", { name: "Skicka länken" }).click();
await eva.page.getByRole("heading", { name: "Titta i din e-post" }).waitFor();
await eva.page.goto(newestLetter("eva@example.com").link);
await eva.page.getByLabel("Företag").fill("Verkstad AB");
await eva.page.getByLabel("Ditt namn").fill("Eva Ek");
await eva.page.getByLabel("Nytt lösenord").fill("kort");
await eva.page.getByRole("button", { name: "Skapa kontot" }).click();
await eva.page.getByText("Ta minst 15 tecken.").waitFor();
await eva.page.getByLabel("Nytt lösenord").fill("sommar2026sommar");
await eva.page.getByRole("button", { name: "Skapa kontot" }).click();
await eva.page.getByText("Det är lätt att gissa.").waitFor();
await eva.look("sign-up-company");
await eva.page.getByLabel("Nytt lösenord").fill(PASSWORD);
await eva.page.getByRole("button", { name: "Skapa kontot" }).click();
await eva.page.getByText("Det finns inga ärenden än.").waitFor();
assert.equal(new URL(eva.page.url()).pathname, "/");
const kept = await eva.page.evaluate(() => ({ script: document.cookie, stored: { ...localStorage } }));
assert.equal(kept.script, "", "no script has the session");
assert.deepEqual(kept.stored, { language: "sv" });

// She reports something.
await eva.page.getByText("Nytt ärende").click();
await eva.page.getByLabel("Rubrik").fill("Spricka i en svets, linje 7");
await eva.page.getByRole("button", { name: "Skapa", exact: true }).click();
await eva.page.getByText("Version 1").waitFor();
const record = new URL(eva.page.url()).pathname;
await eva.look("record");

// She invites Ida, who has no address, by a link and a code to print.
await eva.page.getByRole("link", { name: "Personer" }).click();
await eva.page.getByRole("button", { name: "Bjud in" }).click();
await eva.page.getByRole("img", { name: "QR" }).waitFor();
const invitation = await eva.page.locator(".link").textContent();
await eva.look("people-invited");

// Ida comes in, on a phone, in the dark, in English.
const ida = await person(browser, { locale: "en-GB", dark: true, phone: true });
await ida.page.goto(invitation);
await ida.page.getByRole("heading", { name: "Invitation to Verkstad AB" }).waitFor();
await ida.page.getByLabel("Your name").fill("Ida Ek");
await ida.page.getByLabel("The name that you log in with").fill("ida@norr");
await ida.page.getByLabel("New password").fill(PASSWORD);
await ida.page.getByRole("button", { name: "Join" }).click();
await ida.page.getByText("This name ends otherwise").waitFor();
await ida.look("invitation");
await ida.page.getByLabel("The name that you log in with").fill("ida@verkstad");
await ida.page.getByRole("button", { name: "Join" }).click();
await ida.page.getByRole("link", { name: "Spricka i en svets, linje 7" }).click();
await ida.page.getByText("Version 1").waitFor();

// Both edit the record; who is later sees what the other wrote, and nothing is lost.
await eva.page.goto(record);
await eva.page.getByLabel("Rubrik").fill("Spricka i en svets, linje 7: mätt");
await ida.page.getByLabel("Title").fill("Crack in a weld, line 7: welded anew");
await ida.page.getByRole("button", { name: "Save" }).click();
await ida.page.getByText("Saved.").waitFor();
await ida.page.getByRole("button", { name: "Follow", exact: true }).click();
await ida.page.getByRole("button", { name: "Stop following" }).waitFor();
await ida.look("record-phone");
await eva.page.getByRole("button", { name: "Spara" }).click();
await eva.page.getByText("Ida Ek har ändrat ärendet under tiden.").waitFor();
await eva.page.getByText("Crack in a weld, line 7: welded anew").waitFor();
await eva.look("record-changed-meanwhile");
await eva.page.getByRole("radio", { name: "mätt" }).check();
await eva.page.getByRole("alert").getByRole("button", { name: "Spara" }).click();
await eva.page.getByText("Version 3").waitFor();
const titles = await eva.page.evaluate(
  (path) => fetch(`/v1${path}/revisions`).then((it) => it.json()).then((it) => it.revisions.map((one) => one.title)),
  record,
);
assert.deepEqual(titles, [
  "Spricka i en svets, linje 7: mätt",
  "Crack in a weld, line 7: welded anew",
  "Spricka i en svets, linje 7",
]);

// Kurt is invited by mail, in German, and comes in with his address.
const kurt = await person(browser, { locale: "de-DE" });
await eva.page.getByRole("combobox", { name: "Språk" }).selectOption("de");
await eva.page.getByRole("link", { name: "Personen" }).click();
await eva.page.getByLabel("E-Mail-Adresse, falls vorhanden").fill("kurt@example.com");
await eva.page.getByRole("button", { name: "Einladen" }).click();
await eva.page.getByText("Ein Brief an kurt@example.com ist unterwegs.").waitFor();
await eva.look("people-german");
await kurt.page.goto(newestLetter("kurt@example.com").link);
assert.equal(await kurt.page.getByLabel("Der Name, mit dem Sie sich anmelden").inputValue(), "kurt@example.com");
await kurt.page.getByLabel("Ihr Name").fill("Kurt Klein");
await kurt.page.getByLabel("Neues Passwort").fill(PASSWORD);
await kurt.page.getByRole("button", { name: "Beitreten" }).click();
await kurt.page.getByRole("heading", { name: "Vorgänge" }).waitFor();

// He forgets his password, and sets another one by a letter.
await kurt.page.getByRole("button", { name: "Abmelden" }).click();
await kurt.page.getByRole("link", { name: "Passwort vergessen" }).click();
await kurt.page.getByLabel("E-Mail-Adresse").fill("kurt@example.com");
await kurt.page.getByRole("button", { name: "Link senden" }).click();
await kurt.page.getByRole("heading", { name: "Sehen Sie in Ihr Postfach" }).waitFor();
await kurt.page.goto(newestLetter("kurt@example.com").link);
await kurt.page.getByLabel("Neues Passwort").fill("drei Drehbänke und eine Säge");
await kurt.look("password");
await kurt.page.getByRole("button", { name: "Passwort setzen" }).click();
await kurt.page.getByText("Ihr Passwort ist gesetzt.").waitFor();
await kurt.page.getByRole("link", { name: "Anmelden" }).click();

// He logs in by the keyboard alone.
await kurt.page.getByLabel("E-Mail-Adresse oder Name").focus();
await kurt.page.keyboard.type("kurt@example.com");
await kurt.page.keyboard.press("Tab");
await kurt.page.keyboard.type(PASSWORD);
await kurt.page.keyboard.press("Enter");
await kurt.page.getByText("Der Name oder das Passwort ist falsch.").waitFor();
await kurt.page.getByLabel("Passwort", { exact: true }).fill("drei Drehbänke und eine Säge");
await kurt.page.keyboard.press("Enter");
await kurt.page.getByRole("heading", { name: "Vorgänge" }).waitFor();
await kurt.page.getByRole("link", { name: "Konto" }).click();
await kurt.page.getByText("diese", { exact: true }).waitFor();
await kurt.look("account");

// Who is removed is out at once.
eva.page.once("dialog", (dialog) => dialog.accept());
await eva.page.getByRole("listitem").filter({ hasText: "Ida Ek" }).getByRole("button", { name: "Entfernen" }).click();
await eva.page.getByText("(nicht mehr hier)").waitFor();
await ida.page.getByLabel("Title").fill("Too late");
await ida.page.getByRole("button", { name: "Save" }).click();
await ida.page.getByText("You are logged out. Log in again.").waitFor();
const owed = await ida.page.evaluate(async () => {
  const { name } = (await indexedDB.databases()).find((it) => it.name !== "am-device");
  const open = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await open(indexedDB.open(name));
  return open(database.transaction("entries").objectStore("entries").getAll());
});
assert.deepEqual(owed.map((it) => it.deed.wanted.title), ["Too late"], "what she wrote is still there");

// What happened is there to look through.
await eva.page.getByRole("link", { name: "Sicherheit" }).click();
await eva.page.getByText("Hat jemanden entfernt: Ida Ek").waitFor();
await eva.page.getByText("Falsches Passwort: Kurt Klein").waitFor();
await eva.look("security");

// A program is let in, and works; then it is let in no more.
await eva.page.getByRole("link", { name: "Unternehmen" }).click();
await eva.page.getByLabel("Zeitzone").selectOption("Europe/Berlin");
await eva.page.getByRole("button", { name: "Speichern" }).click();
await eva.page.getByText("Gespeichert.").waitFor();
await eva.page.getByLabel("Wie heißt es?").fill("ERP");
await eva.page.getByRole("button", { name: "Zulassen" }).click();
const token = await eva.page.locator(".link").textContent();
await eva.look("company");
const works = () => fetch(`${process.env.BASE}/v1/records`, { headers: { authorization: `Bearer ${token}` } });
assert.equal((await works()).status, 200);
await eva.page.getByRole("button", { name: "Widerrufen" }).click();
await eva.page.getByText("widerrufen", { exact: true }).waitFor();
assert.equal((await works()).status, 401);

for (const each of [eva, ida, kurt]) await each.leave();
await browser.close();
console.log("people come to work: ok");
