import { useContext, useEffect, useState } from "preact/hooks";
import { type Invitation, type Me, type Person, type Role, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { LanguageContext, useTexts, useTime } from "../texts.ts";
import { Field, Form, ProblemText, Select, useAction } from "../ui/form.tsx";
import { LinkCard } from "../ui/link.tsx";

const ROLES: Role[] = ["viewer", "member", "admin", "owner"];
const mayLookAfter = (me: Me) => me.user.role === "admin" || me.user.role === "owner";

/** Those roles that a person may give. */
const given = (me: Me) => ROLES.filter((role) => me.user.role === "owner" || role !== "owner");

export function People({ me }: { me: Me }) {
  const texts = useTexts();
  const [people, setPeople] = useState<Person[] | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const { busy, problem, run } = useAction();
  const load = () =>
    run(async () => {
      const answer = await call<{ people: Person[] }>("GET", "/v1/people");
      if (!answer.ok) return answer.problem;
      setPeople(answer.body.people);
      return null;
    });
  useEffect(() => void load(), []);
  const change = (person: Person, role: Role) =>
    run(async () => {
      const answer = await call("PUT", `/v1/people/${person.id}`, { body: { role }, version: person.version });
      if (!answer.ok) return answer.problem;
      await load();
      return null;
    });
  const remove = (person: Person) =>
    run(async () => {
      if (!confirm(texts.remove_sure(person.name ?? ""))) return null;
      const answer = await call("DELETE", `/v1/people/${person.id}`, { version: person.version });
      if (!answer.ok) return answer.problem;
      await load();
      return null;
    });
  const letReset = (person: Person) =>
    run(async () => {
      const answer = await call<{ token: string }>("POST", `/v1/people/${person.id}/password-resets`);
      if (!answer.ok) return answer.problem;
      setLink(`${location.origin}/password#${answer.body.token}`);
      return null;
    });
  return (
    <main>
      <h1>{texts.people}</h1>
      <ProblemText problem={problem} />
      {link && <LinkCard link={link} text={texts.reset_by_link} />}
      <ul class="rows">
        {people?.map((it) => (
          <li key={it.id} class={it.removed ? "removed" : ""}>
            <div>
              <strong>{it.name ?? it.id}</strong>
              <span>
                {it.sign_in_name} {it.id === me.user.id && `(${texts.you})`} {it.removed && `(${texts.removed})`}
              </span>
            </div>
            {!it.removed && mayLookAfter(me) && it.id !== me.user.id ? (
              <div class="buttons">
                <Select label={texts.role} value={it.role} set={(role) => change(it, role as Role)}
                  options={(it.role === "owner" ? ROLES : given(me)).map((role) => [role, texts[`role_${role}`]])} />
                {!it.sign_in_name?.includes(".") && (
                  <button type="button" class="quiet" disabled={busy} onClick={() => letReset(it)}>{texts.let_reset}</button>
                )}
                <button type="button" class="quiet" disabled={busy} onClick={() => remove(it)}>{texts.remove}</button>
              </div>
            ) : (
              <span>{texts[`role_${it.role}`]}</span>
            )}
          </li>
        ))}
      </ul>
      {mayLookAfter(me) && <Invite me={me} />}
    </main>
  );
}

function Invite({ me }: { me: Me }) {
  const texts = useTexts();
  const time = useTime();
  const { language } = useContext(LanguageContext);
  const [role, setRole] = useState<Role>("member");
  const [email, setEmail] = useState("");
  const [days, setDays] = useState("7");
  const [link, setLink] = useState<string | null>(null);
  const [sentTo, setSentTo] = useState<string | null>(null);
  const [open, setOpen] = useState<Invitation[]>([]);
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const load = async () => {
    const answer = await call<{ invitations: Invitation[] }>("GET", "/v1/invitations");
    if (!answer.ok) return answer.problem;
    const now = Date.now();
    setOpen(answer.body.invitations.filter((it) => it.state === "open" && Date.parse(it.expires_at) > now));
    return null;
  };
  useEffect(() => void run(load), []);
  const invite = () =>
    run(async () => {
      const address = email.trim();
      const body = { role, days: Number(days), language, ...(address ? { email: address } : {}) };
      const answer = await attempt.send(body, (key) =>
        call<{ token?: string }>("POST", "/v1/invitations", { body, key }));
      if (!answer.ok) return answer.problem;
      attempt.done();
      setLink(answer.body.token ? `${location.origin}/invitation#${answer.body.token}` : null);
      setSentTo(address || null);
      setEmail("");
      return load();
    });
  const withdraw = (id: string) =>
    run(async () => {
      const answer = await call("DELETE", `/v1/invitations/${id}`);
      return answer.ok ? load() : answer.problem;
    });
  return (
    <section>
      <h2>{texts.invite}</h2>
      <Form does={texts.make_invitation} busy={busy} problem={problem} submit={invite} fields={["email", "days"]}>
        <Select label={texts.invite_role} value={role} set={(role) => setRole(role as Role)}
          options={given(me).map((role) => [role, texts[`role_${role}`]])} />
        <Field label={texts.invite_email} name="email" type="email" value={email} set={setEmail}
          hint={texts.invite_email_hint} problem={problem} />
        <Field label={texts.invite_days} name="days" type="number" value={days} set={setDays} min={1} max={30}
          required problem={problem} />
      </Form>
      <div role="status">{sentTo && <p>{texts.invited_by_mail(sentTo)}</p>}</div>
      {link && <LinkCard link={link} text={texts.invited_by_link} />}
      {open.length > 0 && <h2>{texts.open_invitations}</h2>}
      <ul class="rows">
        {open.map((it) => (
          <li key={it.id}>
            <div>
              <strong>{it.email ?? texts.without_address}</strong>
              <span>{texts[`role_${it.role}`]} · {texts.until(time(it.expires_at))}</span>
            </div>
            <button type="button" class="quiet" disabled={busy} onClick={() => withdraw(it.id)}>{texts.withdraw}</button>
          </li>
        ))}
      </ul>
    </section>
  );
}
