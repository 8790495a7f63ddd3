import { resolve } from '../../../local/deploy/intrinsics';
import { StackScope } from '../../../local/deploy/stack-scope';

const template = {
  Parameters: { Stage: { Type: 'String', Default: 'prod' }, Given: { Type: 'String' } },
  Conditions: {
    IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
    IsOther: { 'Fn::Not': [{ Condition: 'IsProd' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsOther' }, { 'Fn::Equals': ['a', 'a'] }] },
    Both: { 'Fn::And': [{ Condition: 'IsOther' }, { Condition: 'IsProd' }] },
  },
  Mappings: { Sizes: { 'us-east-1': { small: 't3.small' } } },
  Resources: {
    Bucket: { Type: 'AWS::S3::Bucket', Properties: {} },
    Named: {
      Type: 'AWS::S3::Bucket',
      Properties: { BucketName: { 'Fn::Join': ['-', ['of', { Ref: 'Stage' }]] } },
    },
    Function: { Type: 'AWS::Lambda::Function' },
    Machine: { Type: 'AWS::StepFunctions::StateMachine' },
    Role: { Type: 'AWS::IAM::Role' },
    Key: { Type: 'AWS::KMS::Key' },
    Group: { Type: 'AWS::EC2::SecurityGroup' },
    Skipped: { Type: 'AWS::S3::Bucket', Condition: 'IsOther' },
    Loop: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'Loop' } } },
    Table: { Type: 'AWS::DynamoDB::Table' },
  },
  Outputs: {
    Name: { Value: { Ref: 'Named' } },
    Never: { Value: { Ref: 'Nothing' }, Condition: 'IsOther' },
  },
};
const scope = new StackScope(template, {
  stackName: 'Stack',
  region: 'us-east-1',
  accountId: '000000000000',
});

test.each<[unknown, unknown]>([
  [{ Ref: 'Stage' }, 'prod'],
  [{ Ref: 'AWS::Region' }, 'us-east-1'],
  [{ Ref: 'AWS::Partition' }, 'aws'],
  [{ Ref: 'Bucket' }, 'stack-bucket'],
  [{ Ref: 'Named' }, 'of-prod'],
  [{ Ref: 'Machine' }, 'arn:aws:states:us-east-1:000000000000:stateMachine:Stack-Machine'],
  [{ 'Fn::GetAtt': ['Function', 'Arn'] }, 'arn:aws:lambda:us-east-1:000000000000:function:Stack-Function'],
  [{ 'Fn::GetAtt': 'Machine.Name' }, 'Stack-Machine'],
  [{ 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::000000000000:role/Stack-Role'],
  [
    { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', { Ref: 'Bucket' }, '/*']] },
    'arn:aws:s3:::stack-bucket/*',
  ],
  [
    { 'Fn::Sub': '${AWS::AccountId}-${Bucket.Arn}-${!Literal}' },
    '000000000000-arn:aws:s3:::stack-bucket-${Literal}',
  ],
  [{ 'Fn::Sub': ['${x}/${Stage}', { x: { Ref: 'AWS::Region' } }] }, 'us-east-1/prod'],
  [{ 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
  [{ 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] }, 't3.small'],
  [{ 'Fn::If': ['IsProd', 'yes', 'no'] }, 'yes'],
  [{ 'Fn::If': ['Both', 'yes', { Ref: 'Stage' }] }, 'prod'],
  [{ 'Fn::If': ['Either', 1, 2] }, 1],
  [{ a: { 'Fn::If': ['IsProd', { Ref: 'AWS::NoValue' }, 1] }, b: [{ Ref: 'AWS::NoValue' }, 2] }, { b: [2] }],
  [{ 'Fn::Base64': 'hi' }, 'aGk='],
  // A member named Condition, as in an IAM statement.
  [
    { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    { Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  ],
])('%j', (value, expected) => {
  expect(resolve(value, scope)).toEqual(expected);
});

test('ids of what is not emulated have the form of the real ones and stay the same', () => {
  const group = resolve({ 'Fn::GetAtt': ['Group', 'GroupId'] }, scope);
  expect(group).toMatch(/^sg-[0-9a-f]{17}$/);
  expect(resolve({ Ref: 'Group' }, scope)).toBe(group);
  expect(resolve({ 'Fn::GetAtt': ['Key', 'Arn'] }, scope)).toMatch(
    /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  );
});

test.each<[unknown, string]>([
  [{ 'Fn::ImportValue': 'x' }, 'The intrinsic function Fn::ImportValue is not supported.'],
  [{ Ref: 'Nothing' }, 'The template refers to Nothing, which it does not define.'],
  [{ Ref: 'Given' }, 'The parameter Given has no default.'],
  [{ Ref: 'Loop' }, 'The name of Loop depends on itself.'],
  [{ 'Fn::GetAtt': ['Table', 'Arn'] }, 'Table (AWS::DynamoDB::Table) has no attribute Arn here.'],
  [{ 'Fn::If': ['Unknown', 1, 2] }, 'There is no condition Unknown.'],
  [{ 'Fn::FindInMap': ['Sizes', 'mars', 'small'] }, 'The mapping Sizes has nothing at mars, small.'],
])('%j is refused', (value, message) => {
  expect(() => resolve(value, scope)).toThrow(message);
});

test('resources and outputs whose condition does not hold are left out', () => {
  expect(scope.resources().map(([id]) => id)).not.toContain('Skipped');
  expect(scope.outputs()).toEqual({ Name: 'of-prod' });
});
