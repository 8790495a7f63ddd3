import type { Image } from '../image/image';
import { packageKey, RPMDB } from '../records/rpm/package-record';
import { type RelatedRpm, RpmRelations } from '../records/rpm/package-relations';
import { RpmHeader, TAG } from '../records/rpm/rpm-header';
import { rpmHeaders } from '../records/rpm/rpm-packages';

/** What rpm runs when a package is put or removed, and what it runs of other packages then (rpm-scriptlets(7)). */
const OWN_SCRIPTS = [
  ...[TAG.preTransaction, TAG.preInstall, TAG.postInstall, TAG.preRemove, TAG.postRemove],
  TAG.postTransaction,
];
const TRIGGER_SCRIPTS = [TAG.triggerScripts, TAG.fileTriggerScripts, TAG.transactionFileTriggerScripts];

/** Scriptlets of rpm's packages that an update runs: they stand in the database, and no event tells of them. */
export interface RpmScriptlets {
  readonly texts: readonly string[];
  /** Keys of packages that the update leaves as they are, and that have triggers on those that it changes. */
  readonly triggered: readonly string[];
}

/**
 * @param changed keys of packages that the update changes
 * @throws RecordFormatError
 */
export async function rpmScriptlets(
  before: Image,
  after: Image,
  changed: ReadonlySet<string>,
): Promise<RpmScriptlets> {
  const texts = new Set<string>();
  const triggered = new Set<string>();
  for (const image of [before, after]) {
    const packages = await relatedRpms(image);
    const relations = new RpmRelations(packages, RPMDB);
    const touched = packages.filter(({ key }) => changed.has(key));
    const watching = new Set(touched.flatMap(({ key, header }) => relations.triggeredBy(key, header)));
    for (const { key, header } of packages) {
      const isTouched = changed.has(key);
      if (!isTouched && !watching.has(key)) continue;
      if (!isTouched) triggered.add(key);
      const parsed = new RpmHeader(header, RPMDB);
      for (const tag of isTouched ? [...OWN_SCRIPTS, ...TRIGGER_SCRIPTS] : TRIGGER_SCRIPTS)
        for (const text of parsed.texts(tag)) texts.add(text);
    }
  }
  return { texts: [...texts].sort(), triggered: [...triggered].sort() };
}

async function relatedRpms(image: Image): Promise<RelatedRpm[]> {
  const packages: RelatedRpm[] = [];
  await rpmHeaders(image, (header) => packages.push({ key: packageKey(header), header }));
  return packages;
}
