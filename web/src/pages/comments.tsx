// What is said about a record.

import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import type { CommentOf } from "../sync/kept.ts";
import { useDevice, useKept } from "../sync/use.ts";
import { useTexts, useTime } from "../texts.ts";
import { ulid } from "../ulid.ts";
import { Form, Select, useAction } from "../ui/form.tsx";

interface Props {
  record: string;
  mayComment: boolean;
  names: Map<string, string>;
  colleagues: Map<string, string>;
}

export function Comments({ record, mayComment, names, colleagues }: Props) {
  const texts = useTexts();
  const time = useTime();
  const device = useDevice();
  const draftKey = `comment/${record}`;
  // The id is the comment's, so that it is said once, whenever the browser is killed.
  const [{ id, text }, setBegun] = useState({ id: ulid(), text: "" });
  const [whom, setWhom] = useState("");
  const { busy, problem, run } = useAction();
  const told = useKept(({ engine }) => [...engine.comments.values()].filter((it) => it.record_id === record));
  const waiting = useKept(({ engine }) =>
    engine.entries().flatMap(({ record: of, at, deed }) =>
      of === record && deed.kind === "comment" ? [{ at, ...deed }] : []));
  useEffect(() => {
    device.draft<{ id: string; text: string }>(draftKey).then((it) => {
      if (!it) return;
      const isSaid = device.engine.comments.has(it.id) || device.engine.entries().some(({ deed }) => deed.kind === "comment" && deed.id === it.id);
      if (isSaid) void device.dropDraft(draftKey);
      else setBegun(it);
    });
    call<{ comments: CommentOf[] }>("GET", `/v1/records/${record}/comments?limit=100`).then((answer) => {
      if (answer.ok) void device.keepComments(answer.body.comments);
    });
  }, [device, record]);
  const say = () =>
    run(async () => {
      await device.act(record, { kind: "comment", id, text: text.trim(), mentions: whom ? [whom] : [] });
      await device.dropDraft(draftKey);
      setBegun({ id: ulid(), text: "" });
      setWhom("");
      return null;
    });
  const rows = [
    ...told.map((it) => ({ ...it, at: it.created_at, by: names.get(it.created_by) || texts.somebody, isSent: true })),
    ...waiting.map((it) => ({ ...it, by: texts.you, isSent: false })),
  ].sort((one, other) => one.at.localeCompare(other.at));
  const to = (mentions: string[] | undefined) => (mentions ?? []).map((it) => names.get(it) || texts.somebody).join(", ");
  return (
    <section>
      <h2>{texts.comments}</h2>
      <ul class="rows">
        {rows.map((it) => (
          <li key={it.id}>
            <div>
              <span>{[it.by, (it.mentions ?? []).length > 0 && texts.mentioned(to(it.mentions)), time(it.at), !it.isSent && texts.not_sent_yet].filter(Boolean).join(" · ")}</span>
              <p class="said">{it.text}</p>
            </div>
          </li>
        ))}
      </ul>
      {mayComment && (
        <Form does={texts.send_comment} busy={busy} problem={problem} submit={say} fields={[]}>
          <div class="field">
            <label for="say">{texts.say}</label>
            <textarea id="say" rows={3} required maxLength={10_000} value={text}
              onInput={(event) => {
                const begun = { id, text: event.currentTarget.value };
                setBegun(begun);
                void device.keepDraft(draftKey, begun);
              }} />
          </div>
          <Select label={texts.mention} value={whom} set={setWhom} options={[["", "–"], ...colleagues]} />
        </Form>
      )}
    </section>
  );
}
