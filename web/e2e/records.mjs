// Records that people work with: a deviation with its form, through its states, found again, and changed by two at once.

import assert from "node:assert/strict";
import { person, start } from "./browser.mjs";
import { newestLetter } from "./outbox.mjs";

const PASSWORD = "two lathes and a mill";
const browser = await start();

const eva = await person(browser, { phone: true });
await eva.page.goto("/sign-up");
await eva.page.getByLabel("E-postadress").fill("berit@example.com");
await eva.page.getByRole("button", { name: "Skicka länken" }).click();
await eva.page.getByRole("heading", { name: "Titta i din e-post" }).waitFor();
await eva.page.goto(newestLetter("berit@example.com").link);
await eva.page.getByLabel("Företag").fill("Plåt AB");
await eva.page.getByLabel("Ditt namn").fill("Berit Berg");
await eva.page.getByLabel("Nytt lösenord").fill(PASSWORD);
await eva.page.getByRole("button", { name: "Skapa kontot" }).click();
await eva.page.getByText("Det finns inga ärenden än.").waitFor();

// A new deviation has the fields of its type; one is asked for only where another has a value.
await eva.page.getByText("Nytt ärende").click();
await eva.page.getByLabel("Rubrik").fill("Oljeläcka vid SKF6205-2RS");
assert.equal(await eva.page.getByLabel("Allvar").inputValue(), "medium", "the form's default");
assert.equal(await eva.page.getByLabel("Maskinen står").count(), 0);
await eva.page.getByLabel("Allvar").selectOption({ label: "Hög" });
await eva.page.getByLabel("Maskinen står").selectOption({ label: "Ja" });
await eva.page.getByLabel("Vad har hänt").fill("Tätningen är sliten.");
await eva.look("new-deviation");
await eva.page.getByRole("button", { name: "Skapa", exact: true }).click();
await eva.page.getByText("DEV-1").waitFor();
await eva.page.getByText("Rapporterad").waitFor();
const record = new URL(eva.page.url()).pathname;

// It cannot be closed before it says what was done.
await eva.page.getByRole("button", { name: "Flytta till Klar" }).click();
await eva.page.getByText("Det här krävs.").waitFor();
await eva.look("record-incomplete");
await eva.page.getByLabel("Klart senast").fill("2020-01-31");
await eva.page.getByLabel("Tilldelat").selectOption({ label: "Berit Berg" });
await eva.page.getByRole("button", { name: "Spara" }).click();
await eva.page.getByText("Sparat.").waitFor();

// It is found by the beginnings of words, among what is hers, and among what is due.
await eva.page.getByRole("link", { name: "Tillbaka" }).click();
for (const [label, which] of [["Öppna"], ["Mina, öppna"], ["Ska vara klara i dag"], ["Alla"]].map(([it]) => ["Vilka", it])) {
  await eva.page.getByLabel(label).selectOption({ label: which });
  await eva.page.getByRole("link", { name: "Oljeläcka" }).waitFor();
}
await eva.page.getByLabel("Sök").fill("oljel 6205");
await eva.page.getByRole("link", { name: "Oljeläcka" }).waitFor();
await eva.look("found");
await eva.page.getByLabel("Sök").fill("växellåda");
await eva.page.getByText("Inget hittades.").waitFor();

// An inspection has a checklist, each line with a verdict.
const desk = await eva.page.context().newPage();
await desk.setViewportSize({ width: 1200, height: 900 });
await desk.goto("/");
await desk.getByText("Nytt ärende").click();
await desk.locator("details").getByLabel("Typ").selectOption({ label: "Inspektion" });
await desk.locator("details").getByLabel("Rubrik").fill("Månadskontroll, svarv 3");
for (const line of await desk.locator("fieldset.line").all()) await line.getByLabel("Inte OK").check();
await desk.getByRole("button", { name: "Skapa", exact: true }).click();
await desk.getByText("INS-1").waitFor();
await desk.getByRole("button", { name: "Flytta till Klar" }).click();
await desk.getByText("Klar", { exact: true }).waitFor();

// A number is what was typed, sign by sign.
await desk.getByRole("link", { name: "Tillbaka" }).click();
await desk.getByText("Nytt ärende").click();
await desk.locator("details").getByLabel("Typ").selectOption({ label: "Serviceorder" });
await desk.locator("details").getByLabel("Rubrik").fill("Smörjning");
await desk.locator("details").getByLabel("Tid").pressSequentially("0.05");
await desk.getByRole("button", { name: "Skapa", exact: true }).click();
await desk.getByRole("heading", { name: "Smörjning" }).waitFor();
assert.equal(await desk.getByLabel("Tid").inputValue(), "0.05");

// Two change different fields of one record: both stay, and nobody is asked.
await desk.goto(record);
await desk.getByLabel("Orsak").waitFor();
await eva.page.goto(record);
await eva.page.getByLabel("Orsak").fill("Ålder");
await eva.page.getByRole("button", { name: "Spara" }).click();
await eva.page.getByText("Sparat.").waitFor();
await desk.getByLabel("Åtgärd", { exact: false }).fill("Bytt tätning");
await desk.getByRole("button", { name: "Spara" }).click();
await desk.getByText("Sparat.").waitFor();
assert.equal(await desk.getByLabel("Orsak").inputValue(), "Ålder");
await desk.getByRole("button", { name: "Flytta till Klar" }).click();
await desk.getByText("Klar", { exact: true }).waitFor();
await desk.screenshot({ path: `${process.env.SHOTS}/record-done.png`, fullPage: true });

await eva.leave();
await browser.close();
console.log("records that people work with: ok");
