import { execFileSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProcess, nsq, RUN, Serve, temporaryDirectory } from './cli-process.js';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let broker: Serve;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = await temporaryDirectory();
  broker = await Serve.start(directory.path);
  const create = `http://${broker.httpAddress}/topic/create?topic=orders%23ephemeral`;
  await fetch(create, { method: 'POST' });
  // As installed: `nsq` in the path.
  const program = join(directory.path, 'nsq');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${RUN}" "$@"\n`);
  await chmod(program, 0o755);
  env = { PATH: `${directory.path}:${process.env.PATH}`, NSQ_NSQD_HTTP_ADDRESS: broker.httpAddress };
});
afterAll(async () => {
  await broker.stop();
  await directory.remove();
});

const LINES = ['nsq ta', 'nsq tail --topic=ord', 'nsq tail --print'] as const;

/** Loads the script and prints the first candidate for each of the lines. */
const SESSIONS: Readonly<Record<string, string>> = {
  bash: `source <(nsq completion bash)
for line in "$@"; do COMP_LINE=$line COMP_POINT=\${#line}; _nsq; echo "\${COMPREPLY[0]}"; done`,
  // Outside of its line editor zsh has neither of the two.
  zsh: `compdef() { :; }; _describe() { local -a all=("\${(@P)3}"); print -r -- "\${all[1]%%:*}"; }
source <(nsq completion zsh)
for line in "$@"; do words=(\${=line}); CURRENT=$#words; _nsq; done`,
  fish: `nsq completion fish | source
for line in $argv; complete -C $line | head -1 | cut -f 1; end`,
};
const installed = Object.keys(SESSIONS).filter((shell) => {
  try {
    execFileSync(shell, ['-c', 'exit']);
    return true;
  } catch {
    return false;
  }
});

describe('nsq completion', () => {
  test.each(installed)('%s completes commands, flags and names of topics', async (shell) => {
    const more = shell === 'fish' ? [] : [shell];
    const run = new CliProcess(shell, ['-c', SESSIONS[shell]!, ...more, ...LINES], env);
    const { stdout } = await run.exited;
    // What bash has before the = is kept by readline.
    const topic = shell === 'bash' ? 'orders#ephemeral' : '--topic=orders#ephemeral';
    expect(stdout).toBe(`tail\n${topic}\n--print-topic\n`);
  });

  test.each(Object.keys(SESSIONS))('prints a script for %s', async (shell) => {
    const { code, stdout, stderr } = await nsq(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(' complete -- ');
  });

  test('another shell, or none: one line, 2', async () => {
    const { code, stderr } = await nsq(['completion', 'tcsh']);
    expect([code, stderr]).toEqual([
      2,
      'error: there is no completion for "tcsh". One of bash, zsh, fish, as in nsq completion bash.\n',
    ]);
  });
});
