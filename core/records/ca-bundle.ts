import { createHash } from 'node:crypto';
import type { RecordChanges, RecordCodec, RecordFile } from './record-codec';
import { RecordConflictError, RecordFormatError } from './record-errors';

const CODEC = 'ca-bundle';

/** The bundle of all certificate authorities has some 150 and 220 KB. */
const LARGEST_BUNDLE_BYTES = 16 * 1024 * 1024;

/** A certificate as PEM (RFC 7468). */
interface Certificate {
  readonly key: string;
  readonly text: string;
}

/**
 * update-ca-certificates(8): the certificates of /etc/ca-certificates.conf in its order, then those of the machine's own
 * administrator. A record is one certificate; its key is the SHA-256 of its DER form, as people know it from
 * `openssl x509 -fingerprint`. Where a new one belongs is told by its neighbours, which are listed with it.
 */
export const caBundleCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => path === '/etc/ssl/certs/ca-certificates.crt',
  parse: (bytes) => new CaBundle(parseCertificates(bytes)),
};

class CaBundle implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder = new Uint8Array();

  constructor(private readonly certificates: readonly Certificate[]) {
    this.records = new Map(certificates.map(({ key, text }) => [key, Buffer.from(text, 'latin1')]));
  }

  contextOf(changed: ReadonlySet<string>): string[] {
    return this.certificates.flatMap(({ key }, index) => {
      const isBeside = [index - 1, index + 1].some((at) => changed.has(this.certificates[at]?.key ?? ''));
      return isBeside ? [key] : [];
    });
  }

  merge(changes: RecordChanges): Uint8Array {
    const merged = this.certificates.filter(({ key }) => !changes.has(key) || changes.get(key) !== undefined);
    let previous: string | undefined;
    const keys = [...changes.keys()].filter((key) => changes.get(key) !== undefined);
    const isOwn = new Set(merged.map(({ key }) => key));
    keys.forEach((key, index) => {
      const certificate = checked(key, changes.get(key)!);
      const at = merged.findIndex((own) => own.key === key);
      if (at >= 0) merged[at] = certificate;
      else {
        const following = keys.slice(index + 1).find((other) => isOwn.has(other));
        merged.splice(placeOf(merged, key, previous, following), 0, certificate);
      }
      previous = key;
    });
    return Buffer.from(merged.map(({ text }) => text).join(''), 'latin1');
  }
}

/** Behind the one before it; with others in between, only the tool itself could tell the order. */
function placeOf(
  merged: readonly Certificate[],
  key: string,
  previous: string | undefined,
  following: string | undefined,
): number {
  const end = merged.length;
  const after = previous === undefined ? undefined : merged.findIndex((own) => own.key === previous) + 1;
  const before = following === undefined ? undefined : merged.findIndex((own) => own.key === following);
  const at = after ?? before ?? end;
  const wanted = before ?? (after === undefined ? at : end);
  if (at !== wanted || (after === undefined && before !== undefined && before > 0)) {
    const other = merged[at]?.key ?? previous ?? key;
    throw new RecordConflictError(CODEC, key, other, 'this machine has other certificates in its place');
  }
  return at;
}

function checked(key: string, bytes: Uint8Array): Certificate {
  const [only, ...more] = parseCertificates(bytes);
  if (only?.key !== key || more.length > 0)
    throw new RecordFormatError(CODEC, 'what is put is not one certificate with this key', { key });
  return only;
}

function parseCertificates(bytes: Uint8Array): Certificate[] {
  if (bytes.length > LARGEST_BUNDLE_BYTES) throw new RecordFormatError(CODEC, 'too many bytes');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const certificates: Certificate[] = [];
  const known = new Set<string>();
  const END = '-----END CERTIFICATE-----\n';
  for (let at = 0; at < text.length;) {
    const end = text.indexOf(END, at);
    if (end < 0) throw new RecordFormatError(CODEC, 'text behind the last certificate', { offsetBytes: at });
    const piece = text.slice(at, end + END.length);
    const key = fingerprint(piece, at);
    if (known.has(key)) throw new RecordFormatError(CODEC, 'the same certificate twice', { key });
    known.add(key);
    certificates.push({ key, text: piece });
    at = end + END.length;
  }
  return certificates;
}

/** Some have a description in front of the certificate, which is part of its record. */
function fingerprint(piece: string, offsetBytes: number): string {
  const BEGIN = '-----BEGIN CERTIFICATE-----\n';
  const begin = piece.indexOf(BEGIN);
  const body = piece.slice(begin + BEGIN.length, piece.lastIndexOf('-----END'));
  if (begin < 0 || !/^[A-Za-z0-9+/=\s]+$/.test(body))
    throw new RecordFormatError(CODEC, 'no certificate in PEM form', { offsetBytes });
  return createHash('sha256').update(Buffer.from(body, 'base64')).digest('hex');
}
