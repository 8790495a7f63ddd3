import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { MapRun, MapRunDocument } from '../distributed-map/map-run';
import { readJson, writeJson } from './json-file';

/** Map Runs by ARN: one document each on disk, the running ones live. */
export class MapRunStore {
  private readonly documents = new Map<string, MapRunDocument>();

  constructor(
    private readonly folder: string,
    stoppedAt: Date,
  ) {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
      const document = readJson<MapRunDocument>(path.join(folder, name));
      if (!document) continue;
      // Its execution ended with the process that ran it.
      if (document.status === 'RUNNING')
        Object.assign(document, { status: 'ABORTED', stopDate: stoppedAt.getTime() });
      this.documents.set(document.mapRunArn, document);
    }
  }

  find(mapRunArn: string): MapRunDocument | undefined {
    return this.documents.get(mapRunArn);
  }

  ofExecution(executionArn: string): MapRunDocument[] {
    return [...this.documents.values()].filter((document) => document.executionArn === executionArn);
  }

  save(mapRun: MapRun): void {
    this.documents.set(mapRun.document.mapRunArn, mapRun.document);
    writeJson(path.join(this.folder, `${mapRun.id}.json`), mapRun.document);
  }
}
