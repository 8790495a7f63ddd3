import { createHash } from 'node:crypto';
import path from 'node:path';
import type {
  CreateDocumentCommandInput,
  DeleteDocumentCommandInput,
  DocumentDescription,
  GetDocumentCommandInput,
} from '@aws-sdk/client-ssm';
import { ACCOUNT_ID } from '../state/account';
import { JsonDocument, readJson } from '../state/json-document';
import { AwsError, type Handler } from '../wire';
import { type DocumentContent, parseDocument } from './document-content';
import { invalidDocument } from './ssm-errors';

/** CreateDocument, Name; names of AWS's own are taken. */
const NAME = /^(?!aws|amazon|amzn)[A-Za-z0-9_.-]{3,128}$/i;
const MAX_CONTENT_BYTES = 64 * 1024;
/** A document that is not changed has this one; UpdateDocument is not emulated. */
const ONLY_VERSION = '1';

interface StoredDocument {
  readonly name: string;
  readonly content: string;
  readonly createdAt: number;
}

export interface DocumentStore {
  /** SSM operations by name. */
  readonly handlers: Record<string, Handler>;
  /** @throws AwsError InvalidDocument, InvalidDocumentVersion */
  find(name: string, version: string | undefined): DocumentContent;
  flush(): Promise<void>;
}

/** Command documents of this account, with the one step that a machine of the embedded cloud can do: a shell script. */
export async function openDocumentStore(
  now: () => number,
  folder: string | undefined,
): Promise<DocumentStore> {
  const file = folder === undefined ? undefined : path.join(folder, 'ssm-documents.json');
  const stored = (file === undefined ? undefined : await readJson<StoredDocument[]>(file)) ?? [];
  const documents = new Map(stored.map((document) => [document.name, document]));
  const json = file === undefined ? undefined : new JsonDocument(file, () => [...documents.values()]);

  function get(name: string, version: string | undefined): StoredDocument {
    const document = documents.get(name);
    if (document === undefined) throw invalidDocument(name);
    if (version !== undefined && !['$DEFAULT', '$LATEST', ONLY_VERSION].includes(version))
      throw new AwsError('InvalidDocumentVersion', `Document ${name} has no version ${version}`);
    return document;
  }

  return {
    handlers: {
      CreateDocument(input: CreateDocumentCommandInput) {
        const { Name: name = '', Content: content = '', DocumentType = 'Command', DocumentFormat } = input;
        if (!NAME.test(name))
          throw new AwsError('ValidationException', `The document name ${name} is not valid.`);
        if (documents.has(name))
          throw new AwsError('DocumentAlreadyExists', `Document with same name ${name} already exists`);
        if (DocumentType !== 'Command' || (DocumentFormat ?? 'JSON') !== 'JSON')
          throw new AwsError('InvalidDocumentContent', 'Only Command documents in JSON are emulated here.');
        if (Buffer.byteLength(content) > MAX_CONTENT_BYTES)
          throw new AwsError('MaxDocumentSizeExceeded', 'The size limit of a document is 64 KB.');
        parseDocument(content);
        const document = { name, content, createdAt: now() };
        documents.set(name, document);
        json?.changed();
        return { DocumentDescription: described(document) };
      },
      GetDocument(input: GetDocumentCommandInput) {
        const { name, content, createdAt } = get(input.Name ?? '', input.DocumentVersion);
        return {
          Name: name,
          CreatedDate: new Date(createdAt),
          DocumentVersion: ONLY_VERSION,
          Status: 'Active' as const,
          Content: content,
          DocumentType: 'Command' as const,
          DocumentFormat: 'JSON' as const,
        };
      },
      DeleteDocument(input: DeleteDocumentCommandInput) {
        documents.delete(get(input.Name ?? '', undefined).name);
        json?.changed();
        return {};
      },
    },
    find: (name, version) => parseDocument(get(name, version).content),
    flush: async () => json?.flush(),
  };
}

function described({ name, content, createdAt }: StoredDocument): DocumentDescription {
  return {
    Hash: createHash('sha256').update(content).digest('hex'),
    HashType: 'Sha256',
    Name: name,
    Owner: ACCOUNT_ID,
    CreatedDate: new Date(createdAt),
    Status: 'Active',
    DocumentVersion: ONLY_VERSION,
    PlatformTypes: ['Linux'],
    DocumentType: 'Command',
    SchemaVersion: '2.2',
    LatestVersion: ONLY_VERSION,
    DefaultVersion: ONLY_VERSION,
    DocumentFormat: 'JSON',
  };
}
