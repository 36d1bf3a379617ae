/**
 * Many socket clients in a process of their own that cost next to nothing: they look for a mark in what comes and read
 * nothing else. Arguments: port, number of clients, and what each says after the handshake.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = '', count = '', hello = ''] = process.argv.slice(2);
const MARK = Buffer.from('"mark":true');

let marks = 0;
const sockets = await Promise.all(Array.from({ length: Number(count) }, open));
process.send('ready');

async function open() {
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
      `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
  );
  await reads(socket, '0{');
  socket.write(frame('40'));
  await reads(socket, '40{');
  if (hello !== '') socket.write(frame(hello));
  if (hello !== '') await reads(socket, '430[{"ok":true');
  watch(socket);
  return socket;
}

async function reads(socket, text) {
  let read = '';
  while (!read.includes(text)) read += String((await once(socket, 'data'))[0]);
}

function watch(socket) {
  let tail = Buffer.alloc(0);
  socket.on('data', (data) => {
    const text = Buffer.concat([tail, data]);
    const at = text.lastIndexOf(MARK);
    if (at >= 0) seen();
    tail = Buffer.from(text.subarray(Math.max(at + MARK.length, text.length - MARK.length)));
  });
}

function seen() {
  marks += 1;
  if (marks % sockets.length === 0) process.send('all');
}

/** A text frame as a client sends it; a mask of zeros changes nothing. */
function frame(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}
