import { createHash } from 'node:crypto';
import type { Digest } from '../../core/chunk-store/chunk-store';
import { startTestServices, type TestServices } from '../support/aws-services';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
});
afterEach(() => services.close());

const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('S3PackStore', () => {
  const bytes = Buffer.from('a pack');

  test('gives back what was put', async () => {
    await services.packs.putPack(digestOf(bytes), bytes);
    expect(Buffer.from(await services.packs.getPack(digestOf(bytes)))).toEqual(bytes);
  });

  test('puts a pack once: one that is there is left as it is', async () => {
    await services.packs.putPack(digestOf(bytes), bytes);
    await services.packs.putPack(digestOf(bytes), Buffer.from('something else'));
    expect(Buffer.from(await services.packs.getPack(digestOf(bytes)))).toEqual(bytes);
  });

  test('a pack that is missing and one that is damaged are different errors', async () => {
    await expect(services.packs.getPack(digestOf(bytes))).rejects.toMatchObject({ name: 'PackMissingError' });
    await services.packs.putPack(digestOf(bytes), Buffer.from('a hack'));
    await expect(services.packs.getPack(digestOf(bytes))).rejects.toMatchObject({ name: 'PackInvalidError' });
  });

  test('an error of the service is neither', async () => {
    services.faults.add({ service: 's3', operation: 'GetObject', kind: 'throttle' });
    await expect(services.packs.getPack(digestOf(bytes))).rejects.toMatchObject({ name: 'SlowDown' });
  });
});

describe('DocumentStore', () => {
  test('reads what was written, and tells what is not there', async () => {
    const { documents } = services;
    await documents.write('runs/r/plan.json', { run: 'r', text: 'ä€😀' });
    expect(await documents.read('runs/r/plan.json')).toEqual({ run: 'r', text: 'ä€😀' });
    expect(await documents.find('runs/r/none.json')).toBeUndefined();
    await expect(documents.read('runs/r/none.json')).rejects.toMatchObject({
      name: 'DocumentMissingError',
      facts: { key: 'runs/r/none.json' },
    });
  });

  test.each([[[]], [[{ a: 1 }]], [[{ a: 'x\ny' }, { b: [1, 2] }]]])('keeps lines: %j', async (items) => {
    await services.documents.writeLines('lines.jsonl', items);
    expect(await services.documents.readLines('lines.jsonl')).toEqual(items);
  });

  test('writes under a condition only while it holds', async () => {
    const { documents } = services;
    expect(await documents.writeIf('key', 1, 'absent')).toBe(true);
    expect(await documents.writeIf('key', 2, 'absent')).toBe(false);
    const { etag } = (await documents.findVersioned('key'))!;
    expect(await documents.writeIf('key', 3, { etag })).toBe(true);
    expect(await documents.writeIf('key', 4, { etag })).toBe(false);
    expect(await documents.read('key')).toBe(3);
  });

  test('lists all keys of a prefix, page by page', async () => {
    const { documents } = services;
    const keys = Array.from({ length: 1010 }, (_, at) => `many/${String(at).padStart(4, '0')}`);
    await Promise.all(keys.map((key) => documents.write(key, 0)));
    await documents.write('manyothers', 0);
    expect(await documents.list('many/')).toEqual(keys);
  }, 30_000);
});
