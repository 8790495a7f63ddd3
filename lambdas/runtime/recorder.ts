import { joinRecorder, RECORDER_MODULES } from '../../core/recording/recorder-program';
import actors from '../../recorder/actors.py';
import fanotify from '../../recorder/fanotify.py';
import places from '../../recorder/places.py';
import record_file from '../../recorder/record_file.py';
import record_update from '../../recorder/record_update.py';
import tally from '../../recorder/tally.py';
import upload from '../../recorder/upload.py';

const TEXTS = { fanotify, places, actors, tally, record_file, upload, record_update };

/** What is sent along with every update. */
export const RECORDER = joinRecorder(RECORDER_MODULES.map((name) => ({ name, text: TEXTS[name] })));
