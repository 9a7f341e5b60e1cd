// One try to do something: while its answer is unknown, the same content is sent under the same key.

import { useRef } from "preact/hooks";
import type { Answer } from "./api.ts";

interface Attempt {
  /** Sends the content under its key. A problem that the service has told ends the try. */
  send: <T>(content: unknown, send: (key: string) => Promise<Answer<T>>) => Promise<Answer<T>>;
  /** It is done: what is sent next is something new. */
  done: () => void;
}

export function useAttempt(): Attempt {
  const attempt = useRef<{ key: string; content: string } | null>(null);
  const done = () => {
    attempt.current = null;
  };
  return {
    async send(content, send) {
      const text = JSON.stringify(content);
      if (attempt.current?.content !== text) attempt.current = { key: crypto.randomUUID(), content: text };
      const answer = await send(attempt.current.key);
      if (!answer.ok && answer.problem.code !== "offline") done();
      return answer;
    },
    done,
  };
}
