// One try to do something: while its answer is unknown, the same content is sent under the same key.

import { useRef } from "preact/hooks";

export function useAttempt(): { key: (content: unknown) => string; done: () => void } {
  const attempt = useRef<{ key: string; content: string } | null>(null);
  return {
    key(content) {
      const text = JSON.stringify(content);
      if (attempt.current?.content !== text) attempt.current = { key: crypto.randomUUID(), content: text };
      return attempt.current.key;
    },
    /** The service has answered: what is sent next is something new. */
    done() {
      attempt.current = null;
    },
  };
}
