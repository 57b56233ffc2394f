/** What tsc makes of an import: `const x_1 = require("x");`, with or without a helper around it. */
const IMPORT = /^(?:const|var) (\w+_\d+) = ((?:__import(?:Default|Star)\()?require\(["'][^"']+["']\)\)?);$/gm;

/**
 * Makes the imports of modules that tsc compiled to CommonJS lazy: each is loaded when something of it is used first,
 * not because it is named at the top. For packages of which a short command uses little.
 *
 * @param {RegExp} paths of the modules
 * @returns {import('rolldown').Plugin}
 */
export const lazyRequires = (paths) => ({
  name: 'lazy-requires',
  transform(code, id) {
    if (!paths.test(id)) return null;
    const imports = [...code.matchAll(IMPORT)];
    if (imports.length === 0) return null;
    const getters = imports.map(
      ([, name, load]) => `let ${name}$; const ${name} = () => (${name}$ ??= ${load});`,
    );
    const names = imports.map(([, name]) => name).join('|');
    const uses = new RegExp(`(?<![\\w$.])(?:${names})(?![\\w$])`, 'g');
    return `"use strict";${getters.join('')}\n${code.replaceAll(IMPORT, '').replaceAll(uses, '($&())')}`;
  },
});
