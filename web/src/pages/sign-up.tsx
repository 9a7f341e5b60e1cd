import { useState } from "preact/hooks";
import { type Me, type Problem, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { useContext } from "preact/hooks";
import { usePlace } from "../router.ts";
import { LanguageContext, useTexts } from "../texts.ts";
import { Field, Form, PasswordField, useAction } from "../ui/form.tsx";
import { enterAs } from "./sign-in.tsx";

export function SignUp({ signedIn }: { signedIn: () => Promise<void> }) {
  const texts = useTexts();
  const { token } = usePlace();
  if (!token) return <AskForLetter title={texts.sign_up_title} intro={texts.sign_up_intro} path="/v1/sign-ups" />;
  return <CreateCompany token={token} signedIn={signedIn} />;
}

/** Asks for a letter with a link. Whatever the address, the answer is the same. */
export function AskForLetter({ title, intro, path }: { title: string; intro: string; path: string }) {
  const texts = useTexts();
  const { language } = useContext(LanguageContext);
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  const { busy, problem, run } = useAction();
  const ask = () =>
    run(async () => {
      const answer = await call("POST", path, { body: { email, language } });
      if (!answer.ok) return answer.problem;
      setSent(true);
      return null;
    });
  if (sent) {
    return (
      <main>
        <h1>{texts.look_in_mail}</h1>
        <p role="status">{texts.look_in_mail_text(email)}</p>
      </main>
    );
  }
  return (
    <main>
      <h1>{title}</h1>
      <p>{intro}</p>
      <Form does={texts.send_link} busy={busy} problem={problem} submit={ask} fields={["email"]}>
        <Field label={texts.email} name="email" type="email" value={email} set={setEmail} required
          complete="email" problem={problem} />
      </Form>
      <p><a href="/">{texts.sign_in}</a></p>
    </main>
  );
}

function CreateCompany({ token, signedIn }: { token: string; signedIn: () => Promise<void> }) {
  const texts = useTexts();
  const [company, setCompany] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const create = () =>
    run(async (): Promise<Problem | null> => {
      const body = { token, company, name, password };
      const answer = await attempt.send(body, (key) =>
        call<Me>("POST", "/v1/customers", { body, key }));
      if (!answer.ok) return answer.problem;
      return enterAs(answer.body.user.sign_in_name ?? "", password, undefined, signedIn);
    });
  return (
    <main>
      <h1>{texts.sign_up_title}</h1>
      <Form does={texts.create} busy={busy} problem={problem} submit={create} fields={["company", "name", "password"]}>
        <Field label={texts.sign_up_company} name="company" value={company} set={setCompany} required
          complete="organization" problem={problem} />
        <Field label={texts.your_name} name="name" value={name} set={setName} required complete="name" problem={problem} />
        <PasswordField label={texts.new_password} name="password" value={password} set={setPassword}
          hint={texts.new_password_hint} complete="new-password" problem={problem} />
      </Form>
    </main>
  );
}
