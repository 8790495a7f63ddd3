// Started inside a machine's network namespace: passes connections to a loopback port there on to a unix socket, which is
// not bound to any network namespace. Plain JavaScript, since it runs as a program of its own.
import { connect, createServer } from 'node:net';

const [port, socketPath] = process.argv.slice(2);

const server = createServer((incoming) => {
  const outgoing = connect(socketPath);
  incoming.pipe(outgoing).pipe(incoming);
  incoming.on('error', () => outgoing.destroy());
  outgoing.on('error', () => incoming.destroy());
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
// The pipe ends with whoever started this.
process.stdin.on('end', () => process.exit(0)).resume();
