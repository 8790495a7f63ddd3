import { withoutChunkFraming } from './aws-chunked';
import type { Operation } from './operations';
import type { Protocol } from './protocol';
import { restXmlProtocol } from './rest';
import type { SerdeSettings } from './serde-settings';

const COPY_SOURCE = 'x-amz-copy-source';
const UPLOAD_ID = 'uploadId';

/**
 * S3 on top of restXml. Two things are not in its schemas: the bucket is the first step of the path (path style), and
 * bodies may come in aws-chunked framing. Copies are told from puts by a header, parts of uploads from whole objects by a
 * query parameter.
 */
export function s3Protocol(operations: ReadonlyMap<string, Operation>, settings: SerdeSettings): Protocol {
  const needsBucket = new Map<Operation, boolean>();
  const copies = new Map<Operation, boolean>();
  const uploads = new Map<Operation, boolean>();
  for (const operation of operations.values()) {
    const members = operation.input.isStructSchema() ? operation.input.getMemberSchemas() : {};
    needsBucket.set(operation, 'Bucket' in members);
    copies.set(operation, 'CopySource' in members);
    uploads.set(operation, 'UploadId' in members);
  }
  const rest = restXmlProtocol(operations, settings, {
    accepts: (operation, request) =>
      needsBucket.get(operation) === 'x-bucket' in request.headers &&
      copies.get(operation) === COPY_SOURCE in request.headers &&
      // Only the JavaScript SDK names the operation in the query (x-id).
      uploads.get(operation) === UPLOAD_ID in request.query,
  });
  return {
    ...rest,
    async parse(request) {
      const [, bucket = '', ...key] = request.path.split('/');
      if (bucket === '') return rest.parse(request);
      const plain = withoutChunkFraming(request);
      const call = await rest.parse({
        ...plain,
        path: `/${key.join('/')}`,
        headers: { ...plain.headers, 'x-bucket': bucket },
      });
      if (call) call.input['Bucket'] = decodeURIComponent(bucket);
      return call;
    },
  };
}
