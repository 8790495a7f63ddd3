import { followLinks } from '../image/follow-links';
import { SymlinkLoopError } from '../image/image-errors';
import type { PathSummary, RecordingSummary } from '../recording/summarize-recording';
import { packageDatabase, packageRules } from '../records/installed-packages';
import type { PackageFiles } from '../records/package-files';
import { DAILY_JOB_FILES } from './apt-settings';
import { isConcerningTable } from './concerned-records';
import type { Effects } from './effects';
import { namedPaths } from './named-paths';
import type { OwnText } from './own-text';
import { isElf, scriptText } from './programs';
import type { Questions } from './questions';
import type { FootprintRequest } from './read-footprint';
import { CACHE_PACKAGES, ignoredRead, isCheckedTable, listedFolder } from './read-rules';
import { rpmScriptlets } from './rpm-scriptlets';

interface RecordedContext {
  readonly request: FootprintRequest;
  readonly recording: RecordingSummary;
  readonly effects: Effects;
  readonly files: PackageFiles;
  readonly filesAfter: PackageFiles;
  readonly own: OwnText;
}

const INFO_FOLDER = '/var/lib/dpkg/info/';
const APT_SETTINGS = '/etc/apt/apt.conf.d';
const APT_LISTS = '/var/lib/apt/lists/';
/** What `apt-get update` alone writes: of others, the lists that a machine has decide what it gets. */
const APT_FETCH = /^\/var\/lib\/apt\/lists\/(lock$|partial\/)/;
const MAINTAINER_SCRIPT = /\.(preinst|postinst|prerm|postrm|config)$/;
/** Links that start units and are not followed by who reads their target. */
const UNIT_LINK = /^\/etc\/(rc[0-9S]\.d|systemd\/.*\.(wants|requires|upholds))\//;
const UNIT_FOLDER = /^\/(etc|usr\/local\/lib|usr\/lib)\/systemd\/system(\/|$)/;
/** The first directories of PATH: a program that stands there is run in the place of the system's own. */
const LOCAL_PROGRAMS = ['/usr/local/sbin', '/usr/local/bin'];
const PROGRAMS = /^\/(usr\/)?s?bin\/([^/]+)$/;

/** Asks for what the recording says that the update's processes read, and for what decided which files these were. */
export async function askForRecordedReads(questions: Questions, context: RecordedContext): Promise<void> {
  const reads = new Map(
    [...context.recording.paths].filter(([, { read, byUpdate }]) => read && byUpdate !== 'no'),
  );
  const recorded = new RecordedReads(questions, context, reads);
  for (const [path, summary] of reads) await recorded.ask(path, summary);
  await recorded.askForLinks();
  await recorded.askForScripts();
  recorded.askForLocalPrograms();
}

class RecordedReads {
  private readonly programs = new Set<string>();
  private readonly scripts: string[] = [];
  private readonly fetched: boolean;

  constructor(
    private readonly questions: Questions,
    private readonly context: RecordedContext,
    private readonly reads: ReadonlyMap<string, PathSummary>,
  ) {
    this.fetched = [...context.recording.paths].some(
      ([path, { changedByUpdate }]) => APT_FETCH.test(path) && changedByUpdate !== 'no',
    );
  }

  async ask(path: string, { executed }: PathSummary): Promise<void> {
    const { request, effects, own } = this.context;
    const { before, codecFor } = request;
    if (executed) this.noteProgram(path);
    if (effects.paths.has(path) || request.random?.has(path) === true) return;
    const stat = await before.lstat(path);
    if (stat === undefined) return;
    if (stat.type === 'directory') return this.askForFolder(path);
    if (stat.type !== 'file') return;
    if (codecFor(path) !== undefined) {
      if (isCheckedTable(path, request.update.kind)) this.questions.ask({ path, kind: 'records' });
      else if (isConcerningTable(path)) this.questions.ask({ path, kind: 'concerned' });
    } else if (own.isNamed(path)) this.questions.ask({ path, kind: 'entry' });
    else if (path.startsWith(APT_LISTS)) {
      if (!this.fetched && !path.includes('_i18n_')) this.questions.ask({ path, kind: 'entry' }, true);
    } else if (path.startsWith(INFO_FOLDER)) this.askForMaintainerScript(path, executed);
    else if (!this.isIgnored(path)) await this.askForFile(path, executed);
  }

  private isIgnored(path: string): boolean {
    return ignoredRead(path, this.context.request.update.kind) !== undefined;
  }

  private askForFolder(path: string): void {
    const { own, effects, request } = this.context;
    if (path === APT_SETTINGS && request.update.kind !== 'compliance') {
      for (const file of DAILY_JOB_FILES)
        if (!effects.paths.has(file)) this.questions.ask({ path: file, kind: 'entry' });
    }
    if (own.isNamed(path)) this.questions.ask({ path, kind: 'listing' });
    else if (UNIT_FOLDER.test(path)) {
      // `systemctl is-enabled` looks for links by the names of units.
      if (own.units.length > 0) this.questions.ask({ path, kind: 'names', asked: [...own.units] });
    } else if (!this.isIgnored(path) && !this.isIgnored(`${path}/x`) && listedFolder(path))
      this.questions.ask({ path, kind: 'names' });
  }

  /** Of a package that the update leaves as it is: a trigger ran it. */
  private askForMaintainerScript(path: string, executed: boolean): void {
    if (!executed || !MAINTAINER_SCRIPT.test(path)) return;
    const name = path.slice(INFO_FOLDER.length).replace(MAINTAINER_SCRIPT, '').split(':')[0]!;
    if (!CACHE_PACKAGES.has(name)) this.questions.ask({ path, kind: 'entry' }, true);
  }

  private async askForFile(path: string, executed: boolean): Promise<void> {
    const { request, files } = this.context;
    const owner = files.ownerOf(path);
    if (owner === undefined) return this.questions.ask({ path, kind: 'entry' });
    const isPutAnew = this.isPutAnew(path, owner);
    if (CACHE_PACKAGES.has(this.nameOf(owner)) && !isPutAnew) return;
    if (files.isConfiguration(path)) {
      if (!isPutAnew || (await this.isSetting(path, owner))) this.questions.ask({ path, kind: 'entry' });
      return;
    }
    // Its record says which it is, and its files are put or were put anew.
    if (isPutAnew) return;
    if (!(await isElf(request.before, path))) return this.questions.ask({ path, kind: 'entry' }, true);
    // A library keeps its name as long as it does the same.
    if (!executed) return;
    const database = await packageDatabase(request.before);
    if (database !== undefined) this.questions.ask({ path: database, kind: 'package', record: owner });
  }

  /** Of several versions that are installed, as of a kernel, the update may leave the one that brought the file. */
  private isPutAnew(path: string, owner: string): boolean {
    const { effects, files, filesAfter } = this.context;
    if (!effects.packages.has(owner)) return false;
    const version = files.versionOf(path);
    return version === undefined || filesAfter.versionOf(path) !== version;
  }

  private nameOf(key: string): string {
    return packageRules(this.context.request.before.os.packageSystem).nameOf(key);
  }

  /**
   * dpkg and rpm open the configuration files of packages that they upgrade, to keep what was changed locally; that alone
   * makes no difference. It does when the directory was listed, or a program of the package that ran names the file.
   */
  private async isSetting(path: string, owner: string): Promise<boolean> {
    const { request, files } = this.context;
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (this.reads.get(folder)?.isDirectory === true) return true;
    for (const [program, { isDirectory }] of this.reads) {
      if (isDirectory || files.ownerOf(program) !== owner || files.isConfiguration(program)) continue;
      const stat = await request.before.lstat(program);
      if (stat?.type !== 'file' || stat.sizeBytes > LARGEST_SEARCHED_BYTES) continue;
      if (Buffer.from(await request.before.readFile(program)).includes(path)) return true;
    }
    return false;
  }

  private noteProgram(path: string): void {
    const name = PROGRAMS.exec(path)?.[2];
    if (name !== undefined) this.programs.add(name);
    this.scripts.push(path);
  }

  /** An event tells the file at which links end: which one they lead to may differ. */
  async askForLinks(): Promise<void> {
    const { request, effects, files } = this.context;
    for (const path of request.links) {
      if (effects.paths.has(path) || files.ownerOf(path) !== undefined || UNIT_LINK.test(path)) continue;
      if (this.isIgnored(path)) continue;
      const target = await realPath(request.before, path);
      if (target === undefined || this.isIgnored(target)) continue;
      const summary = this.reads.get(target);
      if (summary === undefined || summary.isDirectory) continue;
      this.questions.ask({ path, kind: 'entry' });
      const name = summary.executed ? PROGRAMS.exec(path)?.[2] : undefined;
      if (name !== undefined) this.programs.add(name);
    }
  }

  /** A look whether something is there leaves no event; scripts say what they look for. */
  async askForScripts(): Promise<void> {
    const { request, effects } = this.context;
    const { before, after } = request;
    const ran = new Set(this.scripts);
    for (const key of effects.packages) {
      for (const name of [key, this.nameOf(key)]) {
        for (const kind of ['preinst', 'postinst', 'prerm', 'postrm', 'config'])
          ran.add(`${INFO_FOLDER}${name}.${kind}`);
      }
    }
    for (const script of [...ran].sort()) {
      if (isOfCachePackage(script)) continue;
      const text = (await scriptText(after, script)) ?? (await scriptText(before, script));
      if (text !== undefined) await this.askForPathsIn(text);
    }
    if (before.os.packageSystem === 'rpm') await this.askForScriptlets();
  }

  /** Of a package that the update leaves as it is, the record says which its triggers are. */
  private async askForScriptlets(): Promise<void> {
    const { request, effects } = this.context;
    const { before, after } = request;
    if (effects.packages.size === 0) return;
    const { texts, triggered } = await rpmScriptlets(before, after, effects.packages);
    for (const text of texts) await this.askForPathsIn(text);
    const path = await packageDatabase(before);
    for (const record of triggered) {
      if (path === undefined || CACHE_PACKAGES.has(this.nameOf(record))) continue;
      this.questions.ask({ path, kind: 'record', record });
    }
  }

  private async askForPathsIn(script: string): Promise<void> {
    for (const path of namedPaths(withoutComments(script)).paths) {
      if (await this.isAsked(path)) this.questions.ask({ path, kind: 'type' });
    }
  }

  private async isAsked(path: string): Promise<boolean> {
    const { effects, request } = this.context;
    if (isDocumentation(path) || this.isIgnored(path) || request.codecFor(path) !== undefined) return false;
    if (effects.paths.has(path)) return false;
    // `/bin/ps` where `/bin` is a link, and `ps` is new.
    const real = await realPath(request.after, path);
    return real === undefined || !effects.paths.has(real);
  }

  askForLocalPrograms(): void {
    const asked = [...this.programs].sort();
    for (const path of LOCAL_PROGRAMS) {
      if (asked.length > 0) this.questions.ask({ path, kind: 'names', asked });
    }
    this.questions.ask({ path: '/etc/ld.so.preload', kind: 'entry' });
  }
}

const LARGEST_SEARCHED_BYTES = 32 * 1024 * 1024;

function isOfCachePackage(script: string): boolean {
  const name = script.slice(script.lastIndexOf('/') + 1).split('.')[0]!;
  return script.startsWith(INFO_FOLDER) && CACHE_PACKAGES.has(name);
}

function withoutComments(text: string): string {
  return text.replace(/^[ \t]*#(?!!).*$/gm, '');
}

/** Comments of scripts name directories and what to read; as far as they are of the system, they are everywhere. */
function isDocumentation(path: string): boolean {
  return /^\/(usr\/share\/(doc|common-licenses|man)|etc|usr|var|bin|sbin|lib|usr\/(s?bin|lib|share))(\/[^/]*)?$/.test(
    path,
  )
    ? !/^\/(etc|usr\/s?bin|s?bin)\/[^/]+$/.test(path)
    : false;
}

async function realPath(
  image: RecordedContext['request']['before'],
  path: string,
): Promise<string | undefined> {
  try {
    return await followLinks(image, path);
  } catch (error) {
    if (error instanceof SymlinkLoopError) return undefined;
    throw error;
  }
}
