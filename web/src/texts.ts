// What the client says, in the person's language. A text that a language lacks does not compile.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { de } from "./locales/de.ts";
import { en, type Texts } from "./locales/en.ts";
import { sv } from "./locales/sv.ts";

export const languages = { sv, en, de };
export type Language = keyof typeof languages;

const KEPT_AS = "language";

/** The language that the person chose, or the first of the browser's that we speak. */
export function firstLanguage(): Language {
  const chosen = localStorage.getItem(KEPT_AS);
  const wanted = [chosen ?? "", ...navigator.languages].map((it) => it.slice(0, 2));
  return wanted.find((it): it is Language => it in languages) ?? "en";
}

export function keepLanguage(language: Language): void {
  localStorage.setItem(KEPT_AS, language);
}

export const LanguageContext = createContext<{ language: Language; choose: (language: Language) => void }>({
  language: "en",
  choose: () => {},
});

export function useTexts(): Texts {
  return languages[useContext(LanguageContext).language];
}

export function useLanguage(): Language {
  return useContext(LanguageContext).language;
}

/** A time as people of the language write it. */
export function useTime(): (time: string) => string {
  const { language } = useContext(LanguageContext);
  return (time) => new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}
