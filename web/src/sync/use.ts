// What pages see of a device.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Device } from "./device.ts";
import type { Entry } from "./engine.ts";

export const DeviceContext = createContext<Device | null>(null);

/** The device of whoever is logged in. */
export function useDevice(): Device {
  const device = useContext(DeviceContext);
  if (!device) throw new Error("only pages of somebody who is logged in have a device");
  return device;
}

/** What a look at the device finds, again after each change of it. */
export function useKept<T>(look: (device: Device) => T): T {
  const device = useDevice();
  const [, again] = useState(0);
  useEffect(() => device.subscribe(() => again((n) => n + 1)), [device]);
  return look(device);
}

/** What the service says at a path: at first what it said before, where it cannot be asked. */
export function useFact<T>(path: string | null): T | undefined {
  const device = useDevice();
  const [fact, set] = useState<T>();
  useEffect(() => {
    let isOld = false;
    set(undefined);
    if (path) device.ask<T>(path).then((it) => isOld || set(() => it));
    return () => {
      isOld = true;
    };
  }, [device, path]);
  return fact;
}

/** Whether its person has to decide about it. */
export const needsSomebody = (entry: Entry): boolean => entry.halted !== undefined;
