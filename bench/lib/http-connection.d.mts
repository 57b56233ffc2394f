import type { Socket } from 'node:net';

export declare function responseLength(text: string): number;

export declare class HttpConnection {
  constructor(socket: Socket);
  static open(address: string): Promise<HttpConnection>;
  repeat(request: Buffer, next: () => boolean): Promise<void>;
  close(): void;
}
