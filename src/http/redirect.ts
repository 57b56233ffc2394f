import type { IncomingMessage, ServerResponse } from 'node:http';

/** The path without doubled slashes, `.` and `..`, and a slash at the end. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The path without escapes; undefined when one of them is none. */
export function unescapePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return undefined;
  // One character a byte: no path of a route has others than ASCII's.
  return path.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Sends the client to another path, for good, as Go's http.Redirect does it. */
export function redirect({ method }: IncomingMessage, response: ServerResponse, location: string): void {
  if (method !== 'GET')
    return void response.writeHead(308, { Location: location, 'Content-Length': 0 }).end();
  const body = `<a href="${escapeHtml(location)}">Moved Permanently</a>.\n\n`;
  response.writeHead(301, {
    Location: location,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character);
}
