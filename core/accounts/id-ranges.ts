import { readText } from '../image/follow-links';
import type { Image } from '../image/image';

/** From where to where a tool gives numbers, both included. */
export interface IdRange {
  readonly first: number;
  readonly last: number;
}

/** The ranges of one kind of account, by the tool that makes it. */
export interface IdRanges {
  readonly useradd: IdRange;
  readonly adduser: IdRange;
  readonly sysusers: IdRange;
}

export interface MachineRanges {
  readonly user: { readonly system: IdRanges; readonly ordinary: IdRanges };
  readonly group: { readonly system: IdRanges; readonly ordinary: IdRanges };
}

/** What login.defs(5) and adduser.conf(5) of this machine say, and what holds where they say nothing. */
export async function readIdRanges(image: Image): Promise<MachineRanges> {
  const login = settings(await readText(image, '/etc/login.defs'), /^([A-Z_]+)\s+(\d+)\s*$/);
  const adduser = settings(await readText(image, '/etc/adduser.conf'), /^([A-Z_]+)\s*=\s*"?(\d+)"?\s*$/);
  const rangesOf = (kind: 'UID' | 'GID'): MachineRanges['user'] => {
    const firstOrdinary = login.get(`${kind}_MIN`) ?? 1000;
    const system = {
      first: login.get(`SYS_${kind}_MIN`) ?? 101,
      last: login.get(`SYS_${kind}_MAX`) ?? firstOrdinary - 1,
    };
    const ordinary = { first: firstOrdinary, last: login.get(`${kind}_MAX`) ?? 60_000 };
    return {
      system: {
        useradd: system,
        adduser: {
          first: adduser.get(`FIRST_SYSTEM_${kind}`) ?? 100,
          last: adduser.get(`LAST_SYSTEM_${kind}`) ?? 999,
        },
        sysusers: { first: system.first, last: system.last },
      },
      ordinary: {
        useradd: ordinary,
        adduser: { first: adduser.get(`FIRST_${kind}`) ?? 1000, last: adduser.get(`LAST_${kind}`) ?? 59_999 },
        sysusers: ordinary,
      },
    };
  };
  return { user: rangesOf('UID'), group: rangesOf('GID') };
}

function settings(text: string | undefined, line: RegExp): ReadonlyMap<string, number> {
  const found = (text ?? '').split('\n').flatMap((one) => {
    const [, name, digits] = line.exec(one.trim()) ?? [];
    return name === undefined ? [] : [[name, Number(digits)] as const];
  });
  return new Map(found);
}
