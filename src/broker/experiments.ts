import { type BrokerSettings, EXPERIMENTS, type Experiment } from './settings.js';

export function hasExperiment({ experiments }: BrokerSettings, experiment: Experiment): boolean {
  return experiments.includes(experiment);
}

/** What was asked for and comes to nothing, a line each. nsqd takes any name, too, and says nothing. */
export function experimentWarnings(settings: BrokerSettings): string[] {
  const warnings = settings.experiments
    .filter((name) => !EXPERIMENTS.includes(name))
    .map((name) => `there is no experiment "${name}", only ${EXPERIMENTS.join(', ')}: it is ignored`);
  const hasPlace = settings.topologyZone !== '' || settings.topologyRegion !== '';
  if (hasExperiment(settings, 'topology-aware-consumption') && !hasPlace)
    warnings.push('topology-aware-consumption has no effect without --topology-zone or --topology-region');
  return warnings;
}
