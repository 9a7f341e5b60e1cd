// What pages see of a device.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Device } from "./device.ts";

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

/** What the service says at a path: at first what it said before. */
export function useFact<T>(path: string | null): T | undefined {
  const device = useDevice();
  const [fact, set] = useState<T>();
  useEffect(() => {
    let isOld = false;
    set(undefined);
    const show = (it: T | undefined) => isOld || it === undefined || set(() => it);
    if (path) void device.fact<T>(path).then(show).then(() => device.ask<T>(path)).then(show);
    return () => {
      isOld = true;
    };
  }, [device, path]);
  return fact;
}
