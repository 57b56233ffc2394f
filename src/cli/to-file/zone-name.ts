import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

const ZONE_DIRECTORIES = [
  '/usr/share/zoneinfo',
  '/usr/share/lib/zoneinfo',
  '/usr/lib/locale/TZ',
  '/etc/zoneinfo',
];
const NAME = '(<[^>]+>|[A-Za-z]+)';
const OFFSET = '([-+]?\\d+(?::\\d+){0,2})';
/** The last line of a zone file, e.g. `CET-1CEST,M3.5.0,M10.5.0/3` (RFC 9636, 3.3). */
const RULE = new RegExp(`\\n${NAME}${OFFSET}(?:${NAME}${OFFSET}?)?[^\\n]*\\n$`);

/** The short name of the local time zone at that time, e.g. `CEST`: the system's, which Node itself does not know. */
export function zoneName(date: Date): string {
  const [, standard, standardOffset = '0', summer, summerOffset] = RULE.exec(zoneFile()) ?? [];
  if (standard === undefined) return intlName(date);
  const usual = eastOf(standardOffset);
  const isSummer =
    summer !== undefined &&
    -date.getTimezoneOffset() === (summerOffset === undefined ? usual + 60 : eastOf(summerOffset));
  return (isSummer ? summer : standard).replace(/[<>]/g, '');
}

function zoneFile(): string {
  const { TZ } = process.env;
  const zone = TZ?.replace(/^:/, '');
  const named =
    zone === undefined ? ['/etc/localtime'] : ZONE_DIRECTORIES.map((dir) => join(dir, zone || 'UTC'));
  for (const path of zone !== undefined && isAbsolute(zone) ? [zone] : named) {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      // the next one
    }
  }
  return '';
}

/** Minutes east of UTC; POSIX counts to the west. */
function eastOf(text: string): number {
  const [hours = 0, minutes = 0] = text.replace(/^[-+]/, '').split(':').map(Number);
  return (text.startsWith('-') ? 1 : -1) * (hours * 60 + minutes);
}

function intlName(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
}
