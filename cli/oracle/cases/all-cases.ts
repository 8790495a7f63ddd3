import { compliance } from './compliance';
import { debconf } from './debconf';
import { kernel } from './kernel';
import { layouts } from './layouts';
import { opensshServer } from './openssh-server';
import type { OracleCase } from './oracle-case';
import { postgresql } from './postgresql';
import { purge } from './purge';
import { pythonTree } from './python-tree';
import { remove } from './remove';
import { rpm } from './rpm';
import { script } from './script';
import { security } from './security';
import { service } from './service';

/** Every case there is. To add one: write it in a file of its own and name it here. */
export const ORACLE_CASES: readonly OracleCase[] = [
  security,
  layouts,
  service,
  debconf,
  remove,
  purge,
  script,
  pythonTree,
  opensshServer,
  postgresql,
  kernel,
  compliance,
  rpm,
];

/** @throws RangeError naming those that there are */
export function oracleCaseNamed(name: string): OracleCase {
  const found = ORACLE_CASES.find((one) => one.name === name);
  if (found === undefined)
    throw new RangeError(`"${name}" is none of ${ORACLE_CASES.map((one) => one.name).join(', ')}`);
  return found;
}
