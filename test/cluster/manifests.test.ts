import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { Deployment, type IDeployment, type IStatefulSet, StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { type IService, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { Lookupd } from '../../src/commands/lookupd.js';
import { Serve } from '../../src/commands/serve.js';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

/** The flags that a command line of `nsq` has and should not. */
function unknownFlags([command = '', ...args]: readonly string[]): string[] {
  const { flags } = { serve: Serve, lookupd: Lookupd }[command] ?? { flags: {} };
  return args.filter((arg) => !Object.hasOwn(flags, /^--([a-z-]+)=./.exec(arg)?.[1] ?? ''));
}

interface Compose {
  readonly services: Record<
    string,
    {
      readonly command: readonly string[];
      readonly volumes?: readonly string[];
      readonly tmpfs?: readonly string[];
    }
  >;
  readonly volumes: Record<string, unknown>;
}

describe('deploy/compose.yaml', () => {
  const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;

  it('is valid by the schema of the Compose Specification', () => {
    const { $schema: _, ...schema } = JSON.parse(read('test/cluster/fixtures/compose-spec.json')) as Record<
      string,
      unknown
    >;
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    validate(compose);
    expect(validate.errors).toBeNull();
    validate({ services: { a: { comand: [] } } });
    expect(validate.errors).not.toBeNull();
  });

  it('gives every broker a volume and an address of its own, and all lookupds', () => {
    const lookupds = Object.keys(compose.services).filter((name) => name.startsWith('lookupd'));
    for (const [name, { command, volumes = [], tmpfs = [] }] of Object.entries(compose.services)) {
      expect(unknownFlags(command)).toEqual([]);
      expect(command).toContain(`--broadcast-address=${name}`);
      // What the image has a volume for is somewhere, and nothing is left of it without a name.
      expect([...volumes, ...tmpfs].map((it) => it.split(':').at(-1))).toEqual(['/data']);
      if (lookupds.includes(name)) continue;
      expect(command).toEqual(
        expect.arrayContaining(lookupds.map((it) => `--lookupd-tcp-address=${it}:4160`)),
      );
      expect(volumes).toEqual([`${name}:/data`]);
      expect(Object.keys(compose.volumes)).toContain(name);
    }
  });
});

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** A kind's model, which knows its schema. */
type Kind = new (data: object) => { readonly apiVersion: string; validate(): void };

const KINDS = { Deployment, NetworkPolicy, PodDisruptionBudget, Service, StatefulSet };

describe('deploy/kubernetes', () => {
  const { resources } = parse(read('deploy/kubernetes/kustomization.yaml')) as { resources: string[] };
  const documents = resources
    .flatMap((file) => parseAllDocuments(read(`deploy/kubernetes/${file}`)))
    .map((document) => document.toJS() as Resource);
  const of = <T>(kind: string): T[] => documents.filter((it) => it.kind === kind) as T[];
  const workloads = [...of<IDeployment>('Deployment'), ...of<IStatefulSet>('StatefulSet')];
  const services = of<IService>('Service');

  it.each(documents.map((it) => [it.kind, it.metadata.name, it] as const))(
    '%s %s is valid',
    (kind, _, data) => {
      const known = KINDS[kind as keyof typeof KINDS] as Kind;
      expect(new known(data).apiVersion).toBe(data.apiVersion);
      new known(data).validate();
      expect(() =>
        new known({
          ...data,
          spec: { replicas: 'three', ports: 5, minAvailable: {}, podSelector: 5 },
        }).validate(),
      ).toThrow();
    },
  );

  it.each(workloads.map((it) => [it.metadata?.name ?? '', it] as const))(
    '%s: probes, bounds and rights, and flags that there are',
    (_, { spec }) => {
      const pod = spec?.template.spec;
      const [container] = pod?.containers ?? [];
      expect(spec?.selector.matchLabels).toEqual(spec?.template.metadata?.labels);
      expect(unknownFlags(container?.args ?? [])).toEqual([]);
      expect(container?.readinessProbe?.httpGet).toEqual({ path: '/ping', port: 'http' });
      // A broker whose disk is full fails /ping, and must not be killed for that.
      const path = container?.args?.[0] === 'serve' ? '/info' : '/ping';
      for (const probe of [container?.startupProbe, container?.livenessProbe])
        expect(probe?.httpGet).toEqual({ path, port: 'http' });
      expect(container?.resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
      expect(pod).toMatchObject({ enableServiceLinks: false, securityContext: { runAsNonRoot: true } });
      expect(container?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    },
  );

  it('the image has a version of its own, which nodes need not ask for again', () => {
    const { images } = parse(read('deploy/kubernetes/kustomization.yaml')) as { images: unknown[] };
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(images).toEqual([{ name: 'nsq', newName: 'nsq', newTag: version }]);
  });

  it('brokers have volumes and names of their own, and register with every lookupd that has a Service', () => {
    const [{ spec } = {}] = of<IStatefulSet>('StatefulSet');
    const [container] = spec?.template.spec?.containers ?? [];
    const headless = services.find(({ metadata }) => metadata?.name === spec?.serviceName);
    expect(headless?.spec).toMatchObject({ clusterIP: 'None', selector: spec?.selector.matchLabels });
    const claims = spec?.volumeClaimTemplates?.map(({ metadata }) => metadata?.name);
    expect(container?.volumeMounts?.map(({ name }) => name)).toEqual(claims);
    const dataPath = container?.volumeMounts?.[0]?.mountPath;
    const lookupds = of<IDeployment>('Deployment').map(({ metadata }) => metadata?.name);
    expect(container?.args).toEqual([
      'serve',
      `--data-path=${dataPath}`,
      `--broadcast-address=$(POD_NAME).${headless?.metadata?.name}.$(POD_NAMESPACE).svc`,
      ...lookupds.map((name) => `--lookupd-tcp-address=${name}:4160`),
    ]);
    expect(services.map(({ metadata }) => metadata?.name)).toEqual(expect.arrayContaining(lookupds));
  });

  it('each Service, NetworkPolicy and PodDisruptionBudget is for pods that there are, on ports that they have', () => {
    const pods = workloads.map(({ spec }) => spec?.template);
    const selectors = [
      ...services.map(({ spec }) => ({ labels: spec?.selector, ports: spec?.ports ?? [] })),
      ...of<PodDisruptionBudget>('PodDisruptionBudget').map(({ spec }) => ({
        labels: spec?.selector?.matchLabels,
        ports: [],
      })),
      ...of<NetworkPolicy>('NetworkPolicy').map(({ spec }) => ({
        labels: spec?.podSelector?.matchLabels,
        ports: (spec?.ingress ?? []).flatMap(({ ports = [] }) =>
          ports.map(({ port }) => ({ targetPort: port })),
        ),
      })),
    ];
    for (const { labels = {}, ports } of selectors) {
      const pod = pods.find((it) =>
        Object.entries(labels).every(([name, value]) => it?.metadata?.labels?.[name] === value),
      );
      const names = pod?.spec?.containers[0]?.ports?.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(ports.map(({ targetPort }) => targetPort)));
    }
  });
});

describe('deploy/Dockerfile', () => {
  const lines = read('deploy/Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const instructions = lines.filter((line) => /^[A-Z]+ /.test(line)).map((line) => line.split(/ (.*)/, 2));
  const last = (name: string): string | undefined => instructions.findLast(([it]) => it === name)?.[1];

  it('runs without a shell, not as root, and stops by SIGTERM', () => {
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    expect(JSON.parse(last('ENTRYPOINT') ?? '')).toEqual(['node', '/app/bin/run.js']);
    expect(unknownFlags(JSON.parse(last('CMD') ?? '') as string[])).toEqual([]);
  });

  it('has everything in it that the package needs to run', () => {
    const copied = instructions.flatMap(([name, rest = '']) =>
      name === 'COPY' && rest.includes('--from=') ? (rest.match(/(?<=\/src\/)\S+/g) ?? []) : [],
    );
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    const needed = files.filter((file) => !file.endsWith('.md') && !file.startsWith('docs/'));
    expect(copied).toEqual(expect.arrayContaining(['package.json', 'node_modules', ...needed]));
    expect(existsSync(new URL('package-lock.json', ROOT))).toBe(true);
  });
});
