// The web client: which page is shown, and who is logged in.

import "./app.css";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Me, type Problem, askAs, call } from "./api.ts";
import { Account } from "./pages/account.tsx";
import { CompanyPage } from "./pages/company.tsx";
import { Events } from "./pages/events.tsx";
import { Inbox } from "./pages/inbox.tsx";
import { InvitationPage } from "./pages/invitation.tsx";
import { Outbox, SyncChip } from "./pages/outbox.tsx";
import { Password } from "./pages/password.tsx";
import { People } from "./pages/people.tsx";
import { RecordPage } from "./pages/record.tsx";
import { Records } from "./pages/records.tsx";
import { SignIn, logOut } from "./pages/sign-in.tsx";
import { SignUp } from "./pages/sign-up.tsx";
import { Device } from "./sync/device.ts";
import { keepMe, lastMe } from "./sync/me.ts";
import { DeviceContext } from "./sync/use.ts";
import { type Place, PlaceContext, go, usePlace, useRouter } from "./router.ts";
import { LanguageContext, type Language, firstLanguage, keepLanguage, languages, useTexts } from "./texts.ts";
import { ProblemText } from "./ui/form.tsx";

/** Nobody, somebody, or what kept us from knowing. */
type Who = { state: "unknown" } | { state: "nobody"; isEnded?: boolean } | { state: "failed"; problem: Problem } | { state: "in"; me: Me };

/** The device of whoever is logged in; it asks them to log in again when the service does. */
function useDeviceOf(who: Who, leave: () => void, fail: (problem: Problem) => void): Device | null {
  const [device, setDevice] = useState<Device | null>(null);
  const me = who.state === "in" ? who.me : null;
  const name = me && `${me.customer.id} ${me.user.id} ${me.user.role}`;
  useEffect(() => {
    if (!me) return;
    let opened: Device | null = null;
    let isOver = false;
    let hasLeft = false;
    Device.open(me).then((it) => {
      if (isOver) return it.close();
      opened = it;
      it.subscribe(() => {
        if (it.status.reached !== "log-in" || hasLeft) return;
        hasLeft = true;
        leave();
      });
      setDevice(it);
    }, (error: unknown) => fail({ status: 0, code: "storage", detail: String(error), request_id: "" }));
    return () => {
      isOver = true;
      opened?.close();
      setDevice(null);
    };
  }, [name]);
  return device;
}

function App() {
  const place = useRouter();
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [who, setWho] = useState<Who>({ state: "unknown" });
  const look = async (isEnded = false) => {
    // Whoever was here last sees what the device keeps, before the service has said that they are logged in still.
    const last = isEnded ? undefined : await lastMe().catch(() => undefined);
    if (last) setWho({ state: "in", me: last });
    askAs(null);
    const answer = await call<Me>("GET", "/v1/session");
    if (answer.ok) {
      await keepMe(answer.body).catch(() => {});
      return setWho({ state: "in", me: answer.body });
    }
    if (answer.problem.status === 401) {
      await keepMe(null).catch(() => {});
      return setWho({ state: "nobody", isEnded: isEnded || last !== undefined });
    }
    if (!last) setWho({ state: "failed", problem: answer.problem });
  };
  const device = useDeviceOf(who, () => void look(true), (problem) => setWho({ state: "failed", problem }));
  const leave = async () => {
    const problem = await logOut();
    if (problem) return alert(languages[language].problem_offline);
    await keepMe(null);
    await device?.forget();
    askAs(null);
    go("/");
    setWho({ state: "nobody" });
  };
  useEffect(() => void look(), []);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = who.state === "in" ? `${who.me.customer.name} – AM Service` : "AM Service";
  }, [who.state]);
  useEffect(() => {
    // Whoever listens to the page hears that it is another one; whoever is typing already is left alone.
    const at = document.activeElement;
    const isFree = at === null || at === document.body || at.closest("header, a") !== null;
    if (!isFirst.current && isFree) document.getElementById("page")?.focus();
    isFirst.current = false;
  }, [place.path]);
  useEffect(() => {
    document.documentElement.lang = language;
    keepLanguage(language);
  }, [language]);
  return (
    <LanguageContext.Provider value={{ language, choose: setLanguage }}>
      <PlaceContext.Provider value={place}>
        <DeviceContext.Provider value={device}>
          <Header who={who} leave={leave} device={device} />
          <div id="page" tabIndex={-1}><Page place={place} who={who} look={look} device={device} /></div>
        </DeviceContext.Provider>
      </PlaceContext.Provider>
    </LanguageContext.Provider>
  );
}

function Header({ who, leave, device }: { who: Who; leave: () => void; device: Device | null }) {
  const texts = useTexts();
  const { path } = usePlace();
  const isPhone = useIsPhone();
  const language = <LanguageChoice />;
  const others = who.state === "in" && (
    <>
      <a href="/people">{texts.people}</a>
      {(who.me.user.role === "admin" || who.me.user.role === "owner") && (
        <>
          <a href="/security">{texts.security}</a>
          <a href="/company">{texts.company}</a>
        </>
      )}
      <a href="/account">{texts.account}</a>
      <button type="button" class="quiet" onClick={leave}>{texts.signed_out}</button>
    </>
  );
  return (
    <header>
      <a class="brand" href="/">{who.state === "in" ? who.me.customer.name : "AM Service"}</a>
      {device && <SyncChip />}
      {who.state === "in" && (
        <nav aria-label="AM Service">
          <a href="/" aria-current={path === "/" ? "page" : undefined}>{texts.records}</a>
          <a href="/inbox" aria-current={path === "/inbox" ? "page" : undefined}>{texts.inbox}</a>
          {isPhone
            ? <details key={path} class="more"><summary>{texts.menu}</summary><div>{others}{language}</div></details>
            : others}
        </nav>
      )}
      {!(isPhone && who.state === "in") && language}
    </header>
  );
}

function LanguageChoice() {
  const texts = useTexts();
  return (
    <LanguageContext.Consumer>
      {({ language, choose }) => (
        <select aria-label={texts.language_label} value={language}
          onChange={(event) => choose(event.currentTarget.value as Language)}>
          {Object.entries(languages).map(([code, it]) => <option key={code} value={code}>{it.language}</option>)}
        </select>
      )}
    </LanguageContext.Consumer>
  );
}

/** Whether the screen is that of a phone: what is used most is then at its lower edge, within reach of a thumb. */
function useIsPhone(): boolean {
  const narrow = matchMedia("(max-width: 640px)");
  const [is, set] = useState(narrow.matches);
  useEffect(() => {
    const look = () => set(narrow.matches);
    narrow.addEventListener("change", look);
    return () => narrow.removeEventListener("change", look);
  }, []);
  return is;
}

function Page({ place, who, look, device }: { place: Place; who: Who; look: () => Promise<void>; device: Device | null }) {
  const texts = useTexts();
  // What a link opens is for whoever has it, logged in or not.
  if (place.path === "/sign-up") return <SignUp signedIn={look} />;
  if (place.path === "/invitation") return <InvitationPage key={place.token} signedIn={look} />;
  if (place.path === "/password") return <Password key={place.token} />;
  if (who.state === "unknown") return <main><p>{texts.loading}</p></main>;
  if (who.state === "failed") {
    return <main><ProblemText problem={who.problem} /><button type="button" onClick={look}>{texts.retry}</button></main>;
  }
  if (who.state === "nobody") return <SignIn signedIn={look} isEnded={who.isEnded ?? false} />;
  if (!device) return <main><p>{texts.loading}</p></main>;
  const record = /^\/records\/([^/]+)$/.exec(place.path)?.[1];
  if (record) return <RecordPage key={record} id={record} me={who.me} />;
  if (place.path === "/") return <Records me={who.me} />;
  if (place.path === "/outbox") return <Outbox />;
  if (place.path === "/inbox") return <Inbox me={who.me} />;
  if (place.path === "/people") return <People me={who.me} />;
  if (place.path === "/company") return <CompanyPage me={who.me} />;
  if (place.path === "/security") return <Events />;
  if (place.path === "/account") return <Account />;
  return <main><h1>{texts.not_found_title}</h1><p><a href="/">{texts.back}</a></p></main>;
}

// What the pages are made of is there without a connection too. No text becomes a script but by this one policy, which gives
// out one address.
interface Policies {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(it: string): string };
}
if ("serviceWorker" in navigator) {
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  const policy = trustedTypes?.createPolicy("worker", { createScriptURL: () => "/worker.js" });
  const registered = navigator.serviceWorker.register(policy?.createScriptURL("") ?? "/worker.js");
  // A tablet on a wall is not started anew for weeks.
  const look = () => void registered.then((it) => it.update()).catch(() => {});
  setInterval(look, 60 * 60 * 1000);
}

const root = document.getElementById("app");
if (root) render(<App />, root);
