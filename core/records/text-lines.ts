/** A line and its end, which the last line of a file may lack. */
export interface TextLine {
  readonly body: string;
  readonly end: '\n' | '';
}

export function linesOf(text: string): TextLine[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const whole = lines.map((body): TextLine => ({ body, end: '\n' }));
  return last === '' ? whole : [...whole, { body: last, end: '' }];
}
