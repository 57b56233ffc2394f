import { formatGoTime } from './go-time-format.js';

/** strftime's conversions that nsq_to_file knows, as Go's layouts write them. */
const LAYOUTS: Readonly<Record<string, string>> = {
  A: 'Monday',
  a: 'Mon',
  B: 'January',
  b: 'Jan',
  d: '02',
  H: '15',
  I: '03',
  M: '04',
  m: '01',
  p: 'PM',
  S: '05',
  Y: '2006',
  y: '06',
  Z: 'MST',
  z: '-0700',
  '%': '%',
};

/**
 * The local time as nsq_to_file prints it. That goes through a layout of Go's, in which literal text counts too: `1` in
 * a format comes out as the month, and unknown conversions stay as they are.
 */
export function strftime(format: string, date: Date): string {
  return formatGoTime(
    format.replace(/%([A-Za-z%])/g, (text, letter: string) => LAYOUTS[letter] ?? text),
    date,
  );
}
