'use strict';

const {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/** `require('node:module')` would load Node's loader of ES modules as well. */
const Module = /** @type {typeof import('node:module')} */ (module.constructor);
const BUILTIN = new Set(Module.builtinModules);

/** Only what made it can use it. V8 does not look at everything that it depends on: not at the processor, for one. */
const MAKER = `${process.version}-${process.platform}-${process.arch}`;
/** A process that ran for longer has compiled more than is needed to start. */
const MAX_RECORDED_MS = 10_000;

/**
 * Loads the modules of a directory with what V8 made of them when they were built: compiling would take half of the time
 * of a short command. They find each other without Node's search for modules. Where there is nothing for this version of
 * Node, the first run of each command keeps what it made, next to the modules. Where that may not be written, or when Node
 * was given options, which others would have to be given, too, Node's own cache is used, if it has one.
 *
 * @param {string} directory with a module `main.cjs`, and a file `build-id` that is another one with each change of its
 *   modules; all of them are ASCII, but for comments
 * @param {{ record?: boolean }} [options] record: writes what V8 makes of all modules when the process ends
 */
exports.useCodeCache = (directory, { record = false } = {}) => {
  const buildId = () => read(join(directory, 'build-id'))?.latin1Slice();
  const build = buildId();
  // V8 compares the length of a module only, not its text.
  const suffix = `.${build}-${MAKER}.cache`;
  const isPlain = process.execArgv.length === 0 && !process.env.NODE_OPTIONS;
  const isBuilt = existsSync(join(directory, `main.cjs${suffix}`));
  if (!record && !isBuilt && !(isPlain && isWritable(directory))) {
    useCacheOfNode();
    return;
  }
  const { _compile: compile } = Module.prototype;
  /** @type {{ filename: string, script: Script }[]} */
  const made = [];
  let isUseful = true;
  let isRecording = record || isPlain;
  /**
   * Tells whether V8's flags are still those that the modules were made with, since what it makes goes with its flags.
   * @type {Buffer | undefined}
   */
  let flags;

  Module.prototype._compile = function compileCached(content, filename, ...rest) {
    if (!isUseful || !filename.startsWith(directory)) return compile.call(this, content, filename, ...rest);
    const cachedData = record ? undefined : read(filename + suffix);
    const script = new Script(Module.wrap(content), { filename, cachedData });
    if (script.cachedDataRejected) {
      // Made with other flags, or on another machine: it is of use there.
      isUseful = false;
      useCacheOfNode();
      return compile.call(this, content, filename, ...rest);
    }
    if (cachedData === undefined && isRecording) {
      flags ??= new Script('0').createCachedData();
      made.push({ filename, script });
    }
    const load = script.runInThisContext();
    return load.call(this.exports, this.exports, requireFrom(filename), this, filename, dirname(filename));
  };

  /** @param {string} filename of the module that it is for */
  function requireFrom(filename) {
    /** @type {NodeJS.Require | undefined} */
    let whole;
    const general = () => (whole ??= Module.createRequire(filename));
    /** @param {string} id */
    const found = (id) => {
      if (id.startsWith('node:') || BUILTIN.has(id)) return require(id);
      return id.startsWith('.') ? loaded(join(dirname(filename), id)) : general()(id);
    };
    /** @param {[string, object?]} args */
    found.resolve = (...args) => general().resolve(...args);
    found.main = require.main;
    return found;
  }

  /**
   * As Node loads a module whose file is known.
   * @param {string} filename
   */
  function loaded(filename) {
    const known = Module._cache[filename];
    if (known) return known.exports;
    const content = read(filename);
    if (!content) throw new Error(`${filename} is missing: install nsq again`);
    const it = new Module(filename);
    it.filename = filename;
    Module._cache[filename] = it;
    try {
      it._compile(content.latin1Slice(), filename);
    } catch (error) {
      delete Module._cache[filename];
      throw error;
    }
    it.loaded = true;
    return it.exports;
  }

  // A process that goes on needs none of it.
  setTimeout(() => {
    made.length = 0;
    isRecording = false;
    scratch = undefined;
  }, MAX_RECORDED_MS).unref();

  process.on('exit', () => {
    if (made.length === 0 || !isWritable(directory) || !(record || isUseful)) return;
    // A text of the same length, as V8 asks for, but another: the same one it would not look at again.
    if (new Script('1', { cachedData: flags }).cachedDataRejected) return;
    // By now another version may be installed.
    if (buildId() !== build) return;
    for (const { filename, script } of made) write(filename + suffix, script.createCachedData());
  });
};

function useCacheOfNode() {
  require('node:module').enableCompileCache?.();
}

/** @param {string} path */
function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * For all files in turn: what a buffer of its own for each would leave behind stays with the process.
 * @type {Buffer | undefined}
 */
let scratch;

/**
 * Nothing if there is no such file. What is returned is overwritten by the next call.
 *
 * @param {string} path
 */
function read(path) {
  let file;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    scratch ??= Buffer.allocUnsafeSlow(1 << 20);
    const size = readSync(file, scratch);
    return size < scratch.length ? scratch.subarray(0, size) : readFileSync(path);
  } finally {
    closeSync(file);
  }
}

/**
 * Whole or not at all, also after a power cut, since others may read it or write it at the same time and V8 does not
 * see everything that is wrong with it. It is not worth a failure.
 *
 * @param {string} path
 * @param {Buffer} data
 */
function write(path, data) {
  const draft = `${path}.${process.pid}`;
  try {
    const file = openSync(draft, 'wx');
    try {
      writeFileSync(file, data);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch {
    try {
      rmSync(draft, { force: true });
    } catch {
      // nothing was written either
    }
  }
}
