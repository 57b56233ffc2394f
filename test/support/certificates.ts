import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { tempDir } from './temp.js';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority, and what it signed: a server's certificate for localhost and 127.0.0.1, and a client's. */
export interface Certificates {
  readonly ca: string;
  readonly server: Certificate;
  /** Of the common name `a client`. */
  readonly client: Certificate;
  /** Signed by nobody but itself. */
  readonly stranger: Certificate;
}

export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

let made: Promise<Certificates> | undefined;

/** The same ones for all tests of a file. */
export function certificates(): Promise<Certificates> {
  made ??= make();
  return made;
}

async function make(): Promise<Certificates> {
  const options = { keyType: 'ec', algorithm: 'sha256' } as const;
  const named = (value: string) => [{ name: 'commonName', value }];
  const authority = await generate(named('an authority'), {
    ...options,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };
  const server = await generate(named('localhost'), {
    ...options,
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const client = await generate(named('a client'), {
    ...options,
    ca,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', clientAuth: true },
    ],
  });
  const stranger = await generate(named('a stranger'), options);
  const pair = ({ cert, private: key }: { cert: string; private: string }): Certificate => ({ cert, key });
  return { ca: ca.cert, server: pair(server), client: pair(client), stranger: pair(stranger) };
}

/** The same as files; the directory goes with the file's tests. */
export async function certificateFiles(): Promise<CertificateFiles> {
  const { ca, server, client } = await certificates();
  const directory = tempDir('file');
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  return {
    ca: write('ca.pem', ca),
    cert: write('cert.pem', server.cert),
    key: write('key.pem', server.key),
    clientCert: write('client.pem', client.cert),
    clientKey: write('client.key', client.key),
  };
}
