import { requestJson } from '../../net/json-request.js';
import { messageOf } from '../errors.js';
import type { BrokerSettings } from '../settings.js';
import { Permissions } from './permissions.js';

/** Bytes of an answer at most. */
const MAX_ANSWER = 4 * 1024 * 1024;

/** Who asks to be let in. */
export interface Applicant {
  /** '' for a unix socket. */
  readonly remoteIp: string;
  readonly tls: boolean;
  /** The name in its certificate; '' for none. */
  readonly commonName: string;
  readonly secret: string;
}

/** Asks the auth servers what a client may do: any of them, and another one when that fails. */
export class AuthServers {
  readonly #settings: BrokerSettings;
  readonly #ca: { ca?: Buffer };

  /** @param ca the authorities that sign the servers' certificates, if not those that Node trusts */
  constructor(settings: BrokerSettings, ca: { ca?: Buffer }) {
    this.#settings = settings;
    this.#ca = ca;
  }

  /** Rejects with an Error that says what each server answered when none gave permissions. */
  async ask(applicant: Applicant): Promise<Permissions> {
    const addresses = this.#settings.authHttpAddresses;
    const first = Math.floor(Math.random() * addresses.length);
    const failures: string[] = [];
    for (const address of [...addresses.slice(first), ...addresses.slice(0, first)]) {
      try {
        return await this.#askOne(address, applicant);
      } catch (error) {
        failures.push(`failed to auth against ${address} - ${messageOf(error)}`);
      }
    }
    throw new Error(failures.join('; '));
  }

  async #askOne(address: string, applicant: Applicant): Promise<Permissions> {
    const url = new URL(address.includes('://') ? address : `http://${address}/auth`);
    const fields = {
      common_name: applicant.commonName,
      remote_ip: applicant.remoteIp,
      secret: applicant.secret,
      tls: String(applicant.tls),
    };
    let answer = await this.#request(url, fields);
    if (answer.status === 403 && url.protocol === 'http:') {
      const port = httpsPortIn(answer.json);
      if (port !== undefined) {
        url.protocol = 'https:';
        url.port = String(port);
        answer = await this.#request(url, fields);
      }
    }
    if (answer.status !== 200) throw new Error(`got response ${answer.status}`);
    return new Permissions(answer.json);
  }

  /** In the query, or as nsqd posts them: a list of one for each field. */
  #request(url: URL, fields: Readonly<Record<string, string>>): ReturnType<typeof requestJson> {
    const common = {
      connectTimeout: this.#settings.httpClientConnectTimeout,
      timeout: this.#settings.httpClientRequestTimeout,
      maxBytes: MAX_ANSWER,
      tls: this.#ca,
    };
    if (this.#settings.authHttpRequestMethod === 'post') {
      const lists = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value]]));
      return requestJson({ ...common, url: url.href, method: 'POST', json: lists });
    }
    const asked = new URL(url);
    for (const [name, value] of Object.entries(fields)) asked.searchParams.set(name, value);
    return requestJson({ ...common, url: asked.href });
  }
}

/** Where a server that is asked by HTTP says it is to be asked by HTTPS. */
function httpsPortIn(json: unknown): number | undefined {
  const port =
    typeof json === 'object' && json !== null && 'https_port' in json ? json.https_port : undefined;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
