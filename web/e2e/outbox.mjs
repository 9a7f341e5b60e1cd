// Letters, as whoever they go to finds them.

import { readFileSync, readdirSync } from "node:fs";

/** The newest letter to an address: its subject and where its link leads. */
export function newestLetter(to) {
  const folder = `${process.env.DATA}/outbox`;
  const letters = readdirSync(folder).filter((name) => name.endsWith(".eml")).sort().reverse();
  for (const name of letters) {
    const text = readFileSync(`${folder}/${name}`, "utf8");
    if (!new RegExp(`^To: .*<?${to.replace(".", "\\.")}>?`, "m").test(text)) continue;
    const plain = text.replaceAll("=\r\n", "").replaceAll("=3D", "=");
    return { link: /^http\S+/m.exec(plain)[0] };
  }
  throw new Error(`nobody wrote to ${to}`);
}
