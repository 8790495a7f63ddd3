import { idsInAcl } from '../../../core/variation/access-control-list';

/** linux/posix_acl_xattr.h: version 2; owner, user 1001, the group of the file, group 1002, mask, others. */
const ACL = Buffer.from(
  '02000000' +
    '01000600ffffffff' +
    '02000600e9030000' +
    '04000400ffffffff' +
    '08000400ea030000' +
    '10000600ffffffff' +
    '20000400ffffffff',
  'hex',
);

test('an access control list names users as users and groups as groups', () => {
  expect(idsInAcl('system.posix_acl_access', ACL)).toEqual([
    { kind: 'user', id: 1001 },
    { kind: 'group', id: 1002 },
  ]);
});

test('other attributes name none', () => {
  expect(idsInAcl('security.capability', ACL)).toEqual([]);
});
