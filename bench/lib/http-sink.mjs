import { createServer } from 'node:net';

/**
 * A process of its own: answers every POST on any connection with 200, as cheaply as it can, so that it is not what is
 * measured. Prints its port.
 */
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

const server = createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let answers = '';
    for (;;) {
      const head = bytes.indexOf(END_OF_HEAD);
      if (head < 0) break;
      const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1];
      const end = head + END_OF_HEAD.length + Number(length ?? 0);
      if (bytes.length < end) break;
      bytes = bytes.subarray(end);
      answers += ANSWER;
    }
    rest = Buffer.from(bytes);
    if (answers !== '') socket.write(answers);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(address.port);
});
