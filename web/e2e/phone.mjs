// A phone: a browser that can be killed, and is started again with what it has kept.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";
import { newestLetter } from "./outbox.mjs";

const { BASE, CHROMIUM, DATA } = process.env;
const PASSWORD = "two lathes and a mill";
const PROFILE = `${DATA}/phone`;

/** A browser that is started again with what it has kept. */
export async function phone() {
  const context = await chromium.launchPersistentContext(PROFILE, {
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    baseURL: BASE,
    locale: "sv-SE",
    viewport: { width: 390, height: 844 },
  });
  const page = context.pages()[0];
  page.on("dialog", (dialog) => dialog.accept());
  return { context, page, offline: (is) => context.setOffline(is) };
}

/** The browser dies as it does when a phone needs its memory: whatever it was about to do. */
export async function kill({ context }) {
  execFileSync("pkill", ["-9", "-f", PROFILE]);
  await context.close().catch(() => {});
}

export async function signUp(page, email, company, name) {
  await page.goto("/sign-up");
  await page.getByLabel("E-postadress").fill(email);
  await page.getByRole("button", { name: "Skicka länken" }).click();
  await page.getByRole("heading", { name: "Titta i din e-post" }).waitFor();
  await page.goto(newestLetter(email).link);
  await page.getByLabel("Företag").fill(company);
  await page.getByLabel("Ditt namn").fill(name);
  await page.getByLabel("Nytt lösenord").fill(PASSWORD);
  await page.getByRole("button", { name: "Skapa kontot" }).click();
  await page.getByRole("heading", { name: "Ärenden" }).waitFor();
}

export async function logIn(page, email) {
  await page.getByLabel("E-postadress eller namn").fill(email);
  await page.getByLabel("Lösenord", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Logga in" }).click();
}

export async function logOut(page) {
  await page.getByText("Mer", { exact: true }).click();
  await page.getByRole("button", { name: "Logga ut" }).click();
}

export const chip = (page, text) => page.getByRole("status").getByText(text).waitFor({ timeout: 10_000 });
export const api = (page, path) => page.evaluate((it) => fetch(it).then((answer) => answer.json()), path);
/** Until a field has a value. */
export async function has(field, value) {
  for (const end = Date.now() + 10_000; (await field.inputValue()) !== value;) {
    assert.ok(Date.now() < end, `${value} is not there, but ${await field.inputValue()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
