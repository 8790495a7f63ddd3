/** The fields that this interpreter runs, by state type. Any other field is refused by name. */
const FLOW = ['Type', 'Comment', 'QueryLanguage', 'Output', 'Assign', 'Next', 'End'];
const GUARDED = ['Retry', 'Catch'];

export const STATE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pass: FLOW,
  Succeed: ['Type', 'Comment', 'QueryLanguage', 'Output'],
  Fail: ['Type', 'Comment', 'QueryLanguage', 'Error', 'Cause'],
  Wait: [...FLOW, 'Seconds', 'Timestamp'],
  Choice: ['Type', 'Comment', 'QueryLanguage', 'Output', 'Assign', 'Choices', 'Default'],
  Task: [...FLOW, ...GUARDED, 'Resource', 'Arguments', 'TimeoutSeconds'],
  Parallel: [...FLOW, ...GUARDED, 'Branches', 'Arguments'],
  Map: [
    ...FLOW,
    ...GUARDED,
    'ItemProcessor',
    'Items',
    'ItemSelector',
    'MaxConcurrency',
    'ItemReader',
    'ItemBatcher',
    'ResultWriter',
    'ToleratedFailurePercentage',
    'ToleratedFailureCount',
    'Label',
  ],
};

export const DISTRIBUTED_ONLY = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailurePercentage',
  'ToleratedFailureCount',
  'Label',
];

export const REQUIRED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Choice: ['Choices'],
  Task: ['Resource'],
  Parallel: ['Branches'],
  Map: ['ItemProcessor'],
};

/** Types that no state follows by Next or End. */
export const TERMINAL_TYPES: ReadonlySet<string> = new Set(['Succeed', 'Fail', 'Choice']);

export const NESTED_FIELDS = {
  machine: ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'],
  graph: ['Comment', 'QueryLanguage', 'StartAt', 'States'],
  processor: ['Comment', 'QueryLanguage', 'StartAt', 'States', 'ProcessorConfig'],
  processorConfig: ['Mode', 'ExecutionType'],
  rule: ['Condition', 'Next', 'Output', 'Assign', 'Comment'],
  retrier: [
    'ErrorEquals',
    'IntervalSeconds',
    'BackoffRate',
    'MaxAttempts',
    'MaxDelaySeconds',
    'JitterStrategy',
    'Comment',
  ],
  catcher: ['ErrorEquals', 'Next', 'Output', 'Assign', 'Comment'],
  itemReader: ['Resource', 'Arguments', 'ReaderConfig'],
  readerConfig: ['InputType', 'MaxItems'],
  itemBatcher: ['MaxItemsPerBatch', 'MaxInputBytesPerBatch', 'BatchInput'],
  resultWriter: ['Resource', 'Arguments', 'WriterConfig'],
  writerConfig: ['Transformation', 'OutputType'],
} as const;
