import { useEffect, useState } from "preact/hooks";
import { type Me, type Problem, type Role, call } from "../api.ts";
import { useAttempt } from "../attempt.ts";
import { usePlace } from "../router.ts";
import { useTexts } from "../texts.ts";
import { Field, Form, PasswordField, ProblemText, useAction } from "../ui/form.tsx";
import { enterAs } from "./sign-in.tsx";

interface Preview {
  company: string;
  short_name: string | null;
  role: Role;
  email: string | null;
}

export function InvitationPage({ signedIn }: { signedIn: () => Promise<void> }) {
  const texts = useTexts();
  const { token } = usePlace();
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isNew, setIsNew] = useState(true);
  useEffect(() => {
    // Looking uses nothing up.
    call<Preview>("POST", "/v1/invitation-previews", { body: { token } }).then((answer) => {
      if (answer.ok) setPreview(answer.body);
      else setProblem(answer.problem);
    });
  }, [token]);
  if (!preview) {
    return <main>{problem ? <ProblemText problem={problem} /> : <p>{texts.loading}</p>}</main>;
  }
  return (
    <main>
      <h1>{texts.invitation_title(preview.company)}</h1>
      <p>{texts.invitation_text(preview.company, texts[`role_${preview.role}`])}</p>
      <fieldset class="tabs">
        <legend class="unseen">{texts.join}</legend>
        {[true, false].map((it) => (
          <label key={String(it)}>
            <input type="radio" name="who" checked={isNew === it} onChange={() => setIsNew(it)} />
            {it ? texts.invitation_new : texts.invitation_known}
          </label>
        ))}
      </fieldset>
      <ComeIn key={String(isNew)} preview={preview} token={token} isNew={isNew} signedIn={signedIn} />
    </main>
  );
}

interface ComeInProps {
  preview: Preview;
  token: string;
  isNew: boolean;
  signedIn: () => Promise<void>;
}

function ComeIn({ preview, token, isNew, signedIn }: ComeInProps) {
  const texts = useTexts();
  const end = `@${preview.short_name ?? ""}`;
  const [name, setName] = useState("");
  const [signInName, setSignInName] = useState(preview.email ?? (isNew ? end : ""));
  const [password, setPassword] = useState("");
  const attempt = useAttempt();
  const { busy, problem, run } = useAction();
  const enter = () =>
    run(async (): Promise<Problem | null> => {
      const body = { token, name, sign_in_name: signInName, password };
      const path = isNew ? "/v1/acceptances" : "/v1/memberships";
      const answer = await attempt.send(body, (key) =>
        call<Me>("POST", path, { body, key }));
      if (!answer.ok) return answer.problem;
      return enterAs(signInName, password, answer.body.customer.id, signedIn);
    });
  return (
    <Form does={texts.join} busy={busy} problem={problem} submit={enter} fields={["name", "sign_in_name", "password"]}>
      <Field label={texts.your_name} name="name" value={name} set={setName} required complete="name" problem={problem} />
      <Field label={isNew ? texts.name_to_log_in : texts.sign_in_name} name="sign_in_name" value={signInName}
        set={setSignInName} required complete="username" problem={problem}
        hint={isNew && preview.short_name ? texts.name_to_log_in_hint(preview.short_name) : undefined} />
      <PasswordField label={isNew ? texts.new_password : texts.password} name="password" value={password}
        set={setPassword} hint={isNew ? texts.new_password_hint : undefined} problem={problem}
        complete={isNew ? "new-password" : "current-password"} />
    </Form>
  );
}
