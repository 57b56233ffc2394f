/**
 * The layers and their direction:
 *
 *     protocol  <-  broker | lookupd | client  <-  admin | cli  <-  commands
 *     protocol  <-  daemon  <-  http  <-  broker | lookupd
 *     protocol  <-  net  <-  broker | client
 *     broker, client  <-  testing
 */
const io =
  '^(node:)?(net|tls|http|http2|https|dgram|dns|fs|fs/promises|child_process|worker_threads|cluster)$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'types may name each other: they are gone when the code runs',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'protocol-is-the-lowest-layer',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: '^src/', pathNot: '^src/protocol/' },
    },
    {
      name: 'protocol-does-no-io',
      comment: 'bytes in, values out: no sockets, no files, no packages',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: [io, 'node_modules'] },
    },
    {
      name: 'parts-do-not-know-each-other',
      comment: 'broker, lookupd and client meet on the wire only',
      severity: 'error',
      from: { path: '^src/(broker|lookupd|client)/' },
      to: { path: '^src/', pathNot: ['^src/(protocol|daemon|http|net)/', '^src/$1/'] },
    },
    {
      name: 'the-test-kit-uses-what-its-users-have',
      comment: 'and the protocol, to read along',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { path: '^src/', pathNot: ['^src/(broker|client)/index\\.ts$', '^src/(protocol|testing)/'] },
    },
    {
      name: 'nobody-stands-on-the-test-kit',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'connecting-to-others-knows-nobody',
      comment: 'net: when to try again, and asking by HTTP',
      severity: 'error',
      from: { path: '^src/net/' },
      to: { path: '^src/', pathNot: '^src/(protocol|net)/' },
    },
    {
      name: 'the-client-is-no-daemon',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/(daemon|http)/' },
    },
    {
      name: 'what-daemons-share-knows-none-of-them',
      comment: 'daemon: listening, options, logging; http: the shell of an HTTP API on top of it',
      severity: 'error',
      from: { path: '^src/(daemon|http)/' },
      to: { path: '^src/', pathNot: ['^src/(protocol|daemon)/', '^src/$1/'] },
    },
    {
      name: 'tools-do-not-know-commands',
      severity: 'error',
      from: { path: '^src/(admin|cli)/' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'commands-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/commands/([^/]+)' },
      to: { path: '^src/commands/', pathNot: '^src/commands/$1' },
    },
    {
      name: 'no-development-dependencies-in-the-product',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
