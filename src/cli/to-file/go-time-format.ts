import { zoneName } from './zone-name.js';

/** The elements of a layout of Go's `time.Format`, the longer before those that they begin with. */
const ELEMENTS = new RegExp(
  [
    'January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST',
    '0[1-6]|002|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm',
    '[-Z]07(?:0000|:00:00|00|:00)?',
    '[.,](?:0+|9+)(?!\\d)',
  ].join('|'),
  'g',
);

const two = (value: number): string => String(value).padStart(2, '0');
const hour12 = (date: Date): number => date.getHours() % 12 || 12;
const month = (date: Date): string =>
  // biome-ignore format: a table
  ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
    'November', 'December'][date.getMonth()]!;
const weekday = (date: Date): string =>
  ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][date.getDay()]!;

const FIELDS: Readonly<Record<string, (date: Date) => string>> = {
  January: month,
  Jan: (date) => month(date).slice(0, 3),
  Monday: weekday,
  Mon: (date) => weekday(date).slice(0, 3),
  MST: zoneName,
  1: (date) => String(date.getMonth() + 1),
  '01': (date) => two(date.getMonth() + 1),
  2: (date) => String(date.getDate()),
  '02': (date) => two(date.getDate()),
  _2: (date) => String(date.getDate()).padStart(2),
  '002': (date) => String(dayOfYear(date)).padStart(3, '0'),
  __2: (date) => String(dayOfYear(date)).padStart(3),
  15: (date) => two(date.getHours()),
  3: (date) => String(hour12(date)),
  '03': (date) => two(hour12(date)),
  4: (date) => String(date.getMinutes()),
  '04': (date) => two(date.getMinutes()),
  5: (date) => String(date.getSeconds()),
  '05': (date) => two(date.getSeconds()),
  2006: (date) => String(date.getFullYear()).padStart(4, '0'),
  '06': (date) => two(date.getFullYear() % 100),
  PM: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  pm: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
};

/** What Go's `Time.Format(layout)` gives for the local time (https://pkg.go.dev/time#pkg-constants). */
export function formatGoTime(layout: string, date: Date): string {
  return layout.replace(ELEMENTS, (element) => {
    const field = FIELDS[element];
    if (field) return field(date);
    return /^[.,]/.test(element) ? fraction(element, date) : offset(element, date);
  });
}

/** `.000` has all its digits, `.999` no zeros at the end. */
function fraction(element: string, date: Date): string {
  const count = element.length - 1;
  const digits = String(date.getMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count);
  if (element.includes('0')) return `${element[0]}${digits}`;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : `${element[0]}${short}`;
}

function offset(element: string, date: Date): string {
  const minutes = -date.getTimezoneOffset();
  if (element.startsWith('Z') && minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const parts = [two(Math.trunc(size / 60)), two(size % 60), '00'];
  const digits = element.replace(/\D/g, '').length;
  return `${minutes < 0 ? '-' : '+'}${parts.slice(0, digits / 2).join(element.includes(':') ? ':' : '')}`;
}

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (day - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000;
}
