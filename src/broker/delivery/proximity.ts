/** Where a broker or a client says it is: a zone, and the region around it; '' where it does not say. */
export interface Place {
  readonly topologyZone: string;
  readonly topologyRegion: string;
}

/** How near a consumer is to the broker: in its zone, in its region, or anywhere. */
export type Proximity = 'zone' | 'region' | 'global';

/** Zones are told apart by their names alone, whatever region they are said to be in, as nsqd does it. */
export function proximityOf(consumer: Place, broker: Place): Proximity {
  if (broker.topologyZone !== '' && consumer.topologyZone === broker.topologyZone) return 'zone';
  if (broker.topologyRegion !== '' && consumer.topologyRegion === broker.topologyRegion) return 'region';
  return 'global';
}
