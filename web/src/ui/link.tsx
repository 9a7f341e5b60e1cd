// A link that opens something: to be copied, or printed as a QR code for somebody who has no mail.

import { useState } from "preact/hooks";
import { encode } from "uqr";
import { useTexts } from "../texts.ts";

export function LinkCard({ link, text }: { link: string; text: string }) {
  const texts = useTexts();
  const [copied, setCopied] = useState(false);
  return (
    <section class="card printed" aria-live="polite">
      <p>{text}</p>
      <QrCode text={link} />
      <p class="link">{link}</p>
      <p class="buttons">
        <button
          type="button"
          onClick={() => navigator.clipboard.writeText(link).then(() => setCopied(true), () => {})}
        >
          {copied ? texts.copied : texts.copy}
        </button>
        <button type="button" class="quiet" onClick={() => print()}>{texts.print}</button>
      </p>
    </section>
  );
}

function QrCode({ text }: { text: string }) {
  const { data, size } = encode(text, { border: 4 });
  const dark = data.flatMap((row, y) => row.flatMap((is, x) => (is ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="QR">
      <rect width={size} height={size} fill="#fff" />
      <path d={dark.join("")} fill="#000" />
    </svg>
  );
}
