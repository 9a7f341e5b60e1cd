import { useEffect, useState } from "preact/hooks";
import { type Me, type Role, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { languages, useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";

interface Company {
  name: string;
  short_name: string | null;
  time_zone: string | null;
  language: string | null;
  version: number;
}

interface Token {
  id: string;
  name: string;
  role: Role;
  expires_at: string;
  used_at: string | null;
  revoked: boolean;
}

export function CompanyPage({ me }: { me: Me }) {
  const texts = useTexts();
  return (
    <main>
      <h1>{texts.company}</h1>
      {me.user.role === "owner" && <Settings />}
      <Programs />
    </main>
  );
}

function Settings() {
  const texts = useTexts();
  const [company, setCompany] = useState<Company | null>(null);
  const [saved, setSaved] = useState(false);
  const { busy, problem, run } = useAction();
  useEffect(() => void run(async () => {
    const answer = await call<Company>("GET", "/v1/customer");
    if (!answer.ok) return answer.problem;
    setCompany(answer.body);
    return null;
  }), []);
  if (!company) return <ProblemText problem={problem} />;
  const save = () =>
    run(async () => {
      setSaved(false);
      const { name, short_name, time_zone, language, version } = company;
      const given = Object.entries({ short_name, time_zone, language }).filter(([, value]) => value);
      const body = { name, ...Object.fromEntries(given) };
      const answer = await call<Company>("PUT", "/v1/customer", { body, version });
      if (!answer.ok) return answer.problem;
      setCompany(answer.body);
      setSaved(true);
      return null;
    });
  const set = (changes: Partial<Company>) => setCompany({ ...company, ...changes });
  const zones = ["", ...Intl.supportedValuesOf("timeZone")];
  return (
    <section>
      <Form does={texts.save} busy={busy} problem={problem} submit={save} fields={["name", "short_name", "time_zone"]}>
        <Field label={texts.company_name} name="name" value={company.name} set={(name) => set({ name })} required problem={problem} />
        <Field label={texts.short_name} name="short_name" value={company.short_name ?? ""}
          set={(short_name) => set({ short_name })} problem={problem} />
        <Select label={texts.time_zone} value={company.time_zone ?? ""} set={(time_zone) => set({ time_zone })}
          options={zones.map((zone) => [zone, zone])} />
        <Select label={texts.company_language} value={company.language ?? ""} set={(language) => set({ language })}
          options={[["", ""], ...Object.entries(languages).map(([code, it]): [string, string] => [code, it.language])]} />
      </Form>
      <p role="status">{saved && texts.saved}</p>
    </section>
  );
}

function Programs() {
  const texts = useTexts();
  const time = useTime();
  const [tokens, setTokens] = useState<Token[]>([]);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("member");
  const [secret, setSecret] = useState<string | null>(null);
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const load = async () => {
    const answer = await call<{ tokens: Token[] }>("GET", "/v1/tokens");
    if (!answer.ok) return answer.problem;
    setTokens(answer.body.tokens);
    return null;
  };
  useEffect(() => void run(load), []);
  const letIn = () =>
    run(async () => {
      const body = { name, role, scopes: ["records", "appendices"] };
      const answer = await attempt.send(body, (key) =>
        call<{ token?: string }>("POST", "/v1/tokens", { body, key }));
      if (!answer.ok) return answer.problem;
      attempt.done();
      setSecret(answer.body.token ?? null);
      setName("");
      return load();
    });
  const revoke = (id: string) =>
    run(async () => {
      const answer = await call("DELETE", `/v1/tokens/${id}`);
      return answer.ok ? load() : answer.problem;
    });
  return (
    <section>
      <h2>{texts.programs}</h2>
      <p>{texts.programs_text}</p>
      <Form does={texts.let_in} busy={busy} problem={problem} submit={letIn} fields={["name"]}>
        <Field label={texts.program_name} name="name" value={name} set={setName} required problem={problem} />
        <Select label={texts.role} value={role} set={(role) => setRole(role as Role)}
          options={(["viewer", "member", "admin"] as const).map((role) => [role, texts[`role_${role}`]])} />
      </Form>
      <div role="status">
        {secret && <div class="card"><p>{texts.token_once}</p><p class="link">{secret}</p></div>}
      </div>
      <ul class="rows">
        {tokens.map((it) => (
          <li key={it.id} class={it.revoked ? "removed" : ""}>
            <div>
              <strong>{it.name}</strong>
              <span>
                {[texts[`role_${it.role}`], texts.until(time(it.expires_at)),
                  it.used_at ? texts.last_used(time(it.used_at)) : texts.never_used].join(" · ")}
              </span>
            </div>
            {it.revoked ? <span>{texts.revoked}</span> : (
              <button type="button" class="quiet" disabled={busy} onClick={() => revoke(it.id)}>{texts.revoke}</button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
