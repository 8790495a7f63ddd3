/** Text that is HTML already. Only `html` makes it, so nothing else gets into a page unescaped. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | undefined | readonly (Html | string | number | undefined)[];

/** A template whose values are escaped, unless they are Html themselves. Lists are joined; undefined is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const text = parts.map((part, at) => part + (at < values.length ? rendered(values[at]) : ''));
  return new Html(text.join(''));
}

function rendered(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'number') return String(value);
  return value.map(rendered).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also takes out control characters, which no page may hold, and halves of surrogate pairs from names that are not UTF-8. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd');
}
