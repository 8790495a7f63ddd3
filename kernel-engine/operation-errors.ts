import type { ResolvedOperation } from '../core/apply/apply-engine';
import { ApplyError } from '../core/apply/apply-errors';
import {
  DirectoryNotEmptyError,
  ImmutableFileError,
  InvalidPathError,
  NoSpaceError,
  NotADirectoryError,
  NotFoundError,
  NotReplaceableError,
  OtherProjectError,
  XattrError,
} from '../core/filesystem/write-errors';
import { type GuestFailure, shown } from './machine';

/** What the kernel said of an operation, as the direct engine would say it. */
export function operationError(operation: ResolvedOperation, failure: GuestFailure): ApplyError {
  const cause = causeOf(operation, failure);
  return new ApplyError(operation, cause.message.replace(/\.$/, ''), { cause });
}

function causeOf(operation: ResolvedOperation, failure: GuestFailure): Error {
  const { path } = operation;
  const { facts } = failure;
  const kind = failure.detail === '' ? facts.errno : (facts.errno ?? failure.detail);
  switch (kind) {
    case 'not-replaceable':
      return new NotReplaceableError(path, shown(facts.found), shown(facts.wanted));
    case 'protected':
      return new ImmutableFileError(path, protection(facts.flag));
    case 'xattr':
      return new XattrError(path, `${shown(facts.name)}: ${shown(facts.problem)}`);
    case 'ENOENT':
      return new NotFoundError(path);
    case 'ENOTDIR':
    case 'ELOOP':
      return new NotADirectoryError(path);
    case 'ENOTEMPTY':
      return new DirectoryNotEmptyError(path);
    case 'ENOSPC':
    case 'EDQUOT': {
      const [wanted, blocks, inodes] = [facts.wanted, facts.blocks, facts.inodes].map(Number);
      return inodes === 0 ? new NoSpaceError('inodes', 1, 0) : new NoSpaceError('blocks', wanted!, blocks!);
    }
    case 'EXDEV':
      return new OtherProjectError(path);
    case 'EPERM':
      return new ImmutableFileError(path, 'immutable');
    case 'ENAMETOOLONG':
    case 'EINVAL':
      return new InvalidPathError(path, failure.detail);
    default:
      return failure;
  }
}

type Protection = ConstructorParameters<typeof ImmutableFileError>[1];

function protection(flag: unknown): Protection {
  return flag === 'append-only' || flag === 'sealed by fs-verity' ? flag : 'immutable';
}
