import fc from 'fast-check';
import { ManifestMismatchError } from '../../../core/apply/apply-errors';
import { PackedContents } from '../../../core/chunk-store/packed-contents';
import { renderManifest } from '../../../core/render/render-manifest';
import { listImage } from '../../support/image-listing';
import {
  captureOf,
  imageOf,
  machineOf,
  type MemoryUpdate,
  offline,
  online,
  type OwnValues,
} from '../../support/value-machines';

/** Names that contain each other, words of the texts, short and common ones: what a careless search falls for. */
const HOSTS = [
  'web',
  'web1',
  'web10',
  'web-1',
  'app',
  'app-web',
  'db',
  'server',
  'localhost',
  'x',
  'mail.web',
  'aaaa',
  'name',
];
const DOMAINS = [undefined, 'example.org', 'web.example.org', 'org.example'];
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

const machines: fc.Arbitrary<OwnValues> = fc
  .record({
    host: fc.constantFrom(...HOSTS),
    domain: fc.constantFrom(...DOMAINS),
    machineId: hex(32),
    uuid: hex(32),
    last: fc.integer({ min: 1, max: 254 }),
  })
  // What is random is not all one digit.
  .filter(({ machineId, uuid }) => new Set(machineId).size > 4 && new Set(uuid).size > 4)
  .map(({ host, domain, machineId, uuid, last }) => ({
    host,
    ...(domain !== undefined && !host.includes('.') && { domain }),
    machineId,
    uuid: uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    address: `10.0.0.${last}`,
  }));

/** A text that an update writes: words, and places for the machine's values. */
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom<(own: OwnValues) => string>(
      ({ host }) => host,
      ({ host, domain }) => (domain === undefined ? host : `${host}.${domain}`),
      ({ machineId }) => machineId,
      ({ machineId }) => machineId.toUpperCase(),
      ({ uuid }) => uuid,
      ({ address }) => address!,
      ({ host }) => `${host.length}:"${host}"`,
    ),
    fc
      .constantFrom(
        'web',
        'app',
        ' ',
        '\n',
        '=',
        '-',
        '.',
        'name',
        'example.org',
        '10.0.0.1',
        '5',
        '  ',
        '\0',
        'a'.repeat(5),
        '.conf',
      )
      .map((text) => () => text),
  ),
  { maxLength: 12 },
);

const textOf = (parts: readonly ((own: OwnValues) => string)[], own: OwnValues): string =>
  parts.map((part) => part(own)).join('');

describe('a manifest of two machines', () => {
  it('is the same manifest for its representative, and gives a third what its own run would, or nothing', async () => {
    let patched = 0;
    await fc.assert(
      fc.asyncProperty(machines, machines, machines, pieces, pieces, async (a, b, c, written, there) => {
        const files = (own: OwnValues) => ({ '/etc/app/old.conf': textOf(there, own) });
        const update: MemoryUpdate = async (filesystem, own) => {
          await filesystem.put('/etc/app/new.conf', textOf(written, own));
          const old = Buffer.from(await filesystem.readFile('/etc/app/old.conf')).toString('latin1');
          await filesystem.put('/etc/app/old.conf', Buffer.from(`${old}\n${textOf(written, own)}`, 'latin1'));
        };
        const [here, witness, member] = await Promise.all([a, b, c].map((own) => machineOf(own, files(own))));
        const captured = await captureOf(await online(here!, a, update), await online(witness!, b, update));
        const { manifest, packs } = captured;

        const contents = new PackedContents(packs, manifest.packs);
        const rendered = await renderManifest(manifest, await imageOf(here!), contents);
        expect(rendered.manifest).toEqual(manifest);
        expect(rendered.differences).toEqual([]);

        // One machine alone passes over words that stand everywhere.
        if (captured.witness?.used !== true) return;
        try {
          const made = await offline(member!, captured);
          patched++;
          expect(await listImage(made)).toEqual(await listImage((await online(member!, c, update)).after));
        } catch (error) {
          if (!(error instanceof ManifestMismatchError)) throw error;
        }
      }),
      { numRuns: 120 },
    );
    // A manifest that fits nobody would be right as well.
    expect(patched).toBeGreaterThan(2);
  }, 60_000);
});
