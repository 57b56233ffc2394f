import { once } from 'node:events';
import { connect } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * The length of the response that `text` starts with, or 0 while its end has not come.
 * @param {string} text latin1
 */
export function responseLength(text) {
  const headEnd = text.indexOf(HEAD_END);
  if (headEnd < 0) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd + 2))?.[1];
  if (length === undefined) throw new Error(`a response without Content-Length: ${text}`);
  const end = headEnd + HEAD_END.length + Number(length);
  return end <= text.length ? end : 0;
}

/** A kept-alive HTTP connection that sends prebuilt requests one at a time. */
export class HttpConnection {
  #socket;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /** @param {string} address */
  static async open(address) {
    const { hostname, port } = new URL(`tcp://${address}`);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new HttpConnection(socket);
  }

  /**
   * Sends the request each time that `next()` says so, until it does not; every answer must be a 200.
   * @param {Buffer} request
   * @param {() => boolean} next
   * @returns {Promise<void>}
   */
  repeat(request, next) {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let text = '';
      const send = () => {
        if (next()) socket.write(request);
        else resolve();
      };
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the daemon closed an HTTP connection')));
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        const length = responseLength(text);
        if (length === 0) return;
        if (!text.startsWith('HTTP/1.1 200')) reject(new Error(text));
        text = text.slice(length);
        send();
      });
      send();
    });
  }

  close() {
    this.#socket.removeAllListeners('close').destroy();
  }
}
