// The web client: which page is shown, and who is logged in.

import "./app.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Me, type Problem, call } from "./api.ts";
import { Account } from "./pages/account.tsx";
import { CompanyPage } from "./pages/company.tsx";
import { Events } from "./pages/events.tsx";
import { InvitationPage } from "./pages/invitation.tsx";
import { Password } from "./pages/password.tsx";
import { People } from "./pages/people.tsx";
import { RecordPage } from "./pages/record.tsx";
import { Records } from "./pages/records.tsx";
import { SignIn, logOut } from "./pages/sign-in.tsx";
import { SignUp } from "./pages/sign-up.tsx";
import { type Place, PlaceContext, go, useRouter } from "./router.ts";
import { LanguageContext, type Language, firstLanguage, keepLanguage, languages, useTexts } from "./texts.ts";
import { ProblemText } from "./ui/form.tsx";

/** Nobody, somebody, or what kept us from knowing. */
type Who = { state: "unknown" } | { state: "nobody" } | { state: "failed"; problem: Problem } | { state: "in"; me: Me };

function App() {
  const place = useRouter();
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [who, setWho] = useState<Who>({ state: "unknown" });
  const look = async () => {
    const answer = await call<Me>("GET", "/v1/session");
    if (answer.ok) setWho({ state: "in", me: answer.body });
    else if (answer.problem.status === 401) setWho({ state: "nobody" });
    else setWho({ state: "failed", problem: answer.problem });
  };
  useEffect(() => void look(), []);
  useEffect(() => {
    document.documentElement.lang = language;
    keepLanguage(language);
  }, [language]);
  return (
    <LanguageContext.Provider value={{ language, choose: setLanguage }}>
      <PlaceContext.Provider value={place}>
        <Header who={who} leave={() => logOut().then(() => { go("/"); return look(); })} />
        <Page place={place} who={who} look={look} />
      </PlaceContext.Provider>
    </LanguageContext.Provider>
  );
}

function Header({ who, leave }: { who: Who; leave: () => void }) {
  const texts = useTexts();
  return (
    <header>
      <a class="brand" href="/">{who.state === "in" ? who.me.customer.name : "AM Service"}</a>
      {who.state === "in" && (
        <nav aria-label="AM Service">
          <a href="/">{texts.records}</a>
          <a href="/people">{texts.people}</a>
          {(who.me.user.role === "admin" || who.me.user.role === "owner") && (
            <>
              <a href="/security">{texts.security}</a>
              <a href="/company">{texts.company}</a>
            </>
          )}
          <a href="/account">{texts.account}</a>
          <button type="button" class="quiet" onClick={leave}>{texts.signed_out}</button>
        </nav>
      )}
      <LanguageContext.Consumer>
        {({ language, choose }) => (
          <select aria-label={texts.language_label} value={language}
            onChange={(event) => choose(event.currentTarget.value as Language)}>
            {Object.entries(languages).map(([code, it]) => <option key={code} value={code}>{it.language}</option>)}
          </select>
        )}
      </LanguageContext.Consumer>
    </header>
  );
}

function Page({ place, who, look }: { place: Place; who: Who; look: () => Promise<void> }) {
  const texts = useTexts();
  // What a link opens is for whoever has it, logged in or not.
  if (place.path === "/sign-up") return <SignUp signedIn={look} />;
  if (place.path === "/invitation") return <InvitationPage key={place.token} signedIn={look} />;
  if (place.path === "/password") return <Password key={place.token} />;
  if (who.state === "unknown") return <main><p>{texts.loading}</p></main>;
  if (who.state === "failed") {
    return <main><ProblemText problem={who.problem} /><button type="button" onClick={look}>{texts.retry}</button></main>;
  }
  if (who.state === "nobody") return <SignIn signedIn={look} />;
  const record = /^\/records\/([^/]+)$/.exec(place.path)?.[1];
  if (record) return <RecordPage key={record} id={record} me={who.me} />;
  if (place.path === "/") return <Records me={who.me} />;
  if (place.path === "/people") return <People me={who.me} />;
  if (place.path === "/company") return <CompanyPage me={who.me} />;
  if (place.path === "/security") return <Events />;
  if (place.path === "/account") return <Account />;
  return <main><h1>{texts.not_found_title}</h1><p><a href="/">{texts.back}</a></p></main>;
}

const root = document.getElementById("app");
if (root) render(<App />, root);
