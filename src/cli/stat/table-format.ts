import { type FrameOptions, frame } from './frame.js';
import type { ReportFormat } from './report-formats.js';

/** One picture below the other, for a terminal that cannot be drawn over, or a file. */
export function tableFormat(
  options: Pick<FrameOptions, 'width' | 'pace' | 'isTree' | 'perNode' | 'colors'>,
): ReportFormat {
  let isFirst = true;
  return {
    head: '',
    print: (report, rows) => {
      const lines = frame(report, {
        ...options,
        rows,
        height: Number.POSITIVE_INFINITY,
        offset: 0,
        keys: '',
      });
      const gap = isFirst ? '' : '\n';
      isFirst = false;
      return `${gap}${lines.join('\n')}\n`;
    },
  };
}
