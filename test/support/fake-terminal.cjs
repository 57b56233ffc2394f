// Required before a program, it takes its output and errors for a terminal of 80 columns.
const readline = require('node:readline');

for (const stream of [process.stdout, process.stderr]) {
  Object.assign(stream, {
    isTTY: true,
    columns: 80,
    rows: 24,
    cursorTo: (x, y) => readline.cursorTo(stream, x, y),
    moveCursor: (x, y) => readline.moveCursor(stream, x, y),
    clearLine: (direction) => readline.clearLine(stream, direction),
    clearScreenDown: () => readline.clearScreenDown(stream),
    getWindowSize: () => [stream.columns, stream.rows],
    getColorDepth: () => 4,
    hasColors: () => true,
  });
}
