import { readFile } from 'node:fs/promises';

/** One line of the embedded EC2's event log: an instance changed its state. */
export interface InstanceStateEvent {
  readonly type: 'instance-state';
  readonly time: string;
  readonly instanceId: string;
  readonly from: string;
  readonly to: string;
}

/** Every change of an instance's state since the given line of the log. */
export async function instanceStateEvents(file: string, sinceLine = 0): Promise<InstanceStateEvent[]> {
  const events = (await logLines(file)).slice(sinceLine).map((line) => JSON.parse(line) as { type: string });
  return events.filter((event): event is InstanceStateEvent => event.type === 'instance-state');
}

export async function logLines(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
}
