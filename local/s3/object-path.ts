/**
 * Where an object's file lies below its bucket's folder, so that any key has one, readable where it can be, and no object's
 * file is in the way of another's folder: `a/b.json` is the file `a/b.json,object`. A comma never comes out of
 * encodeURIComponent, so it marks what is ours.
 */
const OBJECT = ',object';
const EMPTY = ',empty';
const CONTINUED = ',';
/** File names hold 255 bytes; the marks need some of them. */
const LONGEST = 200;

export function pathOfKey(key: string): string {
  return `${key.split('/').map(folderOfStep).join('/')}${OBJECT}`;
}

/** The key of a path that `pathOfKey` made; undefined for any other file. */
export function keyOfPath(path: string): string | undefined {
  if (!path.endsWith(OBJECT)) return undefined;
  return path
    .slice(0, -OBJECT.length)
    .replaceAll(`${CONTINUED}/`, '')
    .split('/')
    .map((step) => (step === EMPTY ? '' : decodeURIComponent(step)))
    .join('/');
}

function folderOfStep(step: string): string {
  if (step === '') return EMPTY;
  const encoded = encodeURIComponent(step).replace(/^\.+$/, (dots) => dots.replaceAll('.', '%2E'));
  return (encoded.match(new RegExp(`.{1,${LONGEST}}`, 'g')) ?? []).join(`${CONTINUED}/`);
}
