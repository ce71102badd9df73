import { VirtualClock } from '../../sim/virtual/clock.ts';
import { Random } from '../../src/base/random.ts';
import type { ClientPorts } from '../../src/client/cluster.ts';
import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import { ModelBroker } from './model-broker.ts';
import { ScriptedNetwork } from './scripted-network.ts';

/** Port of the model broker in the scripted network. */
export const MODEL_PORT = 9_092;

/** Its address, for clients. */
export const MODEL_BOOTSTRAP: readonly string[] = [`model:${MODEL_PORT}`];

/** A client's ports in virtual time, with a model broker at the other end. */
export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly network: ScriptedNetwork;
  readonly broker: ModelBroker;
  readonly ports: ClientPorts;
}

/** Makes one. `maxVersions`: highest version that the broker serves, by API key. */
export function clientWorld(maxVersions: Readonly<Record<number, number>> = {}): ClientWorld {
  const clock = new VirtualClock();
  const network = new ScriptedNetwork(clock);
  const compute = new PortableCompute();
  const broker = new ModelBroker({ port: MODEL_PORT, compute, maxVersions });
  network.setHost(MODEL_PORT, broker.host);
  return { clock, network, broker, ports: { clock, network, compute, random: new Random(7) } };
}
