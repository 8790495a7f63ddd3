import { createHash } from 'node:crypto';
import { MAX_COMPRESSED_BYTES, parseRecording } from '../../core/recording/parse-recording';
import { RecordingError } from '../../core/recording/recording-errors';
import {
  lostRecording,
  type RecordingSummary,
  summarizeRecording,
} from '../../core/recording/summarize-recording';
import { RECORDING_SECONDS, recordedScript } from '../../core/update/recorded-script';
import { ScriptTooLongError } from '../../core/update/update-errors';
import type { ClassUpdateDocument } from '../../core/workflow/documents';
import { classUpdateKey, recordingKey } from '../../core/workflow/keys';
import { type DocumentStore, ObjectTooLargeError } from '../s3/document-store';
import { presignedPut } from '../s3/presign';
import type { Services } from '../services';

/** What AWS-RunShellScript allows: 48 hours. */
const LONGEST_SECONDS = 172_800;

/** Beside the time that the update may take: until the agent takes it, and for reboots, which do not count. */
const SPARE_SECONDS = 2 * 3600;

export interface UpdateToRecord {
  readonly run: string;
  readonly classId: string;
  readonly instanceId: string;
  readonly commands: readonly string[];
  readonly timeoutSeconds: number;
  /** The recorder as one Python program. */
  readonly recorder: string;
}

export interface CommandsToSend {
  readonly commands: readonly string[];
  /** Of the update, and of what the recording takes: what comes back late from the bucket must not end the update. */
  readonly timeoutSeconds: number;
  readonly notRecorded?: string;
}

/** The commands of an update with the recorder around them; as they are, with the reason, where it does not fit. */
export async function recordedCommands(
  { documents, s3 }: Services,
  { run, classId, instanceId, commands, timeoutSeconds, recorder }: UpdateToRecord,
): Promise<CommandsToSend> {
  const key = recordingKey(run, classId, instanceId);
  const seconds = timeoutSeconds + SPARE_SECONDS;
  const uploadUrl = await presignedPut(s3, { bucket: documents.bucket, key, seconds });
  try {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 16);
    const uploadTo = `s3://${documents.bucket}/${key}`;
    return {
      commands: recordedScript({ update: commands, recorder, name, uploadUrl, uploadTo }),
      timeoutSeconds: Math.min(timeoutSeconds + RECORDING_SECONDS, LONGEST_SECONDS),
    };
  } catch (error) {
    if (!(error instanceof ScriptTooLongError)) throw error;
    return { commands, timeoutSeconds, notRecorded: `The update was not recorded: ${error.message}` };
  }
}

/** What was recorded on one machine. What is absent or broken is told, and the snapshots then decide alone. */
export async function readRecording(
  documents: DocumentStore,
  run: string,
  classId: string,
  instanceId: string,
): Promise<RecordingSummary> {
  const update = await documents.find<ClassUpdateDocument>(classUpdateKey(run, classId, instanceId));
  if (update?.notRecorded !== undefined) return lostRecording(update.notRecorded);
  try {
    const bytes = await documents.findBytes(recordingKey(run, classId, instanceId), MAX_COMPRESSED_BYTES);
    if (bytes === undefined) {
      return lostRecording(
        `No recording came from ${instanceId}: it could not be put into the bucket, or the recorder did not run.`,
      );
    }
    return summarizeRecording(parseRecording(bytes));
  } catch (error) {
    if (!(error instanceof RecordingError) && !(error instanceof ObjectTooLargeError)) throw error;
    return lostRecording(error.message);
  }
}
