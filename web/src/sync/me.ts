// Who was logged in last on this device, for when nobody can be asked. It is in a database, and not in the browser's simpler
// store, which is written to the disk some time later.

import { type IDBPDatabase, openDB } from "idb";
import type { Me } from "../api.ts";

const open = (): Promise<IDBPDatabase> =>
  openDB("am-device", 1, { upgrade: (made) => void made.createObjectStore("facts") });

export async function lastMe(): Promise<Me | undefined> {
  const database = await open();
  const me = await database.get("facts", "me");
  database.close();
  return me;
}

export async function keepMe(me: Me | null): Promise<void> {
  const database = await open();
  const facts = database.transaction("facts", "readwrite", { durability: "strict" });
  await Promise.all([me ? facts.store.put(me, "me") : facts.store.delete("me"), facts.done]);
  database.close();
}
