// Where the person is: the address in the browser. Links are links.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

export interface Place {
  path: string;
  /** What is behind the `#`: a token, which no server sees. */
  token: string;
}

const here = (): Place => ({ path: location.pathname, token: location.hash.slice(1) });

export const PlaceContext = createContext<Place>({ path: "/", token: "" });

export function usePlace(): Place {
  return useContext(PlaceContext);
}

export function go(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** Follows the address, and takes presses on links of ours without loading the page again. */
export function useRouter(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const moved = () => {
      setPlace(here());
      scrollTo(0, 0);
    };
    const pressed = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
      if (!link || !isPlain || link.target || link.origin !== location.origin) return;
      event.preventDefault();
      go(link.pathname + link.hash);
    };
    addEventListener("popstate", moved);
    addEventListener("hashchange", moved);
    document.addEventListener("click", pressed);
    return () => {
      removeEventListener("popstate", moved);
      removeEventListener("hashchange", moved);
      document.removeEventListener("click", pressed);
    };
  }, []);
  return place;
}
