// A browser with people in it, each with cookies of their own. Whatever a page says that it should not fails the test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const BASE = process.env.BASE;
const SHOTS = process.env.SHOTS;

export async function start() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
}

/** Somebody at a device. */
export async function person(browser, { locale = "sv-SE", dark = false, phone = false } = {}) {
  const context = await browser.newContext({
    baseURL: BASE,
    locale,
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? { width: 360, height: 740 } : { width: 1200, height: 800 },
  });
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("console", (message) => {
    // An answer that refuses is said by the browser too.
    const isRefusal = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isRefusal) wrong.push(`console: ${message.text()}`);
  });
  await page.exposeFunction("violated", (what) => wrong.push(`policy: ${what}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => violated(`${event.effectiveDirective} ${event.blockedURI}`));
  });
  return {
    page,
    /** Looks at what is shown: for people who see it by ear or hand, and for the file of pictures. */
    async look(name) {
      await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
      // Outside of the page's own policy, which lets no other script in.
      const session = await context.newCDPSession(page);
      const { frameTree } = await session.send("Page.getFrameTree");
      const world = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
      const run = (expression) => session.send("Runtime.evaluate", {
        expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true,
      });
      await run(axe);
      const { result } = await run(
        "axe.run().then(it => JSON.stringify([it.passes.length, it.violations.map(v => [v.id, v.nodes.map(n => n.html)])]))",
      );
      const [passes, violations] = JSON.parse(result.value);
      assert.deepEqual(violations, [], `${name}: what axe finds`);
      assert.ok(passes > 10, `${name}: axe looked at ${passes} things`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, `${name} is wider than its screen`);
    },
    async leave() {
      assert.deepEqual(wrong, []);
      await context.close();
    },
  };
}
