import { AwsError } from './aws-error';
import type { WireRequest } from './wire';

const INCOMPLETE = () =>
  new AwsError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  );

/**
 * Takes the framing off a body sent as `Content-Encoding: aws-chunked` (S3 API Reference, "Signature calculations:
 * transferring payload in multiple chunks"). Trailing headers, such as a checksum, become ordinary headers.
 * @throws AwsError IncompleteBody when the framing is broken.
 */
export function withoutChunkFraming(request: WireRequest): WireRequest {
  const encodings = (request.headers['content-encoding'] ?? '').split(',').map((name) => name.trim());
  if (!encodings.includes('aws-chunked')) return request;
  const chunks: Buffer[] = [];
  let offset = 0;
  for (;;) {
    const end = request.body.indexOf('\r\n', offset);
    if (end < 0) throw INCOMPLETE();
    const length = parseInt(request.body.toString('latin1', offset, end), 16);
    if (!Number.isSafeInteger(length)) throw INCOMPLETE();
    offset = end + 2;
    if (length === 0) break;
    if (offset + length > request.body.length) throw INCOMPLETE();
    chunks.push(request.body.subarray(offset, offset + length));
    offset += length + 2;
  }
  const headers = { ...request.headers };
  for (const line of request.body.toString('latin1', offset).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const rest = encodings.filter((name) => name !== 'aws-chunked');
  if (rest.length > 0) headers['content-encoding'] = rest.join(',');
  else delete headers['content-encoding'];
  const [first] = chunks;
  return { ...request, headers, body: chunks.length === 1 && first ? first : Buffer.concat(chunks) };
}
